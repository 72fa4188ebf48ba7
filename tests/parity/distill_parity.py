#!/usr/bin/env python3
"""Reviews distillation against PyTorch: whole runs of `paced train` with a teacher, row by row of log.csv.

    distill_parity.py [--paced build/paced] [--arch unet] [--width 4] [--teacher-arch unet] [--teacher-width 8] [--size 32]
                      [--quick]

Student, teacher, images and order are the same on both sides. Each run compares, for every epoch and both phases,
ce, loss and kld (relative, against float64 PyTorch: ../golden/distillation.py), mu and the fraction of admitted pixels.
Frozen runs have a learning rate that changes no weight, so they compare only the loss, the weights of pixels and
pacing, and the bounds are those of float32 sums. Learning runs follow with SGD, where the bound is the error of float32
PyTorch. Pixels whose uncertainty is within rounding of mu may be admitted or not; they are counted, and the bounds grow
with their number.
Exit status: 0 all pass, 1 something fails, 77 nothing tested (no PyTorch here, or no OpenCL device).
"""
from dataclasses import dataclass, field, replace
import math
import os

from bench import (Bench, Review, column, make_parser, np, reference, run_review, safetensors_io, three_ways,
                   torch)
from distillation import LOSSES, Distillation, Pacing, fit_temperature, mu_of_epochs, pacing_uncertainty
from reference import Training

FROZEN_LR = 1e-30
FROZEN_FLOOR = 2e-5  # relative; sums of float32 terms, and the teacher's float32 logits
LEARNING_FLOOR = 2e-3
FACTOR = 3           # times the error of float32 PyTorch against float64
NEAR = 5e-6          # distance from mu within which a pixel may be admitted or not
PULL = 10            # maximum loss of such a pixel, in units of the mean loss
STEP_MU = 1e-6       # absolute
QUANTILE_MU = 3e-6   # bins of the histogram are 2^-20 wide; the teacher's logits are rounded
METHOD_LOSS = {"kd": "kd", "cpl": "ce_weighted", "tpl": "both_weighted_spl_per_px", "pcd": "pcd"}


@dataclass
class Run:
    """Run with a method or loss as in the INI, and the keys that differ from the defaults."""
    name: str
    method: str = ""
    loss: str = ""
    distill: dict = field(default_factory=dict)
    uncertainty: dict = field(default_factory=dict)
    pacing: dict = field(default_factory=dict)
    learn: bool = False

    def sections(self, options):
        choice = {"method": self.method} if self.method else {"loss": self.loss}
        return {"distill": {"teacher": "teacher.safetensors", "teacher_arch": options.teacher_arch,
                            "teacher_width": options.teacher_width, **choice, **self.distill},
                "uncertainty": self.uncertainty, "pacing": self.pacing}

    def settings(self):
        """Settings of the run for the reference."""
        keys = dict(self.uncertainty)
        pacing = Pacing(**{k: v for k, v in self.pacing.items() if k not in ("order", "admission")},
                        **{k: keys.pop(k) for k in ("sigma", "sigma_decay") if k in keys})
        tau = keys.pop("temperature", 6.26)
        loss = self.loss or METHOD_LOSS[self.method]
        distill = {key: value for key, value in self.distill.items() if key != "cache_mb"}
        if distill.pop("mix", "") == "alpha" and loss == "pcd":
            loss = "pcd_alpha"
        admission = self.pacing.get("admission")
        return Distillation(loss=loss, tau=tau, order=self.pacing.get("order", "easy"),
                            soft=None if admission is None else admission == "soft", **keys, **distill), pacing


STEP = {"mu": 0.3, "mu_update": 0.08, "mu_update_every": 1}
EVERY_TWO = {"mu": 0.35, "mu_update": 0.15, "mu_update_every": 2, "mu_max": 0.6}
# Images differ little in their mean confidence. The mean over classes is always 1 / C, so that mu = 0.5 decides.
PACE_OF = {"both_weighted_spl_per_img_max": {"function": "linear", "start": 0.5, "end": 1},
           "both_weighted_spl_per_img": {"mu": 0.3, "mu_update": 0.2, "mu_update_every": 1}}


def runs_of_two_classes(quick):
    runs = [Run("kd", method="kd", learn=True),
            Run("cpl", method="cpl", pacing=EVERY_TWO, learn=True),
            Run("tpl", method="tpl", pacing=EVERY_TWO),
            Run("pcd", method="pcd", pacing={"function": "quantile", "start": 0.6, "end": 0.8}, learn=True),
            Run("pcd-linear-auto", method="pcd", pacing={"function": "linear", "start": 0.3, "end": 1},
                uncertainty={"temperature": "auto", "fuse": "mean"})]
    runs += [Run(f"loss-{name}", loss=name, pacing=PACE_OF.get(name, STEP)) for name in LOSSES if not quick or name in (
        "ce_aliter_weighted", "kld_weighted", "both_weighted_spl_per_img_max", "both_weighted_spl_per_px_no_alpha")]
    return runs if quick else runs + [
        Run("tpl-learn", method="tpl", pacing=STEP, learn=True),
        Run("anti-step", method="tpl", pacing={"mu": 0.39, "mu_update": -0.15, "mu_update_every": 1}),
        Run("tpl-quantile", method="tpl", pacing={"function": "quantile", "start": 0.8, "end": 0.5}),
        Run("cpl-root", method="cpl", pacing={"function": "root", "start": 0.4, "end": 1}),
        Run("cpl-exponential", method="cpl", pacing={"function": "exponential", "start": 0.2, "end": 1}),
        Run("pcd-none", method="pcd", pacing={"function": "none"}),
        Run("pcd-on-the-fly", method="pcd", pacing=STEP, distill={"cache_mb": 0, "alpha": 0.6, "temperature": 2,
                                                                  "mix": "alpha"})]


def runs_of_three_classes(quick):
    svls = {"target": "svls", "sigma": 0.9, "sigma_decay": 0.5}
    runs = [Run("svls-decay", method="pcd", uncertainty=svls, learn=True,
                pacing={"function": "linear", "start": 0.5, "end": 1}),
            Run("hard-first", method="pcd", uncertainty={"prediction": "max", "fuse": "weighted", "beta": 0.7},
                pacing={"function": "linear", "start": 0.4, "end": 1, "order": "hard"}),
            Run("cpl", method="cpl", pacing=STEP)]
    return runs if quick else runs + [
        Run("hard-first-cpl", method="cpl", pacing={**STEP, "order": "hard"}),
        Run("hard-first-tpl", method="tpl", pacing={"function": "quantile", "start": 0.5, "end": 1, "order": "hard"}),
        Run("uniform", method="kd", uncertainty={"target": "uniform", "smoothing": 0.2}),
        Run("soft-max", method="pcd", uncertainty={"kernel": 5, "fuse": "max"}, pacing={**STEP, "admission": "soft"}),
        Run("boundary", method="pcd", uncertainty={"fuse": "boundary", "kernel": 7},
            pacing={"mu": 0, "mu_update": 0.1111, "mu_update_every": 1}),
        Run("prediction", method="pcd", uncertainty={"fuse": "prediction", "boundary": "none"}, pacing=STEP),
        Run("both", loss="both_weighted", pacing={"function": "linear", "start": 0.3, "end": 1})]


# ---- teacher --------------------------------------------------------------------------------------------------------


def write_teacher(bench, images, labels, spread=9.0):
    """Writes a briefly trained teacher, so that a temperature fits it. Its logits have mean 0 and stddev `spread`, so
    that its confidences lie on both sides of mu."""
    torch.manual_seed(2)
    model = reference.ARCHS[bench.options.teacher_arch](bench.options.classes, bench.options.teacher_width).train()
    last = list(model.modules())[-1]
    shape = (1, -1, 1, 1) if isinstance(last, torch.nn.ConvTranspose2d) else (-1, 1, 1, 1)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(30):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    with torch.no_grad():
        logits = model.eval()(images)
        mean, stddev = logits.mean((0, 2, 3)), logits.std((0, 2, 3))
        last.weight.mul_((spread / stddev).reshape(shape))
        last.bias.copy_((last.bias - mean) * spread / stddev)
    safetensors_io.save(bench.path("teacher.safetensors"), {k: v.numpy() for k, v in model.state_dict().items()})


# ---- run ------------------------------------------------------------------------------------------------------------


def oracle(bench, run, training, train, val, dtype):
    """Returns (rows, {phase: fraction of pixels near mu, per epoch})."""
    d, pacing = run.settings()
    student = bench.network("init.safetensors", dtype)
    teacher = bench.network("teacher.safetensors", dtype, bench.options.teacher_arch,
                            bench.options.teacher_width).eval()
    with torch.no_grad():
        logits = {phase: teacher(samples[0].to(dtype)) for phase, samples in (("train", train), ("val", val))}
    if d.tau == "auto":
        d = replace(d, tau=fit_temperature(logits["val"], val[1]))
    mu, sigma = mu_of_epochs(d, pacing, logits["train"], train[1], training.epochs)
    rows, _ = reference.train_loop(student, train, val, training, teacher=teacher, distillation=d, mu=mu, sigma=sigma)
    doubtful = {phase: np.array([fraction_near(pacing_uncertainty(d, logits[phase], samples[1], s), m)
                                 for m, s in zip(mu, sigma)]) for phase, samples in (("train", train), ("val", val))}
    return rows, doubtful


def fraction_near(u, mu):
    """Fraction of pixels near mu. If mu is a quantile, pixels at mu are certain and are not counted."""
    if u is None:
        return 0.0
    distance = (u - mu).abs()
    return ((distance < NEAR) & (distance > 0)).double().mean().item()


def relative(values, exact):
    """Largest error relative to the exact value; infinite if that is 0 and the value is not."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.max(np.where(values == exact, 0, np.abs(values - exact) / np.abs(exact))))


def same_or_empty(values, exact):
    """Largest absolute difference; 0 for two NaN (empty), infinite for a single one."""
    if not np.array_equal(np.isnan(values), np.isnan(exact)):
        return math.inf
    return float(np.max(np.abs(values - exact), where=~np.isnan(exact), initial=0))


def review_run(review, bench, run, training, train, val):
    training = training if run.learn else replace(training, lr=FROZEN_LR)
    def run_oracle(dtype):
        return oracle(bench, run, training, train, val, dtype)

    (exact, doubtful), single = three_ways(run_oracle) if run.learn else (run_oracle(torch.float64), [])
    rows = bench.train(run.name, training, "train", "val", run.sections(bench.options))
    order = [(row["epoch"], row["phase"]) for row in exact]
    review.require(f"{run.name}: epochs and phases", [(row["epoch"], row["phase"]) for row in rows] == order)
    for phase in ("train", "val"):
        for key in ("ce", "loss", "kld"):
            goal = column(exact, key, phase)
            measured, *own = (relative(column(r, key, phase), goal) for r in [rows, *(s for s, _ in single)])
            bound = max([LEARNING_FLOOR] + [FACTOR * o for o in own]) if run.learn else FROZEN_FLOOR
            doubt = PULL * float(doubtful["train" if run.learn else phase].max()) * (key == "loss" or run.learn)
            review.check(f"{run.name}: {phase} {key}", measured, bound + doubt,
                         f"float32 PyTorch {max(own):.1e}" if own else "")
        review.check(f"{run.name}: {phase} mu", same_or_empty(column(rows, "mu", phase), column(exact, "mu", phase)),
                     QUANTILE_MU if "function" in run.pacing else STEP_MU)
    paced = not np.isnan(column(exact, "mu", "train")).any()
    goal = column(exact, "admitted", "train") if paced else np.full(training.epochs, math.nan)
    review.check(f"{run.name}: admitted", same_or_empty(column(rows, "admitted", "train"), goal),
                 1e-8 + float(doubtful["train"].max()), "" if not paced else " ".join(f"{g:.3f}" for g in goal))
    review.require(f"{run.name}: admitted is empty in val rows", np.isnan(column(rows, "admitted", "val")).all())


def review_classes(review, options, directory, classes, runs):
    folder = os.path.join(directory, f"classes{classes}")
    os.makedirs(folder)
    bench = Bench(replace_option(options, classes), folder)
    rng = np.random.default_rng(options.seed)
    sizes = [(45, 61), options.size[::-1], (33, 97), (70, 40), (61, 45), (40, 40), (32, 50)]
    _, train = bench.write_split("train", rng, sizes)  # batches of 4 and 3
    _, val = bench.write_split("val", rng, sizes[:3])
    bench.write_init(seed=1)
    write_teacher(bench, *train)
    training = Training(epochs=3 if options.quick else 4, batch=4, optimizer="sgd", momentum=0.9, lr=0.02, step=2)
    for run in runs:
        review_run(review, bench, replace(run, name=f"C{classes} {run.name}".replace(" ", "-")), training, train, val)


def replace_option(options, classes):
    return type(options)(**{**vars(options), "classes": classes})


def review_all(options, directory):
    review = Review()
    review_classes(review, options, directory, 2, runs_of_two_classes(options.quick))
    review_classes(review, options, directory, 3, runs_of_three_classes(options.quick))
    return review.failures


if __name__ == "__main__":
    PARSER = make_parser(__doc__.splitlines()[0])
    PARSER.set_defaults(width=4, size="32")
    PARSER.add_argument("--teacher-arch", choices=sorted(reference.ARCHS), default="unet")
    PARSER.add_argument("--teacher-width", type=int, default=8)
    run_review(PARSER.parse_args(), review_all)
