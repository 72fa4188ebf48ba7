"""Checks of one device in one variant of the kernels: the built test programs, and a small training."""
import csv
import dataclasses
import math
import os
import re
import shutil
import signal
import subprocess

SUITES = ("kernel", "gradient", "golden")
EPOCHS = 2
# Bound on the relative difference of the first epoch's training loss, four steps: 1e-7 as measured. Validation is not
# compared: the gradient of a bias before a batch norm is rounding alone, so Adam moves it at random; batch statistics
# cancel it, running ones do not.
LOSS_TOLERANCE = 1e-4

CONFIG = f"""[data]
dataset = bus
root = data
train = data/train.json
val = data/val.json
size = 32
[model]
width = 4
[train]
epochs = {EPOCHS}
batch = 4
"""


class Fault(Exception):
    """A check that failed, in one line."""


def programs(build):
    """{suite: the test programs} that are built."""
    def is_program(path):
        return path.is_file() and os.access(path, os.X_OK)
    return {suite: sorted(filter(is_program, (build / "tests").glob(f"test_{suite}_*"))) for suite in SUITES}


def wait(command, log, seconds, **options):
    """The command's exit status. One that does not end is killed with its children, such as a simulator's program."""
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                   start_new_session=True, **options)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise Fault(f"did not end in {seconds:g} s; see {log}") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@dataclasses.dataclass
class Runner:
    """Runs programs in one environment, each for at most `limit` seconds."""
    env: dict
    limit: float

    def run(self, command, log, cwd=None):
        """Keeps the command's output in `log`; a Fault where the command fails."""
        log.parent.mkdir(parents=True, exist_ok=True)
        status = wait(command, log, self.limit, env=self.env, cwd=cwd)
        if status != 0:
            text = log.read_text(encoding="utf-8", errors="replace")
            names = sorted(set(re.findall(r"^\[  FAILED  \] (test_\w+)$", text, re.MULTILINE)))
            why = f"killed by signal {-status}" if status < 0 else f"status {status}"
            raise Fault(f"{', '.join([why, *names])}; see {log}")


def run_suite(runner, implementation, tests, logs):
    """(programs that passed, faults)"""
    faults = []
    for test in tests:
        try:
            runner.run(implementation.command(test), logs / f"{test.name}.log")
        except Fault as fault:
            faults.append(f"{test.name}: {fault}")
    return len(tests) - len(faults), faults


# ---- training --------------------------------------------------------------------------------------------------------


def read_log(path):
    """log.csv without the columns that hold times."""
    with open(path, newline="", encoding="ascii") as file:
        return [{k: v for k, v in row.items() if k not in ("seconds", "images_per_second")}
                for row in csv.DictReader(file)]


def train_once(runner, paced, folder, name):
    runner.run([str(paced), "train", "tiny.ini", "--output", name, "--overwrite"], folder / f"{name}.log", folder)
    return read_log(folder / name / "log.csv"), (folder / name / "last.safetensors").read_bytes()


def train(runner, paced, folder):
    """The first epoch's training loss of two equal runs; a Fault where one fails, or they differ in a bit."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "tiny.ini").write_text(CONFIG)
    runner.run([str(paced), "synth", "breast", "--count", "20", "--size", "32", "--seed", "3", "--output", "data"],
               folder / "synth.log", folder)
    log, weights = train_once(runner, paced, folder, "first")
    losses = [float(row["ce"]) for row in log]
    if len(losses) != 2 * EPOCHS or not all(map(math.isfinite, losses)):
        raise Fault(f"losses are not {2 * EPOCHS} finite numbers: {losses}")
    if train_once(runner, paced, folder, "second") != (log, weights):
        raise Fault(f"two equal runs differ: {folder}/first, {folder}/second")
    return losses[0]


def compare_loss(loss, reference):
    if abs(loss - reference) > LOSS_TOLERANCE * reference:
        raise Fault(f"the first epoch's training loss is {loss:.9g}, the first device's {reference:.9g}")
