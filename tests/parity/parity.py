#!/usr/bin/env python3
"""Reviews the program against PyTorch through its public interface only: commands, INI, weights, log, predictions.

    parity.py [--paced build/paced] [--arch unet] [--width 8] [--size 48|45x61] [--classes 2] [--quick]

In a temporary directory it writes random images and masks of unusual sizes, initial weights and INI files, then runs
`paced train`, `test` and `predict` and the reference (../golden/reference.py), and prints one line per comparison:
measured, bound, PASS or FAIL. Float64 PyTorch stands for the exact result. Where rounding is chaotic (a ReLU that
flips, Adam's division of small by small) the bound is a multiple of the error of float32 PyTorch, with oneDNN on and
off. Other comparisons do not depend on the rounding of training: the program's validation measures are compared with
PyTorch's on the weights that the program wrote, its metrics with those of the logits that it wrote.
Exit status: 0 all pass, 1 something fails, 77 nothing tested (no PyTorch here, or no OpenCL device).
"""
import csv
from dataclasses import replace
import json
import math
import os
import statistics

from bench import (Bench, Review, column, largest_relative, make_parser, np, reference, relative_error, run_review,
                   safetensors_io, three_ways, torch)
from PIL import Image
from reference import Training

HEADER = "epoch,phase,loss,ce,kld,lr,mu,admitted,dice,iou,precision,recall,f1,seconds,images_per_second".split(",")
LOGITS_BOUND = 1e-4    # relative L2, same weights and input
SAME_WEIGHTS = 1e-5    # relative error of a CE on the same weights
DICE_BOUND = 2e-3      # absolute; a few pixels may lie on the decision boundary
DECIMALS_BOUND = 6e-5  # absolute; equal to four decimals
FACTOR = 3             # times the error of float32 PyTorch against float64
RUN_FLOOR = 2e-3       # relative; in single runs a ReLU may flip, in PyTorch or the program
GRADIENT_LR = 32.0     # large compared with w / dw, so that w0 - w1 keeps the gradient's digits; a power of two


def evaluate(model, samples, batch):
    return reference.run_epoch(model, samples, torch.arange(len(samples[0])), batch)


# ---- parts of the review --------------------------------------------------------------------------------------------


def review_log(review, bench, name, rows, exact):
    """Compares log.csv and losses.json with the reference's rows, except for the size of the losses."""
    with open(bench.path(f"runs/{name}/log.csv"), encoding="ascii") as file:
        review.require(f"{name}: log.csv header", file.readline().strip().split(",") == HEADER)
    order = [(row["epoch"], row["phase"]) for row in exact]
    review.require(f"{name}: log.csv epochs and phases", [(row["epoch"], row["phase"]) for row in rows] == order)
    review.check(f"{name}: lr per epoch, relative",
                 largest_relative(column(rows, "lr", "train"), column(exact, "lr", "train")), 1e-6)
    review.check(f"{name}: loss = ce without a teacher, relative",
                 largest_relative(column(rows, "loss", "train"), column(rows, "ce", "train")), 1e-6)
    with open(bench.path(f"runs/{name}/losses.json"), encoding="ascii") as file:
        losses = json.load(file)
    for phase in ("train", "val"):
        review.check(f"{name}: losses.json {phase} = log.csv, relative",
                     largest_relative(np.array(losses[phase]), column(rows, "ce", phase)), 1e-6)


def review_ce(review, name, runs, phase):
    """Compares medians over runs: the program's largest distance from float64 with the larger one of float32 PyTorch."""
    ours, own = [], []
    for _, rows, exact, single in runs:
        goal = column(exact[0], "ce", phase)
        measured, *theirs = (largest_relative(column(r, "ce", phase), goal) for r in [rows, *(r for r, _ in single)])
        ours.append(measured)
        own.append(max(theirs))
    what = f"{name}: {phase} ce per epoch, relative, " + (f"median of {len(runs)}" if len(runs) > 1 else "one run")
    floor = statistics.median(own)
    review.check(what, statistics.median(ours), max(FACTOR * floor, RUN_FLOOR), f"float32 PyTorch {floor:.1e}; "
                 f"worst {max(ours):.1e}, PyTorch's {max(own):.1e}")


def review_weights_on_val(review, bench, name, rows, val, training):
    """Checks the validation rows of the last and the best epoch by evaluating the weights that the program wrote."""
    val_rows = [row for row in rows if row["phase"] == "val"]
    best = min(val_rows, key=lambda row: -row["dice"] if training.select == "dice" else row["ce"])
    for which, row in (("last", val_rows[-1]), ("best", best)):
        expected = evaluate(bench.network(f"runs/{name}/{which}.safetensors", torch.float64), val, training.batch)
        review.check(f"{name}: val ce of {which}.safetensors, relative", abs(row["ce"] / expected["ce"] - 1),
                     SAME_WEIGHTS)
        for metric in ("dice", "iou", "precision", "recall", "f1"):
            review.check(f"{name}: val {metric} of {which}.safetensors", abs(row[metric] - expected[metric]),
                         DICE_BOUND)


def review_weights(review, bench, name, init, steps):
    """Checks that names, shapes and dtypes of the files equal those of PyTorch's state dict."""
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
    """Compares the movement of the weights and of the running statistics with that in float64."""
    def movement(state, statistic):
        names = [k for k in init if not k.endswith("num_batches_tracked") and ("running_" in k) == statistic]
        return np.concatenate([(state[k].astype(np.float64) - init[k]).ravel() for k in names])

    trained = bench.load(f"runs/{name}/last.safetensors")
    for what, statistic in (("weights", False), ("running statistics", True)):
        goal = movement(exact, statistic)
        measured, *own = (relative_error(movement(state, statistic), goal) for state in [trained, *single])
        review.check(f"{name}: change of {what}, relative L2", measured, max(FACTOR * max(own), RUN_FLOOR),
                     f"float32 PyTorch {max(own):.1e}")


def train_both(bench, name, training, train, val, seed):
    """Returns initial weights of the seed, the program's rows, and PyTorch's (rows, weights): float64, [float32, float32]."""
    init = bench.write_init(seed)

    def run(dtype):
        model = bench.network("init.safetensors", dtype)
        rows, _ = reference.train_loop(model, train, val, training)
        return rows, {k: v.numpy() for k, v in model.state_dict().items()}

    exact, single = three_ways(run)
    return init, bench.train(name, training, "train", "val"), exact, single


def review_run(review, bench, name, training, train, val, inputs):
    """Reviews a run of several epochs with a partial last batch, from the same initial weights in the same order. Adam
    divides a gradient by its own size: weights whose gradient is noise move as far as others, and rounding alone may
    lead a run astray, PyTorch's as often as ours. So its losses are compared over several initial weights."""
    comparable = training.optimizer == "sgd"
    names = [name] if comparable else [name, *(f"{name}-again{k}" for k in range(1, inputs))]
    runs = [train_both(bench, each, training, train, val, 1 + k) for k, each in enumerate(names)]
    init, rows, exact, single = runs[0]
    review_log(review, bench, name, rows, exact[0])
    # Adam moves the biases before BN, whose gradient is noise, by lr per step; running means follow with a delay, so
    # that validation during training differs between any two programs. SGD does not move them.
    for phase in ["train", "val"][:1 + comparable]:
        review_ce(review, name, runs, phase)
    review_weights(review, bench, name, init, training.epochs * math.ceil(len(train[0]) / training.batch))
    review_weights_on_val(review, bench, name, rows, val, training)
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
    """Reviews logits on the same weights, and predicted PNGs and `test`'s metrics from the program's logits."""
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
    review.require("predict: PNG = argmax at the size of the image", not wrong, f"wrong: {wrong}")
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
    """Reviews the whole gradient, from one step of SGD, and ten Adam losses, from ten epochs of one batch."""
    o = bench.options
    adam = Training(epochs=10, batch=count, schedule="constant")
    sgd = replace(adam, epochs=1, optimizer="sgd", lr=GRADIENT_LR)
    ours, own = {"gradient": [], "adam": []}, {"gradient": [], "adam": []}
    for k in range(inputs):
        init = bench.write_init(seed=100 + k)
        model = bench.network("init.safetensors", torch.float32)
        names = [n for n, _ in model.named_parameters() if n not in reference.biases_before_norm(model)]
        _, samples = bench.write_split(f"batch{k}", rng, [o.size[::-1]] * count)

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


# ---- command --------------------------------------------------------------------------------------------------------


def review_all(options, directory):
    bench, review = Bench(options, directory), Review()
    inputs = 3 if options.quick else 5
    rng = np.random.default_rng(options.seed)
    awkward = [(45, 61), (61, 45), options.size[::-1], (33, 97), (200, 200)]
    _, train = bench.write_split("train", rng, (awkward * 3)[:11])  # batches of 4, 4, 3
    pairs, val = bench.write_split("val", rng, awkward)
    sgd = Training(epochs=2 if options.quick else 4, batch=4, optimizer="sgd", momentum=0.9, weight_decay=0.01, lr=0.02,
                   step=1 if options.quick else 2)
    review_run(review, bench, "sgd", sgd, train, val, inputs)
    adam = replace(sgd, optimizer="adam", momentum=0.0, weight_decay=1e-4, lr=3e-3)
    review_run(review, bench, "adam", adam, train, val, inputs)
    clipped = replace(sgd, schedule="poly", clip_norm=0.3, select="dice")
    review_run(review, bench, "clipped", clipped, train, val, inputs)
    adamw = replace(adam, optimizer="adamw", weight_decay=0.05, schedule="cosine", clip_norm=1.0)
    review_run(review, bench, "adamw", adamw, train, val, inputs)
    write_balanced(bench, "runs/sgd/last.safetensors", val[0])
    review_predict(review, bench, "balanced.safetensors", pairs, val)
    review_promise(review, bench, rng, inputs)
    return review.failures


if __name__ == "__main__":
    run_review(make_parser(__doc__.splitlines()[0]).parse_args(), review_all)
