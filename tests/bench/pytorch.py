#!/usr/bin/env python3
"""PyTorch's part of the speed scripts: runs one task in this process and prints its result as JSON on stdout.

    pytorch.py TASK ARGUMENTS       (ARGUMENTS: a JSON object, the keyword arguments of the task's function)

Networks and losses are those of tests/golden. Settings are those of a normal user: float32, all cores, no profiling.
"""
import json
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
try:
    import torch
    from torch.nn import functional as F

    import reference
    import safetensors_io
    from distillation import Distillation, distillation_loss, weight_self_paced
except ImportError as error:
    sys.exit(f"{error}; install PyTorch, numpy and Pillow for {sys.executable}, or run the script with the Python that "
             "has them")

STEPS = 5  # timed steps, after one to warm up
LR = 1e-3


def peak_mib():
    """Largest resident size of the process so far, MiB."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM:"))


# ---- single steps ---------------------------------------------------------------------------------------------------


def training_step(model, images, labels):
    adam = torch.optim.Adam(model.parameters(), lr=LR)

    def step():
        adam.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        adam.step()
        return loss.item()
    return step


def inference_step(model, images, labels):
    def step():
        with torch.no_grad():
            return F.cross_entropy(model(images), labels).item()
    return step


def steps(training, arch, classes, width, size, batch):
    """Runs steps on one batch of random images only, so that the peak memory is that of training, or of inference."""
    torch.manual_seed(0)
    model = reference.ARCHS[arch](classes, width)
    model.train(training)
    images = torch.rand(batch, 3, size, size)
    labels = torch.randint(classes, (batch, size, size))
    step = (training_step if training else inference_step)(model, images, labels)
    step()
    seconds = []
    for _ in range(STEPS):
        start = time.monotonic()
        step()
        seconds.append(time.monotonic() - start)
    return {"images_per_second": batch / statistics.median(seconds), "peak_mib": peak_mib()}


# ---- epochs of the reference ----------------------------------------------------------------------------------------


def load_split(root, split, size):
    with open(split, encoding="utf-8") as file:
        return reference.load_split(root, json.load(file), (size, size))


def batches(samples, order, batch):
    for start in range(0, len(order), batch):
        pick = order[start:start + batch]
        yield samples[0][pick], samples[1][pick]


def admitted_fraction(teacher, train, batch, mu):
    with torch.no_grad():
        weights = [weight_self_paced(teacher(x), mu) for x, _ in batches(train, torch.arange(len(train[0])), batch)]
    return torch.cat(weights).mean().item()


def epoch_of_pcd(student, teacher, adam, distillation, train, val, batch, mu):
    """Epoch as in the reference: the teacher runs over all training images for the admitted fraction, and again in each
    step; the student runs a validation pass."""
    sums = {"admitted": admitted_fraction(teacher, train, batch, mu), "train": 0.0, "val": 0.0}
    student.train()
    for x, y in batches(train, torch.randperm(len(train[0])), batch):
        adam.zero_grad()
        s = student(x)
        with torch.no_grad():
            t = teacher(x)
        loss = distillation_loss(distillation, s, t, y, mu)
        loss.backward()
        adam.step()
        sums["train"] += loss.item() * len(x)
    student.eval()
    with torch.no_grad():
        for x, y in batches(val, torch.arange(len(val[0])), batch):
            sums["val"] += F.cross_entropy(student(x), y).item() * len(x)
    return sums


def pcd_epochs(arch, classes, width, teacher_width, size, batch, epochs, mu, root, train, val, teacher):
    """Seconds of each epoch. Images are decoded before the first one, and no metrics are computed; both favour
    PyTorch."""
    student, frozen = (reference.ARCHS[arch](classes, w) for w in (width, teacher_width))
    frozen.load_state_dict({name: torch.from_numpy(x) for name, x in safetensors_io.load(teacher)[0].items()})
    frozen.eval()
    train, val = load_split(root, train, size), load_split(root, val, size)
    adam = torch.optim.Adam(student.parameters(), lr=LR)
    distillation = Distillation(loss="both_weighted_spl_per_px_no_alpha")
    seconds = []
    for _ in range(epochs):
        start = time.monotonic()
        epoch_of_pcd(student, frozen, adam, distillation, train, val, batch, mu)
        seconds.append(time.monotonic() - start)
    return {"epoch_seconds": seconds}


TASKS = {"steps": steps, "pcd_epochs": pcd_epochs}


def main():
    torch.set_num_threads(os.cpu_count())
    print(json.dumps(TASKS[sys.argv[1]](**json.loads(sys.argv[2]))))


if __name__ == "__main__":
    main()
