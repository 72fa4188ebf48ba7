"""The reference method in PyTorch: loading of samples, losses, metrics and the training loop. Networks: networks.py.

This is the oracle of golden files and of the parity test, so it is written for reading and not for speed. Every
function works in the dtype of the model it is given: float32 is what a user of PyTorch gets, float64 stands for the
exact result. Labels are int64 [N, S, S], logits [N, C, S, S].
"""
from dataclasses import dataclass
import math

import numpy as np
from PIL import Image
import torch
from torch.nn import functional as F

from networks import (ARCHS, DeepLabV3, LinkNet, UNet, biases_before_norm,  # noqa: F401 (one door for users)
                      count_parameters, resize_nearest)

# ---- samples --------------------------------------------------------------------------------------------------------


def decode(path):
    """RGB uint8 [H, W, 3]: grey replicated, alpha dropped, 16-bit values keep their high byte."""
    image = Image.open(path)
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return np.asarray(image.convert("RGB"))


def decode_plane(path):
    """The file's own values [H, W]: palette index, grey, or the red channel."""
    values = np.asarray(Image.open(path))
    return values if values.ndim == 2 else values[..., 0]


def resize(values, size):
    """NEAREST to size x size, as torch's interpolate does it in float32. [H, W, K] -> [K, size, size]"""
    tensor = torch.from_numpy(np.array(values, dtype=np.float32)).permute(2, 0, 1)
    return F.interpolate(tensor[None], size=(size, size), mode="nearest")[0]


def load_pair(image, mask, size, dataset="bus"):
    """bus: label 1 where the mask's red channel is 255, else 0. folder: the mask's value is the class."""
    x = resize(decode(image), size) / 255
    if dataset == "bus":
        y = resize(decode(mask), size)[0] == 255
    else:
        y = resize(decode_plane(mask)[..., None], size)[0]
    return x, y.long()


def load_split(root, pairs, size, dataset="bus"):
    """pairs = [[image, mask], ...] relative to root. Returns (images [N, 3, S, S] float32, labels [N, S, S])."""
    samples = [load_pair(f"{root}/{image}", f"{root}/{mask}", size, dataset) for image, mask in pairs]
    return torch.stack([x for x, _ in samples]), torch.stack([y for _, y in samples])


# ---- losses ---------------------------------------------------------------------------------------------------------


@dataclass
class Distillation:
    """alpha weighs KLD against CE, temperature is KLD's T, tau is the one that makes confidences of teacher logits."""
    loss: str = "kd"
    alpha: float = 0.3
    temperature: float = 4.0
    tau: float = 6.26


def cross_entropy(s, y):
    """Per pixel [N, S, S]."""
    return F.cross_entropy(s, y, reduction="none")


def kld(s, t, temperature=4.0):
    """Per pixel: T^2 times the MEAN over classes of p (log p - log q)."""
    p, log_p = F.softmax(t / temperature, 1), F.log_softmax(t / temperature, 1)
    return temperature ** 2 * (p * (log_p - F.log_softmax(s / temperature, 1))).mean(1)


def weight_curriculum(t, y, mu, tau=6.26):
    """w_c: 1 where the teacher's confidence in the true class is at least 1 - mu, else min(1, mu + 0.1)."""
    f = F.softmax(t / tau, 1).gather(1, y[:, None])[:, 0]
    return torch.where(f >= 1 - mu, torch.ones_like(f), torch.full_like(f, min(1.0, mu + 0.1)))


def weight_self_paced(t, mu, tau=6.26):
    """w_s: 1 where the teacher's largest confidence is at least 1 - mu, else 0."""
    return (F.softmax(t / tau, 1).amax(1) >= 1 - mu).to(t.dtype)


def weight_image(t, mu, tau=6.26, average_max=False):
    """w_img, per image: the reference averages f over classes and pixels (1/C, whatever the image); ours max f."""
    f = F.softmax(t / tau, 1)
    level = f.amax(1).mean((1, 2)) if average_max else torch.full_like(f[:, 0, 0, 0], 1 / f.shape[1])
    return (level >= 1 - mu).to(t.dtype)[:, None, None]


def _both(k, ce, a):
    return a * k + (1 - a) * ce


# name: loss per pixel from (k = KLD, ce, a = alpha, w), and which weight w is.
LOSSES = {
    "kd": (lambda k, ce, a, w: _both(k, ce, a), "none"),
    "curriculum": (lambda k, ce, a, w: w * ce, "curriculum"),
    "ce_weighted": (lambda k, ce, a, w: _both(k, w * ce, a), "curriculum"),
    "kld_weighted": (lambda k, ce, a, w: _both(w * k, ce, a), "curriculum"),
    "both_weighted": (lambda k, ce, a, w: w * _both(k, ce, a), "curriculum"),
    "ce_aliter_weighted": (lambda k, ce, a, w: (1 - w * a) * ce + w * a * k, "curriculum"),
    "both_weighted_spl_per_px": (lambda k, ce, a, w: w * _both(k, ce, a), "self_paced"),
    "both_weighted_spl_per_img": (lambda k, ce, a, w: w * _both(k, ce, a), "image"),
    "both_weighted_spl_per_img_max": (lambda k, ce, a, w: w * _both(k, ce, a), "image_max"),
    "both_weighted_spl_per_px_no_alpha": (lambda k, ce, a, w: w * (k + ce), "self_paced"),
    "both_weighted_spl_per_px_no_alpha_no_weights": (lambda k, ce, a, w: k + ce, "none"),
}


def pixel_weight(kind, t, y, mu, tau):
    """[N, S, S], or something that broadcasts to it."""
    if kind == "curriculum":
        return weight_curriculum(t, y, mu, tau)
    if kind == "self_paced":
        return weight_self_paced(t, mu, tau)
    if kind in ("image", "image_max"):
        return weight_image(t, mu, tau, kind == "image_max")
    return torch.ones_like(t[:, 0])


def distillation_loss(d, s, t, y, mu):
    """The batch's loss: the mean over all of its pixels."""
    combine, kind = LOSSES[d.loss]
    weight = pixel_weight(kind, t, y, mu, d.tau)
    return combine(kld(s, t, d.temperature), cross_entropy(s, y), d.alpha, weight).mean()


def mu_steps(epochs, loss, mu=0.2, update=0.1, every=5, mu_max=1.0):
    """mu of each epoch. Losses with w_c update after 0-based epochs divisible by `every`, the others after 1-based."""
    offset = 0 if LOSSES[loss][1] == "curriculum" else 1
    values = []
    for epoch in range(epochs):
        values.append(mu)
        if (epoch + offset) % every == 0:
            mu = min(mu + update, mu_max)
    return values


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
    """The keys of the configuration's [train] section that the loop knows, with the reference's defaults."""
    epochs: int = 100
    batch: int = 16
    optimizer: str = "adam"
    momentum: float = 0.0
    weight_decay: float = 0.0
    lr: float = 3e-3
    schedule: str = "step"
    step: int = 7
    gamma: float = 0.1


def make_optimizer(training, parameters):
    if training.optimizer == "sgd":
        return torch.optim.SGD(parameters, training.lr, training.momentum, weight_decay=training.weight_decay)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[training.optimizer]
    return kind(parameters, training.lr, weight_decay=training.weight_decay)


def make_schedule(training, optimizer):
    step = training.step if training.schedule == "step" else training.epochs + 1
    return torch.optim.lr_scheduler.StepLR(optimizer, step, training.gamma)


def run_epoch(model, samples, order, batch, teacher=None, distillation=None, mu=None, optimizer=None):
    """One pass over samples in the given order; with an optimizer, each batch is measured before its update.
    Returns the log row's figures: means per sample of loss, CE and (with a teacher) KLD; metrics; admitted share."""
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
                loss = distillation_loss(distillation, s, t, y, mu)
                weight = pixel_weight(LOSSES[distillation.loss][1], t, y, mu, distillation.tau)
                figures.update(kld=kld(s, t, distillation.temperature).mean(), admitted=(weight == 1).double().mean())
            figures["loss"] = loss
            for name, value in figures.items():
                sums[name] += value.item() * len(pick)
            predictions.append(s.detach().argmax(1))
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    row = {name: total / len(order) for name, total in sums.items()}
    if teacher is None:
        row["kld"] = row["admitted"] = math.nan
    row.update(mean_scores(torch.cat(predictions), labels[order], s.shape[1]))
    return row


def train_loop(model, train, val, training, orders=None, teacher=None, distillation=None, mu=None):
    """Trains `model` in place as the reference does. train, val: (images, labels); orders: a list of sample indices
    per epoch (None: as they stand); mu: a value per epoch, with a teacher. Returns (rows, best): two rows per epoch,
    train and val, with the keys of log.csv, and the state dict of the lowest validation CE."""
    optimizer = make_optimizer(training, model.parameters())
    schedule = make_schedule(training, optimizer)
    rows, best, lowest = [], None, math.inf
    if teacher is not None:
        teacher.eval()
    for epoch in range(training.epochs):
        order = torch.as_tensor(orders[epoch] if orders else range(len(train[0])))
        common = {"epoch": epoch + 1, "lr": optimizer.param_groups[0]["lr"], "mu": mu[epoch] if mu else math.nan}
        guide = dict(teacher=teacher, distillation=distillation, mu=mu[epoch] if mu else None)
        train_row = run_epoch(model, train, order, training.batch, optimizer=optimizer, **guide)
        val_row = run_epoch(model, val, torch.arange(len(val[0])), training.batch, **guide)
        schedule.step()
        rows += [dict(common, phase="train", **train_row), dict(common, phase="val", **val_row)]
        if val_row["ce"] < lowest:
            lowest, best = val_row["ce"], {k: v.clone() for k, v in model.state_dict().items()}
    return rows, best
