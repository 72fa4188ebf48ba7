"""Experiments: stages run in order, finished ones are skipped, a killed one is resumed, a changed one is restarted."""
import os
import signal

import program

HEADER = ["stage", "set", "images", "dice", "iou", "precision", "recall", "f1"]
DIFFERENCE = ["dice_difference", "dice_low", "dice_high", "dice_p"]
TESTS = ["teacher-test", "student-test"]
STAGES = ["teacher", "student", *TESTS]


class ExperimentTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        cls.write_experiment("whole")
        cls.first = cls.run_program("experiment", "whole.ini")

    @classmethod
    def write_experiment(cls, name, student_epochs=2, teacher_epochs=2, more=None):
        """NAME.ini, with run directories below NAME/."""
        program.write_ini(
            cls.path(f"{name}.ini"), base="tiny.ini", run={"output": name}, **{
                "stage teacher": {"command": "train", "train.epochs": teacher_epochs},
                "stage student": {
                    "command": "train",
                    "train.epochs": student_epochs,
                    "distill.method": "pcd",
                    "distill.teacher": "%(teacher)/best.safetensors",
                },
                "stage teacher-test": {"command": "test", "test.weights": "%(teacher)/best.safetensors"},
                "stage student-test": {"command": "test", "run.output": "%(student)"},
                **(more or {}),
            })
        return f"{name}.ini"

    def stages_done(self, stderr):
        """(run, skipped)"""
        lines = [line.split() for line in stderr.splitlines() if line.startswith("paced: stage ")]
        run = [words[2] for words in lines if words[3].startswith("(")]
        return run, [words[2].rstrip(":") for words in lines if words[3:] == ["done", "already"]]

    def comparison(self, name):
        return program.read_text(self.path(name, "comparison.csv"))

    def copy(self, name, **keys):
        """A separate finished experiment."""
        self.run_program("experiment", self.write_experiment(name, **keys))

    def test_results(self):
        run, passed = self.stages_done(self.first.stderr)
        self.assertEqual((run, passed), (STAGES, []))
        header, rows = program.read_csv(self.path("whole", "comparison.csv"))
        self.assertEqual(header, HEADER + DIFFERENCE)
        self.assertEqual([(row["stage"], row["set"]) for row in rows],
                         [(stage, name) for stage in TESTS for name in ("all", "non-empty")])
        for i, folder in enumerate(("teacher-test", "student")):
            _, summary = program.read_csv(self.path("whole", folder, "summary.csv"))
            for j in range(2):
                for key in HEADER[1:]:
                    self.assertEqual(rows[2 * i + j][key], summary[j][key])
        for before, after in zip(rows[:2], rows[2:]):
            self.assertEqual([before[key] for key in DIFFERENCE], [""] * 4)
            difference = float(after["dice_difference"])
            self.assertAlmostEqual(difference, float(after["dice"]) - float(before["dice"]), delta=1e-8)
            self.assertTrue(float(after["dice_low"]) <= difference <= float(after["dice_high"]))
            self.assertTrue(0 <= float(after["dice_p"]) <= 1)
        header, differences = program.read_csv(self.path("whole", "differences.csv"))
        self.assertEqual(header, ["stage", "against", "set", "images", "metric", "difference", "low", "high", "p"])
        self.assertEqual({(row["stage"], row["against"]) for row in differences}, {tuple(TESTS[::-1])})
        self.assertIn("hd95", [row["metric"] for row in differences])
        lines = self.first.stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["stage", *TESTS])
        for line, row in zip(lines[1:], rows[::2]):
            self.assertEqual(line.split()[1], row["images"])
            self.assertAlmostEqual(float(line.split()[2]), float(row["dice"]), delta=1e-4)
        config = program.parse_ini(program.read_text(self.path("whole", "student", "config.ini")))
        self.assertEqual(config["distill.teacher"], self.path("whole", "teacher", "best.safetensors"))
        self.assertEqual(config["run.name"], "student")
        _, log = program.read_csv(self.path("whole", "student", "log.csv"))
        self.assertTrue(all(row["kld"] for row in log), "the student was not taught")

    def test_stages_are_the_commands(self):
        """The teacher and its test give the results of `paced train` and `paced test`."""
        self.run_program("train", "whole.ini", "--output", "alone", "--set", "train.epochs=2")
        self.assertEqual(program.read_bytes(self.path("alone", "best.safetensors")),
                         program.read_bytes(self.path("whole", "teacher", "best.safetensors")))
        self.run_program("test", "whole.ini", "--weights", "alone/best.safetensors", "--output", "alone")
        self.assertEqual(program.read_text(self.path("alone", "summary.csv")),
                         program.read_text(self.path("whole", "teacher-test", "summary.csv")))

    def test_stages_share_device_and_images(self):
        """Stages with equal options open one device and decode each split once; their results are those of commands
        that share nothing."""
        self.write_experiment("shared", more={"stage half": {"command": "train", "train.epochs": 1, "data.size": 16}})
        done = self.run_program("experiment", "shared.ini", "--set", "log.level=debug")
        lines = done.stderr.splitlines()
        stages = [i for i, line in enumerate(lines) if line.startswith("paced: stage ")]
        self.assertEqual(len(stages), 5)
        opened = [i for i, line in enumerate(lines) if "paced: debug: device " in line and line.endswith(")")]
        self.assertEqual(len(opened), 1, done.stderr)
        self.assertLess(opened[0], stages[0])
        decoded = [i for i, line in enumerate(lines) if line.endswith(" images are decoded")]
        self.assertEqual(len(decoded), 4, done.stderr)
        self.assertTrue(stages[0] < decoded[1] < stages[1] and stages[4] < decoded[2], done.stderr)

        teacher = self.path("shared", "teacher", "best.safetensors")
        alone = {
            "teacher": ("train.epochs=2",),
            "student": ("train.epochs=2", "distill.method=pcd", f"distill.teacher={teacher}"),
            "half": ("train.epochs=1", "data.size=16"),
        }
        for name, keys in alone.items():
            sets = [word for key in keys for word in ("--set", key)]
            self.run_program("train", "tiny.ini", "--output", f"single/{name}", *sets)
            self.assertEqual(program.read_log(self.path("single", name, "log.csv")),
                             program.read_log(self.path("shared", name, "log.csv")))
            for file in ("best.safetensors", "last.safetensors"):
                self.assertEqual(program.read_bytes(self.path("single", name, file)),
                                 program.read_bytes(self.path("shared", name, file)))

    def test_second_call_passes_over_all(self):
        before = program.snapshot(self.path("whole"))
        done = self.run_program("experiment", "whole.ini")
        self.assertEqual(self.stages_done(done.stderr), ([], STAGES))
        self.assertEqual(done.stdout, self.first.stdout)
        after = program.snapshot(self.path("whole"))
        written = {path for path in after if after[path] != before.get(path)}
        results = ("comparison.csv", "differences.csv", "runs.txt", "report.html", "curves.svg", "training_curves.svg",
                   "reliability.svg")
        self.assertEqual(written, {self.path("whole", name) for name in results})

    def test_changed_stage_and_those_that_use_it_run_anew(self):
        self.copy("changed")
        self.write_experiment("changed", student_epochs=1)
        done = self.run_program("experiment", "changed.ini")
        self.assertEqual(self.stages_done(done.stderr), (["student", "student-test"], ["teacher", "teacher-test"]))
        self.assertEqual(len(program.read_log(self.path("changed", "student", "log.csv"))), 2)
        self.write_experiment("changed", student_epochs=1, teacher_epochs=1)
        done = self.run_program("experiment", "changed.ini")
        self.assertEqual(self.stages_done(done.stderr), (STAGES, []))
        self.copy("fresh", student_epochs=1, teacher_epochs=1)
        self.assertEqual(self.comparison("changed"), self.comparison("fresh"))

    def test_lost_results_are_made_again(self):
        self.copy("lost")
        os.remove(self.path("lost", "teacher-test", "summary.csv"))
        os.remove(self.path("lost", "teacher", "best.safetensors"))
        done = self.run_program("experiment", "lost.ini")
        self.assertEqual(self.stages_done(done.stderr), (["teacher", "teacher-test"], ["student", "student-test"]))
        self.assertEqual(self.comparison("lost"), self.comparison("whole"))

    def interrupt(self, name, sign, after):
        """Sends the signal once a line of stderr contains `after`; returns the exit status."""
        child = self.start("experiment", f"{name}.ini")
        with child.stderr:
            for line in child.stderr:
                if after in line:
                    break
            child.send_signal(sign)
            self.said = child.stderr.read()
        return child.wait(timeout=60)

    def run_interrupted(self, name, sign, statuses):
        """Interrupted in each training in turn, with enough epochs that the signal comes in time; then finished."""
        if not os.path.exists(self.path("long.ini")):
            self.copy("long", student_epochs=6, teacher_epochs=6)
        self.write_experiment(name, student_epochs=6, teacher_epochs=6)
        for stage in ("teacher", "student"):
            self.assertIn(self.interrupt(name, sign, f"stage {stage} ("), statuses, self.said)
            self.assertIn(self.interrupt(name, sign, "epoch 2/6"), statuses, self.said)
            if stage == "teacher":  # until the student starts
                self.assertIn(self.interrupt(name, sign, "stage student ("), statuses, self.said)
        done = self.run_program("experiment", f"{name}.ini")
        self.assertIn("stage student (2 of 4): train resumes", done.stderr)
        run, passed = self.stages_done(done.stderr)
        self.assertEqual((run, passed), (STAGES[1:], ["teacher"]))
        self.assertEqual(self.comparison(name), self.comparison("long"))
        for stage in ("teacher", "student"):
            self.assertEqual(program.read_log(self.path(name, stage, "log.csv")),
                             program.read_log(self.path("long", stage, "log.csv")))

    def test_killed(self):
        self.run_interrupted("killed", signal.SIGKILL, (-signal.SIGKILL,))

    def test_stopped(self):
        self.run_interrupted("stopped", signal.SIGINT, (130,))

    def test_state_of_another_configuration_is_not_resumed(self):
        self.write_experiment("turned", teacher_epochs=6)
        self.assertEqual(self.interrupt("turned", signal.SIGKILL, "epoch 2/6"), -signal.SIGKILL)
        self.copy("turned")
        self.assertEqual(self.comparison("turned"), self.comparison("whole"))

    def test_run_of_others_is_left_alone(self):
        self.run_program("train", "tiny.ini", "--output", "others/teacher", "--set", "train.epochs=1")
        self.write_experiment("others")
        done = self.run_program("experiment", "others.ini", status=2)
        self.assertIn("others.ini:4: [stage teacher]: ", done.stderr)
        self.assertIn("--overwrite", done.stderr)
        self.assertEqual(len(program.read_log(self.path("others", "teacher", "log.csv"))), 2)
        for _ in range(2):  # over a run of another configuration, then over its own
            done = self.run_program("experiment", "others.ini", "--overwrite")
            self.assertEqual(self.stages_done(done.stderr), (STAGES, []))
        self.assertEqual(self.comparison("others"), self.comparison("whole"))

    def test_run_of_others_in_the_way_of_a_later_stage_shows_at_once(self):
        self.run_program("train", "tiny.ini", "--output", "later/student", "--set", "train.epochs=1")
        self.refuse("experiment", self.write_experiment("later"), says=("[stage student]: ", "--overwrite"))

    def test_what_a_later_stage_lacks_shows_at_once(self):
        program.write_json(self.path("lost.json"), [["gone.png", "gone_mask.png"]])
        program.write_text(self.path("half.json"), '[["a.png",')
        program.write_bytes(self.path("half.safetensors"),
                            program.read_bytes(self.path("whole", "teacher", "best.safetensors"))[:1000])
        train, student = {"command": "train"}, {"command": "train", "distill.method": "kd"}
        robustness = {"command": "robustness"}
        lacking = (
            ({**student, "distill.teacher": "gone.pth"}, "distill.teacher", "gone.pth: "),
            ({**student, "distill.teacher": "half.safetensors"}, "distill.teacher", "half.safetensors: "),
            ({**student, "distill.teacher": "%(teacher)/bset.safetensors"}, "distill.teacher", "bset.safetensors: "),
            ({**student, "distill.teacher": self.path("whole", "teacher", "best.safetensors"),
              "distill.teacher_width": 8}, "distill.teacher", "best.safetensors: tensor "),
            (student, "distill.method", "teacher"),
            ({**train, "model.init": "gone.pth"}, "model.init", "gone.pth: "),
            ({**train, "data.root": "gone"}, "data.root", "gone: "),
            ({**train, "data.train": "gone.json"}, "data.train", "gone.json: "),
            ({**train, "data.val": "half.json"}, "data.val", "half.json:1: "),
            ({**train, "data.val": "lost.json"}, "data.val", "gone.png"),
            ({**train, "data.labels": "gone.json"}, "data.labels", "gone.json: "),
            ({**train, "device.tuning": "gone.ini"}, "device.tuning", "gone.ini: "),
            ({"command": "test"}, "test.weights", "last/best.safetensors: "),
            ({"command": "test", "test.weights": "%(teacher-test)/best.safetensors"}, "test.weights", "teacher-test"),
            ({**robustness, "robustness.weights": "%(student)/best.safetensors, gone.pth"}, "robustness.weights",
             "gone.pth: "),
            ({**robustness, "robustness.weights": "%(student)/best.safetensors", "data.val": "gone.json"}, "data.val",
             "gone.json: "),
        )
        for stage, key, file in lacking:
            self.refuse("experiment", self.write_experiment("lacking", more={"stage last": stage}),
                        says=("lacking.ini:", "[stage last]: ", key, file))

    def test_files_of_done_stages_may_be_gone(self):
        self.copy("alone")
        os.rename(self.path("data"), self.path("elsewhere"))
        try:
            done = self.run_program("experiment", "alone.ini")
        finally:
            os.rename(self.path("elsewhere"), self.path("data"))
        self.assertEqual(self.stages_done(done.stderr), ([], STAGES))

    def test_other_file(self):
        program.write_ini(self.path("more.ini"), base="tiny.ini", train={"epochs": 1})
        program.write_ini(self.path("other.ini"), run={"output": "other"},
                          **{"stage only": {"command": "train", "config": "more.ini", "model.width": 2}})
        done = self.run_program("experiment", "other.ini")
        self.assertEqual(done.stdout, "")
        self.assertFalse(os.path.exists(self.path("other", "comparison.csv")))
        self.assertEqual(len(program.read_log(self.path("other", "only", "log.csv"))), 2)

    def refuse_stage(self, stage, says, before=""):
        program.write_text(self.path("bad.ini"), f"base = tiny.ini\n{before}[stage a]\n{stage}")
        self.refuse("experiment", "bad.ini", says=says)

    def test_errors(self):
        self.refuse("experiment", "tiny.ini", says=("tiny.ini: has no stages",))
        self.refuse("experiment", "missing.ini", says=("missing.ini: ",))
        self.refuse_stage("train.epochs = 1\n", ("bad.ini:2: [stage a]: has no command",))
        self.refuse_stage("command = tarin\n", ("bad.ini:3: command: 'tarin'", "did you mean train?"))
        self.refuse_stage("command = dance\n", ("bad.ini:3: command: 'dance'", "train, test"))
        self.refuse_stage("command = train\ntrain.epoch = 1\n", ("bad.ini:4: train.epoch", "train.epochs?"))
        self.refuse_stage("command = test\ntest.weights = %(b)/best.safetensors\n", ("bad.ini:4: test.weights: %(b)",))
        self.refuse_stage("command = train\nrun.output = x\n[stage b]\ncommand = train\nrun.output = x\n",
                          ("bad.ini:5: [stage b]: ", "belongs to stage a"))
        program.write_text(self.path("bad.ini"), f"[stage {'a' * 44}]\ncommand = train\n")
        self.refuse("experiment", "bad.ini", says=("bad.ini:1: ", "49 bytes"))


if __name__ == "__main__":
    program.main()
