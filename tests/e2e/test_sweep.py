"""Sweeps: one run directory per point and one table at the end, the same after a kill; and a small version of
configs/bus/paper.ini, whose table is recomputed from the files of the runs."""
import base64
import os
import shutil
import signal
import statistics

import program
from reports import Page

CONFIGS = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "configs"))
POINTS = [("0.003", "1"), ("0.003", "2"), ("0.01", "1"), ("0.01", "2")]
NAMES = [f"lr={lr},batch={batch}" for lr, batch in POINTS]
METHODS = ["plain", "kd", "kd_cpl", "kd_tpl", "pcd"]
FIGURES = ["dice", "iou", "precision", "recall"]
METRICS = [*FIGURES, "f1", "hd95", "nsd", "ece", "brier"]
PARTS = {"all": "", "non-empty": "non_empty_", "corrupted": "corrupted_", "drop": "drop_"}


def mean_of_images(rows):
    """The means over images with two classes, thus one row each."""
    return {figure: statistics.fmean(float(row[figure]) for row in rows) for figure in FIGURES}


class SweepCase(program.Case):
    def check_section(self, folder, file, parts):
        """The report in `folder` shows the picture and, part by part, every cell of the table."""
        header, rows = program.read_csv(self.path(folder, file))
        labels = header[:header.index("runs" if "runs" in header else "images")]
        page = Page(program.read_text(self.path(folder, "report.html")))
        tables = {name.split("-", 2)[2]: table for name, table in page.tables.items() if name.startswith("sweep-1-")}
        self.assertEqual(list(tables), parts)
        shown = set(labels)
        for part, (head, *body) in tables.items():
            prefix = PARTS[part]
            counts = [name for name in ("runs", f"{prefix}images") if name in header]
            figures = [name for name in header if name in {prefix + metric for metric in METRICS}]
            self.assertEqual([cell["text"].split()[0] for cell in head],
                             [*labels, *(name[len(prefix):] if name != "runs" else name for name in counts + figures)])
            self.assertEqual(len(body), len(rows))
            for cells, row in zip(body, rows):
                texts, values = cells[:-len(figures)], cells[-len(figures):]
                self.assertEqual([cell["text"] for cell in texts], [row[name] for name in labels + counts])
                for name, cell in zip(figures, values):
                    ends = [name + end for end in ("_sd", "_low", "_high") if name + end in header]
                    self.assertEqual(cell["values"], [row[key] for key in [name, *ends] if row[key]])
                    shown.update(ends)
            shown.update(counts + figures)
        self.assertEqual(shown, set(header))
        pictures = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
        self.assertEqual(base64.b64decode(pictures[0].split(",")[1]), program.read_bytes(self.path(folder, "sweep.svg")))


class SweepTest(SweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        for name in ("whole", "killed", "trained"):
            program.write_ini(cls.path(f"{name}.ini"), base="tiny.ini", run={"output": name},
                              sweep={"train.lr": "3e-3, 0.01", "train.batch": "1, 2"})
        cls.first = cls.run_program("experiment", "whole.ini")

    def results(self, name):
        return [program.read_text(self.path(name, file)) for file in ("sweep.csv", "comparison.csv", "differences.csv")]

    def test_points(self):
        header, rows = program.read_csv(self.path("whole", "sweep.csv"))
        self.assertEqual(header[:7], ["train.lr", "train.batch", "images", "dice", "dice_low", "dice_high", "iou"])
        self.assertEqual([(row["train.lr"], row["train.batch"]) for row in rows], POINTS)
        for name, (lr, batch), row in zip(NAMES, POINTS, rows):
            config = program.parse_ini(program.read_text(self.path("whole", name, "config.ini")))
            self.assertEqual((config["train.lr"], config["train.batch"]), (lr, batch))
            self.assertEqual(config["run.output"], self.path("whole", name))
            for file in ("best.safetensors", "log.csv", "metrics.csv", "summary.csv"):
                self.assertTrue(os.path.exists(self.path("whole", name, file)), f"{name}/{file}")
            _, summary = program.read_csv(self.path("whole", name, "summary.csv"))
            for prefix, means in zip(("", "non_empty_"), summary):
                for figure in ("images", *FIGURES, "f1", "hd95", "ece"):
                    self.assertEqual(row[prefix + figure], means[figure])
            _, intervals = program.read_csv(self.path("whole", name, "intervals.csv"))
            self.assertEqual((row["dice_low"], row["dice_high"]), (intervals[0]["low"], intervals[0]["high"]))
        width, height = program.svg_size(self.path("whole", "sweep.svg"))
        self.assertTrue(width > 300 and height > 100)
        lines = self.first.stdout.splitlines()
        self.assertEqual([tuple(line.split()[:2]) for line in lines], [("train.lr", "train.batch"), *POINTS])
        for line, row in zip(lines[1:], rows):
            self.assertAlmostEqual(float(line.split()[3]), float(row["dice"]), delta=1e-4)

    def test_points_are_the_commands(self):
        """A point gives the results of `paced train` with its values."""
        self.run_program("train", "tiny.ini", "--output", "alone", "--set", "train.lr=0.01", "--set", "train.batch=2")
        self.assertEqual(program.read_bytes(self.path("alone", "best.safetensors")),
                         program.read_bytes(self.path("whole", NAMES[3], "best.safetensors")))

    def test_killed(self):
        child, reached = self.start("experiment", "killed.ini"), False
        with child.stderr:
            for line in child.stderr:
                reached |= f"stage {NAMES[2]}/train (" in line
                if reached and "epoch 1/" in line:
                    break
            child.send_signal(signal.SIGKILL)
        self.assertEqual(child.wait(timeout=60), -signal.SIGKILL)
        self.assertFalse(os.path.exists(self.path("killed", "sweep.csv")))
        done = self.run_program("experiment", "killed.ini")
        for name in NAMES[:2]:
            self.assertIn(f"stage {name}/train: done already", done.stderr)
        self.assertIn(f"stage {NAMES[3]}/train (7 of 8): train, ", done.stderr)
        self.assertEqual(self.results("killed"), self.results("whole"))
        self.assertEqual(done.stdout, self.first.stdout)
        for name in NAMES:
            self.assertEqual(program.read_log(self.path("killed", name, "log.csv")),
                             program.read_log(self.path("whole", name, "log.csv")))

    def test_train_sweeps_too(self):
        sets = ("--set", "sweep.train.lr=0.003", "--set", "sweep.train.batch=2")
        done = self.run_program("train", "trained.ini", *sets, "--output", "there")
        self.assertEqual(done.stdout.splitlines()[1], self.first.stdout.splitlines()[2])
        again = self.run_program("experiment", "trained.ini", *sets, "--set", "run.output=there")
        self.assertIn(f"stage {NAMES[1]}/train: done already", again.stderr)
        self.assertEqual(again.stdout, done.stdout)
        again = self.run_program("train", "tiny.ini", *sets, "--output", "there", "--overwrite")
        self.assertIn(f"stage {NAMES[1]}/train (1 of 2)", again.stderr)
        self.assertEqual(again.stdout, done.stdout)

    # ---- the report ----

    def runs_of(self, folder):
        rows = Page(program.read_text(self.path(folder, "report.html"))).tables["runs"]
        return [row[-1]["text"] for row in rows[1:]]

    def test_report(self):
        self.check_section("whole", "sweep.csv", ["all", "non-empty"])

    def test_report_of_the_directory(self):
        self.run_program("report", self.path("whole"), "--output", "again")
        self.assertEqual(program.read_text(self.path("again", "report.html")),
                         program.read_text(self.path("whole", "report.html")))

    def test_report_of_a_directory_that_was_moved(self):
        shutil.copytree(self.path("whole"), self.path("moved"))
        shutil.rmtree(self.path("moved", NAMES[1]))
        self.run_program("train", "tiny.ini", "--output", "moved", "--set", "train.epochs=1")
        self.assertEqual(self.runs_of("moved"), [self.path("moved")])
        done = self.run_program("report", "moved/", "--output", "moved")
        self.assertIn(f"moved/{NAMES[1]}: ", done.stderr)
        self.assertEqual(self.runs_of("moved"), [f"moved/{NAMES[i]}" for i in (0, 2, 3)] + ["moved"])
        self.check_section("moved", "sweep.csv", ["all", "non-empty"])
        for i in (0, 2, 3):
            shutil.rmtree(self.path("moved", NAMES[i]))
        done = self.run_program("report", "moved", "--output", "moved", status=2)
        self.assertIn("moved/runs.txt: names no run", done.stderr)

    def test_report_of_two_experiments(self):
        program.write_ini(self.path("other.ini"), base="tiny.ini", run={"output": "other"}, train={"epochs": 1},
                          sweep={"train.lr": "3e-3, 0.01"})
        self.run_program("experiment", "other.ini")
        self.run_program("report", "other", "whole", "--output", "two")
        page = Page(program.read_text(self.path("two", "report.html")))
        self.assertEqual(page.title, "6 runs")
        self.assertEqual(len(page.ids), len(set(page.ids)))
        for number, name in enumerate(("other", "whole"), 1):
            _, rows = program.read_csv(self.path(name, "sweep.csv"))
            self.assertEqual(len(page.tables[f"sweep-{number}-all"]), 1 + len(rows))
            self.assertIn(name, page.text)

    # ---- files of an earlier experiment ----

    def test_no_results_of_an_earlier_experiment(self):
        tested = ["comparison.csv", "differences.csv", "reliability.svg", "training_curves.svg"]
        results = [*tested, "seeds.csv", "sweep.csv", "sweep.svg"]

        def run(status=0, **sections):
            program.write_ini(self.path("ever.ini"), base="tiny.ini", run={"output": "ever"}, **sections)
            self.run_program("experiment", "ever.ini", "--set", "train.epochs=1", status=status)
            return [name for name in results if os.path.exists(self.path("ever", name))]

        swept = {"train.lr": "3e-3, 0.01", "run.seed": "1, 2"}
        self.assertEqual(run(sweep=swept), results)
        self.check_section("ever", "seeds.csv", ["all", "non-empty"])
        program.write_text(self.path("ever", "old_seeds.csv"), "")
        self.assertEqual(run(sweep={"train.lr": "3e-3, 0.01", "run.seed": "1"}), results)
        self.assertEqual(run(sweep={"train.lr": "3e-3, 0.01"}), [*tested, "sweep.csv", "sweep.svg"])
        self.check_section("ever", "sweep.csv", ["all", "non-empty"])
        train = {"stage only": {"command": "train"}}
        test = {"stage test": {"command": "test", "test.weights": "%(only)/best.safetensors"}}
        self.assertEqual(run(status=2, **train, data={"train": "nowhere.json"}), [*tested, "sweep.csv", "sweep.svg"])
        self.assertEqual(run(**train, **test), tested[:3])
        self.assertEqual(run(**train), [])
        self.assertNotIn("sweep-1-all", Page(program.read_text(self.path("ever", "report.html"))).tables)
        self.assertTrue(os.path.exists(self.path("ever", "curves.svg")))
        self.assertTrue(os.path.exists(self.path("ever", "old_seeds.csv")))

    # ---- errors ----

    def refuse_sweep(self, lines, says, *args):
        program.write_text(self.path("bad.ini"), f"base = tiny.ini\n[sweep]\n{lines}")
        for command in ("experiment", "train"):
            self.refuse(command, "bad.ini", *args, says=says)

    def test_errors(self):
        self.refuse_sweep("train.epoch = 1, 2\n", ("bad.ini:3: train.epoch", "train.epochs?"))
        self.refuse_sweep("run.output = a, b\n", ("bad.ini:3: run.output", "cannot be swept"))
        self.refuse_sweep("train.lr = 0.1, 0.10\n", ("bad.ini:3: train.lr: '0.1'", "twice"))
        self.refuse_sweep("train.lr = 0.1, much\n", ("bad.ini:3: train.lr: 'much'",))
        self.refuse_sweep("run.seed = 1, 2\n", ("--set run.seed=3", "bad.ini:3", "sweep.run.seed"), "--set", "run.seed=3")
        self.refuse("test", "tiny.ini", "--set", "sweep.run.seed=1,2", says=("--set sweep.run.seed=1,2", "experiment"))


class SharedTest(SweepCase):
    """A teacher shared by all points has one row without their values, regardless of the number of its tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        program.write_ini(cls.path("shared.ini"), base="tiny.ini", run={"output": "shared"}, train={"epochs": 1},
                          **{"stage teacher": {"command": "train", "sweep": "no"},
                             "stage teacher-test": {"command": "test", "test.weights": "%(teacher)/best.safetensors"},
                             "stage student": {"command": "train", "distill.method": "kd",
                                               "distill.teacher": "%(teacher)/best.safetensors"},
                             "stage student-test": {"command": "test", "run.output": "%(student)"}})
        cls.sets = ("--set", "sweep.run.seed=1,2", "--set", "sweep.train.lr=0.01,0.003")
        cls.done = cls.run_program("experiment", "shared.ini", *cls.sets)

    def test_tables(self):
        _, rows = program.read_csv(self.path("shared", "sweep.csv"))
        self.assertEqual([(row["stage"], row["run.seed"], row["train.lr"]) for row in rows],
                         [("teacher", "", ""), *(("student", seed, lr) for seed in "12" for lr in ("0.01", "0.003"))])
        _, summary = program.read_csv(self.path("shared", "seed=1,lr=0.01", "teacher-test", "summary.csv"))
        self.assertEqual(rows[0]["dice"], summary[0]["dice"])
        _, rows = program.read_csv(self.path("shared", "seeds.csv"))
        self.assertEqual([(row["stage"], row["train.lr"], row["runs"], bool(row["dice_sd"])) for row in rows],
                         [("teacher", "", "1", False), ("student", "0.01", "2", True), ("student", "0.003", "2", True)])
        lines = [line.split() for line in self.done.stdout.splitlines()]
        self.assertEqual([line[:3] for line in lines[1:]],
                         [["teacher", "-", "1"], ["student", "0.01", "2"], ["student", "0.003", "2"]])
        self.assertNotIn("+-", lines[1])

    def test_report(self):
        self.check_section("shared", "seeds.csv", ["all", "non-empty"])

    def test_what_tests_depend_on_is_kept(self):
        self.run_program("experiment", "shared.ini", "--set", "sweep.test.postprocess=none,largest", "--set",
                         "sweep.data.augment=none,hflip", "--set", "run.output=tested")
        _, rows = program.read_csv(self.path("tested", "sweep.csv"))
        self.assertEqual([(row["test.postprocess"], row["data.augment"]) for row in rows if row["stage"] == "teacher"],
                         [("none", ""), ("largest", "")])

    def test_a_test_for_all_points(self):
        text = program.read_text(self.path("shared.ini")).replace("[stage teacher-test]", "[stage teacher-test]\nsweep = no")
        program.write_text(self.path("once.ini"), text)
        done = self.run_program("experiment", "once.ini", *self.sets, "--set", "run.output=once")
        self.assertEqual(done.stdout, self.done.stdout)


class PaperTest(SweepCase):
    """One network, two seeds, two severities."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        sets = {"run.output": "paper", "data.root": "data", "data.train": "data/train.json", "data.val": "data/val.json",
                "data.size": 32, "model.width": 4, "train.epochs": 1, "train.batch": 4, "train.lr": 0.02,
                "robustness.corruptions": "contrast,gaussian_noise", "robustness.severities": "1,5",
                "sweep.run.seed": "1,2", "sweep.model.arch": "unet"}
        cls.done = cls.run_program("experiment", os.path.join(CONFIGS, "bus", "paper.ini"),
                                   *[word for key, value in sets.items() for word in ("--set", f"{key}={value}")])

    def run_dir(self, seed, *parts):
        return self.path("paper", f"arch=unet,seed={seed}", *parts)

    def figures(self, method, seed):
        """Recomputes the clean, non-empty and corrupted metrics and the drop from the rows of the images."""
        _, images = program.read_csv(self.run_dir(seed, method, "metrics.csv"))
        clean, found = mean_of_images(images), {}
        lesions = mean_of_images([row for row in images if int(row["labelled"]) > 0])
        _, rows = program.read_csv(self.run_dir(seed, "robustness", "robustness.csv"))
        sets = {}
        for row in rows:
            if row["weights"] == method and row["corruption"] != "clean":
                sets.setdefault((row["corruption"], row["severity"]), []).append(row)
        self.assertEqual(len(sets), 4)
        corrupted = [mean_of_images(rows) for rows in sets.values()]
        for figure in FIGURES:
            mean = statistics.fmean(means[figure] for means in corrupted)
            found[figure], found["non_empty_" + figure] = clean[figure], lesions[figure]
            found["corrupted_" + figure] = mean
            if clean[figure] >= 1e-4:
                found["drop_" + figure] = (clean[figure] - mean) / clean[figure]
        return found

    def test_table(self):
        header, rows = program.read_csv(self.path("paper", "seeds.csv"))
        self.assertEqual(header[:5], ["stage", "model.arch", "runs", "dice", "dice_sd"])
        self.assertEqual([(row["stage"], row["model.arch"], row["runs"]) for row in rows],
                         [(method, "unet", "2") for method in METHODS])
        for method, row in zip(METHODS, rows):
            seeds = [self.figures(method, seed) for seed in (1, 2)]
            for name in seeds[0].keys() & seeds[1].keys():
                values = [figures[name] for figures in seeds]
                self.assertAlmostEqual(float(row[name]), statistics.fmean(values), delta=1e-6, msg=(method, name))
                self.assertAlmostEqual(float(row[name + "_sd"]), statistics.stdev(values), delta=1e-6,
                                       msg=(method, name))

    def test_single_runs(self):
        _, rows = program.read_csv(self.path("paper", "sweep.csv"))
        self.assertEqual([(row["stage"], row["run.seed"]) for row in rows],
                         [(method, seed) for seed in "12" for method in METHODS])
        for row in rows:
            figures = self.figures(row["stage"], row["run.seed"])
            self.assertAlmostEqual(float(row["corrupted_dice"]), figures["corrupted_dice"], delta=1e-6)

    def test_report(self):
        self.check_section("paper", "seeds.csv", list(PARTS))

    def test_terminal(self):
        lines = self.done.stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["stage", *METHODS])
        _, rows = program.read_csv(self.path("paper", "seeds.csv"))
        for line, row in zip(lines[1:], rows):
            words = line.split()
            self.assertEqual(words[1:3] + words[4:5], ["unet", "2", "+-"])
            self.assertAlmostEqual(float(words[3]), float(row["dice"]), delta=1e-4)
            self.assertAlmostEqual(float(words[5]), float(row["dice_sd"]), delta=1e-4)
        self.assertTrue(os.path.exists(self.path("paper", "sweep.svg")))

    def test_students_learn_from_their_own_teacher(self):
        for seed in "12":
            config = program.parse_ini(program.read_text(self.run_dir(seed, "pcd", "config.ini")))
            self.assertEqual(config["distill.teacher"], self.run_dir(seed, "plain", "best.safetensors"))
            self.assertEqual(config["run.seed"], seed)


class ConfigsTest(program.Case):
    """The shipped experiments resolve and have the documented size."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for kind in ("breast", "needle", "scene"):
            cls.run_program("synth", kind, "--count", "10", "--size", "32", "--output", kind)

    def count_stages(self, name, data, *sets):
        """Number of stages, according to the first line, which is printed once all stages have been checked."""
        keys = ("run.output=x", f"data.root={data}", f"data.train={data}/train.json", f"data.val={data}/val.json", *sets)
        child = self.start("experiment", os.path.join(CONFIGS, name), *(w for key in keys for w in ("--set", key)))
        with child.stderr:
            first = child.stderr.readline()
        child.kill()
        child.wait()
        self.assertIn("(1 of ", first)
        return int(first.split("(1 of ")[1].split(")")[0])

    def test_sizes(self):
        program.write_ini(self.path("tiny.ini"), model={"width": 4}, train={"epochs": 1},
                          data={"root": "breast", "train": "breast/train.json", "val": "breast/val.json", "size": 32})
        self.run_program("train", "tiny.ini", "--output", "teacher")
        teacher = ("distill.teacher=teacher/best.safetensors", "distill.teacher_width=4")
        scene = ("data.dataset=robo", "data.labels=scene/labels.json", "data.classes=6", "sweep.model.arch=unet,linknet")
        self.assertEqual(self.count_stages("bus/paper.ini", "breast"), 3 * 3 * 11)
        self.assertEqual(self.count_stages("bus/methods.ini", "breast"), 3 * 10)
        self.assertEqual(self.count_stages("bus/sweep_mu.ini", "breast", *teacher), 16 * 2)
        self.assertEqual(self.count_stages("bus/methods.ini", "needle", "data.dataset=needle"), 3 * 10)
        self.assertEqual(self.count_stages("bus/methods.ini", "scene", *scene), 6 * 10)


if __name__ == "__main__":
    program.main()
