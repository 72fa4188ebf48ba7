"""A directory that a command writes is locked: a second process is refused, and a killed one leaves no lock."""
import fcntl
import os
import re
import signal
import socket

import program

LOCK = ".paced.lock"


class LockTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        cls.run_program("train", "tiny.ini", "--output", "run", "--set", "train.epochs=1")
        program.write_ini(cls.path("stages.ini"), base="tiny.ini", run={"output": "all"}, **{
            "stage teacher": {"command": "train", "train.epochs": 1},
            "stage test": {"command": "test", "test.weights": "%(teacher)/best.safetensors"},
        })
        image = program.read_json(cls.path("data", "val.json"))[0][0]
        run = ("--set", "run.output=run")
        shown = ("--weights", "run/best.safetensors", os.path.join("data", image))
        cls.writers = {  # arguments before --output DIR
            "train": ("train", "tiny.ini", "--set", "train.epochs=1"),
            "train again": ("train", "tiny.ini", "--set", "train.epochs=1", "--overwrite"),
            "test": ("test", "tiny.ini", *run),
            "robustness": ("robustness", "tiny.ini", *run, "--set", "robustness.severities=1", "--set",
                           "robustness.corruptions=gaussian_noise"),
            "predict": ("predict", "tiny.ini", *shown),
            "uncertainty": ("uncertainty", "tiny.ini", *shown),
            "report": ("report", "run"),
            "synth": ("synth", "breast", "--count", "5", "--size", "16"),
            "split": ("data", "split", "tiny.ini"),
        }

    def hold(self, folder, owner="process 12 on host far away\n"):
        """Locks the folder as another process would; closing the file releases it."""
        os.makedirs(self.path(folder), exist_ok=True)
        file = open(self.path(folder, LOCK), "w+")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.write(owner)
        file.flush()
        return file

    def stop_training(self, folder):
        """A training that holds its lock and does nothing."""
        child = self.start("train", "tiny.ini", "--output", folder, "--set", "train.epochs=100000")
        for line in child.stderr:
            if line.startswith("paced: epoch 1/"):
                break
        child.send_signal(signal.SIGSTOP)
        self.addCleanup(child.stderr.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def test_every_command_that_writes(self):
        for name, arguments in self.writers.items():
            with self.subTest(name), self.hold("held"):
                self.refuse(*arguments, "--output", "held",
                            says=(self.path("held"), "process 12 on host far away; ", "--output"))

    def test_directory_of_an_experiment_and_of_a_stage(self):
        for folder in ("all", "all/teacher"):
            for more in ((), ("--overwrite",)):
                with self.subTest(folder, more=more), self.hold(folder):
                    said = self.run_program("experiment", "stages.ini", *more, status=2).stderr
                    self.assertIn(f"paced: {self.path(folder)}: a run is going on there: process 12", said)
                    self.assertFalse(os.path.exists(self.path("all", "teacher", "state.safetensors")))
        with self.hold("swept"):
            self.refuse("train", "tiny.ini", "--output", "swept", "--set", "sweep.train.lr=0.1, 0.2",
                        says=(self.path("swept"), "process 12"))

    def test_running_training_is_named_and_untouched(self):
        child = self.stop_training("busy")
        with open(self.path("busy", LOCK)) as file:
            self.assertEqual(file.read(), f"process {child.pid} on host {socket.gethostname()}\n")
        for arguments in (("train", "tiny.ini", "--overwrite"), ("train", "tiny.ini", "--resume"),
                          ("test", "tiny.ini", "--set", "run.output=run")):
            self.refuse(*arguments, "--output", "busy",
                        says=(f"process {child.pid} on host {socket.gethostname()}", self.path("busy")))
        self.run_program("test", "busy/config.ini", "--output", "elsewhere")
        self.run_program("report", "busy", "run", "--output", "compared")
        child.kill()
        child.wait()
        self.run_program("train", "tiny.ini", "--output", "busy", "--resume", "--set", "train.epochs=2")
        self.assertNotIn(LOCK, os.listdir(self.path("busy")))

    def test_killed_process_leaves_no_lock(self):
        """The file stays, but the kernel has released it. It is neither an image nor a result, and vanishes."""
        for name, arguments in self.writers.items():
            with self.subTest(name):
                self.hold(f"left {name}").close()
                self.run_program(*arguments, "--output", f"left {name}")
                self.assertNotIn(LOCK, os.listdir(self.path(f"left {name}")))
        self.run_program("experiment", "stages.ini", "--set", "run.output=done")
        left = [folder for folder, _, files in os.walk(self.path("done")) if LOCK in files]
        self.assertEqual(left, [])
        self.hold("data/benign").close()
        said = self.run_program("predict", "tiny.ini", "--weights", "run/best.safetensors", "--output", "folder",
                                "data/benign").stderr
        self.assertTrue(re.search(r"images predicted: \d+; masks skipped: \d+$", said, re.MULTILINE), said)


if __name__ == "__main__":
    program.main()
