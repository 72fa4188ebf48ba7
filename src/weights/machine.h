/* The pickle machine's parts: its state, what operations do to it, and the table of operations. Private to the pickle
 * reader. */
#ifndef PACED_WEIGHTS_MACHINE_H
#define PACED_WEIGHTS_MACHINE_H

#include "src/weights/pickle.h"

enum { MAX_VALUES = 1 << 20, MAX_STACK = 1 << 20, MAX_MEMO = 1 << 20 };

struct machine {
    const char *path;
    const uint8_t *bytes;
    size_t size, at, operation; /* the next byte; where the present operation begins */
    struct value **stack, **memo;
    size_t depth, stack_capacity;
    size_t memo_size, memo_count; /* numbers that there is room for; values that are there */
    struct pickle *pickle;
    bool stopped;
};

/* Reports what is wrong with the pickle: PACED_INVALID. */
enum paced_err machine_damaged(const struct machine *m, const char *what);
enum paced_err machine_too_large(const struct machine *m);

/* A new value, which the pickle owns; and one that lies on the stack, too. */
enum paced_err machine_make(struct machine *m, enum value_kind kind, struct value **value);
enum paced_err machine_push_new(struct machine *m, enum value_kind kind, struct value **value);
enum paced_err machine_push_text(struct machine *m, enum value_kind kind, const uint8_t *bytes, size_t size);

/* The stack; marks are no values to top and pop. */
enum paced_err machine_push(struct machine *m, struct value *value);
enum paced_err machine_top(struct machine *m, struct value **value);
enum paced_err machine_pop(struct machine *m, struct value **value);
/* Where the values after the last mark begin. */
enum paced_err machine_find_mark(const struct machine *m, size_t *first);

/* The next bytes of the pickle. */
enum paced_err machine_take(struct machine *m, uint64_t size, const uint8_t **bytes);

void value_add_items(struct value *value, struct value *const *items, size_t count);

/* By their byte, all of protocols 0 to 5. name NULL: there is none; run NULL: tensors do not need it. */
struct operation {
    const char *name;
    int bytes; /* of its argument, a number, little-endian */
    enum paced_err (*run)(struct machine *m, uint64_t argument);
};
extern const struct operation pickle_operations[256];

#endif
