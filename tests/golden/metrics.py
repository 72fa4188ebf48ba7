#!/usr/bin/env python3
"""Distances of outlines and the Wilcoxon test, by SciPy and, if installed, MONAI.

    metrics.py --write     writes metrics.safetensors, which the unit tests compare with
    metrics.py --check     compares the stored numbers with SciPy and MONAI; 77 without SciPy

SciPy's part follows MONAI's definitions: outline = mask ^ binary_erosion(mask), exact Euclidean distances to the other
outline, the larger of the two 95th percentiles, and the fraction of distances within the tolerance.
"""
import pathlib
import sys
import warnings

try:
    import numpy as np
    import scipy.ndimage
    import scipy.stats
except ImportError as error:
    print(f"skip: {error}")
    sys.exit(77)

import safetensors_io

FILE = pathlib.Path(__file__).with_name("metrics.safetensors")
TOLERANCES = (0, 1, 1.5, 3)
BOUND = 1e-4
warnings.filterwarnings("ignore", "Sample size too small")  # small samples are part of the comparison


def disk(height, width, y, x, radius):
    rows, columns = np.ogrid[:height, :width]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius ** 2


def pairs():
    """Pairs (prediction, label), neither empty."""
    rng = np.random.default_rng(7)
    pixel, corner, full = (np.zeros((9, 14), bool) for _ in range(3))
    pixel[3, 5] = corner[-1, -1] = True
    full[:] = True
    yield from ((pixel, corner), (pixel, full), (full, full), (full, corner))
    yield np.ones((1, 17), bool), np.arange(17)[None] == 16
    yield np.ones((17, 1), bool), np.arange(17)[:, None] < 3
    yield disk(33, 31, 12, 10, 8), disk(33, 31, 16, 15, 9)
    yield disk(33, 31, 0, 0, 11), disk(33, 31, 30, 28, 6)
    yield disk(40, 24, 20, 12, 9) & ~disk(40, 24, 20, 12, 4), disk(40, 24, 22, 12, 9)
    for share in (0.02, 0.2, 0.5, 0.9):
        yield rng.random((21, 32)) < share, rng.random((21, 32)) < share
    smooth = scipy.ndimage.gaussian_filter(rng.random((2, 64, 64)), (0, 4, 4))
    yield smooth[0] > 0.5, smooth[1] > 0.5


def distances(masks):
    edges = [mask ^ scipy.ndimage.binary_erosion(mask) for mask in masks]
    return [scipy.ndimage.distance_transform_edt(~edges[1 - i])[edges[i]] for i in range(2)]


def figures(masks):
    """Returns hd95, then nsd at each tolerance."""
    found = distances(masks)
    return np.array([max(np.percentile(d, 95) for d in found)] +
                    [np.mean(np.concatenate(found) <= tolerance) for tolerance in TOLERANCES])


def samples():
    rng = np.random.default_rng(11)
    yield np.array([1.0])
    yield np.array([0.0, 0.0, 0.3, -0.1])
    yield rng.normal(0.1, 1, 40)
    yield rng.integers(-3, 5, 60) / 8  # many ties and zeros
    yield rng.normal(0.5, 1, 300)


def p_value(differences):
    """p-value by the normal approximation, with any release of SciPy."""
    for way in ({"method": "asymptotic"}, {"method": "approx"}, {"mode": "approx"}):
        try:
            return scipy.stats.wilcoxon(differences, zero_method="wilcox", correction=False, **way).pvalue
        except (TypeError, ValueError):
            continue
    sys.exit("this SciPy's wilcoxon has no normal approximation")


def compute():
    tensors = {}
    for i, masks in enumerate(pairs()):
        tensors[f"masks.{i}"] = np.stack(masks).astype(np.uint8)
        tensors[f"figures.{i}"] = figures(masks)
    for i, differences in enumerate(samples()):
        tensors[f"differences.{i}"] = differences
        tensors[f"p.{i}"] = np.array([p_value(differences)])
    return tensors


def monai_figures(masks):
    import torch
    from monai.metrics import compute_hausdorff_distance, compute_surface_dice
    prediction, label = (torch.from_numpy(mask.astype(np.float32))[None, None] for mask in masks)
    hd95 = compute_hausdorff_distance(prediction, label, include_background=True, percentile=95)
    return np.array([hd95.item()] + [compute_surface_dice(prediction, label, [tolerance], include_background=True).item()
                                     for tolerance in TOLERANCES])


def check():
    stored, _ = safetensors_io.load(FILE)
    computed = compute()
    worst = {"SciPy": max(np.abs(stored[name] - computed[name]).max() for name in computed)}
    try:
        import monai
        worst[f"MONAI {monai.__version__}"] = max(
            np.abs(monai_figures(masks) - stored[f"figures.{i}"]).max() for i, masks in enumerate(pairs()))
    except ImportError:
        print("MONAI is not installed: left out")
    for name, difference in worst.items():
        print(f"{name}: largest difference {difference:.2g}, bound {BOUND}")
    return int(not all(difference <= BOUND for difference in worst.values()))


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        safetensors_io.save(FILE, compute())
    elif sys.argv[1:] == ["--check"]:
        sys.exit(check())
    else:
        sys.exit(__doc__)
