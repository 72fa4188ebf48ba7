"""A run that is killed or stopped at any moment and resumed ends as the one that ran through, bit for bit."""
import os
import random
import re
import signal
import time

import program

EPOCHS = 6
WEIGHTS = ("best.safetensors", "last.safetensors", "state.safetensors")


class ResumeTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.random = random.Random(1)
        program.make_breast(cls, count=60)
        train, val = (program.read_json(cls.path("data", f"{name}.json")) for name in ("train", "val"))
        program.write_json(cls.path("long_val.json"), train)
        program.write_json(cls.path("short_train.json"), val)
        cls.batches = -(-len(train) // 2)
        cls.run_program("train", "tiny.ini", "--output", "whole", *cls.sets())
        _, rows = program.read_csv(cls.path("whole", "log.csv"))
        cls.epoch_s = sum(float(row["seconds"]) for row in rows[2:]) / (EPOCHS - 1)

    @staticmethod
    def sets(*more):
        keys = (f"train.epochs={EPOCHS}", "train.batch=2", *more)
        return [word for key in keys for word in ("--set", key)]

    def assert_ends_as(self, whole, output):
        self.assertEqual(program.read_log(self.path(whole, "log.csv")), program.read_log(self.path(output, "log.csv")))
        for name in ("losses.json", *WEIGHTS):
            self.assertEqual(program.read_bytes(self.path(whole, name)), program.read_bytes(self.path(output, name)),
                             name)

    def interrupt(self, output, sign, *sets, after_epoch=True):
        """Starts or resumes, sends the signal at a random moment of an epoch (or of the start); the exit status.

        A status of 0 means that the run was done before the signal came."""
        child = self.start("train", "tiny.ini", "--output", output, "--resume", *self.sets(*sets))
        with child.stderr:
            if after_epoch:
                for line in child.stderr:
                    if re.match(r"paced: epoch \d+/", line):
                        break
                time.sleep(self.random.uniform(0, 1.2) * self.epoch_s)
            else:
                time.sleep(self.random.uniform(0.02, 0.3))
            child.send_signal(sign)
            child.stderr.read()
        return child.wait(timeout=60)

    def finish(self, output, *sets):
        self.run_program("train", "tiny.ini", "--output", output, "--resume", *self.sets(*sets))

    def place(self, output):
        """(finished epochs, finished batches of the next) by the state."""
        tensors, _ = program.read_tensors(self.path(output, "state.safetensors"))
        return tensors["run.epoch"][2][0], tensors["run.tally_counts"][2][1]

    def test_killed_again_and_again(self):
        killed = [self.interrupt("killed", signal.SIGKILL, after_epoch=i > 0) for i in range(5)]
        self.assertIn(-signal.SIGKILL, killed)
        self.assertLessEqual(set(killed), {-signal.SIGKILL, 0})
        self.finish("killed")
        self.assert_ends_as("whole", "killed")
        self.assertEqual([name for name in os.listdir(self.path("killed")) if ".tmp" in name], [],
                         "what a killed run was writing is cleared away")

    def test_killed_between_saves(self):
        for _ in range(3):
            self.interrupt("killed_2", signal.SIGKILL, "train.save_every=2")
        self.finish("killed_2", "train.save_every=2")
        self.assert_ends_as("whole", "killed_2")

    def stop_within_epochs(self, output, *sets):
        """Ctrl-C until a stop was within an epoch; how often."""
        within = 0
        for _ in range(EPOCHS):
            status = self.interrupt(output, signal.SIGINT, *sets)
            if status == 0:
                break
            self.assertEqual(status, 130)
            self.assertEqual(program.read_csv(self.path(output, "log.csv"))[0][0], "epoch")
            within += 0 < self.place(output)[1] < self.batches
            if within == 2:
                break
        return within

    def test_stopped_within_an_epoch(self):
        self.assertGreater(self.stop_within_epochs("stopped"), 0, "no stop came within an epoch")
        self.finish("stopped")
        self.assert_ends_as("whole", "stopped")

    def test_stopped_within_an_epoch_between_saves(self):
        self.assertGreater(self.stop_within_epochs("stopped_2", "train.save_every=2"), 0)
        self.finish("stopped_2", "train.save_every=2")
        self.assert_ends_as("whole", "stopped_2")

    def test_stopped_during_validation(self):
        sets = ("data.train=short_train.json", "data.val=long_val.json")
        self.run_program("train", "tiny.ini", "--output", "val_whole", *self.sets(*sets))
        train_batches = -(-len(program.read_json(self.path("short_train.json"))) // 2)
        within = 0
        for _ in range(EPOCHS):
            if self.interrupt("val_stopped", signal.SIGINT, *sets) == 0 or within:
                break
            within += self.place("val_stopped")[1] == train_batches
        self.finish("val_stopped", *sets)
        self.assert_ends_as("val_whole", "val_stopped")
        self.assertGreater(within, 0, "no stop came within the validation")

    def test_run_in_the_way_is_refused_unless_told(self):
        self.run_program("train", "tiny.ini", "--output", "there")
        says = (self.path("there"), "--resume", "--overwrite")
        self.refuse("train", "tiny.ini", "--output", "there", says=says)
        self.refuse("train", "tiny.ini", "--output", "there", "--resume", "--overwrite", says=("--resume",))
        self.run_program("test", "tiny.ini", "--set", "run.output=there")
        self.run_program("train", "tiny.ini", "--output", "there", "--overwrite", "--set", "train.epochs=1", "--set",
                         "run.seed=1")
        self.assertEqual(len(program.read_log(self.path("there", "log.csv"))), 2)
        self.assertEqual(program.parse_ini(program.read_text(self.path("there", "config.ini")))["run.seed"], "1")
        self.assertFalse(os.path.exists(self.path("there", "summary.csv")), "results of the replaced run are left")

    def test_resume_of_a_finished_run_does_nothing(self):
        before = {name: program.read_bytes(self.path("whole", name)) for name in os.listdir(self.path("whole"))}
        self.finish("whole")
        after = {name: program.read_bytes(self.path("whole", name)) for name in os.listdir(self.path("whole"))}
        self.assertEqual(before, after)

    def test_resume_where_nothing_is_starts(self):
        self.run_program("train", "tiny.ini", "--output", "new", "--resume", "--set", "train.epochs=1")
        self.assertEqual(len(program.read_log(self.path("new", "log.csv"))), 2)

    def test_finished_run_goes_on_for_more_epochs(self):
        self.run_program("train", "tiny.ini", "--output", "longer", *self.sets("train.epochs=2"))
        self.finish("longer")
        self.assert_ends_as("whole", "longer")


if __name__ == "__main__":
    program.main()
