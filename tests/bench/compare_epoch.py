#!/usr/bin/env python3
"""Time of an epoch of P-CD, including the teacher, against the reference's loop in PyTorch and plain training.

    compare_epoch.py [--paced build/paced] [--arch unet] [--width 64] [--teacher-width 64] [--size 224] [--batch 16]
                     [--images 60] [--epochs 3] [--rounds 1] [--python PYTHON | --no-pytorch]

Images are synthetic PNG files, 4/5 of them for training. In each round plain `paced train`, `paced train` with P-CD and
the reference's loop (pytorch.py) run one after another, with the same teacher. The time of an epoch is the sum of
log.csv's train and val rows, starting with the second epoch, because the first one compiles kernels. The reference runs
its teacher twice over the training images in every epoch, `paced` once over all images before the first one; this is
part of the time outside epochs (start, reading, teacher, saving), which the table lists separately.
Prints the medians, the ratio of PyTorch's epoch to ours, and that of P-CD to plain training (goal: below 1.15).
"""
import csv
import json
import statistics
import sys
import time

from common import Folder, Missing, make_parser, print_table, spread

BOUND = 1.15  # ratio of an epoch of P-CD to one of plain training
MU = 0.6      # admits most pixels of an uncertain teacher
TEACHER = "teacher/best.safetensors"


def write_inputs(folder, options):
    """Writes images, configurations, and a teacher trained on one batch: only its time matters."""
    folder.run("synth", "breast", "--count", str(options.images), "--size", str(options.size), "--output", "data")
    with open(folder.file("data", "train.json"), encoding="utf-8") as file:
        pairs = json.load(file)
    with open(folder.file("one_batch.json"), "w", encoding="utf-8") as file:
        json.dump(pairs[:options.batch], file)
    data = {"dataset": "bus", "root": "data", "train": "data/train.json", "val": "data/val.json"}
    train = {"epochs": options.epochs, "batch": options.batch, "lr": 1e-3}
    folder.write_config("teacher", run={"output": "teacher"}, model={"width": options.teacher_width},
                        data={**data, "train": "one_batch.json", "val": "one_batch.json"}, train={**train, "epochs": 1})
    folder.write_config("plain", run={"output": "plain"}, data=data, train=train)
    folder.write_config("pcd", run={"output": "pcd"}, data=data, train=train, pacing={"mu": MU},
                        distill={"method": "pcd", "teacher": TEACHER, "teacher_width": options.teacher_width})
    folder.run("train", "teacher.ini")


def paced_epochs(folder, name):
    """Returns the seconds of each epoch from the second on, and the seconds of the process outside all epochs."""
    _, process = folder.run("train", name + ".ini", "--overwrite")
    with open(folder.file(name, "log.csv"), newline="", encoding="ascii") as file:
        rows = list(csv.DictReader(file))
    seconds = [sum(float(row["seconds"]) for row in rows if row["epoch"] == epoch)
               for epoch in sorted({row["epoch"] for row in rows}, key=int)]
    return seconds[1:], process - sum(seconds)


def pytorch_epochs(folder, options):
    network = {key: getattr(options, key) for key in ("arch", "classes", "width", "teacher_width", "size", "batch",
                                                      "epochs")}
    start = time.monotonic()
    seconds = folder.run_peer("pytorch.py", "pcd_epochs", mu=MU, root=folder.file("data"),
                              train=folder.file("data", "train.json"), val=folder.file("data", "val.json"),
                              teacher=folder.file(TEACHER), **network)["epoch_seconds"]
    return seconds[1:], time.monotonic() - start - sum(seconds)


def require_pytorch(folder):
    """Ends the script before its long part where PyTorch is missing, and prints PyTorch's version otherwise."""
    try:
        print("PyTorch " + folder.run_peer("pytorch.py", "versions")["PyTorch"])
    except Missing as reason:
        sys.exit(f"PyTorch: {reason}; --no-pytorch compares with plain training only")


def measure(folder, options):
    """Returns {what: epochs of all rounds}, {what: ratio to P-CD per round}, {what: seconds outside epochs}."""
    epochs, ratios, rests = {}, {}, {}
    for _ in range(options.rounds):
        turn = {"paced, plain": paced_epochs(folder, "plain"), "paced, P-CD": paced_epochs(folder, "pcd")}
        if not options.no_pytorch:
            turn["PyTorch, P-CD"] = pytorch_epochs(folder, options)
        median = {what: statistics.median(seconds) for what, (seconds, _) in turn.items()}
        for what, (seconds, rest) in turn.items():
            epochs.setdefault(what, []).extend(seconds)
            ratios.setdefault(what, []).append(median[what] / median["paced, P-CD"])
            rests.setdefault(what, []).append(rest)
        print("  ".join(f"{what} {value:.2f} s" for what, value in median.items()), flush=True)
    return epochs, ratios, rests


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--teacher-width", type=int, help="default: that of the student")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--images", type=int, default=60, help="4/5 are for training")
    parser.add_argument("--epochs", type=int, default=3, help="the first does not count")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--no-pytorch", action="store_true", help="compare with plain training only")
    options = parser.parse_args()
    options.teacher_width = options.teacher_width or options.width
    if options.epochs < 2:
        parser.error("--epochs: at least 2, since the first does not count")
    with Folder(options) as folder:
        if not options.no_pytorch:
            require_pytorch(folder)
        write_inputs(folder, options)
        epochs, ratios, rests = measure(folder, options)
    print(f"\n{options.arch}, width {options.width}, teacher {options.teacher_width}, size {options.size}, batch "
          f"{options.batch}, {options.images} images\n")
    print_table(["epoch of", "seconds", "over paced, P-CD", "besides, seconds"],
                [[what, spread(epochs[what]), spread(ratios[what]), spread(rests[what], 1)] for what in epochs])
    over_plain = 1 / statistics.median(ratios["paced, plain"])
    print(f"\nP-CD over plain training: {over_plain:.3f}, {'within' if over_plain <= BOUND else 'ABOVE'} {BOUND}")


if __name__ == "__main__":
    main()
