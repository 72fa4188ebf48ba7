/* pickle: the pickle machine (documented in Python's pickletools), limited to the operations that torch.save uses for
 * tensors.
 *
 * A pickle is a program for a machine with a stack and a memo of numbered values; its result stays on the stack. Values
 * live until the end and refer to each other by pointers, which are never followed more than one step, so that deeply
 * nested or recursive pickles cost time proportional to their length. */
#include "src/weights/machine.h"

#include <stdlib.h>
#include <string.h>

enum paced_err machine_damaged(const struct machine *m, const char *what) {
    return paced_error_at(PACED_INVALID, m->path, "byte %zu of its pickle: %s; save or download the file again",
                          m->operation, what);
}

enum paced_err machine_too_large(const struct machine *m) {
    return paced_error_at(PACED_INVALID, m->path, "its pickle is too large for weights; save model.state_dict() alone");
}

/* ---- values, stack, bytes ------------------------------------------------------------------------------------ */

/* Makes room for one more than `count` items. The capacity doubles at each power of two. */
static void *grow_by_one(void *items, size_t count, size_t size) {
    return (count & (count - 1)) == 0 ? paced_grow(items, 2 * count + 1, size) : items;
}

void value_add_items(struct value *value, struct value *const *items, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        value->items = grow_by_one(value->items, value->count, sizeof(*value->items));
        value->items[value->count++] = items[i];
    }
}

enum paced_err machine_make(struct machine *m, enum value_kind kind, struct value **value) {
    struct pickle *pickle = m->pickle;
    if (pickle->count == MAX_VALUES) return machine_too_large(m);
    pickle->values = grow_by_one(pickle->values, pickle->count, sizeof(*pickle->values));
    *value = pickle->values[pickle->count++] = paced_alloc(1, sizeof(**value));
    (*value)->kind = kind;
    return PACED_OK;
}

enum paced_err machine_push(struct machine *m, struct value *value) {
    if (m->depth == MAX_STACK) return machine_too_large(m);
    if (m->depth == m->stack_capacity) {
        m->stack_capacity = 2 * m->stack_capacity + 64;
        m->stack = paced_grow(m->stack, m->stack_capacity, sizeof(*m->stack));
    }
    m->stack[m->depth++] = value;
    return PACED_OK;
}

enum paced_err machine_push_new(struct machine *m, enum value_kind kind, struct value **value) {
    PACED_TRY(machine_make(m, kind, value));
    return machine_push(m, *value);
}

enum paced_err machine_top(struct machine *m, struct value **value) {
    if (m->depth == 0 || m->stack[m->depth - 1]->kind == VALUE_MARK)
        return machine_damaged(m, "the stack has too few values");
    *value = m->stack[m->depth - 1];
    return PACED_OK;
}

enum paced_err machine_pop(struct machine *m, struct value **value) {
    PACED_TRY(machine_top(m, value));
    --m->depth;
    return PACED_OK;
}

enum paced_err machine_find_mark(const struct machine *m, size_t *first) {
    for (*first = m->depth; *first > 0; --*first)
        if (m->stack[*first - 1]->kind == VALUE_MARK) return PACED_OK;
    return machine_damaged(m, "no mark is on the stack");
}

enum paced_err machine_take(struct machine *m, uint64_t size, const uint8_t **bytes) {
    if (size > m->size - m->at) return machine_damaged(m, "it is cut off");
    *bytes = m->bytes + m->at;
    m->at += size;
    return PACED_OK;
}

enum paced_err machine_push_text(struct machine *m, enum value_kind kind, const uint8_t *bytes, size_t size) {
    struct value *value;
    if (memchr(bytes, 0, size)) return machine_damaged(m, "a string contains a zero byte");
    PACED_TRY(machine_push_new(m, kind, &value));
    value->text = paced_alloc(size + 1, 1);
    memcpy(value->text, bytes, size);
    return PACED_OK;
}

/* ---- running ------------------------------------------------------------------------------------------------- */

static enum paced_err step(struct machine *m) {
    const uint8_t *bytes = NULL;
    uint64_t argument = 0;
    m->operation = m->at;
    PACED_TRY(machine_take(m, 1, &bytes));
    const struct operation *operation = &pickle_operations[bytes[0]];
    if (!operation->name) return machine_damaged(m, "no such operation");
    if (!operation->run)
        return paced_error_at(PACED_INVALID, m->path,
                              "byte %zu of its pickle: operation %s is not one of those that tensors need; only "
                              "weights are read, so save model.state_dict() alone",
                              m->operation, operation->name);
    PACED_TRY(machine_take(m, (uint64_t)operation->bytes, &bytes));
    for (int i = operation->bytes; i > 0; --i) argument = argument << 8 | bytes[i - 1];
    return operation->run(m, argument);
}

enum paced_err pickle_read(struct pickle *pickle, const char *path, const uint8_t *bytes, size_t size) {
    struct machine m = {.path = path, .bytes = bytes, .size = size, .pickle = pickle};
    struct value *root = NULL;
    enum paced_err err = PACED_OK;
    while (err == PACED_OK && !m.stopped) err = step(&m);
    if (err == PACED_OK) err = machine_pop(&m, &root);
    if (err == PACED_OK && m.depth > 0) err = machine_damaged(&m, "more than one value is left on the stack");
    if (err == PACED_OK) pickle->root = root;
    free(m.stack);
    free(m.memo);
    return err;
}

void pickle_finish(struct pickle *pickle) {
    for (size_t i = 0; i < pickle->count; ++i) {
        free(pickle->values[i]->text);
        free(pickle->values[i]->items);
        free(pickle->values[i]);
    }
    free(pickle->values);
    *pickle = (struct pickle){0};
}

const struct value *pickle_find(const struct value *dictionary, const char *key) {
    if (dictionary->kind != VALUE_DICT) return NULL;
    for (size_t i = dictionary->count; i > 0; i -= 2) {
        const struct value *name = dictionary->items[i - 2];
        if (name->kind == VALUE_TEXT && strcmp(name->text, key) == 0) return dictionary->items[i - 1];
    }
    return NULL;
}
