#!/usr/bin/env python3
"""Reviews the program against PyTorch through its public interface only: commands, INI, weights, log, predictions.

    parity.py [--paced build/paced] [--arch unet] [--width 8] [--size 48] [--classes 2] [--quick]

In a temporary directory it writes random images and masks of awkward sizes, initial weights and INI files, then runs
`paced train`, `test` and `predict` beside the reference (../golden/reference.py) and prints one line per figure:
measured, bound, PASS or FAIL. Float64 PyTorch stands for the exact result. Where rounding is chaotic (a ReLU that
flips, Adam's division of small by small) the bound follows what float32 PyTorch itself is away from it, with oneDNN
on and off. What can be made independent of training's rounding is: the program's validation figures are compared with
PyTorch's on the very weights the program wrote, its metrics with those of the very logits it wrote.
Exit status: 0 all pass, 1 something fails, 77 nothing tested (no PyTorch here, or no OpenCL device).
"""
import argparse
import csv
from dataclasses import replace
import json
import math
import os
import shutil
import statistics
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
from reference import Training  # noqa: E402
import safetensors_io  # noqa: E402

HEADER = "epoch,phase,loss,ce,kld,lr,mu,admitted,dice,iou,precision,recall,f1,seconds,images_per_second".split(",")
LOGITS_BOUND = 1e-4    # relative L2, same weights and input
SAME_WEIGHTS = 1e-5    # relative error of a CE on the same weights
DICE_BOUND = 2e-3      # absolute: a few pixels may sit on the decision border
DECIMALS_BOUND = 6e-5  # absolute: equal to four decimals
FACTOR = 3             # times float32 PyTorch's own distance from float64
RUN_FLOOR = 2e-3       # relative: single runs flip a ReLU now and then, PyTorch's or ours
GRADIENT_LR = 32.0     # large beside w / dw, so that w0 - w1 keeps the gradient's digits; a power of two


class ProgramError(Exception):
    """The program ended with a status that it should not have."""


# ---- the table of results -------------------------------------------------------------------------------------------


class Review:
    def __init__(self):
        self.failures = 0
        print(f"{'what':<58} {'measured':>10} {'bound':>10}")

    def check(self, what, measured, bound, note=""):
        """measured <= bound; NaN fails."""
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
    """The temporary directory (all commands run in it, with short relative paths) and the program."""

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

    def write_config(self, name, training, train, val):
        """Writes NAME.ini for a run in runs/NAME that starts from init.safetensors. train, val: split names."""
        o = self.options
        sections = {
            "run": {"name": name, "output": f"runs/{name}"},
            "device": {"select": o.device},
            "data": {"dataset": self.dataset, "root": "data", "train": f"{train}.json", "val": f"{val}.json",
                     "classes": o.classes, "size": o.size},
            "model": {"arch": o.arch, "width": o.width, "init": "init.safetensors"},
            "train": {**vars(training), "shuffle": "no"},
        }
        with open(self.path(name + ".ini"), "w", encoding="ascii") as file:
            for section, keys in sections.items():
                file.write(f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()) + "\n")

    def train(self, name, training, train, val):
        """Runs `paced train`; returns log.csv's rows with numbers as floats (empty: NaN)."""
        self.write_config(name, training, train, val)
        self.run("train", name + ".ini")
        with open(self.path(f"runs/{name}/log.csv"), newline="", encoding="ascii") as file:
            table = list(csv.DictReader(file))
        return [{k: v if k == "phase" else float(v or "nan") for k, v in row.items()} for row in table]

    def load(self, name):
        return safetensors_io.load(self.path(name))[0]

    # -- samples

    def write_split(self, name, rng, sizes):
        """One random sample per (width, height); images of every kind of PNG that the program must read alike."""
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

    def network(self, weights, dtype):
        """The reference network with weights from a file of the program, or of this test."""
        model = reference.ARCHS[self.options.arch](self.options.classes, self.options.width)
        model.load_state_dict({k: torch.from_numpy(v) for k, v in self.load(weights).items()})
        return model.to(dtype)

    def write_init(self, seed):
        torch.manual_seed(seed)
        model = reference.ARCHS[self.options.arch](self.options.classes, self.options.width)
        state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
        safetensors_io.save(self.path("init.safetensors"), state)
        return state


def random_sample(rng, width, height, classes, empty=False):
    """Ellipses of the classes' own brightness on noise: something to learn. A bus mask also holds values between."""
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


# ---- the reference beside it ----------------------------------------------------------------------------------------


def three_ways(function):
    """function(dtype) in float64, and in float32 with oneDNN on and off: (exact, [single, single])."""
    exact, single = function(torch.float64), []
    for onednn in (True, False):
        with torch.backends.mkldnn.flags(enabled=onednn):
            single.append(function(torch.float32))
    return exact, single


def evaluate(model, samples, batch):
    return reference.run_epoch(model, samples, torch.arange(len(samples[0])), batch)


def column(rows, key, phase):
    return np.array([row[key] for row in rows if row["phase"] == phase])


def largest_relative(values, exact):
    return float(np.max(np.abs(values - exact) / np.abs(exact)))


# ---- parts of the review --------------------------------------------------------------------------------------------


def review_log(review, bench, name, rows, exact, single, phases):
    """log.csv and losses.json against the reference's rows."""
    with open(bench.path(f"runs/{name}/log.csv"), encoding="ascii") as file:
        review.require(f"{name}: log.csv header", file.readline().strip().split(",") == HEADER)
    order = [(row["epoch"], row["phase"]) for row in exact]
    review.require(f"{name}: log.csv epochs and phases", [(row["epoch"], row["phase"]) for row in rows] == order)
    review.check(f"{name}: lr per epoch, relative",
                 largest_relative(column(rows, "lr", "train"), column(exact, "lr", "train")), 1e-6)
    for phase in phases:
        goal = column(exact, "ce", phase)
        measured, *own = (largest_relative(column(r, "ce", phase), goal) for r in [rows, *single])
        review.check(f"{name}: {phase} ce per epoch, relative, against float64", measured,
                     max(FACTOR * max(own), RUN_FLOOR), f"float32 PyTorch {max(own):.1e}")
    review.check(f"{name}: loss = ce without a teacher, relative",
                 largest_relative(column(rows, "loss", "train"), column(rows, "ce", "train")), 1e-6)
    with open(bench.path(f"runs/{name}/losses.json"), encoding="ascii") as file:
        losses = json.load(file)
    for phase in ("train", "val"):
        review.check(f"{name}: losses.json {phase} = log.csv, relative",
                     largest_relative(np.array(losses[phase]), column(rows, "ce", phase)), 1e-6)


def review_weights_on_val(review, bench, name, rows, val, batch):
    """The validation rows of the last and of the best epoch, from the weights that the program wrote after them."""
    val_rows = [row for row in rows if row["phase"] == "val"]
    for which, row in (("last", val_rows[-1]), ("best", min(val_rows, key=lambda row: row["ce"]))):
        expected = evaluate(bench.network(f"runs/{name}/{which}.safetensors", torch.float64), val, batch)
        review.check(f"{name}: val ce of {which}.safetensors, relative", abs(row["ce"] / expected["ce"] - 1),
                     SAME_WEIGHTS)
        for metric in ("dice", "iou", "precision", "recall", "f1"):
            review.check(f"{name}: val {metric} of {which}.safetensors", abs(row[metric] - expected[metric]),
                         DICE_BOUND)


def review_weights(review, bench, name, init, steps):
    """Names, shapes and dtypes of the files as PyTorch's state dict has them."""
    for which in ("last", "best"):
        state = bench.load(f"runs/{name}/{which}.safetensors")
        review.require(f"{name}: names in {which}.safetensors", set(state) == set(init),
                       f"differ: {sorted(set(state) ^ set(init))[:4]}")
        wrong = [k for k in init if k in state and (state[k].shape, state[k].dtype) != (init[k].shape, init[k].dtype)]
        review.require(f"{name}: shapes and dtypes in {which}.safetensors", not wrong, f"wrong: {wrong[:4]}")
    state = bench.load(f"runs/{name}/last.safetensors")
    counted = {int(v) for k, v in state.items() if k.endswith("num_batches_tracked")}
    review.require(f"{name}: num_batches_tracked = {steps}", counted == {steps}, f"found {sorted(counted)}")


def review_changes(review, bench, name, init, exact, single):
    """How far training moved the weights, and the running statistics: against float64's movement."""
    def movement(state, statistic):
        names = [k for k in init if not k.endswith("num_batches_tracked") and ("running_" in k) == statistic]
        return np.concatenate([(state[k].astype(np.float64) - init[k]).ravel() for k in names])

    trained = bench.load(f"runs/{name}/last.safetensors")
    for what, statistic in (("weights", False), ("running statistics", True)):
        goal = movement(exact, statistic)
        measured, *own = (relative_error(movement(state, statistic), goal) for state in [trained, *single])
        review.check(f"{name}: change of {what}, relative L2", measured, max(FACTOR * max(own), RUN_FLOOR),
                     f"float32 PyTorch {max(own):.1e}")


def review_run(review, bench, name, training, train, val):
    """One run of several epochs with a partial last batch, from the same initial weights in the same order."""
    init = bench.write_init(seed=1)

    def run(dtype):
        model = bench.network("init.safetensors", dtype)
        rows, _ = reference.train_loop(model, train, val, training)
        return rows, {k: v.numpy() for k, v in model.state_dict().items()}

    exact, single = three_ways(run)
    rows = bench.train(name, training, "train", "val")
    # Adam moves the biases before BN, whose gradient is noise, by lr a step; running means follow with a delay, so
    # that validation in mid-training differs between any two programs. SGD leaves them where they are.
    comparable = training.optimizer == "sgd"
    review_log(review, bench, name, rows, exact[0], [r for r, _ in single], ["train", "val"][:1 + comparable])
    review_weights(review, bench, name, init, training.epochs * math.ceil(len(train[0]) / training.batch))
    review_weights_on_val(review, bench, name, rows, val, training.batch)
    if comparable:
        review_changes(review, bench, name, init, exact[1], [state for _, state in single])


def write_balanced(bench, weights, images):
    """Writes balanced.safetensors: the trained weights with the last bias shifted so that every class has the same
    mean logit. A short training predicts background only, and then every metric would be 0 or 1."""
    model = bench.network(weights, torch.float32).eval()
    with torch.no_grad():
        list(model.parameters())[-1].sub_(model(images).mean((0, 2, 3)))
    safetensors_io.save(bench.path("balanced.safetensors"), {k: v.numpy() for k, v in model.state_dict().items()})


def review_predict(review, bench, weights, pairs, val):
    """Logits on the same weights, the predicted PNGs, and `test`'s metrics, both from the program's own logits."""
    images = [f"data/{image}" for image, _ in pairs]
    bench.run("predict", "sgd.ini", "--weights", weights, "--output", "predicted", "--logits", *images)
    with torch.no_grad():
        exact = bench.network(weights, torch.float64).eval()(val[0].double()).numpy()
    errors, wrong, predictions = [], [], []
    for image, goal in zip(images, exact):
        stem = os.path.splitext(os.path.basename(image))[0]
        logits = bench.load(f"predicted/{stem}.safetensors")["logits"]
        errors.append(relative_error(logits, goal) if logits.shape == goal.shape else math.inf)
        predictions.append(torch.from_numpy(logits).argmax(0))
        width, height = Image.open(bench.path(image)).size
        full = reference.resize_nearest(predictions[-1][None, None], height, width)[0, 0].numpy()
        written = reference.decode_plane(bench.path(f"predicted/{stem}.png"))
        if not np.array_equal(written, full * 255 if bench.options.classes == 2 else full):
            wrong.append(stem)
    review.check("predict: logits, relative L2, worst image", max(errors), LOGITS_BOUND)
    review.require("predict: PNG = argmax at the image's own size", not wrong, f"wrong: {wrong}")
    review_summary(review, bench, weights, torch.stack(predictions), val[1])


def review_summary(review, bench, weights, predictions, labels):
    bench.run("test", "sgd.ini", "--weights", weights, "--output", "tested")
    with open(bench.path("tested/summary.csv"), newline="", encoding="ascii") as file:
        table = list(csv.DictReader(file))
    classes = bench.options.classes
    first = (table[0]["set"], table[0]["class"])
    review.require("test: summary.csv's first row is all, mean", first == ("all", "mean"), f"is {first}")
    filled = (labels > 0).flatten(1).any(1)
    subsets = {"all": torch.ones_like(filled), "non-empty": filled}
    for row in table[:2]:
        keep = subsets[row["set"]]
        expected = reference.mean_scores(predictions[keep], labels[keep], classes)
        worst = max(abs(float(row[metric]) - value) for metric, value in expected.items())
        review.check(f"test: {row['set']}, {row['class']}: five metrics", worst, DECIMALS_BOUND,
                     f"dice {expected['dice']:.4f}")
        review.require(f"test: {row['set']}, {row['class']}: images", int(row["images"]) == int(keep.sum()))


def reference_gradient(bench, samples, dtype, names):
    model = bench.network("init.safetensors", dtype).train()
    torch.nn.functional.cross_entropy(model(samples[0].to(dtype)), samples[1]).backward()
    parameters = dict(model.named_parameters())
    return np.concatenate([parameters[name].grad.double().numpy().ravel() for name in names])


def review_promise(review, bench, rng, inputs, count=4):
    """The whole gradient, from one step of SGD, and ten Adam losses, from ten epochs of one batch."""
    o = bench.options
    adam = Training(epochs=10, batch=count, schedule="constant")
    sgd = replace(adam, epochs=1, optimizer="sgd", lr=GRADIENT_LR)
    ours, own = {"gradient": [], "adam": []}, {"gradient": [], "adam": []}
    for k in range(inputs):
        init = bench.write_init(seed=100 + k)
        model = bench.network("init.safetensors", torch.float32)
        names = [n for n, _ in model.named_parameters() if n not in reference.biases_before_norm(model)]
        _, samples = bench.write_split(f"batch{k}", rng, [(o.size, o.size)] * count)

        def adam_losses(dtype):
            rows, _ = reference.train_loop(bench.network("init.safetensors", dtype), samples, samples, adam)
            return column(rows, "ce", "train")

        bench.train(f"gradient{k}", sgd, f"batch{k}", f"batch{k}")
        after = bench.load(f"runs/gradient{k}/last.safetensors")
        gradient = np.concatenate([((init[n].astype(np.float64) - after[n]) / sgd.lr).ravel() for n in names])
        losses = column(bench.train(f"adam{k}", adam, f"batch{k}", f"batch{k}"), "ce", "train")
        for what, value, function in (("gradient", gradient, lambda t: reference_gradient(bench, samples, t, names)),
                                      ("adam", losses, adam_losses)):
            exact, single = three_ways(function)
            ours[what].append(relative_error(value, exact))
            own[what].append(max(relative_error(s, exact) for s in single))
    for what, label in (("gradient", "whole gradient"), ("adam", "first ten Adam losses")):
        floor = statistics.median(own[what])
        review.check(f"{label}, relative L2, median of {inputs}", statistics.median(ours[what]), FACTOR * floor,
                     f"float32 PyTorch {floor:.1e}; worst {max(ours[what]):.1e}, PyTorch's {max(own[what]):.1e}")


# ---- the command ----------------------------------------------------------------------------------------------------


def review_all(bench):
    options, review = bench.options, Review()
    rng = np.random.default_rng(options.seed)
    awkward = [(45, 61), (61, 45), (options.size, options.size), (33, 97), (200, 200)]
    _, train = bench.write_split("train", rng, (awkward * 3)[:11])  # batches of 4, 4, 3
    pairs, val = bench.write_split("val", rng, awkward)
    sgd = Training(epochs=2 if options.quick else 4, batch=4, optimizer="sgd", momentum=0.9, weight_decay=0.01, lr=0.02,
                   step=1 if options.quick else 2)
    review_run(review, bench, "sgd", sgd, train, val)
    adam = replace(sgd, optimizer="adam", momentum=0.0, weight_decay=1e-4, lr=3e-3)
    review_run(review, bench, "adam", adam, train, val)
    write_balanced(bench, "runs/sgd/last.safetensors", val[0])
    review_predict(review, bench, "balanced.safetensors", pairs, val)
    review_promise(review, bench, rng, 3 if options.quick else 5)
    return review.failures


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paced", default=os.path.join(HERE, "..", "..", "build", "paced"), help="the program")
    parser.add_argument("--arch", choices=sorted(reference.ARCHS), default="unet")
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--classes", type=int, default=2, help="2: data set bus, else folder")
    parser.add_argument("--device", default="auto", help="[device] select of the program")
    parser.add_argument("--seed", type=int, default=12345, help="of the random images")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch")
    parser.add_argument("--quick", action="store_true", help="fewer epochs, three inputs instead of five")
    parser.add_argument("--keep", action="store_true", help="leave the temporary directory and name it")
    return parser.parse_args()


def main():
    options = parse_options()
    if not os.access(options.paced, os.X_OK):
        sys.exit(f"parity: {options.paced}: no such program; build it first or give --paced")
    torch.set_num_threads(options.threads)
    directory = tempfile.mkdtemp(prefix="paced-parity-")
    try:
        failures = review_all(Bench(options, directory))
    except ProgramError as error:
        print("parity: FAIL:", error)
        failures = 1
    finally:
        if options.keep:
            print("parity: kept", directory)
        else:
            shutil.rmtree(directory, ignore_errors=True)
    print("parity: all pass" if failures == 0 else f"parity: {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
