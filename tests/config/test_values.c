/* config: defaults, values of every kind, inheritance and --set, and their errors. */
#include "tests/config/ini.h"
#include "tests/square.h"

#include <sys/stat.h>

/* ---- values ---- */

static void test_list_of_paths(void **state) {
    (void)state;
    write_ini("list.ini", "[robustness]\nweights = best, a/b c.safetensors ,\n  /d,e\n");
    struct paced_config c;
    assert_int_equal(load(&c, "list.ini", NULL), PACED_OK);
    char *here = paced_path_absolute("."), *expected = paced_format("best, %s/a/b c.safetensors, /d, %s/e", here, here);
    assert_string_equal(c.robustness.weights, expected);
    char *text = paced_config_text(&c);
    write_ini("again.ini", text);
    paced_config_finish(&c);
    assert_int_equal(load(&c, "again.ini", NULL), PACED_OK);
    assert_string_equal(c.robustness.weights, expected);
    paced_config_finish(&c);
    free(text);
    free(expected);
    free(here);
}

static void test_defaults(void **state) {
    (void)state;
    write_ini("first.run.ini", "");
    struct paced_config c;
    assert_int_equal(load(&c, "first.run.ini", NULL), PACED_OK);
    assert_string_equal(c.file, "first.run.ini");
    assert_string_equal(c.run.name, "first.run");
    assert_below_dir(c.run.output, "outputs/bus/first.run");
    assert_int_equal(c.run.seed, 12345);
    assert_string_equal(c.device.select, "auto");
    assert_int_equal(c.device.threads, 0);
    assert_int_equal(c.data.dataset, PACED_DATA_BUS);
    assert_string_equal(c.data.root, "");
    assert_string_equal(c.data.train, "");
    assert_string_equal(c.data.val, "");
    assert_int_equal(c.data.classes, 2);
    assert_true(paced_extent_equal(c.data.size, square(224)));
    assert_string_equal(c.data.augment, "none"); /* depends on the data set */
    assert_int_equal(c.data.workers, 1);
    assert_string_equal(c.model.arch, "unet");
    assert_int_equal(c.model.width, 64);
    assert_string_equal(c.model.init, "");
    assert_int_equal(c.train.epochs, 100);
    assert_int_equal(c.train.batch, 16);
    assert_int_equal(c.train.optimizer, PACED_ADAM);
    assert_true(c.train.momentum == 0 && c.train.weight_decay == 0 && c.train.lr == 0.003 && c.train.gamma == 0.1);
    assert_int_equal(c.train.schedule, PACED_SCHEDULE_STEP);
    assert_int_equal(c.train.step, 7);
    assert_true(c.train.shuffle);
    assert_int_equal(c.train.save_every, 1);
    assert_string_equal(c.test.weights, "best");
    assert_true(c.test.metrics == 0x1ff && c.test.nsd_tolerance == 2);
    assert_int_equal(c.test.postprocess, PACED_POSTPROCESS_NONE);
    assert_string_equal(c.robustness.weights, "");
    assert_string_equal(c.robustness.corruptions, "all");
    assert_int_equal(c.log.level, PACED_LOG_INFO);
    paced_config_finish(&c);
    paced_config_finish(&c);
    paced_config_finish(NULL);
}

static void test_values(void **state) {
    (void)state;
    write_ini("x.ini", "\xEF\xBB\xBF; a comment\r\n[run]\r\nname = my run ; the name\r\nseed=0\r\n# another\n"
                       "[data] ; comment\ndataset : folder\nroot = /data/a;b\ntrain = t/train.json\nval =\n"
                       "[train]\nshuffle = OFF\nlr = 1e-3\noptimizer = sgd\nmomentum = .9\nschedule = constant\n"
                       "[log]\nlevel = debug\n[run]\nseed = 9007199254740992\n[test]\nweights = w/a.safetensors");
    struct paced_config c;
    assert_int_equal(load(&c, "x.ini", NULL), PACED_OK);
    assert_string_equal(c.run.name, "my run");
    assert_true(c.run.seed == 9007199254740992);
    assert_below_dir(c.run.output, "outputs/folder/my run");
    assert_int_equal(c.data.dataset, PACED_DATA_FOLDER);
    assert_string_equal(c.data.root, "/data/a;b");
    assert_below_dir(c.data.train, "t/train.json");
    assert_string_equal(c.data.val, "");
    assert_false(c.train.shuffle);
    assert_true(c.train.lr == 0.001 && c.train.momentum == 0.9);
    assert_int_equal(c.train.optimizer, PACED_SGD);
    assert_int_equal(c.train.schedule, PACED_SCHEDULE_CONSTANT);
    assert_int_equal(c.log.level, PACED_LOG_DEBUG);
    assert_below_dir(c.test.weights, "w/a.safetensors");
    paced_config_finish(&c);
}

static void test_lists(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t bits;
    } cases[] = {{"dice", 1}, {"nll, dice", 0x201}, {" hd95 ,\tiou,hd95", 0x22}};
    write_ini("x.ini", "");
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        struct paced_config c;
        char *set = paced_format("test.metrics=%s", cases[i].text);
        assert_int_equal(load(&c, "x.ini", set), PACED_OK);
        assert_true(c.test.metrics == cases[i].bits);
        paced_config_finish(&c);
        free(set);
    }
}

/* Height comes first. A square is printed as one number. */
static void test_sizes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        struct paced_extent size;
        const char *printed;
    } cases[] = {{"224", {224, 224}, "224"},
                 {"360x480", {360, 480}, "360x480"},
                 {"1x8192", {1, 8192}, "1x8192"},
                 {" 045 X 61 ", {45, 61}, "45x61"},
                 {"64x64", {64, 64}, "64"}};
    write_ini("x.ini", "");
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        struct paced_config c;
        char *set = paced_format("data.size=%s", cases[i].text);
        assert_int_equal(load(&c, "x.ini", set), PACED_OK);
        assert_true(paced_extent_equal(c.data.size, cases[i].size));
        char *printed = paced_config_value(&c, "data.size");
        assert_string_equal(printed, cases[i].printed);
        free(printed);
        paced_config_finish(&c);
        free(set);
    }
}

static void test_bools(void **state) {
    (void)state;
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1", "No", "TRUE"};
    write_ini("x.ini", "");
    for (size_t i = 0; i < PACED_COUNT(words); ++i) {
        struct paced_config c;
        char *set = paced_format("train.shuffle=%s", words[i]);
        assert_int_equal(load(&c, "x.ini", set), PACED_OK);
        assert_int_equal(c.train.shuffle, i % 2 == 1);
        paced_config_finish(&c);
        free(set);
    }
}

static void test_continuation(void **state) {
    (void)state;
    write_ini("x.ini", "[run]\nname = one ; first\n  ; between\n\n\ttwo ; second\n  three\n"
                       "[data]\nroot = /a/b\\\n    c/d \\ ; comment\n    e\ntrain = /ends/with\\\nval = /v\n"
                       "[train]\n  epochs = 3\n");
    struct paced_config c;
    assert_int_equal(load(&c, "x.ini", NULL), PACED_OK);
    assert_string_equal(c.run.name, "one two three");
    assert_string_equal(c.data.root, "/a/bc/d e");
    assert_string_equal(c.data.train, "/ends/with\\");
    assert_string_equal(c.data.val, "/v");
    assert_int_equal(c.train.epochs, 3);
    paced_config_finish(&c);
}

static void test_twice_warns(void **state) {
    (void)state;
    write_ini("x.ini", "[train]\nepochs = 1\nepochs = 2\n");
    struct paced_config c;
    char *said;
    assert_int_equal(load_said(&c, "x.ini", NULL, &said), PACED_OK);
    assert_int_equal(c.train.epochs, 2);
    assert_non_null(strstr(said, "warning: x.ini:3: train.epochs: already given in line 2"));
    free(said);
    paced_config_finish(&c);
}

/* ---- inheritance and --set ---- */

static void test_base(void **state) {
    (void)state;
    assert_int_equal(paced_make_dirs("sub/deep"), PACED_OK);
    write_ini("root.ini", "[train]\nepochs = 1\nbatch = 2\nlr = 0.5\n[data]\nroot = images\n");
    write_ini("sub/middle.ini", "base = ../root.ini\n[train]\nbatch = 3\nlr = 0.25\n");
    write_ini("sub/deep/leaf.ini", "; comment\nbase = ../middle.ini ; chain\n\n[train]\nlr = 0.125\n");
    struct paced_config c;
    const char *sets[] = {"train.lr=1", " train.lr = 2", "run.name=a=b"};
    assert_int_equal(load(&c, "sub/deep/leaf.ini", NULL), PACED_OK);
    assert_int_equal(c.train.epochs, 1);
    assert_int_equal(c.train.batch, 3);
    assert_true(c.train.lr == 0.125);
    assert_string_equal(c.run.name, "leaf");
    assert_below_dir(c.data.root, "images"); /* relative to the current directory, not to root.ini */
    paced_config_finish(&c);
    assert_int_equal(paced_config_load(&c, "sub/deep/leaf.ini", sets, PACED_COUNT(sets)), PACED_OK);
    assert_true(c.train.lr == 2);
    assert_string_equal(c.run.name, "a=b");
    paced_config_finish(&c);
}

/* Later bases take precedence over earlier ones, and the file over all. */
static void test_base_list(void **state) {
    (void)state;
    struct paced_config c;
    assert_int_equal(paced_make_dirs("d"), PACED_OK);
    write_ini("root.ini", "[train]\nepochs = 1\nbatch = 1\nlr = 1\nstep = 1\n");
    write_ini("a.ini", "base = root.ini\n[train]\nepochs = 2\nbatch = 2\nlr = 2\n");
    write_ini("d/b.ini", "[train]\nepochs = 3\nbatch = 3\n");
    write_ini("x.ini", "base = a.ini,\n    d/b.ini\n[train]\nepochs = 4\n");
    assert_int_equal(load(&c, "x.ini", NULL), PACED_OK);
    assert_int_equal(c.train.epochs, 4);
    assert_int_equal(c.train.batch, 3);
    assert_true(c.train.lr == 2);
    assert_int_equal(c.train.step, 1);
    paced_config_finish(&c);
    write_ini("e.ini", "[train]\nlr = x\n");
    assert_text_refused("base = a.ini, , d/b.ini\n", "x.ini:1: base: ", "missing");
    assert_text_refused("base = a.ini, nowhere.ini\n", "x.ini:1: base: ", "nowhere.ini: No such file");
    assert_text_refused("base = a.ini, e.ini\n", "e.ini:2: train.lr: ", "not a number");
    assert_text_refused("base = a.ini, x.ini\n", "x.ini:1: base: ", "circular");
}

static void test_base_errors(void **state) {
    (void)state;
    assert_int_equal(paced_make_dirs("d"), PACED_OK);
    write_ini("a.ini", "base = d/b.ini\n");
    write_ini("d/b.ini", "\nbase = ../c.ini\n[train]\nlr = 1\n");
    write_ini("c.ini", "base = a.ini\n");
    assert_refused("a.ini", NULL, "d/../c.ini:1: base: ", "a.ini -> d/b.ini -> d/../c.ini -> d/../a.ini; remove");
    assert_text_refused("base = x.ini\n", "x.ini:1: base: ", "x.ini -> x.ini");
    assert_text_refused("\nbase = nowhere.ini\n", "x.ini:2: base: ", "nowhere.ini: No such file");
    assert_text_refused("base = d\n", "x.ini:1: base: ", "directory");
    assert_text_refused("base =\n", "x.ini:1: base: ", "names no file");
    assert_text_refused("base = a.ini\nbase = c.ini\n", "d/../c.ini:1: base: ", "circular");
    assert_text_refused("[train]\nbase = a.ini\n", "x.ini:2: base: ", "above the first");
    write_ini("bad.ini", "[train]\nlr = x\n");
    write_ini("good.ini", "");
    assert_text_refused("base = good.ini\nbase = bad.ini\n", "x.ini:2: base: ", "line 1");
    assert_text_refused("base = bad.ini\n[train]\nlr = 1\n", "bad.ini:2: train.lr: ", "not a number");
}

static void test_set_errors(void **state) {
    (void)state;
    write_ini("x.ini", "");
    assert_refused("x.ini", "train.epochs", "--set train.epochs: ", "SECTION.KEY=VALUE");
    assert_refused("x.ini", "epochs=3", "--set epochs=3: ", "SECTION.KEY=VALUE");
    assert_refused("x.ini", "=3", "--set =3: ", "SECTION.KEY=VALUE");
    assert_refused("x.ini", "train.=3", "--set train.=3: ", "SECTION.KEY=VALUE");
    assert_refused("x.ini", "train.epoch=3", "--set train.epoch=3: train.epoch: ", "did you mean train.epochs?");
    assert_refused("x.ini", "trian.epochs=3", "--set trian.epochs=3: trian.epochs: ", "did you mean train.epochs?");
    assert_refused("x.ini", "train.epochs=0", "--set train.epochs=0: train.epochs: '0' is out of range",
                   "1 to 1000000");
    /* Values that an INI line cannot hold. */
    assert_refused("x.ini", "run.name=a ;b", "--set run.name=a ;b: run.name: ", "comment");
    assert_refused("x.ini", "run.name=;b", "--set run.name=;b: run.name: ", "comment");
    assert_refused("x.ini", "run.name= a", "--set run.name= a: run.name: ", "blank");
    assert_refused("x.ini", "data.root=a ", "--set data.root=a : data.root: ", "blank");
    assert_refused("x.ini", "run.name=a\nb", "--set run.name=a: run.name: 'a?b'", "control");
    char *set = paced_format("run.name=x%300sx", "");
    char *begin = paced_format("--set %s: run.name: ", set);
    assert_refused("x.ini", set, begin, "split");
    free(begin);
    free(set);
}

/* The words of test.metrics are the names of the metrics, and select their bits. */
static void test_metrics_by_name(void **state) {
    for (int m = 0; m <= PACED_NLL; ++m) {
        struct paced_config config;
        char *set = paced_format("test.metrics = %s", paced_metric_table[m].name);
        assert_int_equal(paced_config_load(&config, NULL, (const char *const[]){set}, 1), PACED_OK);
        assert_true(config.test.metrics == UINT64_C(1) << m);
        paced_config_finish(&config);
        free(set);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_dir, leave_dir)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_defaults),     TEST(test_values),      TEST(test_bools),         TEST(test_lists),
        TEST(test_continuation), TEST(test_twice_warns), TEST(test_base),          TEST(test_base_list),
        TEST(test_base_errors),  TEST(test_set_errors),  TEST(test_list_of_paths), TEST(test_metrics_by_name),
        TEST(test_sizes),
    };
    return cmocka_run_group_tests_name("config_values", tests, NULL, NULL);
}
