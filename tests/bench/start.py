#!/usr/bin/env python3
"""Time until training has started: cold, with empty caches, and warm, at the second start.

    start.py [--paced build/paced] [--arch unet] [--width 64] [--size 224] [--batch 1] [--rounds 3]

Cold: PACED_CACHE_DIR and POCL_CACHE_DIR are new folders, so kernels are compiled and the setting of matrix products is
tested. Warm: the same folders again. (The system has the program and its libraries in memory in both cases.) Measured
from outside:
  train   a whole `paced train` of one epoch with one batch: start, opening the device, building the network, decoding
          the images, ONE training step, one validation pass of one image, writing best, last and state, and exit; an
          upper bound for the first step
  bench   from `paced bench --json`: opening the device, building the network for training, and the first step; without
          the start of the process and reading of the configuration, some milliseconds
Prints seconds: median, minimum and maximum of the rounds.
"""
import json

from common import Folder, make_parser, print_table, spread

STARTS = ("cold", "warm")


def write_inputs(folder, options):
    """Writes a data set whose training split is one batch and whose validation split is one image."""
    count = max(5, options.batch + 1)
    folder.run("synth", "breast", "--count", str(count), "--size", str(options.size), "--output", "data")
    pairs = []
    for split in ("train", "val"):
        with open(folder.file("data", split + ".json"), encoding="ascii") as file:
            pairs += json.load(file)
    for split, part in (("one_batch", pairs[:options.batch]), ("one_image", pairs[-1:])):
        with open(folder.file(split + ".json"), "w", encoding="ascii") as file:
            json.dump(part, file)
    folder.write_config("start", run={"output": "run"}, train={"epochs": 1, "batch": options.batch},
                        data={"dataset": "bus", "root": "data", "train": "one_batch.json", "val": "one_image.json"})


def caches(folder, name):
    """Separate cache folders, which are empty at the first use."""
    return {variable: folder.file(name, variable) for variable in ("PACED_CACHE_DIR", "POCL_CACHE_DIR")}


def train_seconds(folder, env):
    return folder.run("train", "start.ini", "--overwrite", env=env)[1]


def bench_seconds(folder, env):
    """Returns (device open, network open, first step)."""
    result = folder.bench("start.ini", env=env)
    training = result["training"]
    return result["device_open_seconds"], training["open_seconds"], training["first_step_seconds"]


def measure(folder, options):
    trains, benches = {start: [] for start in STARTS}, {start: [] for start in STARTS}
    for k in range(options.rounds):
        for start in STARTS:
            trains[start].append(train_seconds(folder, caches(folder, f"train{k}")))
        for start in STARTS:
            benches[start].append(bench_seconds(folder, caches(folder, f"bench{k}")))
        print("  ".join(f"{start}: train {trains[start][-1]:.2f} s, bench {sum(benches[start][-1]):.2f} s"
                        for start in STARTS), flush=True)
    return trains, benches


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with Folder(options) as folder:
        write_inputs(folder, options)
        trains, benches = measure(folder, options)
    print(f"\n{options.arch}, width {options.width}, size {options.size}, batch {options.batch}, seconds\n")
    print_table(["start", "train, whole process", "bench, to the end of the first step", "device", "network",
                 "first step"],
                [[start, spread(trains[start]), spread([sum(parts) for parts in benches[start]]),
                  *map(spread, zip(*benches[start]))] for start in STARTS])


if __name__ == "__main__":
    main()
