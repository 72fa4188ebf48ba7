/* pickle: the pickle machine (documented in Python's pickletools), limited to the operations that torch.save uses for
 * tensors. Other operations, and globals that tensors do not need, are rejected by name.
 *
 * A pickle is a program for a machine with a stack and a memo of numbered values; its result stays on the stack. Values
 * live until the end and refer to each other by pointers, which are never followed more than one step, so that deeply
 * nested or recursive pickles cost time proportional to their length. */
#include "src/weights/pickle.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 1 << 20, MAX_STACK = 1 << 20, MAX_MEMO = 1 << 20 };

struct machine {
    const char *path;
    const uint8_t *bytes;
    size_t size, at, operation; /* at: the next byte; operation: the current one's first byte */
    struct value **stack, **memo;
    size_t depth, stack_capacity;
    size_t memo_size, memo_count; /* capacity; number of values */
    struct pickle *pickle;
    bool stopped;
};

static enum paced_err machine_damaged(const struct machine *m, const char *what) {
    return paced_error_at(PACED_INVALID, m->path, "byte %zu of its pickle: %s; save or download the file again",
                          m->operation, what);
}

static enum paced_err machine_too_large(const struct machine *m) {
    return paced_error_at(PACED_INVALID, m->path, "its pickle is too large for weights; save model.state_dict() alone");
}

/* ---- values, stack, bytes ------------------------------------------------------------------------------------ */

/* Makes room for one more than `count` items. The capacity doubles at each power of two. */
static void *grow_by_one(void *items, size_t count, size_t size) {
    return (count & (count - 1)) == 0 ? paced_grow(items, 2 * count + 1, size) : items;
}

static void value_add_items(struct value *value, struct value *const *items, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        value->items = grow_by_one(value->items, value->count, sizeof(*value->items));
        value->items[value->count++] = items[i];
    }
}

/* A new value, owned by the pickle. */
static enum paced_err machine_make(struct machine *m, enum value_kind kind, struct value **value) {
    struct pickle *pickle = m->pickle;
    if (pickle->count == MAX_VALUES) return machine_too_large(m);
    pickle->values = grow_by_one(pickle->values, pickle->count, sizeof(*pickle->values));
    *value = pickle->values[pickle->count++] = paced_alloc(1, sizeof(**value));
    (*value)->kind = kind;
    return PACED_OK;
}

static enum paced_err machine_push(struct machine *m, struct value *value) {
    if (m->depth == MAX_STACK) return machine_too_large(m);
    if (m->depth == m->stack_capacity) {
        m->stack_capacity = 2 * m->stack_capacity + 64;
        m->stack = paced_grow(m->stack, m->stack_capacity, sizeof(*m->stack));
    }
    m->stack[m->depth++] = value;
    return PACED_OK;
}

static enum paced_err machine_push_new(struct machine *m, enum value_kind kind, struct value **value) {
    PACED_TRY(machine_make(m, kind, value));
    return machine_push(m, *value);
}

/* Fails at a mark. */
static enum paced_err machine_top(struct machine *m, struct value **value) {
    if (m->depth == 0 || m->stack[m->depth - 1]->kind == VALUE_MARK)
        return machine_damaged(m, "the stack has too few values");
    *value = m->stack[m->depth - 1];
    return PACED_OK;
}

static enum paced_err machine_pop(struct machine *m, struct value **value) {
    PACED_TRY(machine_top(m, value));
    --m->depth;
    return PACED_OK;
}

/* The stack index of the first value after the last mark. */
static enum paced_err machine_find_mark(const struct machine *m, size_t *first) {
    for (*first = m->depth; *first > 0; --*first)
        if (m->stack[*first - 1]->kind == VALUE_MARK) return PACED_OK;
    return machine_damaged(m, "no mark is on the stack");
}

/* Consumes the next `size` bytes of the pickle. */
static enum paced_err machine_take(struct machine *m, uint64_t size, const uint8_t **bytes) {
    if (size > m->size - m->at) return machine_damaged(m, "it is cut off");
    *bytes = m->bytes + m->at;
    m->at += size;
    return PACED_OK;
}

static enum paced_err machine_push_text(struct machine *m, enum value_kind kind, const uint8_t *bytes, size_t size) {
    struct value *value;
    if (memchr(bytes, 0, size)) return machine_damaged(m, "a string contains a zero byte");
    PACED_TRY(machine_push_new(m, kind, &value));
    value->text = paced_alloc(size + 1, 1);
    memcpy(value->text, bytes, size);
    return PACED_OK;
}

enum { NAME_BYTES = 64 };

/* ---- globals ------------------------------------------------------------------------------------------------- */

static enum paced_err call_ordered_dict(struct machine *m, const struct value *arguments) {
    struct value *dict;
    if (arguments->count > 0) return machine_damaged(m, "an OrderedDict that is not filled item by item");
    return machine_push_new(m, VALUE_DICT, &dict);
}

static enum paced_err call_rebuild_tensor(struct machine *m, const struct value *arguments) {
    struct value *tensor;
    if (arguments->count < 4) return machine_damaged(m, "a tensor without storage, offset, sizes or strides");
    PACED_TRY(machine_push_new(m, VALUE_TENSOR, &tensor));
    value_add_items(tensor, arguments->items, 4);
    return PACED_OK;
}

static enum paced_err call_rebuild_parameter(struct machine *m, const struct value *arguments) {
    if (arguments->count < 1 || arguments->items[0]->kind != VALUE_TENSOR)
        return machine_damaged(m, "a parameter without its tensor");
    return machine_push(m, arguments->items[0]);
}

static const struct {
    const char *module, *name;
    enum paced_err (*call)(struct machine *m, const struct value *arguments);
} functions[] = {
    {"collections", "OrderedDict", call_ordered_dict},
    {"torch._utils", "_rebuild_tensor_v2", call_rebuild_tensor},
    {"torch._utils", "_rebuild_parameter", call_rebuild_parameter},
};

static void make_printable(char *out, size_t size, const char *text) {
    size_t used = 0;
    for (; text[used] && used + 1 < size; ++used) out[used] = text[used] >= ' ' && text[used] < 127 ? text[used] : '?';
    out[used] = '\0';
}

static enum paced_err push_global(struct machine *m, const char *module, const char *name) {
    static const char suffix[] = "Storage";
    const size_t length = strlen(name), tail = sizeof(suffix) - 1;
    if (strcmp(module, "torch") == 0 && length > tail && strcmp(name + length - tail, suffix) == 0)
        return machine_push_text(m, VALUE_TYPE, (const uint8_t *)name, length);
    for (size_t i = 0; i < PACED_COUNT(functions); ++i) {
        struct value *function;
        if (strcmp(module, functions[i].module) != 0 || strcmp(name, functions[i].name) != 0) continue;
        PACED_TRY(machine_push_new(m, VALUE_FUNCTION, &function));
        function->integer = (int64_t)i;
        return PACED_OK;
    }
    char in[NAME_BYTES], what[NAME_BYTES];
    make_printable(in, sizeof(in), module);
    make_printable(what, sizeof(what), name);
    return paced_error_at(PACED_INVALID, m->path,
                          "pickle global '%s %s' is not one of those that tensors need; only weights are read, so "
                          "save model.state_dict() alone",
                          in, what);
}

/* ---- operations: scalars and strings ------------------------------------------------------------------------- */

static enum paced_err protocol(struct machine *m, uint64_t version) {
    return version <= 5 ? PACED_OK : machine_damaged(m, "a protocol above 5");
}

static enum paced_err frame(struct machine *m, uint64_t size) {
    return PACED_OK; /* only a hint for readers of streams */
}

static enum paced_err stop(struct machine *m, uint64_t none) {
    m->stopped = true;
    return PACED_OK;
}

static enum paced_err mark(struct machine *m, uint64_t none) {
    static struct value marker = {.kind = VALUE_MARK};
    return machine_push(m, &marker);
}

static enum paced_err push_empty(struct machine *m, uint64_t kind) {
    struct value *value;
    return machine_push_new(m, (enum value_kind)kind, &value);
}

static enum paced_err real_number(struct machine *m, uint64_t bits) {
    return push_empty(m, VALUE_OTHER);
}

static enum paced_err integer(struct machine *m, uint64_t number) {
    struct value *value;
    PACED_TRY(machine_push_new(m, VALUE_INTEGER, &value));
    value->integer = (int64_t)number;
    return PACED_OK;
}

static enum paced_err signed_integer(struct machine *m, uint64_t number) {
    return integer(m, (uint64_t)(int64_t)(int32_t)number);
}

/* A little-endian integer of `size` bytes; the sign is the top bit of the last byte. */
static enum paced_err long_integer(struct machine *m, uint64_t size) {
    const uint8_t *bytes = NULL;
    if (size > 8) return machine_damaged(m, "an integer of more than 64 bits");
    PACED_TRY(machine_take(m, size, &bytes));
    uint64_t number = size > 0 && bytes[size - 1] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = size; i > 0; --i) number = number << 8 | bytes[i - 1];
    return integer(m, number);
}

static enum paced_err text(struct machine *m, uint64_t size) {
    const uint8_t *bytes = NULL;
    PACED_TRY(machine_take(m, size, &bytes));
    return machine_push_text(m, VALUE_TEXT, bytes, size);
}

static enum paced_err take_line(struct machine *m, char *line, size_t size) {
    const uint8_t *begin = m->bytes + m->at, *end = memchr(begin, '\n', m->size - m->at);
    if (!end || (size_t)(end - begin) >= size) return machine_damaged(m, "a name without an end");
    memcpy(line, begin, (size_t)(end - begin));
    line[end - begin] = '\0';
    m->at += (size_t)(end - begin) + 1;
    return PACED_OK;
}

static enum paced_err global(struct machine *m, uint64_t none) {
    char module[256], name[256];
    PACED_TRY(take_line(m, module, sizeof(module)));
    PACED_TRY(take_line(m, name, sizeof(name)));
    return push_global(m, module, name);
}

static enum paced_err stack_global(struct machine *m, uint64_t none) {
    struct value *module = NULL, *name = NULL;
    PACED_TRY(machine_pop(m, &name));
    PACED_TRY(machine_pop(m, &module));
    if (module->kind != VALUE_TEXT || name->kind != VALUE_TEXT)
        return machine_damaged(m, "a global whose name is not a string");
    return push_global(m, module->text, name->text);
}

/* ---- operations: containers ---------------------------------------------------------------------------------- */

/* Cuts the stack to `below` and pushes a tuple of the values from `first` on. */
static enum paced_err push_tuple(struct machine *m, size_t first, size_t below) {
    struct value *tuple;
    PACED_TRY(machine_make(m, VALUE_TUPLE, &tuple));
    value_add_items(tuple, m->stack + first, m->depth - first);
    m->depth = below;
    return machine_push(m, tuple);
}

static enum paced_err tuple_of_last(struct machine *m, uint64_t count) {
    size_t first = m->depth;
    for (; count > 0 && first > 0 && m->stack[first - 1]->kind != VALUE_MARK; --count) --first;
    return count > 0 ? machine_damaged(m, "the stack has too few values") : push_tuple(m, first, first);
}

static enum paced_err tuple(struct machine *m, uint64_t none) {
    size_t first;
    PACED_TRY(machine_find_mark(m, &first));
    return push_tuple(m, first, first - 1);
}

/* Moves the values from `first` on into the list or dictionary on the stack just below `below`. */
static enum paced_err move_items(struct machine *m, enum value_kind kind, size_t first, size_t below) {
    size_t count = m->depth - first;
    m->depth = below;
    struct value *container = NULL;
    PACED_TRY(machine_top(m, &container));
    if (container->kind != kind) return machine_damaged(m, "items for a value that is not such a container");
    if (kind == VALUE_DICT && count % 2 != 0) return machine_damaged(m, "a key without a value");
    value_add_items(container, m->stack + first, count);
    return PACED_OK;
}

static enum paced_err move_marked(struct machine *m, uint64_t kind) {
    size_t first;
    PACED_TRY(machine_find_mark(m, &first));
    return move_items(m, (enum value_kind)kind, first, first - 1);
}

static enum paced_err append(struct machine *m, uint64_t none) {
    struct value *item;
    PACED_TRY(machine_top(m, &item));
    return move_items(m, VALUE_LIST, m->depth - 1, m->depth - 1);
}

static enum paced_err set_item(struct machine *m, uint64_t none) {
    struct value *key, *value;
    PACED_TRY(machine_pop(m, &value));
    PACED_TRY(machine_top(m, &key));
    ++m->depth;
    return move_items(m, VALUE_DICT, m->depth - 2, m->depth - 2);
}

/* ---- operations: memo, calls --------------------------------------------------------------------------------- */

static enum paced_err put(struct machine *m, uint64_t number) {
    struct value *value = NULL;
    if (number >= MAX_MEMO) return machine_too_large(m);
    PACED_TRY(machine_top(m, &value));
    if (number >= m->memo_size) {
        size_t size = 2 * number + 64;
        m->memo = paced_grow(m->memo, size, sizeof(*m->memo));
        memset(m->memo + m->memo_size, 0, (size - m->memo_size) * sizeof(*m->memo));
        m->memo_size = size;
    }
    m->memo_count += !m->memo[number];
    m->memo[number] = value;
    return PACED_OK;
}

static enum paced_err memoize(struct machine *m, uint64_t none) {
    return put(m, m->memo_count);
}

static enum paced_err get(struct machine *m, uint64_t number) {
    if (number >= m->memo_size || !m->memo[number]) return machine_damaged(m, "a memo entry that was not stored");
    return machine_push(m, m->memo[number]);
}

static enum paced_err reduce(struct machine *m, uint64_t none) {
    struct value *arguments = NULL, *function = NULL;
    PACED_TRY(machine_pop(m, &arguments));
    PACED_TRY(machine_pop(m, &function));
    if (function->kind != VALUE_FUNCTION || arguments->kind != VALUE_TUPLE)
        return machine_damaged(m, "a call of a value that is not a function");
    return functions[function->integer].call(m, arguments);
}

static enum paced_err persistent(struct machine *m, uint64_t none) {
    struct value *description = NULL, *storage;
    PACED_TRY(machine_pop(m, &description));
    if (description->kind != VALUE_TUPLE || description->count < 5)
        return machine_damaged(m, "a reference that is not a storage");
    PACED_TRY(machine_push_new(m, VALUE_STORAGE, &storage));
    value_add_items(storage, description->items, 5);
    return PACED_OK;
}

/* Sets attributes. A state dictionary's are versions of its modules, which are ignored. */
static enum paced_err build(struct machine *m, uint64_t none) {
    struct value *attributes = NULL, *object = NULL;
    PACED_TRY(machine_pop(m, &attributes));
    PACED_TRY(machine_top(m, &object));
    return object->kind == VALUE_DICT ? PACED_OK : machine_damaged(m, "attributes of a value that is not a dictionary");
}

/* ---- the table ----------------------------------------------------------------------------------------------- */

/* Operations of protocols 0 to 5 by opcode. name NULL: no such operation; run NULL: not needed for tensors. */
static const struct operation {
    const char *name;
    int bytes; /* of its argument in the pickle, a little-endian number */
    enum paced_err (*run)(struct machine *m, uint64_t argument);
    uint64_t operand; /* the argument if there is none in the pickle */
} operations[256] = {
    [0x80] = {"PROTO", 1, protocol},
    [0x95] = {"FRAME", 8, frame},
    ['.'] = {"STOP", 0, stop},
    ['('] = {"MARK", 0, mark},
    ['N'] = {"NONE", 0, push_empty, VALUE_OTHER},
    [0x88] = {"NEWTRUE", 0, push_empty, VALUE_OTHER},
    [0x89] = {"NEWFALSE", 0, push_empty, VALUE_OTHER},
    ['G'] = {"BINFLOAT", 8, real_number},
    ['K'] = {"BININT1", 1, integer},
    ['M'] = {"BININT2", 2, integer},
    ['J'] = {"BININT", 4, signed_integer},
    [0x8a] = {"LONG1", 1, long_integer},
    [0x8c] = {"SHORT_BINUNICODE", 1, text},
    ['X'] = {"BINUNICODE", 4, text},
    [0x8d] = {"BINUNICODE8", 8, text},
    ['c'] = {"GLOBAL", 0, global},
    [0x93] = {"STACK_GLOBAL", 0, stack_global},
    [')'] = {"EMPTY_TUPLE", 0, push_empty, VALUE_TUPLE},
    [0x85] = {"TUPLE1", 0, tuple_of_last, 1},
    [0x86] = {"TUPLE2", 0, tuple_of_last, 2},
    [0x87] = {"TUPLE3", 0, tuple_of_last, 3},
    ['t'] = {"TUPLE", 0, tuple},
    [']'] = {"EMPTY_LIST", 0, push_empty, VALUE_LIST},
    ['a'] = {"APPEND", 0, append},
    ['e'] = {"APPENDS", 0, move_marked, VALUE_LIST},
    ['}'] = {"EMPTY_DICT", 0, push_empty, VALUE_DICT},
    ['s'] = {"SETITEM", 0, set_item},
    ['u'] = {"SETITEMS", 0, move_marked, VALUE_DICT},
    ['q'] = {"BINPUT", 1, put},
    ['r'] = {"LONG_BINPUT", 4, put},
    [0x94] = {"MEMOIZE", 0, memoize},
    ['h'] = {"BINGET", 1, get},
    ['j'] = {"LONG_BINGET", 4, get},
    ['R'] = {"REDUCE", 0, reduce},
    ['b'] = {"BUILD", 0, build},
    ['Q'] = {"BINPERSID", 0, persistent},
    // clang-format off
    ['0'] = {"POP"}, ['1'] = {"POP_MARK"}, ['2'] = {"DUP"}, ['F'] = {"FLOAT"}, ['I'] = {"INT"}, ['L'] = {"LONG"},
    ['S'] = {"STRING"}, ['T'] = {"BINSTRING"}, ['U'] = {"SHORT_BINSTRING"}, ['V'] = {"UNICODE"}, ['B'] = {"BINBYTES"},
    ['C'] = {"SHORT_BINBYTES"}, [0x8e] = {"BINBYTES8"}, [0x96] = {"BYTEARRAY8"}, [0x8b] = {"LONG4"}, ['d'] = {"DICT"},
    ['l'] = {"LIST"}, [0x8f] = {"EMPTY_SET"}, [0x90] = {"ADDITEMS"}, [0x91] = {"FROZENSET"}, ['g'] = {"GET"},
    ['p'] = {"PUT"}, ['P'] = {"PERSID"}, ['i'] = {"INST"}, ['o'] = {"OBJ"}, [0x81] = {"NEWOBJ"}, [0x92] = {"NEWOBJ_EX"},
    [0x82] = {"EXT1"}, [0x83] = {"EXT2"}, [0x84] = {"EXT4"}, [0x97] = {"NEXT_BUFFER"}, [0x98] = {"READONLY_BUFFER"},
    // clang-format on
};

/* ---- running ------------------------------------------------------------------------------------------------- */

static enum paced_err step(struct machine *m) {
    const uint8_t *bytes = NULL;
    m->operation = m->at;
    PACED_TRY(machine_take(m, 1, &bytes));
    const struct operation *operation = &operations[bytes[0]];
    if (!operation->name) return machine_damaged(m, "no such operation");
    if (!operation->run)
        return paced_error_at(PACED_INVALID, m->path,
                              "byte %zu of its pickle: operation %s is not one of those that tensors need; only "
                              "weights are read, so save model.state_dict() alone",
                              m->operation, operation->name);
    PACED_TRY(machine_take(m, (uint64_t)operation->bytes, &bytes));
    uint64_t argument = operation->bytes ? 0 : operation->operand;
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
