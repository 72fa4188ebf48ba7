/* config: the stages of an experiment: the sources of each configuration, %(NAME), and every kind of error with its
 * place and hint. Each test runs in an empty directory of its own. */
#include "tests/config/experiment.h"
#include "tests/square.h"

static void test_own_sections(void **state) {
    write_ini("x.ini", "[run]\noutput = out\nname = all\n[train]\nepochs = 5\nbatch = 3\n"
                       "[stage first] ; comment\ncommand = train ; comment\ntrain.epochs = 7\n"
                       "[model]\nwidth = 9\n" /* applies to the stages above it, too */
                       "[stage  2nd_a.b ]\ncommand = test\nrun.output = else/where\nrun.name = mine\n");
    struct paced_experiment e;
    assert_int_equal(paced_experiment_load(&e, "x.ini", NULL, 0), PACED_OK);
    assert_int_equal(e.count, 2);
    assert_below(e.config.run.output, "out");
    assert_int_equal(e.config.train.epochs, 5);
    const struct paced_stage *s = e.stages;
    assert_string_equal(s[0].name, "first");
    assert_string_equal(s[0].command, "train");
    assert_string_equal(s[0].place, "x.ini:7");
    assert_string_equal(s[0].command_place, "x.ini:8");
    assert_string_equal(s[0].config.run.name, "first");
    assert_below(s[0].config.run.output, "out/first");
    assert_int_equal(s[0].config.train.epochs, 7);
    assert_int_equal(s[0].config.train.batch, 3);
    assert_int_equal(s[0].config.model.width, 9);
    assert_string_equal(s[1].name, "2nd_a.b");
    assert_string_equal(s[1].command, "test");
    assert_string_equal(s[1].config.run.name, "mine");
    assert_below(s[1].config.run.output, "else/where");
    assert_int_equal(s[1].config.train.epochs, 5);
    paced_experiment_finish(&e);
    paced_experiment_finish(&e);
    paced_experiment_finish(NULL);
}

static void test_other_file(void **state) {
    assert_int_equal(paced_make_dirs("sub"), PACED_OK);
    write_ini("sub/base.ini", "[train]\nbatch = 4\n[stage lost]\ncommand = train\n");
    write_ini("sub/open.ini", "base = base.ini\n[train]\nepochs = 2\n[stage lost_too]\n");
    write_ini("sub/closed.ini", "[run]\noutput = mine\nname = me\n");
    write_ini("x.ini", "base = sub/base.ini\n[run]\noutput = out\n[train]\nepochs = 5\n"
                       "[stage a]\ncommand = train\nconfig = sub/open.ini\ntrain.lr = 0.5\n"
                       "[stage b]\ncommand = train\nconfig = sub/closed.ini\n");
    struct paced_experiment e;
    assert_int_equal(paced_experiment_load(&e, "x.ini", NULL, 0), PACED_OK);
    assert_int_equal(e.count, 2); /* neither those of the base nor those of sub/open.ini */
    const struct paced_stage *s = e.stages;
    assert_int_equal(s[0].config.train.epochs, 2);
    assert_int_equal(s[0].config.train.batch, 4);
    assert_true(s[0].config.train.lr == 0.5);
    assert_string_equal(s[0].config.run.name, "a");
    assert_below(s[0].config.run.output, "out/a");
    assert_int_equal(s[1].config.train.epochs, 100); /* the default; x.ini is not read */
    assert_string_equal(s[1].config.run.name, "me");
    assert_below(s[1].config.run.output, "mine");
    paced_experiment_finish(&e);
}

static void test_references(void **state) {
    write_ini("x.ini", "[run]\noutput = out\n[stage a]\ncommand = train\n[stage b]\ncommand = train\n"
                       "[stage c]\ncommand = test\nrun.output = %(b)\ntest.weights = %(a)/best.safetensors\n"
                       "[stage d]\ncommand = test\nrun.output = %(c)/%(c)\\\n    x%y\ndata.root = 100%\n");
    struct paced_experiment e;
    assert_int_equal(paced_experiment_load(&e, "x.ini", NULL, 0), PACED_OK);
    const struct paced_stage *s = e.stages;
    assert_below(s[2].config.run.output, "out/b");
    assert_below(s[2].config.test.weights, "out/a/best.safetensors");
    assert_true(s[2].uses[0] && s[2].uses[1]);
    char *twice = paced_format("%s/%sx%%y", s[2].config.run.output, s[2].config.run.output);
    assert_string_equal(s[3].config.run.output, twice);
    free(twice);
    assert_below(s[3].config.data.root, "100%");
    assert_true(!s[3].uses[0] && !s[3].uses[1] && s[3].uses[2]);
    paced_experiment_finish(&e);
}

static void test_sets(void **state) {
    const char *sets[] = {"train.epochs=9", " run.output =there", "run.name=all"}, *bad[] = {"train.epoch=9"};
    write_ini("y.ini", "[run]\noutput = mine\n[train]\nepochs = 2\n");
    write_ini("x.ini", "[run]\noutput = out\n[stage a]\ncommand = train\ntrain.epochs = 7\n"
                       "[stage b]\ncommand = train\nconfig = y.ini\n");
    struct paced_experiment e;
    assert_int_equal(paced_experiment_load(&e, "x.ini", sets, PACED_COUNT(sets)), PACED_OK);
    assert_below(e.config.run.output, "there");
    assert_below(e.stages[0].config.run.output, "there/a");
    assert_string_equal(e.stages[0].config.run.name, "a");
    assert_int_equal(e.stages[0].config.train.epochs, 9);
    assert_below(e.stages[1].config.run.output, "mine");
    assert_int_equal(e.stages[1].config.train.epochs, 9);
    paced_experiment_finish(&e);
    struct capture said;
    capture_start(&said);
    enum paced_err err = paced_experiment_load(&e, "x.ini", bad, 1);
    capture_end(&said);
    assert_int_equal(err, PACED_INVALID);
    assert_non_null(strstr(said.text, "--set train.epoch=9: train.epoch: unknown key"));
}

static void test_twice_warns(void **state) {
    write_ini("x.ini", "[stage a]\ncommand = train\ntrain.epochs = 1\ntrain.epochs = 2\n");
    struct paced_experiment e;
    struct capture said;
    assert_int_equal(load_said(&e, &said), PACED_OK);
    assert_int_equal(e.stages[0].config.train.epochs, 2);
    assert_non_null(strstr(said.text, "warning: x.ini:4: train.epochs: already given at x.ini:3"));
    paced_experiment_finish(&e);
}

/* Readers of the configuration alone skip stages, with any content. */
static void test_stages_are_passed_over(void **state) {
    write_ini("x.ini",
              "[train]\nepochs = 3\n[stage a]\nnonsense = 1\ntrain.epochs = none\n  and more\n[data]\nsize = 64\n");
    struct paced_config c;
    assert_int_equal(paced_config_load(&c, "x.ini", NULL, 0), PACED_OK);
    assert_int_equal(c.train.epochs, 3);
    assert_true(paced_extent_equal(c.data.size, square(64)));
    paced_config_finish(&c);
}

#define A "[stage a]\ncommand = train\n"

static void test_errors(void **state) {
    assert_refused("[train]\nepochs = 1\n", "x.ini: has no stages", "[stage NAME]");
    assert_refused("[train]\n[stage]\n", "x.ini:2: [stage]: has no name", "[stage NAME]");
    assert_refused("[stage a b]\n", "x.ini:1: [stage a b]: ", "letters");
    assert_refused("[stage ../a]\n", "x.ini:1: [stage ../a]: ", "letters");
    assert_refused("[stage .a]\n", "x.ini:1: [stage .a]: ", "not first");
    assert_refused("[stages a]\n", "x.ini:1: [stages a]: ", "unknown section");
    assert_refused(A "\n" A, "x.ini:4: [stage a]: ", "x.ini:1");
    assert_refused("\n[stage a]\ntrain.epochs = 1\n", "x.ini:2: [stage a]: has no command", "command = train");
    assert_refused("[stage a]\ncommand =\n", "x.ini:1: [stage a]: has no command", "command = train");
    assert_refused(A "comand = test\n", "x.ini:3: comand: ", "did you mean command?");
    assert_refused(A "epochs = 3\n", "x.ini:3: epochs: ", "SECTION.KEY");
    assert_refused(A "train.epoch = 3\n", "x.ini:3: train.epoch: unknown key", "did you mean train.epochs?");
    assert_refused(A "trian.epochs = 3\n", "x.ini:3: trian.epochs: unknown section", "did you mean train.epochs?");
    assert_refused(A "train.epochs = 0\n", "x.ini:3: train.epochs: '0' is out of range", "1 to 1000000");
    assert_refused(A " train.epochs = 3\n", "x.ini:3: train.epochs: ", "indented");
    assert_refused(A "base = y.ini\n", "x.ini:3: base: ", "not a key of a stage");
    assert_refused(A "config = nowhere.ini\n", "x.ini:3: config: cannot read 'nowhere.ini'", "No such file");
    assert_refused(A "config = .\n", "x.ini:3: config: ", "directory");
    assert_refused(A "config =\n", "x.ini:3: config: ", "cannot read");
    write_ini("bad.ini", "[train]\nlr = x\n");
    assert_refused(A "config = bad.ini\n", "bad.ini:2: train.lr: ", "not a number");
    assert_refused(A "test.weights = %(b)/x\n[stage b]\ncommand = train\n", "x.ini:3: test.weights: %(b): ", "earlier");
    assert_refused(A "test.weights = %(a)/x\n", "x.ini:3: test.weights: %(a): ", "earlier");
    assert_refused(A "robustness.weights = \"b\"c\n", "x.ini:3: robustness.weights: \"b\"c: ", "quote");
    assert_refused(A "test.weights = %()\n", "x.ini:3: test.weights: %(): ", "earlier");
    assert_refused(A "[stage b]\ncommand = train\ntest.weights = %(a\n", "x.ini:5: test.weights: %(a): ", "no ')'");
}

/* inih would silently cut a longer name. */
static void test_long_name(void **state) {
    char text[128];
    snprintf(text, sizeof text, "[stage %.*s]\ncommand = train\n", 43,
             "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
    write_ini("x.ini", text);
    struct paced_experiment e;
    assert_int_equal(paced_experiment_load(&e, "x.ini", NULL, 0), PACED_OK);
    assert_int_equal(strlen(e.stages[0].name), 43);
    paced_experiment_finish(&e);
    snprintf(text, sizeof text, "\n[stage %.*s]\ncommand = train\n", 44,
             "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
    assert_refused(text, "x.ini:2: [stage abc", "49 bytes");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_dir, leave_dir)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_own_sections),
        TEST(test_other_file),
        TEST(test_references),
        TEST(test_sets),
        TEST(test_twice_warns),
        TEST(test_errors),
        TEST(test_stages_are_passed_over),
        TEST(test_long_name),
    };
    return cmocka_run_group_tests_name("stage", tests, NULL, NULL);
}
