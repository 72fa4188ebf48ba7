"""Reference method in PyTorch: loading of samples, metrics and the training loop. Networks: networks.py; losses,
uncertainty and pacing: distillation.py.

Golden files and parity tests are based on it, so it is written for clarity and not for speed. Every function works in
the dtype of its model: float32 is the usual result of PyTorch, float64 stands for the exact result. Labels are int64
[N, H, W], logits [N, C, H, W].
"""
from dataclasses import dataclass
import math

import numpy as np
from PIL import Image
import torch
from torch.nn import functional as F

from distillation import distillation_figures
from networks import (ARCHS, DeepLabV3, LinkNet, UNet, biases_before_norm,  # noqa: F401 (re-exported)
                      count_parameters, resize_nearest)

# ---- samples --------------------------------------------------------------------------------------------------------


def decode(path):
    """RGB uint8 [H, W, 3]; grey is replicated, alpha dropped, 16-bit values are reduced to their high byte."""
    image = Image.open(path)
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return np.asarray(image.convert("RGB"))


def decode_plane(path):
    """Values of the file [H, W]: palette index, grey, or the red channel."""
    values = np.asarray(Image.open(path))
    return values if values.ndim == 2 else values[..., 0]


def parse_size(text):
    """(height, width) of the program's data.size: "224" or "360x480"."""
    height, _, width = text.partition("x")
    return int(height), int(width or height)


def resize(values, size):
    """Nearest neighbour to size (height, width), as torch's interpolate in float32. [H, W, K] -> [K, height, width]"""
    tensor = torch.from_numpy(np.array(values, dtype=np.float32)).permute(2, 0, 1)
    return F.interpolate(tensor[None], size=size, mode="nearest")[0]


def load_pair(image, mask, size, dataset="bus"):
    """bus: label 1 if the mask's red channel is 255, else 0. folder: the mask's value is the class."""
    x = resize(decode(image), size) / 255
    if dataset == "bus":
        y = resize(decode(mask), size)[0] == 255
    else:
        y = resize(decode_plane(mask)[..., None], size)[0]
    return x, y.long()


def load_split(root, pairs, size, dataset="bus"):
    """pairs = [[image, mask], ...] relative to root. Returns (images [N, 3, H, W] float32, labels [N, H, W])."""
    samples = [load_pair(f"{root}/{image}", f"{root}/{mask}", size, dataset) for image, mask in pairs]
    return torch.stack([x for x, _ in samples]), torch.stack([y for _, y in samples])


# ---- metrics --------------------------------------------------------------------------------------------------------


def score_image(prediction, label, classes):
    """dice, iou, precision, recall of each class 1..C-1: array [C - 1, 4]; 0/0 counts 1."""
    rows = []
    for c in range(1, classes):
        p, g = prediction == c, label == c
        hits, found, true = int((p & g).sum()), int(p.sum()), int(g.sum())
        union = found + true - hits
        rows.append([(2 * hits + 1e-4) / (found + true + 1e-4), hits / union if union else 1.0,
                     hits / found if found else 1.0, hits / true if true else 1.0])
    return np.array(rows)


def mean_scores(predictions, labels, classes, only_class=None):
    """Means over classes (or of one class), then over images; f1 from the mean precision and the mean recall."""
    per_image = np.stack([score_image(p, g, classes) for p, g in zip(predictions, labels)])
    per_image = per_image.mean(1) if only_class is None else per_image[:, only_class - 1]
    dice, iou, precision, recall = per_image.mean(0)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
    return {"dice": dice, "iou": iou, "precision": precision, "recall": recall, "f1": f1}


# ---- training -------------------------------------------------------------------------------------------------------


@dataclass
class Training:
    """Keys of the configuration's [train] section that the loop supports, with the reference's defaults."""
    epochs: int = 100
    batch: int = 16
    optimizer: str = "adam"
    momentum: float = 0.0
    weight_decay: float = 0.0
    lr: float = 3e-3
    schedule: str = "step"
    step: int = 7
    gamma: float = 0.1
    power: float = 0.9
    select: str = "loss"
    patience: int = 0
    clip_norm: float = 0.0


def make_optimizer(training, parameters):
    if training.optimizer == "sgd":
        return torch.optim.SGD(parameters, training.lr, training.momentum, weight_decay=training.weight_decay)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[training.optimizer]
    return kind(parameters, training.lr, weight_decay=training.weight_decay)


def make_schedule(training, optimizer):
    schedulers = torch.optim.lr_scheduler
    if training.schedule == "cosine":
        return schedulers.CosineAnnealingLR(optimizer, training.epochs)
    if training.schedule == "poly":
        return schedulers.PolynomialLR(optimizer, training.epochs, training.power)
    step = training.step if training.schedule == "step" else training.epochs + 1
    return schedulers.StepLR(optimizer, step, training.gamma)


def run_epoch(model, samples, order, batch, teacher=None, distillation=None, mu=None, sigma=1.0, optimizer=None,
              clip_norm=0.0):
    """One pass over samples in the given order; with an optimizer, each batch is measured before its update. Returns
    the values of a log row: means per sample of loss, CE and (with a teacher) KLD; metrics; admitted fraction."""
    images, labels = samples
    dtype = next(model.parameters()).dtype
    model.train(optimizer is not None)
    sums, predictions = {"loss": 0.0, "ce": 0.0, "kld": 0.0, "admitted": 0.0}, []
    with torch.set_grad_enabled(optimizer is not None):
        for start in range(0, len(order), batch):
            pick = order[start:start + batch]
            x, y = images[pick].to(dtype), labels[pick]
            s = model(x)
            ce = loss = F.cross_entropy(s, y)
            figures = {"ce": ce}
            if teacher is not None:
                with torch.no_grad():
                    t = teacher(x)
                figures.update(distillation_figures(distillation, s, t, y, mu, sigma))
                loss = figures["loss"]
            figures["loss"] = loss
            for name, value in figures.items():
                sums[name] += value.item() * len(pick)
            predictions.append(s.detach().argmax(1))
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                if clip_norm > 0:
                    torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
                optimizer.step()
    row = {name: total / len(order) for name, total in sums.items()}
    if teacher is None:
        row["kld"] = row["admitted"] = math.nan
    row.update(mean_scores(torch.cat(predictions), labels[order], s.shape[1]))
    return row


def train_loop(model, train, val, training, orders=None, teacher=None, distillation=None, mu=None, sigma=None):
    """Trains `model` in place as the reference does. train, val: (images, labels); orders: a list of sample indices per
    epoch (None: in sequence); mu, sigma: a value per epoch, with a teacher. Returns (rows, best): two rows per epoch,
    train and val, with the keys of log.csv, and the state dict of the best epoch by the lowest validation CE or the
    highest validation Dice. Stops early after `patience` epochs without a best one."""
    optimizer = make_optimizer(training, model.parameters())
    schedule = make_schedule(training, optimizer)
    rows, best, lowest, waited = [], None, math.inf, 0
    if teacher is not None:
        teacher.eval()
    for epoch in range(training.epochs):
        order = torch.as_tensor(orders[epoch] if orders else range(len(train[0])))
        common = {"epoch": epoch + 1, "lr": optimizer.param_groups[0]["lr"], "mu": mu[epoch] if mu else math.nan}
        guide = dict(teacher=teacher, distillation=distillation, mu=mu[epoch] if mu else None,
                     sigma=sigma[epoch] if sigma else 1.0)
        train_row = run_epoch(model, train, order, training.batch, optimizer=optimizer, clip_norm=training.clip_norm,
                              **guide)
        val_row = run_epoch(model, val, torch.arange(len(val[0])), training.batch, **guide)
        schedule.step()
        rows += [dict(common, phase="train", **train_row), dict(common, phase="val", **val_row)]
        figure = -val_row["dice"] if training.select == "dice" else val_row["ce"]
        waited += 1
        if figure < lowest:
            lowest, waited, best = figure, 0, {k: v.clone() for k, v in model.state_dict().items()}
        if waited == training.patience > 0:
            break
    return rows, best
