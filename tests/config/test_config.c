/* config: defaults, inheritance, --set, every kind of error with its place and hint, and the round trip through text.
 *
 * Each test runs in an empty directory of its own. Errors are checked on what stderr shows: one line, with the file,
 * its line, the key, and the nearest valid name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "paced/config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64]; /* the current directory during a test */

static int enter_dir(void **state) {
    (void)state;
    strcpy(dir, "/tmp/paced-config-XXXXXX");
    return mkdtemp(dir) && chdir(dir) == 0 ? 0 : 1;
}

static int leave_dir(void **state) {
    (void)state;
    char *command = paced_format("rm -rf '%s'", dir);
    int status = chdir("/") == 0 ? system(command) : 1;
    free(command);
    return status;
}

static void write_ini(const char *path, const char *text) {
    assert_int_equal(paced_file_write(path, text, strlen(text)), PACED_OK);
}

static enum paced_err load(struct paced_config *config, const char *path, const char *set) {
    return paced_config_load(config, path, &set, set ? 1 : 0);
}

/* Loads with stderr in a file; *said is what it holds, to be freed. */
static enum paced_err load_said(struct paced_config *config, const char *path, const char *set, char **said) {
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    assert_non_null(freopen("stderr", "w", stderr));
    enum paced_err err = load(config, path, set);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    uint8_t *data;
    size_t size;
    assert_int_equal(paced_file_read("stderr", 0, &data, &size), PACED_OK);
    *said = (char *)data;
    return err;
}

/* The load fails with exactly one line that holds both parts, and leaves nothing to release. */
static void assert_refused(const char *path, const char *set, const char *begin, const char *hint) {
    struct paced_config config, nothing = {0};
    char *said;
    assert_int_equal(load_said(&config, path, set, &said), PACED_INVALID);
    char *expected = paced_format("paced: %s", begin);
    if (strncmp(said, expected, strlen(expected)) != 0 || !strstr(said, hint)) {
        print_error("said:     %sexpected: %s ... %s\n", said, expected, hint);
        fail();
    }
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    assert_memory_equal(&config, &nothing, sizeof config);
    free(expected);
    free(said);
}

static void assert_text_refused(const char *text, const char *begin, const char *hint) {
    write_ini("x.ini", text);
    assert_refused("x.ini", NULL, begin, hint);
}

static void assert_below_dir(const char *path, const char *rest) {
    char *here = paced_path_absolute("."), *expected = paced_path_join(here, rest);
    assert_string_equal(path, expected);
    free(expected);
    free(here);
}

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
    assert_int_equal(c.data.size, 224);
    assert_string_equal(c.data.augment, "none"); /* by data set */
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
    for (size_t i = 0; i < PACED_COUNT(cases); i++) {
        struct paced_config c;
        char *set = paced_format("test.metrics=%s", cases[i].text);
        assert_int_equal(load(&c, "x.ini", set), PACED_OK);
        assert_true(c.test.metrics == cases[i].bits);
        paced_config_finish(&c);
        free(set);
    }
}

static void test_bools(void **state) {
    (void)state;
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1", "No", "TRUE"};
    write_ini("x.ini", "");
    for (size_t i = 0; i < PACED_COUNT(words); i++) {
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
    assert_text_refused("base = a.ini\nbase = c.ini\n", "d/../c.ini:1: base: ", "circle");
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
    /* What an INI line could not hold: */
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
        {"data", "size", "8193", "1 to 8192"},
        {"data", "augment", "hflip, rotat(15)", "did you mean rotate?"},
        {"data", "augment", "rotate(200)", "0 to 180"},
        {"data", "workers", "65", "1 to 64"},
        {"model", "width", "0", "1 to 1024"},
        {"model", "arch", "", "unet"},
        {"device", "threads", "4097", "0 to 4096"},
        {"test", "weights", "", "best"},
        {"test", "metrics", "dice,hd96", "did you mean hd95?"},
        {"test", "metrics", "", "dice, iou"},
        {"test", "metrics", "dice,,iou", "'' is not a valid choice"},
        {"test", "postprocess", "neddle", "did you mean needle?"},
        {"log", "level", "warning", "warn"},
    };
    for (size_t i = 0; i < PACED_COUNT(cases); i++) {
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

/* inih would cut such a line in silence and read its end as a line of its own. */
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

/* Values longer than a line: the places where it is split must not be read as blanks, comments, sections or keys. */
static void test_round_trip_long(void **state) {
    (void)state;
    static const char *const parts[] = {"x",   "ab ", " ",    "\xC3\xA9", "a#",      "b;",
                                        "[c]", "\\",  "a\\ ", "lr=",      "train = "};
    for (size_t i = 0; i < PACED_COUNT(parts); i++) {
        for (size_t shift = 0; shift < 8; shift++) {
            struct paced_text set = {0};
            paced_text_add(&set, "data.root=/%.*s", (int)shift, "ssssssss");
            for (int j = 0; j < 150; j++) paced_text_add(&set, "%s%s", parts[i], i == 2 && j % 7 == 0 ? "w" : "");
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
    for (size_t i = 0; i < PACED_COUNT(values); i++) {
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
    const char *const errors[][2] = {{"/a/t.json: no such file", "data.train"},
                                     {"/a/t.json:3: bad JSON", "data.train"},
                                     {"/a/c.pth: cannot open", "robustness.weights"},
                                     {"/a/t.json.old: no such file", NULL},
                                     {"test.weights: is empty", NULL},
                                     {": no such file", NULL}};
    for (size_t i = 0; i < PACED_COUNT(errors); i++) {
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
    for (int markdown = 0; markdown < 2; markdown++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        paced_config_print_keys(out, markdown);
        fclose(out);
        assert_non_null(strstr(text, markdown ? "| `train.lr` | real | `0.003` | > 0 | " : "train.lr "));
        assert_non_null(strstr(text, "outputs/<dataset>/<name>"));
        assert_non_null(strstr(text, "error, warn, info, debug"));
        size_t lines = 0, bars = 0;
        for (const char *s = text; *s; s++) {
            lines += *s == '\n';
            bars += *s == '|';
        }
        assert_true(lines >= 28);
        assert_int_equal(bars, markdown ? lines * 6 : 0);
        free(text);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_dir, leave_dir)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_defaults),      TEST(test_values),       TEST(test_bools),
        TEST(test_lists),         TEST(test_continuation), TEST(test_twice_warns),
        TEST(test_base),          TEST(test_base_errors),  TEST(test_set_errors),
        TEST(test_unknown_names), TEST(test_wrong_values), TEST(test_bad_lines),
        TEST(test_long_line),     TEST(test_round_trip),   TEST(test_round_trip_long),
        TEST(test_real_digits),   TEST(test_print_keys),   TEST(test_key_of_an_error),
        TEST(test_list_of_paths),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
