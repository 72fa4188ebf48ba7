"""Terminal output: every long command in a terminal of 40, 80 and 200 columns, and colours only where enabled.

The terminal is a pseudo-terminal whose output is read as a stream. The status line is erased by "\\r\\033[K" before it
is redrawn or a message is printed. If it is shorter than the terminal is wide, it never wraps, and nothing of it
remains if each line of the stream ends in a message.
"""
import os
import re

import program
from terminal import run_in_terminal

ERASE, COLOUR = "\r\x1b[K", re.compile(r"\x1b\[\d+m")


class Terminal(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        cls.run_program("train", "tiny.ini", "--output", "trained")
        cls.weights = ["--weights", cls.path("trained", "best.safetensors")]

    def look(self, columns, *args, **options):
        """(status lines, messages) of the program; checks that status lines fit and that nothing of them remains."""
        seen = run_in_terminal(self, columns, *args, **options).replace("\r\n", "\n")
        *lines, rest = seen.split("\n")
        states = []
        for line in lines:
            *drawn, message = line.split(ERASE)
            states += drawn
            self.assertRegex(COLOUR.sub("", message), r"\Apaced: ", seen)
        *drawn, last = rest.split(ERASE)
        self.assertEqual(last, "", "left over at the end")
        for state in states + drawn:
            self.assertLess(len(state), columns, f"wraps: {state}")
            self.assertNotIn("\x1b", state)
        return [state for state in states + drawn if state], [COLOUR.sub("", line.split(ERASE)[-1]) for line in lines]

    def commands(self):
        images = self.path("data", "benign")
        distil = ["--set", "distill.method=pcd", "--set", f"distill.teacher={self.weights[1]}",
                  "--set", "pacing.function=quantile"]
        test = ["--set", "run.output=trained"]
        return {
            "train": (["train", "tiny.ini", "--output", "again", "--overwrite"],
                      ["reading train", "reading val", "train 1/2", "val 2/2"]),
            "distil": (["train", "tiny.ini", "--output", "student", "--overwrite", *distil],
                       ["teacher, train", "teacher, val", "uncertainty", "train 2/2"]),
            "test": (["test", "tiny.ini", *self.weights, *test], ["test"]),
            "robustness": (["robustness", "tiny.ini", *self.weights, *test, "--set", "robustness.severities=2",
                            "--set", "robustness.corruptions=contrast,fog"], ["1/3 trained clean", "3/3 trained fog 2"]),
            "predict": (["predict", "tiny.ini", *self.weights, "--output", "masks", "--overwrite", images], ["predict"]),
            "uncertainty": (["uncertainty", "tiny.ini", *self.weights, "--output", "maps", images], ["uncertainty"]),
            "calibrate": (["calibrate", "tiny.ini", *self.weights], ["calibrate"]),
            "check": (["data", "check", "tiny.ini"], ["reading"]),
            "split": (["data", "split", "tiny.ini", "--output", "split", "--overwrite"], ["reading"]),
            "synth": (["synth", "needle", "--count", "12", "--size", "32", "--output", "needles"], ["synth 12/12"]),
            "bench": (["bench", "tiny.ini"], ["training, step 1", "inference, step 7"]),
        }

    def test_every_command_at_every_width(self):
        for columns in (40, 200):
            for name, (args, labels) in self.commands().items():
                if name == "bench" and columns != 40:  # it takes long
                    continue
                with self.subTest(command=name, columns=columns):
                    states, _ = self.look(columns, *args)
                    for label in labels:
                        self.assertTrue(any(state.startswith(label) for state in states), f"{label}: {states}")

    def test_the_bar_fills_the_width_and_figures_are_not_cut(self):
        for columns in (60, 80):
            states, _ = self.look(columns, "train", "tiny.ini", "--output", "bar", "--overwrite")
            states = [state for state in states if state != "compiling"]
            bars = [state for state in states if "[" in state]
            self.assertTrue(bars and all(len(state) == columns - 1 for state in bars), states)
            for state in states:
                self.assertRegex(state, r" \d+/\d+(  loss \d+\.\d{4})?(  \d+\.\d images/s)?(  ETA [\d:]+|  ETA -)?\Z")

    def test_an_error_ends_the_bar(self):
        program.write_bytes(self.path("data", "benign", "broken.png"), b"no image")
        self.addCleanup(os.remove, self.path("data", "benign", "broken.png"))
        _, messages = self.look(80, "predict", "tiny.ini", *self.weights, "--output", "some",
                                self.path("data", "benign"), status=2)
        self.assertIn("broken.png", messages[0])

    def test_compiling_is_shown_and_can_be_stopped(self):
        """A cold cache makes the first kernels slow. The messages of the stop are whole lines, without a left-over."""
        states, messages = self.look(80, "train", "tiny.ini", "--output", "cold", status=130,
                                     stop_after="train 1/2.*compiling", POCL_CACHE_DIR=self.path("cold cache"))
        self.assertIn("compiling", states)
        *_, asked, stopped = messages
        self.assertEqual(asked, "paced: stopping after this step; Ctrl-C again ends at once, without saving")
        self.assertRegex(stopped, r"\Apaced: stopped in epoch 1 after \d+ batch")
        self.run_program("train", "tiny.ini", "--output", "cold", "--resume")
        for name in ("best.safetensors", "last.safetensors"):
            self.assertEqual(program.read_bytes(self.path("cold", name)),
                             program.read_bytes(self.path("trained", name)), name)

    def test_colours_are_for_those_who_want_them(self):
        args = "train", "tiny.ini", "--output", "colour", "--overwrite"
        self.assertIn("\x1b[32m (best)\x1b[0m,", run_in_terminal(self, 80, *args, NO_COLOR=None))
        self.assertIn("\x1b[32m (best)", run_in_terminal(self, 80, *args, NO_COLOR=""))
        self.assertNotRegex(run_in_terminal(self, 80, *args, NO_COLOR="1"), COLOUR)
        self.assertNotIn("\x1b", run_in_terminal(self, 80, *args, TERM="dumb"))
        self.assertNotIn("\x1b", self.run_program(*args).stderr)
        refused = "train", "nowhere.ini"
        self.assertTrue(run_in_terminal(self, 80, *refused, status=2, NO_COLOR=None).startswith("\x1b[31mpaced: \x1b[0m"))
        self.assertNotIn("\x1b", self.run_program(*refused, status=2).stderr)

    def test_the_table_at_the_end(self):
        done = self.run_program("train", "tiny.ini", "--output", "table")
        self.assertEqual(len(done.stderr.splitlines()), 3, "a line per epoch and one for the run")
        _, rows = program.read_csv(self.path("table", "log.csv"))
        val = {int(row["epoch"]): row for row in rows if row["phase"] == "val"}
        best = min(val, key=lambda epoch: float(val[epoch]["ce"]))
        heading, *weights, times = done.stdout.splitlines()
        self.assertEqual(heading.split(), ["weights", "epoch", "val", "ce", "val", "dice"])
        expected = [[name, str(epoch), f"{float(val[epoch]['ce']):.4f}", f"{float(val[epoch]['dice']):.4f}"]
                    for name, epoch in (("best", best), ("last", 2))]
        self.assertEqual([line.split() for line in weights], expected)
        self.assertRegex(times, r"\A2 epochs in 0:\d\d:\d\d, \d+\.\d images/s in training\Z")
        again = self.run_program("train", "tiny.ini", "--output", "table", "--resume")
        self.assertEqual(again.stdout, done.stdout)


if __name__ == "__main__":
    program.main()
