"""Functions shared by the speed scripts: a work folder, separate processes for the program and PyTorch, tables.

Machines are noisy, so absolute numbers mean little: compared programs run in turn, and ratios are taken per round.
`paced bench` measures the device's peak between its steps.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from peer import SKIP

HERE = os.path.dirname(os.path.abspath(__file__))
# Some systems set these variables for another machine or another program, which slows the peers.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY")


class Missing(Exception):
    """A peer, or a variant of it, that cannot run here. The text gives the reason."""


def make_parser(doc):
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--paced", default=os.path.join(HERE, "..", "..", "build", "paced"), help="the program")
    parser.add_argument("--python", default=sys.executable, help="the peers' Python; make_peers.py makes one")
    parser.add_argument("--arch", default="unet")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--classes", type=int, default=2)
    return parser


def numbers(text):
    """Type of an option: "1,4,16"."""
    return [int(part) for part in text.split(",")]


class Folder:
    """Temporary directory in which everything runs. It is removed at the end."""

    def __init__(self, options):
        self.options, self.program = options, os.path.abspath(options.paced)
        if not os.access(self.program, os.X_OK):
            sys.exit(f"{options.paced}: program not found; build it first or give --paced")

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="paced-bench-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, *parts):
        return os.path.join(self.path, *parts)

    def write_config(self, name, **sections):
        """Writes NAME.ini for the network of the options; sections={"train": {"batch": 4}}."""
        o = self.options
        network = {"data": {"size": o.size, "classes": o.classes, "dataset": "folder"},
                   "model": {"arch": o.arch, "width": o.width}}
        with open(self.file(name + ".ini"), "w", encoding="utf-8") as file:
            for section in {**network, **sections}:
                keys = {**network.get(section, {}), **sections.get(section, {})}
                file.write(f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()))
        return name + ".ini"

    def run(self, *arguments, env=None):
        """Returns the program's stdout and the duration of its process, seconds."""
        start = time.monotonic()
        done = subprocess.run([self.program, *arguments], cwd=self.path, env={**os.environ, **(env or {})}, text=True,
                              capture_output=True)
        seconds = time.monotonic() - start
        if done.returncode != 0:
            sys.exit(f"paced {' '.join(arguments)}: status {done.returncode}\n{done.stderr.strip()}")
        return done.stdout, seconds

    def bench(self, config, keys=None, env=None):
        """Returns the result of `paced bench` as a dict. keys: {"train.batch": 4} overrides the configuration."""
        sets = [part for key, value in (keys or {}).items() for part in ("--set", f"{key}={value}")]
        return json.loads(self.run("bench", config, "--json", *sets, env=env)[0])

    def run_peer(self, script, task, **arguments):
        """Runs a task of pytorch.py or runtimes.py in its own process and returns its result. Raises Missing."""
        env = {key: value for key, value in os.environ.items() if key not in UNSET}
        env["TORCHINDUCTOR_CACHE_DIR"] = self.file("torchinductor")
        done = subprocess.run([self.options.python, os.path.join(HERE, script), task, json.dumps(arguments)], text=True,
                              capture_output=True, env=env)
        if done.returncode == SKIP:
            raise Missing(done.stdout.strip())
        if done.returncode != 0:
            sys.exit(f"{script}, {task}: status {done.returncode}\n{done.stderr.strip()}")
        return json.loads(done.stdout.splitlines()[-1])


def spread(values, digits=2):
    """Formats "median (min to max)"."""
    return "{:.{d}f} ({:.{d}f} to {:.{d}f})".format(statistics.median(values), min(values), max(values), d=digits)


def print_table(head, rows):
    """Prints a Markdown table."""
    for row in [head, ["---"] * len(head), *rows]:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)
