#!/usr/bin/env python3
"""Trains a configuration's network in PyTorch, as the reference does, for comparison of whole trainings.

    train_pytorch.py [--paced build/paced] CONFIG [--set SECTION.KEY=VALUE]... --output DIR

Data, sizes, optimiser and schedule are those of the configuration, without teacher and augmentation. Initial weights
and the order of the images come from PyTorch's generator, seeded with run.seed. Writes DIR/best.safetensors, the
weights of the epoch with the lowest validation cross entropy, for `paced test CONFIG --weights DIR/best.safetensors`.
"""
import argparse
import configparser
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))
try:
    import numpy as np
    import torch

    import reference
    import safetensors_io
except ImportError as error:
    sys.exit(f"{error}; install PyTorch, numpy and Pillow for {sys.executable}")


def resolved(options):
    sets = [word for key in options.set for word in ("--set", key)]
    done = subprocess.run([options.paced, "config", options.config, *sets], text=True, stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(done.returncode)
    config = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",))
    config.read_string(done.stdout)
    return config


def load_colours(path):
    with open(path, encoding="utf-8") as file:
        return {tuple(row["color"]): row["classid"] for row in json.load(file)}


def load_scene(image, mask, size, colours):
    """Sample with a colour-coded mask: the label is the class of each pixel's colour."""
    colour = reference.resize(reference.decode(mask), size).permute(1, 2, 0).numpy().astype(np.uint8)
    label = np.vectorize(lambda r, g, b: colours[r, g, b])(*np.moveaxis(colour, 2, 0))
    return reference.resize(reference.decode(image), size) / 255, torch.from_numpy(label).long()


def load_split(config, phase):
    data = config["data"]
    size = reference.parse_size(data["size"])
    with open(data[phase], encoding="utf-8") as file:
        pairs = json.load(file)
    if data["dataset"] != "robo":
        return reference.load_split(data["root"], pairs, size, data["dataset"])
    colours, folder = load_colours(data["labels"]), os.path.join(data["root"], phase)
    samples = [load_scene(os.path.join(folder, image), os.path.join(folder, mask), size, colours)
               for image, mask in pairs]
    return torch.stack([x for x, _ in samples]), torch.stack([y for _, y in samples])


def training_of(config):
    return reference.Training(**{name: kind(config["train"][name])
                                 for name, kind in reference.Training.__annotations__.items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("--paced", default=os.path.join(HERE, "..", "..", "build", "paced"))
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    config = resolved(options)
    torch.manual_seed(config["run"].getint("seed"))
    model = reference.ARCHS[config["model"]["arch"]](config["data"].getint("classes"), config["model"].getint("width"))
    train, val, training = load_split(config, "train"), load_split(config, "val"), training_of(config)
    orders = [torch.randperm(len(train[0])) for _ in range(training.epochs)]
    rows, best = reference.train_loop(model, train, val, training, orders)
    for row in rows:
        print("epoch {epoch} {phase}: ce {ce:.4f} dice {dice:.4f} iou {iou:.4f}".format(**row))
    os.makedirs(options.output, exist_ok=True)
    safetensors_io.save(os.path.join(options.output, "best.safetensors"), {k: v.numpy() for k, v in best.items()})


if __name__ == "__main__":
    main()
