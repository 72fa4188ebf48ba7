/* events: TensorBoard event files. A file is a sequence of records (record.h), each an Event message; the first holds
 * the format version.
 *
 * Field numbers of the messages, from TensorBoard's definitions (tensorboard/compat/proto and, for the plugin
 * "hparams", tensorboard/plugins/hparams): Event            wall_time 1 (double), step 2, file_version 3, summary 5
 *   Summary          value 1: tag 1, simple_value 2 (float), image 4, tensor 8, metadata 9
 *   Image            height 1, width 2, colorspace 3 (3 is RGB), encoded_image_string 4
 *   SummaryMetadata  plugin_data 1: plugin_name 1, content 2
 *   HParamsPluginData session_start_info 3: hparams 1 (a map to Value), start_time_secs 5 (double);
 *                    session_end_info 4: status 1 (1 is success), end_time_secs 2 (double)
 *   Value            number_value 2 (double), string_value 3
 * An entry of a map is a message with key 1 and value 2. */
#include "src/report/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RGB = 3, SUCCESS = 1 };

void paced_events_finish(struct paced_events *events) {
    free(events->bytes);
    *events = (struct paced_events){0};
}

double paced_events_time(double start, const struct paced_run_log *log, int epoch) {
    double time = start;
    for (size_t i = 0; i < log->count; ++i)
        if (log->rows[i].epoch <= epoch) time += log->rows[i].measures.seconds;
    return time;
}

/* Adds an Event with this summary, which is emptied. */
static void add_event(struct paced_events *events, double time, int64_t step, struct paced_message *summary) {
    struct paced_message event = {0};
    paced_message_double(&event, 1, time);
    paced_message_integer(&event, 2, step);
    paced_message_nested(&event, 5, summary);
    record_add(events, event.bytes, event.size);
    paced_message_finish(&event);
}

/* ---- scalars and pictures ------------------------------------------------------------------------------------ */

/* Adds a scalar; NaN, not applicable, is skipped. */
static void add_scalar(struct paced_message *summary, const char *tag, double value) {
    struct paced_message scalar = {0};
    if (isnan(value)) return;
    paced_message_text(&scalar, 1, tag);
    paced_message_float(&scalar, 2, (float)value);
    paced_message_nested(summary, 1, &scalar);
}

void paced_events_add_epoch(struct paced_events *events, double start, const struct paced_run_log *log, int epoch) {
    struct paced_message summary = {0};
    for (size_t i = 0; i < log->count; ++i) {
        if (log->rows[i].epoch != epoch) continue;
        bool val = strcmp(log->rows[i].phase, "val") == 0;
        for (int m = 0; m < PACED_MEASURES; ++m)
            if (paced_measure_table[m].tags[val])
                add_scalar(&summary, paced_measure_table[m].tags[val], log->rows[i].measures.of[m]);
    }
    add_event(events, paced_events_time(start, log, epoch), epoch, &summary);
}

enum paced_err paced_events_add_picture(struct paced_events *events, double time, int64_t step, const char *tag,
                                        const struct paced_canvas *canvas) {
    uint8_t *png;
    size_t size;
    PACED_TRY(paced_canvas_encode(canvas, &png, &size));
    struct paced_message image = {0}, value = {0}, summary = {0};
    paced_message_integer(&image, 1, canvas->height);
    paced_message_integer(&image, 2, canvas->width);
    paced_message_integer(&image, 3, RGB);
    paced_message_bytes(&image, 4, png, size);
    paced_message_text(&value, 1, tag);
    paced_message_nested(&value, 4, &image);
    paced_message_nested(&summary, 1, &value);
    add_event(events, time, step, &summary);
    free(png);
    return PACED_OK;
}

/* ---- hyper-parameters ---------------------------------------------------------------------------------------- */

/* Tensor that TensorBoard requires beside the metadata: float32 (1) of shape [1], zero. */
static void add_null_tensor(struct paced_message *value) {
    struct paced_message dim = {0}, shape = {0}, tensor = {0};
    paced_message_integer(&dim, 1, 1);
    paced_message_nested(&shape, 2, &dim);
    paced_message_integer(&tensor, 1, 1);
    paced_message_nested(&tensor, 2, &shape);
    paced_message_float(&tensor, 5, 0);
    paced_message_nested(value, 8, &tensor);
}

/* Adds an Event of the plugin, with `content`, which is emptied, as field `field` of its data. */
static void add_session(struct paced_events *events, double time, const char *tag, int field,
                        struct paced_message *content) {
    struct paced_message data = {0}, plugin = {0}, metadata = {0}, value = {0}, summary = {0};
    paced_message_nested(&data, field, content);
    paced_message_text(&plugin, 1, "hparams");
    paced_message_nested(&plugin, 2, &data);
    paced_message_nested(&metadata, 1, &plugin);
    paced_message_text(&value, 1, tag);
    add_null_tensor(&value);
    paced_message_nested(&value, 9, &metadata);
    paced_message_nested(&summary, 1, &value);
    add_event(events, time, 0, &summary);
}

/* Adds a hyper-parameter, as a number if the text is one. */
static void add_parameter(struct paced_message *session, const char *name, const char *text) {
    struct paced_message value = {0}, entry = {0};
    double number;
    if (paced_parse_real(text, &number))
        paced_message_double(&value, 2, number);
    else
        paced_message_text(&value, 3, text);
    paced_message_text(&entry, 1, name);
    paced_message_nested(&entry, 2, &value);
    paced_message_nested(session, 1, &entry);
}

void paced_events_begin(struct paced_events *events, double start, const struct paced_settings *parameters) {
    struct paced_message version = {0}, session = {0};
    paced_message_double(&version, 1, start);
    paced_message_text(&version, 3, "brain.Event:2");
    record_add(events, version.bytes, version.size);
    paced_message_finish(&version);
    for (size_t i = 0; i < parameters->count; ++i)
        add_parameter(&session, parameters->items[i].name, parameters->items[i].value);
    paced_message_double(&session, 5, start);
    add_session(events, start, "_hparams_/session_start_info", 3, &session);
}

void paced_events_end(struct paced_events *events, double time) {
    struct paced_message session = {0};
    paced_message_integer(&session, 1, SUCCESS);
    paced_message_double(&session, 2, time);
    add_session(events, time, "_hparams_/session_end_info", 4, &session);
}
