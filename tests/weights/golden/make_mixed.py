#!/usr/bin/env python3
"""Writes mixed.safetensors with the format's own package (pip install numpy safetensors): every supported dtype, rank 0
to 3, an empty tensor, non-finite values and metadata. tests/weights/test_safetensors.c checks the values."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

tensors = {
    "bn.num_batches_tracked": np.array(7, dtype=np.int64),
    "bn.weight": np.array([1.5, -2.25, np.inf], dtype=np.float32),
    "conv.weight": np.arange(6, dtype=np.float32).reshape(1, 2, 3) / 8,
    "empty": np.zeros((0, 4), dtype=np.float32),
    "moments": np.array([0.1, np.nan], dtype=np.float64),
    "mask": np.array([[0, 255], [1, 2]], dtype=np.uint8),
}
save_file(tensors, Path(__file__).with_name("mixed.safetensors"), metadata={"arch": "unet", "note": "ä \"quoted\""})
