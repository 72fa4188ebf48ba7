#!/usr/bin/env python3
"""PyTorch's part of the speed scripts: runs one task in this process and prints its result as JSON on stdout.

    pytorch.py TASK ARGUMENTS       (ARGUMENTS: a JSON object, the keyword arguments of the task's function)

Networks and losses are those of tests/golden.
"""
import json
import os
import sys
import time

import peer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
try:
    import torch
    from torch.nn import functional as F

    import reference
    import safetensors_io
    from distillation import Distillation, distillation_loss, weight_self_paced
except ImportError as error:
    peer.skip(f"{error}; give --python a Python with PyTorch, numpy and Pillow (make_peers.py installs them)")

LR = 1e-3


# ---- single steps ---------------------------------------------------------------------------------------------------


def make_adam(model):
    """The fused Adam is the fastest one, and PyTorch before 2.4 has it for GPUs alone."""
    try:
        return torch.optim.Adam(model.parameters(), lr=LR, fused=True)
    except RuntimeError:
        return torch.optim.Adam(model.parameters(), lr=LR)


def training_step(model, loss_of):
    adam = make_adam(model)

    def step():
        adam.zero_grad()
        loss = loss_of()
        loss.backward()
        adam.step()
        return loss.item()
    return step


def inference_step(model, loss_of):
    def step():
        with torch.no_grad():
            return loss_of().item()
    return step


def compiled(model, frozen):
    """The model through torch.compile. frozen: weights are constants, which inference alone allows."""
    if not hasattr(torch, "compile"):
        peer.skip("torch.compile needs PyTorch 2")
    if frozen:
        from torch._inductor import config
        config.freezing = True
    return torch.compile(model)


def time_compiled(step, batch):
    """A system without a C++ compiler or Python's headers has no torch.compile."""
    try:
        return peer.time_steps(step, batch)
    except torch._dynamo.exc.TorchDynamoException as error:
        peer.skip(f"torch.compile: {str(error).strip().splitlines()[0]}; it needs a C++ compiler and Python's headers "
                  "(Debian: g++, python3-dev)")


def steps(training, arch, classes, width, size, batch, threads, channels_last=False, compile=False, frozen=False,
          bfloat16=False):
    """Runs steps on one batch of random images only, so that the peak memory is that of training, or of inference."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = reference.ARCHS[arch](classes, width).to(memory_format=layout)
    model.train(training)
    images = torch.rand(batch, 3, size, size).to(memory_format=layout)
    labels = torch.randint(classes, (batch, size, size))
    network = compiled(model, frozen) if compile else model

    def loss_of():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            return F.cross_entropy(network(images), labels)
    step = (training_step if training else inference_step)(model, loss_of)
    return (time_compiled if compile else peer.time_steps)(step, batch)


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
    torch.set_num_threads(os.cpu_count())
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


def versions():
    return {"PyTorch": torch.__version__}


if __name__ == "__main__":
    peer.main({"versions": versions, "steps": steps, "pcd_epochs": pcd_epochs})
