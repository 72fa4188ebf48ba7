/* Shared devices and data sets. */
#include "src/run/shared.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/run/network.h"

enum kind { DATA_TRAIN = PACED_TRAIN, DATA_VAL = PACED_VAL, DEVICE };

struct item {
    enum kind kind;
    char *options; /* as text */
    void *object;
    size_t users;
};
static struct item *items;
static size_t item_count;
static bool keeps; /* items without users stay open */

static const char *text(const char *value) {
    return value ? value : "";
}

static void close_item(size_t index) {
    struct item *item = &items[index];
    if (item->kind == DEVICE)
        paced_device_close(item->object);
    else
        paced_dataset_close(item->object);
    free(item->options);
    *item = items[--item_count];
    if (item_count > 0) return;
    free(items);
    items = NULL;
}

/* Closes the unused devices (else data sets) whose options differ from `options`; NULL: all unused ones. */
static void close_unused(bool devices, const char *options) {
    for (size_t i = item_count; i-- > 0;)
        if (items[i].users == 0 && (items[i].kind == DEVICE) == devices &&
            (!options || strcmp(items[i].options, options) != 0))
            close_item(i);
}

/* Takes an open object; NULL: there is none with these options. */
static void *take(enum kind kind, const char *options) {
    for (size_t i = 0; i < item_count; ++i) {
        if (items[i].kind != kind || strcmp(items[i].options, options) != 0) continue;
        ++items[i].users;
        return items[i].object;
    }
    close_unused(kind == DEVICE, options);
    return NULL;
}

/* Takes ownership of `options`. */
static void add(enum kind kind, char *options, void *object) {
    items = paced_grow(items, item_count + 1, sizeof *items);
    items[item_count++] = (struct item){kind, options, object, 1};
}

static void release(const void *object) {
    size_t i = 0;
    if (!object) return;
    while (items[i].object != object) ++i;
    if (--items[i].users > 0) return;
    if (items[i].kind == DEVICE) {
        paced_device_finish(items[i].object);
        assert(paced_device_allocated(items[i].object) == 0);
    }
    if (!keeps) close_item(i);
}

enum paced_err shared_device_open(struct paced_device **device, const struct paced_config *config) {
    char *options = paced_format("%s\n%lld\n%lld\n%s", text(config->device.select), (long long)config->device.threads,
                                 (long long)config->device.memory_limit_mb, text(config->device.tuning));
    enum paced_err err = PACED_OK;
    *device = take(DEVICE, options);
    if (!*device && !(err = open_device(device, config)))
        add(DEVICE, options, *device);
    else
        free(options);
    return err;
}

void shared_device_close(struct paced_device *device) {
    release(device);
}

enum paced_err shared_dataset_open(struct paced_dataset **dataset, const struct paced_data_options *o,
                                   enum paced_phase phase) {
    char *options = paced_format("%d\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n%lld\n%d\n%d\n%lld\n%d\n%g\n%d", o->dataset,
                                 text(o->root), text(o->train), text(o->val), text(o->labels), text(o->augment),
                                 text(o->range), text(o->ignore), (long long)o->classes, o->size.height, o->size.width,
                                 (long long)o->workers, o->merge_masks, o->threshold, o->fit);
    enum kind kind = (enum kind)phase;
    enum paced_err err = PACED_OK;
    *dataset = take(kind, options);
    if (!*dataset && !(err = paced_dataset_open(dataset, o, phase)))
        add(kind, options, *dataset);
    else
        free(options);
    return err;
}

void shared_dataset_close(struct paced_dataset *dataset) {
    release(dataset);
}

void shared_begin(void) {
    keeps = true;
}

void shared_end(void) {
    keeps = false;
    close_unused(true, NULL);
    close_unused(false, NULL);
}
