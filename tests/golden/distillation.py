"""Distillation in PyTorch: losses by name, weights of pixels, uncertainty and its fusion, pacing.

All functions work in the dtype of their arguments. s, t: logits of student and teacher [N, C, H, W]; y: int64 labels
[N, H, W]. The program fuses the formulas into kernels; here each one is separate. Labels may be IGNORED in cross_entropy,
the weights and distillation_loss.
"""
from dataclasses import dataclass
import math

import torch
from torch.nn import functional as F

IGNORED = 255


@dataclass
class Distillation:
    """Settings with the configuration's names. loss: a name of LOSSES; tau: [uncertainty] temperature. mix and
    admission are part of the names in LOSSES, except `soft` (None: as the weight defines it)."""
    loss: str = "kd"
    alpha: float = 0.3
    temperature: float = 4.0
    tau: float = 6.26
    prediction: str = "label"
    boundary: str = "svls"
    fuse: str = "product"
    beta: float = 0.5
    kernel: int = 3
    target: str = "hard"
    smoothing: float = 0.1
    order: str = "easy"
    soft: bool = None


@dataclass
class Pacing:
    """[pacing], with sigma and sigma_decay of [uncertainty]."""
    function: str = "step"
    mu: float = 0.2
    mu_update: float = 0.1
    mu_update_every: int = 5
    mu_max: float = 1.0
    start: float = 0.8
    end: float = 0.4
    sigma: float = 1.0
    sigma_decay: float = 1.0


# ---- losses ---------------------------------------------------------------------------------------------------------


def cross_entropy(s, y):
    """Per pixel [N, H, W]."""
    return F.cross_entropy(s, y, reduction="none", ignore_index=IGNORED)


def kld(s, t, temperature=4.0):
    """Per pixel: T^2 times the MEAN over classes of p (log p - log q)."""
    p, log_p = F.softmax(t / temperature, 1), F.log_softmax(t / temperature, 1)
    return temperature ** 2 * (p * (log_p - F.log_softmax(s / temperature, 1))).mean(1)


def weight_curriculum(t, y, mu, tau=6.26):
    """w_c: 1 where the teacher's confidence in the true class is at least 1 - mu, else min(1, mu + 0.1)."""
    f = F.softmax(t / tau, 1).gather(1, y.masked_fill(y == IGNORED, 0)[:, None])[:, 0]
    return torch.where(f >= 1 - mu, torch.ones_like(f), torch.full_like(f, min(1.0, mu + 0.1)))


def weight_self_paced(t, mu, tau=6.26):
    """w_s: 1 where the teacher's largest confidence is at least 1 - mu, else 0."""
    return (F.softmax(t / tau, 1).amax(1) >= 1 - mu).to(t.dtype)


def weight_image(t, y, mu, tau=6.26, average_max=False):
    """w_img, per image: the reference averages f over classes and pixels (always 1/C); average_max averages max f."""
    f = F.softmax(t / tau, 1)
    level = f.amax(1).masked_fill(y == IGNORED, math.nan).nanmean((1, 2)) if average_max else torch.full_like(f[:, 0, 0, 0], 1 / f.shape[1])
    return (level >= 1 - mu).to(t.dtype)[:, None, None]


def _both(k, ce, a):
    return a * k + (1 - a) * ce


# Losses per pixel from (k = KLD, ce, a = alpha, w), and the kind of weight w.
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
# Losses of the methods that have no name in the reference.
METHODS = {
    "iid": (lambda k, ce, a, w: ce, "none"),
    "pcd": (lambda k, ce, a, w: w * (k + ce), "fused"),
    "pcd_alpha": (lambda k, ce, a, w: w * _both(k, ce, a), "fused"),
}


def pixel_weight(kind, t, y, mu, tau):
    """Weights [N, H, W], or an array that broadcasts to it."""
    if kind == "curriculum":
        return weight_curriculum(t, y, mu, tau)
    if kind == "self_paced":
        return weight_self_paced(t, mu, tau)
    if kind in ("image", "image_max"):
        return weight_image(t, y, mu, tau, kind == "image_max")
    return torch.ones_like(t[:, 0])


# ---- uncertainty ----------------------------------------------------------------------------------------------------


def svls_label(y, classes, kernel, sigma):
    """One-hot labels smoothed by SVLS, replicate padding: [N, C, H, W] in float64."""
    ramp = torch.arange(kernel, dtype=torch.float64) - kernel // 2
    square = ramp[:, None] ** 2 + ramp ** 2
    weights = torch.exp(-(square - 1) / (2 * sigma ** 2))  # relative to the nearest neighbours; the factor cancels
    weights[kernel // 2, kernel // 2] = 0
    weights[kernel // 2, kernel // 2] = weights.sum()
    weights = (weights / weights.sum()).expand(classes, 1, kernel, kernel)
    hot = F.one_hot(y, classes).permute(0, 3, 1, 2).double()
    return F.conv2d(F.pad(hot, [kernel // 2] * 4, mode="replicate"), weights, groups=classes)


def uncertainty(d, t, y, sigma):
    """Uncertainty [N, H, W], fused as configured, not yet reversed."""
    f, label = F.softmax(t / d.tau, 1), y[:, None]
    u_p = 1 - (f.gather(1, label)[:, 0] if d.prediction == "label" else f.amax(1))
    u_b = torch.zeros_like(u_p)
    if d.boundary == "svls":
        soft = svls_label(y, t.shape[1], d.kernel, sigma)
        u_b = soft.scatter(1, label, 0).sum(1).to(t.dtype)  # 1 - soft label of its class, exactly 0 inside a region
    return {"product": lambda: 1 - (1 - u_p) * (1 - u_b), "mean": lambda: (u_p + u_b) / 2,
            "max": lambda: torch.maximum(u_p, u_b), "weighted": lambda: d.beta * u_p + (1 - d.beta) * u_b,
            "prediction": lambda: u_p, "boundary": lambda: u_b}[d.fuse]()


def pacing_uncertainty(d, t, y, sigma):
    """Quantity that is compared with mu, [N, H, W]: 1 - the confidence that the weight uses, or the fused uncertainty;
    reversed for anti-curriculum. None if the loss has no weights."""
    kind = loss_row(d)[1]
    if kind == "none":
        return None
    f = F.softmax(t / d.tau, 1)
    if kind == "fused":
        u = uncertainty(d, t, y, sigma)
    elif kind == "curriculum":
        u = 1 - f.gather(1, y[:, None])[:, 0]
    elif kind == "self_paced":
        u = 1 - f.amax(1)
    else:
        level = f.amax(1).mean((1, 2)) if kind == "image_max" else torch.full_like(f[:, 0, 0, 0], 1 / f.shape[1])
        u = (1 - level)[:, None, None].expand_as(f[:, 0])
    return u if d.order == "easy" else 1 - u


# ---- the objective --------------------------------------------------------------------------------------------------


def loss_row(d):
    return {**LOSSES, **METHODS}[d.loss]


def target_entropy(d, s, y, sigma):
    """Cross entropy with the configured target, per pixel."""
    if d.target == "hard":
        return cross_entropy(s, y)
    if d.target == "uniform":
        return F.cross_entropy(s, y, reduction="none", label_smoothing=d.smoothing)
    return -(svls_label(y, s.shape[1], d.kernel, sigma).to(s.dtype) * F.log_softmax(s, 1)).sum(1)


def distillation_figures(d, s, t, y, mu, sigma=1.0):
    """loss and kld as means over the batch's pixels, and the fraction of pixels with weight 1."""
    combine, kind = loss_row(d)
    u = pacing_uncertainty(d, t, y, sigma)
    weight = torch.ones_like(s[:, 0])
    if u is not None:
        soft = kind == "curriculum" if d.soft is None else d.soft
        weight[~(u <= mu)] = min(1.0, mu + 0.1) if soft else 0.0
    k = kld(s, t, d.temperature)
    return {"loss": combine(k, target_entropy(d, s, y, sigma), d.alpha, weight).mean(), "kld": k.mean(),
            "admitted": (weight.float() == 1).double().mean()}


def distillation_loss(d, s, t, y, mu):
    """Loss of a batch with the reference's comparison, f >= 1 - mu (ties count), for LOSSES only."""
    combine, kind = LOSSES[d.loss]
    weight = pixel_weight(kind, t, y, mu, d.tau)
    loss = combine(kld(s, t, d.temperature), cross_entropy(s, y), d.alpha, weight)
    return loss.masked_select(y != IGNORED).mean()


# ---- pacing ---------------------------------------------------------------------------------------------------------


def quantile(u, share):
    """Smallest value of sorted u that at least this fraction does not exceed."""
    return u[max(math.ceil(share * len(u) - 1e-9), 1) - 1].item()


def mu_steps(p, curriculum, epochs):
    """Number of updates: losses with w_c update after 0-based epochs divisible by mu_update_every, others after 1-based
    ones."""
    values, mu = [], p.mu
    for epoch in range(epochs):
        values.append(mu)
        if (epoch + (0 if curriculum else 1)) % p.mu_update_every == 0:
            mu = min(mu + p.mu_update, p.mu_max)
    return values


def mu_of_epochs(d, p, t, y, epochs):
    """(mu, sigma), a list each, from the teacher's logits of all training images. mu: NaN without weights."""
    sigma = [p.sigma * p.sigma_decay ** epoch for epoch in range(epochs)]
    kind, mu = loss_row(d)[1], []
    if kind == "none":
        return [math.nan] * epochs, sigma
    if p.function == "step":
        return mu_steps(p, kind == "curriculum", epochs), sigma
    for epoch in range(epochs):
        u = pacing_uncertainty(d, t, y, sigma[epoch]).flatten().sort().values
        first, ramp = quantile(u, p.start), min(1.0, epoch / (p.end * epochs))
        share = {"linear": p.start + (1 - p.start) * ramp, "exponential": p.start ** (1 - ramp),
                 "root": math.sqrt(p.start ** 2 + (1 - p.start ** 2) * ramp)}
        mu.append(1.0 if p.function == "none" else quantile(u, share[p.function]) if p.function in share
                  else first + (u[-1].item() - first) * ramp)
    return mu, sigma


def fit_temperature(t, y):
    """Temperature tau in 0.0001..10000 that minimises the negative log-likelihood, by bisection of its slope in
    1 / tau, in float64."""
    t, label = t.double(), y[:, None]
    low, high = 1e-4, 1e4
    for _ in range(100):
        b = math.sqrt(low * high)
        slope = ((F.softmax(b * t, 1) * t).sum(1) - t.gather(1, label)[:, 0]).mean().item()
        low, high = (low, b) if slope > 0 else (b, high)
    return 1 / math.sqrt(low * high)
