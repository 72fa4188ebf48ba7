#!/usr/bin/env python3
"""Growth of the cost of a step with the image's size, the network's width, the batch and the threads.

    growth.py [--axis size,width,batch,threads] [--values 64,112] [--passes 3] [--width 64] [--size 224] [--batch 4]

--width, --size and --batch are the base, of which each axis changes one. Every point is a separate process of `paced
bench`. An axis is measured --passes times, up and down in turn, and medians are taken, so that a disturbance of some
minutes does not distort the curve. The time per image should be proportional to its arithmetic, the multiply-adds of
direct convolutions. The cost of a point is therefore its seconds per image, times the device's peak measured between
its steps (which compensates for clocks, other processes and the number of threads), divided by its multiply-adds. Its
factor is the ratio of that cost to the base's: 1 is proportional, 1.25 is a quarter more.
Prints a Markdown table per axis, and whether the goal is reached: factors from 0.75 to 1.25 for sizes 112 to 448 and
batches 4 to 16.
"""
import statistics

from common import Folder, make_parser, numbers, print_table

MODES = ("training", "inference")
VALUES = {"size": [64, 112, 160, 224, 320, 448, 512], "width": [8, 16, 32, 64, 96, 128], "batch": [1, 2, 4, 8, 16, 32],
          "threads": [1, 2]}
KEYS = {"size": "data.size", "width": "model.width", "batch": "train.batch", "threads": "device.threads"}
GOAL = {"size": (112, 448), "batch": (4, 16)}
MIN, MAX = 0.75, 1.25


# ---- measuring ------------------------------------------------------------------------------------------------------


def visit(folder, axis, value):
    result = folder.bench("growth.ini", {KEYS[axis]: value})
    point = {"peak_mib": result["training"]["peak_mib"]}
    for mode in MODES:
        seconds, peak = 1 / result[mode]["images_per_second"], result[mode]["peak_gflops"]
        point[mode] = {"ms": 1e3 * seconds, "peak": peak, "cost": seconds * peak / result["macs_per_image"]}
    print(f"{axis} {value}: " + ", ".join(f"{mode} {point[mode]['ms']:.1f} ms per image at a peak of "
                                          f"{point[mode]['peak']:.0f} GFLOP/s" for mode in MODES), flush=True)
    return point


def walk(folder, axis, values, passes):
    """Returns {value: visits}."""
    visits = {value: [] for value in values}
    for k in range(passes):
        for value in values if k % 2 == 0 else values[::-1]:
            visits[value].append(visit(folder, axis, value))
    return visits


def median(visits, mode, key):
    return statistics.median(visit[mode][key] for visit in visits)


def factors(visits, base):
    """Returns {value: {mode: cost divided by that of the base}}."""
    return {value: {mode: median(visits[value], mode, "cost") / median(visits[base], mode, "cost") for mode in MODES}
            for value in visits}


# ---- report ---------------------------------------------------------------------------------------------------------


def row(value, batch, visits, factor):
    cells = [value]
    for mode in MODES:
        ms = median(visits, mode, "ms")
        cells += [f"{ms:.1f}", f"{ms * batch:.0f}", f"{factor[mode]:.2f}"]
    peak = statistics.median(visit[mode]["peak"] for visit in visits for mode in MODES)
    return cells + [f"{peak:.0f}", f"{statistics.median(visit['peak_mib'] for visit in visits):.0f}"]


def judge(axis, factor):
    """Prints whether the factors of the points in the goal's range, if any, are close enough to 1."""
    low, high = GOAL[axis]
    inside = {f"{axis} {value} {mode} {f:.2f}": f for value, by_mode in factor.items() if low <= value <= high
              for mode, f in by_mode.items()}
    missed = [name for name, f in inside.items() if not MIN <= f <= MAX]
    if inside:
        print(f"\n{axis} {low} to {high}: " + ("NOT within a quarter of proportional: " + ", ".join(missed) if missed
                                               else "within a quarter of proportional"))


def report(options, axis, visits, base):
    factor = factors(visits, base)
    fixed = ", ".join(f"{key} {getattr(options, key)}" for key in ("width", "size", "batch") if key != axis)
    print(f"\n{options.arch}, {fixed}; factors over {axis} {base}\n")
    print_table([axis] + [f"{mode}, {what}" for mode in MODES for what in ("ms per image", "ms per step", "factor")] +
                ["peak, GFLOP/s", "training, MiB"],
                [row(value, value if axis == "batch" else options.batch, visits[value], factor[value])
                 for value in visits])
    if axis in GOAL:
        judge(axis, factor)
    print()


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--axis", type=lambda text: text.split(","), default=list(VALUES),
                        help="one or more of size, width, batch, threads")
    parser.add_argument("--values", type=numbers, help="of the axis, instead of the usual ones (one axis only)")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--passes", type=int, default=3)
    options = parser.parse_args()
    unknown = [axis for axis in options.axis if axis not in VALUES]
    if unknown or (options.values and len(options.axis) > 1):
        parser.error(f"--axis {unknown[0]}: unknown axis" if unknown else "--values: name one --axis")
    with Folder(options) as folder:
        folder.write_config("growth", train={"batch": options.batch})
        for axis in options.axis:
            values = options.values or VALUES[axis]
            base = max(values) if axis == "threads" else getattr(options, axis)
            report(options, axis, walk(folder, axis, sorted({*values, base}), options.passes), base)


if __name__ == "__main__":
    main()
