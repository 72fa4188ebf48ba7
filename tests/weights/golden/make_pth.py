#!/usr/bin/env python3
"""Writes <name>_<version>.pth with the PyTorch that runs it, for tests/weights/test_pytorch.c, which checks the values.

mixed: the state dictionary of a module (with its metadata) and tensors of every supported type: transposed, sliced from
a shared storage, of rank 0 and without elements. checkpoint: that of a training, with the weights of a parallel module,
the state of the optimiser and further entries.
"""
import pathlib

import torch
from torch import nn

HERE = pathlib.Path(__file__).parent
VERSION = ".".join(torch.__version__.split(".")[:2])


def module():
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    with torch.no_grad():
        for i, tensor in enumerate(net.state_dict().values()):
            tensor.copy_((torch.arange(tensor.numel()).reshape(tensor.shape) + i))
    return net


def mixed():
    base = torch.arange(12, dtype=torch.float32).reshape(3, 4) / 4
    state = module().state_dict()
    state["base"] = base
    state["transposed"] = base.t()
    state["sliced"] = base[1:, 1::2]
    state["permuted"] = torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1)
    state["double"] = torch.tensor([0.1, -1e300], dtype=torch.float64)
    state["half"] = torch.tensor([1.5, -2.0**-24, 65504, float("inf"), -0.0, 2.0**-14], dtype=torch.float16)
    state["bfloat16"] = torch.tensor([1.5, -3e38, 1e-40], dtype=torch.bfloat16)
    state["long"] = torch.tensor([[-1, 2**40]])
    state["empty"] = torch.zeros(0, 4)
    state["parameter"] = nn.Parameter(torch.tensor([2.5]))
    return state


def checkpoint():
    net = nn.DataParallel(module())
    optimizer = torch.optim.Adam(net.parameters(), lr=0.003)
    net(torch.ones(2, 1, 1, 1)).sum().backward()
    optimizer.step()
    net.module.load_state_dict(module().state_dict())
    return {"epoch": 3, "best": 0.25, "args": {"arch": "tiny", "sizes": [1, 2], "resume": None, "seed": 2**40},
            "state_dict": net.state_dict(), "optimizer": optimizer.state_dict()}


torch.save(mixed(), HERE / f"mixed_{VERSION}.pth")
torch.save(checkpoint(), HERE / f"checkpoint_{VERSION}.pth")
