"""Functions shared by the parity tests: the program in a temporary directory, random samples, the table of results.

Importing it without PyTorch ends the test as skipped.
"""
import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))
SKIP = 77

try:
    import numpy as np
    from PIL import Image
    import torch
except ImportError as error:
    print(f"parity: skipped: {error}; install PyTorch, numpy and Pillow for {sys.executable} to run this test")
    sys.exit(SKIP)

import reference  # noqa: E402 (needs the path above and torch)
import safetensors_io  # noqa: E402


class ProgramError(Exception):
    """Unexpected exit status of the program."""


# ---- table of results -----------------------------------------------------------------------------------------------


class Review:
    def __init__(self):
        self.failures = 0
        print(f"{'what':<58} {'measured':>10} {'bound':>10}")

    def check(self, what, measured, bound, note=""):
        """Passes if measured <= bound; NaN fails."""
        self.line(what, f"{measured:10.3g} {bound:10.3g}", measured <= bound, note)

    def require(self, what, condition, note=""):
        self.line(what, " " * 21, condition, "" if condition else note)

    def line(self, what, figures, passed, note):
        self.failures += not passed
        print(f"{what:<58} {figures}  {'PASS' if passed else 'FAIL'}{'  ' + note if note else ''}", flush=True)


def relative_error(value, exact):
    value, exact = np.asarray(value, np.float64), np.asarray(exact, np.float64)
    return float(np.linalg.norm(value - exact) / np.linalg.norm(exact))


# ---- files for the program ------------------------------------------------------------------------------------------


class Bench:
    """The program and a temporary directory, in which all commands run with short relative paths."""

    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.dataset = "bus" if options.classes == 2 else "folder"
        self.program = os.path.abspath(options.paced)

    def path(self, name):
        return os.path.join(self.directory, name)

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments], cwd=self.directory, text=True, capture_output=True)
        if done.returncode == 3:
            print("parity: skipped: the program finds no OpenCL device:", done.stderr.strip())
            sys.exit(SKIP)
        if done.returncode != 0:
            raise ProgramError(f"paced {' '.join(arguments)}: exit {done.returncode}\n{done.stderr.strip()[-2000:]}")
        return done.stdout

    def write_config(self, name, training, train, val, more=None):
        """Writes NAME.ini for a run in runs/NAME that starts from init.safetensors. train, val: split names; more:
        further keys as {section: {key: value}}."""
        o = self.options
        sections = {
            "run": {"name": name, "output": f"runs/{name}"},
            "device": {"select": o.device},
            "data": {"dataset": self.dataset, "root": "data", "train": f"{train}.json", "val": f"{val}.json",
                     "classes": o.classes, "size": "{}x{}".format(*o.size),
                     "threshold": 1},  # the reference's masks: 255 is the foreground, everything else is not
            "model": {"arch": o.arch, "width": o.width, "init": "init.safetensors"},
            "train": {**vars(training), "shuffle": "no"},
        }
        for section, keys in (more or {}).items():
            sections.setdefault(section, {}).update(keys)
        with open(self.path(name + ".ini"), "w", encoding="ascii") as file:
            for section, keys in sections.items():
                file.write(f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()) + "\n")

    def train(self, name, training, train, val, more=None):
        """Runs `paced train`; returns log.csv's rows with numbers as floats (empty: NaN)."""
        self.write_config(name, training, train, val, more)
        self.run("train", name + ".ini")
        with open(self.path(f"runs/{name}/log.csv"), newline="", encoding="ascii") as file:
            table = list(csv.DictReader(file))
        return [{k: v if k == "phase" else float(v or "nan") for k, v in row.items()} for row in table]

    def load(self, name):
        return safetensors_io.load(self.path(name))[0]

    # -- samples

    def write_split(self, name, rng, sizes):
        """Writes a random sample per (width, height), in every kind of PNG that the program must read equally."""
        pairs = []
        for i, (width, height) in enumerate(sizes, 1):
            folder = "benign" if i % 2 else "malignant"
            stem = f"{folder}/{name} ({i})"
            os.makedirs(self.path(f"data/{folder}"), exist_ok=True)
            image, mask = random_sample(rng, width, height, self.options.classes, empty=i == 3)
            image.convert(["RGB", "L", "RGBA", "P"][i % 4]).save(self.path(f"data/{stem}.png"))
            if self.dataset == "bus" and i % 2:
                mask = mask.point(lambda v: 255 * (v == 255)).convert("1")
            mask.save(self.path(f"data/{stem}_mask.png"))
            pairs.append([f"{stem}.png", f"{stem}_mask.png"])
        with open(self.path(name + ".json"), "w", encoding="ascii") as file:
            json.dump(pairs, file)
        return pairs, reference.load_split(self.path("data"), pairs, self.options.size, self.dataset)

    # -- networks

    def network(self, weights, dtype, arch=None, width=None):
        """Reference network with weights from a file of the program, or of this test."""
        model = reference.ARCHS[arch or self.options.arch](self.options.classes, width or self.options.width)
        model.load_state_dict({k: torch.from_numpy(v) for k, v in self.load(weights).items()})
        return model.to(dtype)

    def write_init(self, seed):
        torch.manual_seed(seed)
        model = reference.ARCHS[self.options.arch](self.options.classes, self.options.width)
        state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
        safetensors_io.save(self.path("init.safetensors"), state)
        return state


def random_sample(rng, width, height, classes, empty=False):
    """Ellipses whose brightness depends on the class, with noise. A bus mask also has values between 0 and 255."""
    y, x = np.mgrid[:height, :width]
    label = np.zeros((height, width), np.uint8)
    for c in [] if empty else range(1, classes):
        cy, cx, ry, rx = rng.uniform(0.25, 0.75, 4) * (height, width, height / 2, width / 2)
        label[((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1] = c
    colours = rng.integers(0, 128, (classes, 3))
    image = (colours[label] + rng.integers(0, 128, (height, width, 3))).astype(np.uint8)
    if classes == 2:
        label = np.where(label == 1, 255, np.where(rng.random(label.shape) < 0.02, 128, 0)).astype(np.uint8)
    return Image.fromarray(image), Image.fromarray(label)


def random_network(arch, classes, width, seed):
    """Reference network in evaluation mode with random statistics and biases of the normalisations."""
    torch.manual_seed(seed)
    model = reference.ARCHS[arch](classes, width).eval()
    for name, value in model.state_dict().items():
        if name.endswith(("running_mean", "bias")):
            value.normal_(0, 0.3)
        elif name.endswith("running_var"):
            value.uniform_(0.3, 2)
    return model


# ---- reference ------------------------------------------------------------------------------------------------------


def three_ways(function):
    """Calls function(dtype) for float64, and for float32 with oneDNN on and off. Returns (exact, [single, single])."""
    exact, single = function(torch.float64), []
    for onednn in (True, False):
        with torch.backends.mkldnn.flags(enabled=onednn):
            single.append(function(torch.float32))
    return exact, single


def column(rows, key, phase):
    return np.array([row[key] for row in rows if row["phase"] == phase])


def largest_relative(values, exact):
    return float(np.max(np.abs(values - exact) / np.abs(exact)))


# ---- command --------------------------------------------------------------------------------------------------------


def make_parser(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--paced", default=os.path.join(HERE, "..", "..", "build", "paced"), help="the program")
    parser.add_argument("--arch", choices=sorted(reference.ARCHS), default="unet")
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--size", type=reference.parse_size, default="48", help="side, or HEIGHTxWIDTH")
    parser.add_argument("--classes", type=int, default=2, help="2: data set bus, else folder")
    parser.add_argument("--device", default="auto", help="[device] select of the program")
    parser.add_argument("--seed", type=int, default=12345, help="of the random images")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch")
    parser.add_argument("--quick", action="store_true", help="fewer epochs and inputs")
    parser.add_argument("--keep", action="store_true", help="leave the temporary directory and name it")
    return parser


def run_review(options, review_all):
    """Calls review_all(options, directory), which returns the number of failures, and exits with the status."""
    if not os.access(options.paced, os.X_OK):
        sys.exit(f"parity: {options.paced}: program not found; build it first or give --paced")
    torch.set_num_threads(options.threads)
    directory = tempfile.mkdtemp(prefix="paced-parity-")
    try:
        failures = review_all(options, directory)
    except ProgramError as error:
        print("parity: FAIL:", error)
        failures = 1
    finally:
        if options.keep:
            print("parity: kept", directory)
        else:
            shutil.rmtree(directory, ignore_errors=True)
    print("parity: all pass" if failures == 0 else f"parity: {failures} failed")
    sys.exit(1 if failures else 0)
