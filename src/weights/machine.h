/* machine: the pickle machine: its state, its primitives and the table of operations. Private to the pickle reader. */
#ifndef PACED_WEIGHTS_MACHINE_H
#define PACED_WEIGHTS_MACHINE_H

#include "src/weights/pickle.h"

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

/* Report an invalid pickle: PACED_INVALID. */
enum paced_err machine_damaged(const struct machine *m, const char *what);
enum paced_err machine_too_large(const struct machine *m);

/* A new value, owned by the pickle; push_*: also pushed onto the stack. */
enum paced_err machine_make(struct machine *m, enum value_kind kind, struct value **value);
enum paced_err machine_push_new(struct machine *m, enum value_kind kind, struct value **value);
enum paced_err machine_push_text(struct machine *m, enum value_kind kind, const uint8_t *bytes, size_t size);

/* The stack. top and pop fail at a mark. */
enum paced_err machine_push(struct machine *m, struct value *value);
enum paced_err machine_top(struct machine *m, struct value **value);
enum paced_err machine_pop(struct machine *m, struct value **value);
/* The stack index of the first value after the last mark. */
enum paced_err machine_find_mark(const struct machine *m, size_t *first);

/* Consumes the next `size` bytes of the pickle. */
enum paced_err machine_take(struct machine *m, uint64_t size, const uint8_t **bytes);

void value_add_items(struct value *value, struct value *const *items, size_t count);

/* Operations of protocols 0 to 5, indexed by opcode. name NULL: no such operation; run NULL: not needed for tensors. */
struct operation {
    const char *name;
    int bytes; /* size of its argument, a little-endian number */
    enum paced_err (*run)(struct machine *m, uint64_t argument);
};
extern const struct operation pickle_operations[256];

#endif
