/* config: every kind of error in a file, with its place and hint, and the round trip through text.
 *
 * Errors are checked on stderr: one line with the file, its line, the key, and the nearest valid name. */
#include "tests/config/ini.h"

/* ---- errors in a file ---- */

static void test_unknown_names(void **state) {
    (void)state;
    assert_text_refused("[train]\nepoch = 3\n", "x.ini:2: train.epoch: ", "did you mean train.epochs?");
    assert_text_refused("[train]\n\nEpochs = 3\n", "x.ini:3: train.Epochs: ", "did you mean train.epochs?");
    assert_text_refused("[data]\nbatch = 3\n", "x.ini:2: data.batch: ", "did you mean train.batch?");
    assert_text_refused("[data]\nbatchs = 3\n", "x.ini:2: data.batchs: ", "did you mean train.batch?");
    assert_text_refused("[data]\nxyzzyx = 3\n", "x.ini:2: data.xyzzyx: ", "paced config --keys");
    assert_text_refused("[log]\n[trian]\nepochs = 3\n", "x.ini:2: [trian]: ", "did you mean [train]?");
    assert_text_refused("[zzzzzzzz]\n", "x.ini:1: [zzzzzzzz]: ", "paced config --keys");
    assert_text_refused("[]\n", "x.ini:1: []: ", "unknown section");
    assert_text_refused("epochs = 3\n[train]\n", "x.ini:1: epochs: ", "[section]");
    assert_text_refused("bas = y.ini\n", "x.ini:1: bas: ", "did you mean base?");
}

static void test_wrong_values(void **state) {
    (void)state;
    static const struct {
        const char *section, *key, *value, *hint;
    } cases[] = {
        {"train", "epochs", "0", "1 to 1000000"},
        {"train", "epochs", "1000001", "1 to 1000000"},
        {"train", "epochs", "3.5", "whole number"},
        {"train", "epochs", "", "whole number"},
        {"train", "epochs", "ten", "whole number"},
        {"run", "name", "", "is empty; give a value, or leave the line out for the default, <stem of the INI>"},
        {"run", "output", "", "for the default, outputs/<dataset>/<name>"},
        {"run", "seed", "-1", "0 to 9007199254740992"},
        {"run", "seed", "9007199254740993", "9007199"},
        {"run", "seed", "99999999999999999999", "whole number"},
        {"train", "step", "0", ">= 1"},
        {"train", "lr", "0", "> 0"},
        {"train", "lr", "nan", "not a number"},
        {"train", "lr", "inf", "not a number"},
        {"train", "momentum", "1", ">= 0 and < 1"},
        {"train", "momentum", "-0.1", ">= 0 and < 1"},
        {"train", "gamma", "0", "> 0 and <= 1"},
        {"train", "gamma", "1.01", "> 0 and <= 1"},
        {"train", "weight_decay", "-1e-9", ">= 0"},
        {"train", "shuffle", "maybe", "yes or no"},
        {"train", "shuffle", "2", "yes or no"},
        {"train", "optimizer", "addam", "did you mean adam?"},
        {"train", "optimizer", "", "adam, adamw, sgd"},
        {"data", "dataset", "nothing", "bus, needle, robo, folder"},
        {"data", "classes", "1", "2 to 255"},
        {"data", "size", "8193", "1 to 8192, or HEIGHTxWIDTH"},
        {"data", "size", "0x10", "1 to 8192, or HEIGHTxWIDTH"},
        {"data", "size", "360x8193", "1 to 8192"},
        {"data", "size", "-360x480", "1 to 8192"},
        {"data", "size", "", "is not a size"},
        {"data", "size", "large", "is not a size"},
        {"data", "size", "1.5", "is not a size"},
        {"data", "size", "360x", "is not a size"},
        {"data", "size", "x480", "is not a size"},
        {"data", "size", "360x480x3", "is not a size"},
        {"data", "size", "360,480", "is not a size"},
        {"data", "augment", "hflip, rotat(15)", "did you mean rotate?"},
        {"data", "augment", "rotate(200)", "0 to 180"},
        {"data", "workers", "65", "1 to 64"},
        {"model", "width", "0", "1 to 1024"},
        {"model", "arch", "", "unet"},
        {"model", "arch", "unett", "did you mean unet? valid: unet, linknet"},
        {"distill", "teacher_arch", "resnet", "choose one of unet, linknet"},
        {"device", "threads", "4097", "0 to 4096"},
        {"distill", "cache_mb", "1073741825", "0 to 1073741824"},
        {"test", "weights", "", "best"},
        {"test", "metrics", "dice,hd96", "did you mean hd95?"},
        {"test", "metrics", "", "dice, iou"},
        {"test", "metrics", "dice,,iou", "'' is not a valid choice"},
        {"test", "postprocess", "neddle", "did you mean needle?"},
        {"robustness", "weights", "x, \"a, b\"c", "\"a, b\"c: text behind a closing quote"},
        {"robustness", "severities", "\"1\"2", "\"1\"2: text behind a closing quote"},
        {"robustness", "corruptions", "\"fog\"s", "\"fog\"s: text behind a closing quote"},
        {"robustness", "weights", "a.safetensors,,", "missing beside a comma"},
        {"robustness", "severities", "1,6", "'6' is not a severity; write a list of 1 to 5"},
        {"robustness", "corruptions", "fogg", "did you mean fog?"},
        {"log", "level", "warning", "warn"},
    };
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        char *text = paced_format("[%s]\n\n%s = %s\n", cases[i].section, cases[i].key, cases[i].value);
        char *begin = paced_format("x.ini:3: %s.%s: ", cases[i].section, cases[i].key);
        assert_text_refused(text, begin, cases[i].hint);
        free(begin);
        free(text);
    }
}

static void test_bad_lines(void **state) {
    (void)state;
    assert_text_refused("[train\nepochs = 3\n", "x.ini:1: ", "no ']'");
    assert_text_refused("\n[train] epochs = 3\n", "x.ini:2: ", "line of its own");
    assert_text_refused("[train]\nepochs\n", "x.ini:2: ", "key = value");
    assert_text_refused("[train]\n epochs = 3\n batch = 4\n", "x.ini:3: train.batch: ", "indented");
    assert_text_refused("[train]\nepochs = 3\n [log]\n", "x.ini:3: ", "indented");
    assert_text_refused("[train]\nepochs = 3\n  4\n", "x.ini:2: train.epochs: '3 4'", "whole number");
    assert_int_equal(paced_file_write("x.ini", "[train]\0\n", 9), PACED_OK);
    assert_refused("x.ini", NULL, "x.ini:1: ", "plain text");
    assert_refused("missing.ini", NULL, "missing.ini: ", "No such file");
    assert_refused(dir, NULL, dir, "directory");
}

/* inih would silently cut such a line and read its end as a separate line. */
static void test_long_line(void **state) {
    (void)state;
    char name[400] = {0};
    memset(name, 'n', 192);
    char *text = paced_format("[run]\nname = %s\n", name); /* 199 bytes */
    write_ini("x.ini", text);
    struct paced_config c;
    assert_int_equal(load(&c, "x.ini", NULL), PACED_OK);
    assert_string_equal(c.run.name, name);
    paced_config_finish(&c);
    free(text);
    memset(name, 'n', 193);
    text = paced_format("[run]\n; comment\nname = %s\n", name);
    assert_text_refused(text, "x.ini:3: ", "199 bytes");
    free(text);
    memset(name, 'n', 390);
    text = paced_format("; %s", name);
    assert_text_refused(text, "x.ini:1: ", "199 bytes");
    free(text);
}

/* ---- printing ---- */

static void assert_same(const struct paced_config *a, const struct paced_config *b) {
    char *one = paced_config_text(a), *two = paced_config_text(b);
    assert_string_equal(one, two);
    assert_string_equal(a->run.name, b->run.name);
    assert_string_equal(a->run.output, b->run.output);
    assert_string_equal(a->data.root, b->data.root);
    assert_string_equal(a->model.init, b->model.init);
    assert_string_equal(a->test.weights, b->test.weights);
    assert_memory_equal(&a->train, &b->train, sizeof a->train);
    assert_memory_equal(&a->log, &b->log, sizeof a->log);
    assert_true(a->run.seed == b->run.seed && a->data.dataset == b->data.dataset);
    free(one);
    free(two);
}

static void assert_round_trip(const char *const *sets, size_t count) {
    write_ini("x.ini", "");
    struct paced_config before, after;
    assert_int_equal(paced_config_load(&before, "x.ini", sets, count), PACED_OK);
    char *text = paced_config_text(&before);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) assert_true(strcspn(line, "\n") < 198);
    write_ini("other.ini", text);
    free(text);
    assert_int_equal(load(&after, "other.ini", NULL), PACED_OK);
    assert_same(&before, &after);
    paced_config_finish(&after);
    paced_config_finish(&before);
}

static void test_round_trip(void **state) {
    (void)state;
    assert_round_trip(NULL, 0);
    const char *sets[] = {
        "run.name=a # b; c = [d] \\",
        "run.output=#out",
        "run.seed=9007199254740992",
        "data.dataset=folder",
        "data.size=360x480",
        "data.root=[x]",
        "data.train=a=b",
        "data.val=\xC3\xA9/\xFF",
        "train.lr=0.1",
        "train.gamma=0.3333333333333",
        "train.weight_decay=5e-324",
        "train.momentum=0.99999999999999989",
        "train.shuffle=no",
        "train.optimizer=sgd",
        "train.schedule=constant",
        "test.weights=last",
        "test.metrics=nll,dice",
        "log.level=error",
        "device.select=0:1",
    };
    assert_round_trip(sets, PACED_COUNT(sets));
}

/* Values longer than a line: the parts of a split value are not read as blanks, comments, sections or keys. */
static void test_round_trip_long(void **state) {
    (void)state;
    static const char *const parts[] = {"x",   "ab ", " ",    "\xC3\xA9", "a#",      "b;",
                                        "[c]", "\\",  "a\\ ", "lr=",      "train = "};
    for (size_t i = 0; i < PACED_COUNT(parts); ++i) {
        for (size_t shift = 0; shift < 8; ++shift) {
            struct paced_text set = {0};
            paced_text_add(&set, "data.root=/%.*s", (int)shift, "ssssssss");
            for (int j = 0; j < 150; ++j) paced_text_add(&set, "%s%s", parts[i], i == 2 && j % 7 == 0 ? "w" : "");
            paced_text_add(&set, "/e");
            const char *sets[] = {set.data};
            assert_round_trip(sets, 1);
            free(set.data);
        }
    }
}

static void test_real_digits(void **state) {
    (void)state;
    write_ini("x.ini", "[train]\nlr = 0.00300\nweight_decay = 1.0e-4\ngamma = 0.30000000000000004\n");
    struct paced_config c;
    assert_int_equal(load(&c, "x.ini", NULL), PACED_OK);
    char *text = paced_config_text(&c);
    assert_non_null(strstr(text, "\nlr = 0.003\n"));
    assert_non_null(strstr(text, "\nweight_decay = 0.0001\n"));
    assert_non_null(strstr(text, "\ngamma = 0.30000000000000004\n"));
    free(text);
    const char *const values[][2] = {
        {"train.lr", "0.003"}, {"train.epochs", "100"}, {"train.shuffle", "yes"}, {"train.schedule", "step"}};
    for (size_t i = 0; i < PACED_COUNT(values); ++i) {
        text = paced_config_value(&c, values[i][0]);
        assert_string_equal(text, values[i][1]);
        free(text);
    }
    paced_config_finish(&c);
}

static void test_key_of_an_error(void **state) {
    (void)state;
    write_ini("x.ini", "[data]\ntrain = /a/t.json\n[robustness]\nweights = /a/b.pth, /a/c.pth\n");
    struct paced_config c;
    assert_int_equal(load(&c, "x.ini", NULL), PACED_OK);
    const char *const errors[][2] = {{"/a/t.json", "data.train"},
                                     {"/a/t.json:3", "data.train"},
                                     {"/a/t.json: entry 3", "data.train"},
                                     {"/a/c.pth", "robustness.weights"},
                                     {"/a/t.json.old", NULL},
                                     {"test.weights", NULL},
                                     {"", NULL},
                                     {NULL, NULL}};
    for (size_t i = 0; i < PACED_COUNT(errors); ++i) {
        char *key = paced_config_key_of(&c, errors[i][0]);
        if (errors[i][1])
            assert_string_equal(key, errors[i][1]);
        else
            assert_null(key);
        free(key);
    }
    paced_config_finish(&c);
}

static void test_print_keys(void **state) {
    (void)state;
    for (int markdown = 0; markdown < 2; ++markdown) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        paced_config_print_keys(out, markdown);
        fclose(out);
        assert_non_null(strstr(text, markdown ? "| `train.lr` | real | `0.003` | > 0 | " : "train.lr "));
        assert_non_null(strstr(text, "outputs/<dataset>/<name>"));
        assert_non_null(strstr(text, "1 to 8192, or HEIGHTxWIDTH"));
        assert_non_null(strstr(text, "error, warn, info, debug"));
        size_t lines = 0, bars = 0;
        for (const char *s = text; *s; ++s) {
            lines += *s == '\n';
            bars += *s == '|';
        }
        assert_true(lines >= 28);
        assert_int_equal(bars, markdown ? lines * 6 : 0);
        free(text);
    }
}

static uint64_t hash_with(const char *set) {
    write_ini("x.ini", "");
    struct paced_config c;
    assert_int_equal(load(&c, "x.ini", set), PACED_OK);
    uint64_t hash = paced_config_hash(PACED_HASH_START, &c);
    paced_config_finish(&c);
    return hash;
}

static void test_hash(void **state) {
    (void)state;
    uint64_t plain = hash_with(NULL);
    assert_true(hash_with("data.workers=4") == plain && hash_with("log.level=debug") == plain);
    assert_true(hash_with("train.lr=0.1") != plain && hash_with("run.output=elsewhere") != plain);
    assert_true(hash_with("train.lr=0.003") == plain);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_dir, leave_dir)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_unknown_names), TEST(test_wrong_values), TEST(test_bad_lines),
        TEST(test_long_line),     TEST(test_round_trip),   TEST(test_round_trip_long),
        TEST(test_real_digits),   TEST(test_print_keys),   TEST(test_key_of_an_error),
        TEST(test_hash),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
