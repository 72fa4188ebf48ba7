/* Optimisers and schedules against PyTorch in float64: 50 steps of given gradients, the learning rate of each step from
 * the schedule, as if every step were an epoch. */
#include <stdlib.h>

#include <jansson.h>

#include "paced/config.h"
#include "paced/optim.h"
#include "tests/golden/golden.h"

enum { STEPS = 50 };

/* Settings of make_golden.py's cases, by name. */
static const struct {
    const char *name;
    struct paced_config config;
} cases[] = {
    {"adam", {.train = {.optimizer = PACED_ADAM, .weight_decay = 0.01, .schedule = PACED_SCHEDULE_STEP, .lr = 0.01}}},
    {"adamw",
     {.train = {.optimizer = PACED_ADAMW, .weight_decay = 0.05, .schedule = PACED_SCHEDULE_COSINE, .lr = 0.01}}},
    {"adamw_clip",
     {.train = {.optimizer = PACED_ADAMW,
                .weight_decay = 0.05,
                .schedule = PACED_SCHEDULE_POLY,
                .lr = 0.01,
                .clip_norm = 0.5}}},
    {"sgd", {.train = {.optimizer = PACED_SGD, .schedule = PACED_SCHEDULE_CONSTANT, .lr = 0.02}}},
    {"momentum",
     {.train = {.optimizer = PACED_SGD,
                .momentum = 0.9,
                .weight_decay = 0.01,
                .schedule = PACED_SCHEDULE_COSINE,
                .lr = 0.02}}},
    {"momentum_clip",
     {.train = {.optimizer = PACED_SGD,
                .momentum = 0.9,
                .schedule = PACED_SCHEDULE_POLY,
                .lr = 0.05,
                .power = 2,
                .clip_norm = 1}}},
};

/* Network with the parameters conv.weight [5][3][3][3], conv.bias, bn.weight and bn.bias. */
static struct net layers(void) {
    struct net net = net_start(3, 3, 3);
    struct paced_tensor *t =
        paced_conv2d(net.graph, "conv", net.input, (struct paced_conv){5, 3, 1, 1, 1, true, false});
    net_prepare(&net, paced_batch_norm(net.graph, "bn", t, true), 1, 1);
    return net;
}

/* Parameters "<prefix><parameter>" by formula, times `scale`. */
static struct paced_weights by_formula(const struct net *net, const char *prefix, float scale) {
    struct paced_weights values = {0};
    for (size_t i = 0; i < paced_graph_param_count(net->graph); ++i) {
        const struct paced_param *p = paced_graph_get_param(net->graph, i);
        if (p->kind != PACED_PARAM_TRAINED) continue;
        char *name = paced_format("%s%s", prefix, p->name);
        float *u = uniform(name, p->count);
        int64_t shape[4];
        for (uint64_t k = 0; k < p->count; ++k) u[k] *= scale;
        for (int k = 0; k < p->rank; ++k) shape[k] = p->dims[k];
        paced_weights_add(&values, name, PACED_F32, p->rank, shape, u);
        free(u);
        free(name);
    }
    return values;
}

static void write_flat(struct net *net, struct paced_buffer *flat, const char *prefix, float scale) {
    struct paced_weights values = by_formula(net, prefix, scale);
    assert_ok(paced_exec_load_flat(net->exec, flat, prefix, &values, "formula"));
    paced_weights_finish(&values);
}

/* Compares the movement from the initial weights with stored row `row`. */
static void compare_movement(struct net *net, const struct paced_weights *golden, const char *name, size_t row) {
    struct paced_weights first = by_formula(net, "", 1), now = {0};
    float got[160];
    double want[160];
    size_t count = 0;
    assert_ok(paced_exec_save_flat(net->exec, paced_exec_trained(net->exec), "", &now));
    for (size_t i = 0; i < now.count; ++i) {
        const float *w0 = first.entries[i].data, *w = now.entries[i].data;
        size_t n = golden_count(&now.entries[i]);
        const double *kept = golden_find(golden, name, now.entries[i].name)->data;
        assert_true(count + n <= PACED_COUNT(got));
        for (size_t k = 0; k < n; ++k, ++count) {
            got[count] = w[k] - w0[k];
            want[count] = kept[row * n + k] - (double)w0[k];
        }
    }
    assert_int_equal(count, 150);
    assert_close(name, got, want, count, 1e-5);
    paced_weights_finish(&first);
    paced_weights_finish(&now);
}

static bool is_kept(const struct paced_weights *golden, int step) {
    json_t *steps = json_loads(paced_weights_metadata(golden, "steps"), 0, NULL);
    bool found = false;
    for (size_t i = 0; i < json_array_size(steps); ++i)
        found = found || json_integer_value(json_array_get(steps, i)) == step;
    json_decref(steps);
    return found;
}

static void check(const struct paced_weights *golden, const char *name, struct paced_config config) {
    static const float lengths[] = {3, 1, 0.01f};
    struct net net = layers();
    struct paced_optimizer *optimizer;
    const double *rates = golden_find(golden, name, "lr")->data;
    size_t row = 0;
    config.train.epochs = STEPS;
    config.train.step = 7;
    config.train.gamma = 0.1;
    if (config.train.power == 0) config.train.power = 0.9;
    write_flat(&net, paced_exec_trained(net.exec), "", 1);
    assert_ok(paced_optimizer_create(&optimizer, &config.train, net.exec));
    for (int step = 1; step <= STEPS; ++step) {
        double lr = paced_schedule_lr(&config.train, step - 1);
        char prefix[16];
        assert_near(lr, rates[step - 1], 1e-12 * config.train.lr);
        snprintf(prefix, sizeof prefix, "%d.", step);
        write_flat(&net, paced_exec_trained_grad(net.exec), prefix, lengths[step % 3]);
        assert_ok(paced_optimizer_step(optimizer, lr));
        if (is_kept(golden, step)) compare_movement(&net, golden, name, row++);
    }
    assert_int_equal(row, 6);
    paced_optimizer_destroy(optimizer);
    net_finish(&net);
}

static void test_steps(void **state) {
    (void)state;
    struct paced_weights golden = golden_read("optim.safetensors");
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) check(&golden, cases[i].name, cases[i].config);
    paced_weights_finish(&golden);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_steps),
};
HARNESS_MAIN(tests)
