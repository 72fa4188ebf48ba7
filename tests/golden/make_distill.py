"""Writes distill.safetensors: every reference loss by name, its value and its gradient, as PyTorch computes them.

    python3 make_distill.py [--output DIR]

Cases `case.0`, `case.1`, ... differ in classes and mu; each has the inputs s, t (float32 logits [N, C, h, w]: student's
and teacher's) and y (uint8 labels [N, h, w]), and for each loss of distillation.LOSSES `LOSS.value` = [float64 result,
float32 result] and `LOSS.grad` = its gradient with respect to s, by autograd in float64; `ce` is
torch.nn.functional.cross_entropy(s, y, ignore_index=255). Metadata: `case` = number of
cases; `case.0` = {classes, n, size, mu, f32_gradient_error} as JSON. T = 4, alpha = 0.3, tau = 6.26.
mu admits nothing, everything, or a part, for each kind of weight; in case 6 the teacher's two logits are equal and
f >= 1 - mu holds with equality. The last two cases have ignored pixels (label 255).
"""
import argparse
import json
import os

import numpy as np
import torch
from torch.nn import functional as F

from distillation import IGNORED, LOSSES, Distillation, distillation_loss, pixel_weight
from formula import integers, uniform
import safetensors_io

N, SIZE = 3, 3
TAU = Distillation().tau
MARGIN = 1e-4  # minimum distance of a confidence from 1 - mu


def make_inputs(case, classes, tie, ignore):
    shape = (N, classes, SIZE, SIZE)
    spread = np.array([2.0, 12.0, 30.0]).reshape(N, 1, 1, 1)  # the teacher is more confident on later images
    t = spread * uniform(f"{case}.t", shape)
    y = integers(f"{case}.y", (N, SIZE, SIZE), classes)
    if ignore:
        y[integers(f"{case}.ignored", y.shape, 3) == 0] = IGNORED
        assert all(0 < (image == IGNORED).sum() < image.size for image in y)
    return {"s": (4 * uniform(f"{case}.s", shape)).astype(np.float32),
            "t": (np.broadcast_to(t[:, :1], shape) if tie else t).astype(np.float32),
            "y": y}


def check_mu(inputs, mu, level):
    """Asserts that mu admits as much as the case requires, and that no decision depends on rounding."""
    t, y = torch.from_numpy(inputs["t"]).double(), torch.from_numpy(inputs["y"]).long()
    f, counted = F.softmax(t / TAU, 1), y != IGNORED
    confidences = [f.gather(1, y.masked_fill(~counted, 0)[:, None]), f.amax(1),
                   f.amax(1).masked_fill(~counted, np.nan).nanmean((1, 2))]
    for kind, confidence in zip(("curriculum", "self_paced", "image_max"), confidences):
        share = (pixel_weight(kind, t, y, mu, TAU) == 1).expand(y.shape)[counted].double().mean().item()
        holds = {"below": share == 0, "above": share == 1, "between": 0 < share < 1, "tie": share == 1}
        assert holds[level], (kind, share)
        assert level == "tie" or (confidence - (1 - mu)).abs().min() > MARGIN, kind


def evaluate(inputs, name, mu, dtype):
    s = torch.from_numpy(inputs["s"]).to(dtype).requires_grad_(True)
    t, y = torch.from_numpy(inputs["t"]).to(dtype), torch.from_numpy(inputs["y"]).long()
    loss = (F.cross_entropy(s, y, ignore_index=IGNORED) if name == "ce" else
            distillation_loss(Distillation(loss=name), s, t, y, mu))
    loss.backward()
    return loss.item(), s.grad.numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default=os.path.dirname(os.path.abspath(__file__)))
    torch.set_num_threads(1)
    levels = [(classes, mu, level, False) for classes, middle in ((2, 0.41), (5, 0.6))
              for mu, level in ((0.001, "below"), (middle, "between"), (0.9995, "above"))] + [(2, 0.5, "tie", False)]
    levels += [(2, 0.41, "between", True), (5, 0.6, "between", True)]
    tensors, metadata = {}, {"case": str(len(levels))}
    for index, (classes, mu, level, ignore) in enumerate(levels):
        case, errors = f"case.{index}", {}
        inputs = make_inputs(case, classes, level == "tie", ignore)
        check_mu(inputs, mu, level)
        tensors.update({f"{case}.{name}": array for name, array in inputs.items()})
        for name in ["ce"] * ignore + list(LOSSES):
            exact, grad = evaluate(inputs, name, mu, torch.float64)
            single, single_grad = evaluate(inputs, name, mu, torch.float32)
            tensors[f"{case}.{name}.value"] = np.array([exact, single])
            tensors[f"{case}.{name}.grad"] = grad
            errors[name] = float(np.linalg.norm(single_grad - grad) / max(np.linalg.norm(grad), 1e-300))
        metadata[case] = json.dumps(dict(classes=classes, n=N, size=SIZE, mu=mu, f32_gradient_error=errors))
    safetensors_io.save(os.path.join(parser.parse_args().output, "distill.safetensors"), tensors, metadata)


if __name__ == "__main__":
    main()
