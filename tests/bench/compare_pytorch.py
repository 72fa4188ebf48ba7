#!/usr/bin/env python3
"""Training and inference speed against PyTorch, with the same network and machine.

    compare_pytorch.py [--paced build/paced] [--arch unet] [--width 64] [--size 224] [--batch 1,4,16] [--rounds 3]

For each batch and round `paced bench`, a PyTorch process that only trains and one that only infers run one after
another. A training step is forward, cross entropy, backward and Adam; the loss of every step is read back. Prints each
round and two Markdown tables: images/s and ratios (median, minimum and maximum of the rounds); peak memory (VmHWM) of a
process that trains, which `paced bench` reads before inference.
"""
import statistics

from common import Folder, in_pytorch, make_parser, numbers, print_table, spread

MODES = ("training", "inference")


def pytorch_round(options, batch):
    network = {key: getattr(options, key) for key in ("arch", "classes", "width", "size")}
    return {mode: in_pytorch("steps", training=mode == "training", batch=batch, **network) for mode in MODES}


def compare(folder, options, batch):
    """Returns a list of rounds (paced, PyTorch)."""
    rounds = []
    for k in range(options.rounds):
        ours, theirs = folder.bench("bench.ini", {"train.batch": batch}), pytorch_round(options, batch)
        rounds.append((ours, theirs))
        for mode in MODES:
            a, b = ours[mode]["images_per_second"], theirs[mode]["images_per_second"]
            print(f"batch {batch}, round {k + 1}, {mode:9} paced {a:8.3f}  PyTorch {b:8.3f} images/s  "
                  f"ratio {a / b:.2f}", flush=True)
    return rounds


def speed_rows(batch, rounds):
    for mode in MODES:
        ours, theirs = ([side[mode]["images_per_second"] for side in sides] for sides in zip(*rounds))
        ratios = [a / b for a, b in zip(ours, theirs)]
        yield [batch, mode, f"{statistics.median(ours):.2f}", f"{statistics.median(theirs):.2f}", spread(ratios)]


def memory_row(batch, rounds):
    """Medians, because a first round that compiles kernels needs more memory."""
    ours, theirs = (statistics.median(side["training"]["peak_mib"] for side in sides) for sides in zip(*rounds))
    planned = rounds[0][0]["training"]["planned_bytes"] / 2 ** 20
    return [batch, f"{planned:.0f}", f"{ours:.0f}", f"{theirs:.0f}", f"{ours / theirs:.2f}"]


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--batch", type=numbers, default=[4], help="one or more, such as 1,4,16")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with Folder(options) as folder:
        folder.write_config("bench")
        results = {batch: compare(folder, options, batch) for batch in options.batch}
    print(f"\n{options.arch}, width {options.width}, size {options.size}, medians of {options.rounds} rounds\n")
    print_table(["batch", "mode", "paced, images/s", "PyTorch, images/s", "ratio"],
                [row for batch, rounds in results.items() for row in speed_rows(batch, rounds)])
    print()
    print_table(["batch", "planned, MiB", "paced training, MiB", "PyTorch training, MiB", "ratio"],
                [memory_row(batch, rounds) for batch, rounds in results.items()])


if __name__ == "__main__":
    main()
