/* config: [sweep]: the product of its lines, several keys in one line, quotes, names of points, --set, and every kind
 * of error with its place and hint. Each test runs in an empty directory of its own. */
#include "tests/config/experiment.h"

#define A "[stage a]\ncommand = train\n"

static void load(struct paced_experiment *e, const char *text) {
    write_ini("x.ini", text);
    assert_int_equal(paced_experiment_load(e, "x.ini", NULL, 0), PACED_OK);
}

static void assert_point(const struct paced_experiment *e, size_t point, const char *name, const char *first,
                         const char *second) {
    const struct paced_point *p = &e->sweep.points[point];
    assert_string_equal(p->name, name);
    assert_string_equal(p->values[0], first);
    assert_string_equal(p->values[1], second);
}

/* Later lines vary faster; values are normalised, in any spelling of the INI. */
static void test_product(void **state) {
    struct paced_experiment e;
    load(&e, "[run]\noutput = out\n[sweep]\ntrain.lr = 1e-3, 0.0100 ; comment\nmodel.arch = unet,linknet\n"
             "[train]\nepochs = 9\n");
    assert_int_equal(e.sweep.key_count, 2);
    assert_string_equal(e.sweep.keys[0], "train.lr");
    assert_string_equal(e.sweep.places[1], "x.ini:5");
    assert_int_equal(e.sweep.count, 4);
    assert_point(&e, 0, "lr=0.001,arch=unet", "0.001", "unet");
    assert_point(&e, 1, "lr=0.001,arch=linknet", "0.001", "linknet");
    assert_point(&e, 2, "lr=0.01,arch=unet", "0.01", "unet");
    assert_point(&e, 3, "lr=0.01,arch=linknet", "0.01", "linknet");
    assert_true(e.plain);
    assert_int_equal(e.count, 8);
    const struct paced_stage *train = &e.stages[6], *test = &e.stages[7];
    assert_string_equal(train->name, "lr=0.01,arch=linknet/train");
    assert_string_equal(train->label, "train");
    assert_int_equal(train->point, 3);
    assert_string_equal(train->command, "train");
    assert_string_equal(test->command, "test");
    assert_below(train->config.run.output, "out/lr=0.01,arch=linknet");
    assert_below(test->config.run.output, "out/lr=0.01,arch=linknet");
    assert_below(test->config.test.weights, "out/lr=0.01,arch=linknet/best.safetensors");
    assert_true(test->uses[6] && !test->uses[4]);
    assert_string_equal(train->config.model.arch, "linknet");
    assert_float_equal(test->config.train.lr, 0.01, 0);
    assert_int_equal(test->config.train.epochs, 9);
    paced_experiment_finish(&e);
}

static void test_together(void **state) {
    struct paced_experiment e;
    load(&e, "[sweep]\npacing.mu  pacing.mu_update =\n    0.39 -0.183, 0.39  0.55,\n    0.42 -0.4\nrun.seed = 1, 2\n");
    assert_int_equal(e.sweep.key_count, 3);
    assert_int_equal(e.sweep.count, 6);
    assert_point(&e, 0, "mu=0.39,mu_update=-0.183,seed=1", "0.39", "-0.183");
    assert_point(&e, 3, "mu=0.39,mu_update=0.55,seed=2", "0.39", "0.55");
    assert_point(&e, 5, "mu=0.42,mu_update=-0.4,seed=2", "0.42", "-0.4");
    assert_string_equal(e.sweep.points[5].values[2], "2");
    assert_float_equal(e.stages[11].config.pacing.mu_update, -0.4, 0);
    paced_experiment_finish(&e);
}

static void test_sizes(void **state) {
    struct paced_experiment e;
    load(&e, "[sweep]\ndata.size train.batch = 096x128 4, 64 8\n");
    assert_int_equal(e.sweep.count, 2);
    assert_point(&e, 0, "size=96x128,batch=4", "96x128", "4");
    assert_point(&e, 1, "size=64,batch=8", "64", "8");
    assert_int_equal(e.stages[0].config.data.size.height, 96);
    assert_int_equal(e.stages[0].config.data.size.width, 128);
    paced_experiment_finish(&e);
}

static void test_quotes(void **state) {
    struct paced_experiment e;
    load(&e, "[sweep]\ndata.augment data.root = \"hflip, rotate(15)\" \"a b\", none c\n"
             "test.metrics = \"dice,hd95\", dice\ndistill.loss = kd, \"\"\n");
    assert_int_equal(e.sweep.count, 8);
    assert_point(&e, 0, "augment=hflip__rotate(15),root=a_b,metrics=dice_hd95,loss=kd", "hflip, rotate(15)", "a b");
    assert_point(&e, 7, "augment=none,root=c,metrics=dice,loss=", "none", "c");
    assert_string_equal(e.stages[0].config.data.augment, "hflip, rotate(15)");
    assert_below(e.stages[0].config.data.root, "a b");
    paced_experiment_finish(&e);
}

/* Keys with the same name in two sections are distinguished. */
static void test_names(void **state) {
    struct paced_experiment e;
    load(&e, "[sweep]\ndistill.temperature = 4\nuncertainty.temperature = auto\nrun.seed = 1\n");
    assert_string_equal(e.sweep.points[0].name, "distill.temperature=4,uncertainty.temperature=auto,seed=1");
    paced_experiment_finish(&e);
}

/* Every stage exists for each point; %(NAME) refers to the same point; a key of the stage overrides the point. */
static void test_stages(void **state) {
    struct paced_experiment e;
    load(&e, "[run]\noutput = out\n[stage big]\ncommand = train\nmodel.width = 64\n"
             "[stage small]\ncommand = train\ndistill.teacher = %(big)/best.safetensors\n"
             "[stage both]\ncommand = robustness\nrobustness.weights = %(big)/b, %(small)/b,x\n"
             "[sweep]\nmodel.width = 4, 8\nrun.seed = 1, 2\n");
    assert_false(e.plain);
    assert_int_equal(e.count, 12);
    const struct paced_stage *s = e.stages + 9; /* width 8, seed 2 */
    assert_string_equal(s[1].name, "width=8,seed=2/small");
    assert_string_equal(s[1].config.run.name, "width=8,seed=2/small");
    assert_below(s[1].config.run.output, "out/width=8,seed=2/small");
    assert_below(s[1].config.distill.teacher, "out/width=8,seed=2/big/best.safetensors");
    assert_true(s[1].uses[9] && !s[1].uses[6]);
    assert_int_equal(s[0].config.model.width, 64);
    assert_int_equal(s[1].config.model.width, 8);
    assert_int_equal(s[0].config.run.seed, 2);
    /* A list keeps its elements, with any commas in the name of a point. */
    char *list =
        paced_format("\"%s/out/width=8,seed=2/big/b\", \"%s/out/width=8,seed=2/small/b\", %s/x", here, here, here);
    assert_string_equal(s[2].config.robustness.weights, list);
    free(list);
    paced_experiment_finish(&e);
}

/* A stage without sweep exists once, for all points. */
static void test_once(void **state) {
    struct paced_experiment e;
    load(&e, "[run]\noutput = out\n[sweep]\nrun.seed = 1, 2\n[stage a]\ncommand = test\ntest.weights = %(b)/x\n"
             "sweep = yes\n[stage b]\ncommand = train\nsweep = no\n");
    assert_int_equal(e.count, 3);
    assert_string_equal(e.stages[0].name, "b");
    assert_true(e.stages[0].point == PACED_NO_POINT);
    assert_below(e.stages[0].config.run.output, "out/b");
    assert_int_equal(e.stages[0].config.run.seed, 12345);
    assert_string_equal(e.stages[2].name, "seed=2/a");
    assert_below(e.stages[2].config.test.weights, "out/b/x");
    assert_true(e.stages[2].uses[0]);
    paced_experiment_finish(&e);
    assert_refused("[sweep]\nrun.seed = 1\n[stage a]\ncommand = train\nsweep = never\n", "x.ini:5: sweep: 'never'",
                   "no");
    assert_refused("[sweep]\nrun.seed = 1\n[stage a]\ncommand = train\nsweep = no\n", "x.ini:2: run.seed: ", "every");
    assert_refused("[sweep]\nrun.seed = 1\n[stage a]\ncommand = train\n[stage b]\ncommand = test\nsweep = no\n"
                   "test.weights = %(a)/x\n",
                   "x.ini:8: test.weights: %(a): ", "earlier");
}

static void test_sets(void **state) {
    const char *sets[] = {"sweep.run.seed=7,8", " sweep.pacing.mu pacing.mu_update = 0.1 0.2", "train.epochs=3"};
    struct paced_experiment e;
    bool sweeps;
    write_ini("x.ini", "[sweep]\nrun.seed = 1, 2, 3\nmodel.width = 4\n");
    assert_int_equal(paced_experiment_load(&e, "x.ini", sets, PACED_COUNT(sets)), PACED_OK);
    assert_int_equal(e.sweep.count, 2);
    assert_string_equal(e.sweep.points[1].name, "seed=8,width=4,mu=0.1,mu_update=0.2");
    assert_string_equal(e.sweep.places[0], "--set sweep.run.seed=7,8");
    assert_int_equal(e.stages[3].config.train.epochs, 3);
    paced_experiment_finish(&e);
    write_ini("x.ini", "[train]\nepochs = 1\n");
    assert_int_equal(paced_experiment_sweeps("x.ini", NULL, 0, &sweeps), PACED_OK);
    assert_false(sweeps);
    assert_int_equal(paced_experiment_sweeps("x.ini", sets, 1, &sweeps), PACED_OK);
    assert_true(sweeps);
}

static void assert_set_refused(const char *set, const char *begin, const char *hint) {
    struct paced_experiment e;
    struct capture said;
    write_ini("x.ini", "\n[sweep]\nrun.seed = 1, 2\n");
    capture_start(&said);
    enum paced_err err = paced_experiment_load(&e, "x.ini", &set, 1);
    capture_end(&said);
    assert_int_equal(err, PACED_INVALID);
    if (!strstr(said.text, begin) || !strstr(said.text, hint)) fail_msg("said: %s", said.text);
}

static void test_bad_sets(void **state) {
    assert_set_refused("run.seed=3", "--set run.seed=3: run.seed is swept at x.ini:3", "--set sweep.run.seed=");
    assert_set_refused("sweep.run.seed", "--set sweep.run.seed: ", "sweep.run.seed=1,2");
    assert_set_refused("sweep.=1", "--set sweep.=1: ", "sweep.run.seed=1,2");
    assert_set_refused("sweep.run.seed=1,x", "--set sweep.run.seed=1,x: run.seed: 'x'", "whole number");
    assert_set_refused("sweep.run.sed=1", "--set sweep.run.sed=1: run.sed: unknown key", "did you mean run.seed?");
    assert_set_refused("sweep.run.seed run.seed=1 2", "run.seed: is already swept at x.ini:3", "one line");
    struct paced_config config;
    struct capture said;
    const char *set = "sweep.run.seed=1";
    capture_start(&said);
    enum paced_err err = paced_config_load(&config, NULL, &set, 1);
    capture_end(&said);
    assert_int_equal(err, PACED_INVALID);
    assert_non_null(strstr(said.text, "only `paced experiment` and `paced train` support sweeps"));
}

/* Readers of the configuration alone skip the sweep, with any content. */
static void test_sweep_is_passed_over(void **state) {
    struct paced_config c;
    write_ini("x.ini", "[sweep]\nnonsense = 1\n  and more\n[train]\nepochs = 3\n");
    assert_int_equal(paced_config_load(&c, "x.ini", NULL, 0), PACED_OK);
    assert_int_equal(c.train.epochs, 3);
    paced_config_finish(&c);
}

static void test_errors(void **state) {
    assert_refused("[sweeps]\n", "x.ini:1: [sweeps]: unknown section", "did you mean [sweep]?");
    assert_refused("[sweep]\n", "x.ini: has no stages", "[stage NAME]");
    assert_refused("[sweep]\nepochs = 1, 2\n", "x.ini:2: epochs: not a key of a sweep", "SECTION.KEY");
    assert_refused("[sweep]\ncommand = train\n", "x.ini:2: command: not a key of a sweep", "SECTION.KEY");
    assert_refused("[sweep]\ntrain.epoch = 1\n", "x.ini:2: train.epoch: unknown key", "did you mean train.epochs?");
    assert_refused("[sweep]\ntrain.lr trian.step = 1 2\n", "x.ini:2: trian.step: unknown section", "train.step?");
    assert_refused("[sweep]\nrun.output = a, b\n", "x.ini:2: run.output: cannot be swept", "remove it");
    assert_refused("[sweep]\nrun.name = a, b\n", "x.ini:2: run.name: cannot be swept", "remove it");
    assert_refused("[sweep]\ntrain.lr = 1, x\n", "x.ini:2: train.lr: 'x' is not a number", "> 0");
    assert_refused("[sweep]\ntrain.epochs = 1, 0\n", "x.ini:2: train.epochs: '0' is out of range", "1 to 1000000");
    assert_refused("[sweep]\ntrain.lr = 0.1, 0.2, 0.10\n", "x.ini:2: train.lr: '0.1' is given twice", "remove");
    assert_refused("[sweep]\ntrain.lr train.step = 1 2, 1 3, 1.0 3\n", "x.ini:2: train.lr train.step: '1 3' ", "twice");
    assert_refused("[sweep]\ntrain.lr = 1\n\ntrain.lr = 2\n", "x.ini:4: train.lr: is already swept at x.ini:2", "one");
    assert_refused("[sweep]\ntrain.lr train.lr = 1 2\n", "x.ini:2: train.lr: is already swept", "x.ini:2");
    assert_refused("[sweep]\ntrain.lr =\n", "x.ini:2: train.lr: a value is missing", "comma");
    assert_refused("[sweep]\ntrain.lr = 1,\n", "x.ini:2: train.lr: a value is missing", "comma");
    assert_refused("[sweep]\ntrain.lr = 1,,2\n", "x.ini:2: train.lr: a value is missing", "comma");
    assert_refused("[sweep]\ntrain.lr train.step = 1 2, 3\n", "x.ini:2: train.step: a value is missing", "each key");
    assert_refused("[sweep]\ntrain.lr train.step = 1 2 3\n", "x.ini:2: train.lr train.step: '3': a comma", "before");
    assert_refused("[sweep]\ndata.root = \"a, b\n", "x.ini:2: data.root: a quote is not closed", "...");
    assert_refused("[sweep]\ndata.root = \"a\" b\n", "x.ini:2: data.root: 'b': a comma is missing", "before");
    assert_refused("[sweep]\ndata.root = a/b, a:b\n", "x.ini:2: two points would share the directory root=a_b",
                   "differ");
    assert_refused("[sweep]\n" A "[stage b]\ncommand = train\n\n[sweep]\nrun.seed = 1,1\n", "x.ini:8: run.seed",
                   "twice");
    assert_refused(A "train.lr = 1\n[sweep]\ntrain.lr = 1, 2\n", "x.ini:5: train.lr: is swept, but every stage",
                   "here");
    assert_refused(A "run.output = x\n[stage b]\ncommand = test\ntest.weights = %(c)/x\n[sweep]\nrun.seed = 1\n",
                   "x.ini:6: test.weights: %(c): ", "earlier");
    assert_refused("[sweep]\nrun.seed = 1\n train.lr = 1\n", "x.ini:3: train.lr: ", "indented");
}

static void test_too_much(void **state) {
    struct paced_text text = {0};
    paced_text_add(&text, "[sweep]\n");
    for (int line = 0; line < 3; ++line) {
        static const char *const keys[] = {"run.seed", "train.epochs", "train.batch"};
        paced_text_add(&text, "%s = 1", keys[line]);
        for (int i = 2; i <= 25; ++i) paced_text_add(&text, ", %d", i);
        paced_text_add(&text, "\n");
    }
    assert_refused(text.data, "x.ini:4: the sweep has more than 1000 points", "fewer");
    free(text.data);
    text = (struct paced_text){0};
    paced_text_add(&text, "[sweep]\ndata.root =\n");
    for (int i = 0; i < 40; ++i) paced_text_add(&text, "    abcdef\\\n");
    paced_text_add(&text, "    g\n");
    assert_refused(text.data, "x.ini:2: root=abcdef", "too long");
    free(text.data);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_dir, leave_dir)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_product), TEST(test_together), TEST(test_quotes),
        TEST(test_names),   TEST(test_stages),   TEST(test_once),
        TEST(test_sets),    TEST(test_bad_sets), TEST(test_sweep_is_passed_over),
        TEST(test_errors),  TEST(test_too_much), TEST(test_sizes),
    };
    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
