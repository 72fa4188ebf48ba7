#!/usr/bin/env python3
"""Mean and spread over seeds, as a Markdown table, from the comparison.csv that `paced experiment` leaves.

    results.py COMPARISON.csv          stages are named METHOD_SEED_test
"""
import csv
import statistics
import sys

FIGURES = ["dice", "iou", "precision", "recall", "f1"]


def main():
    values, methods = {}, []
    with open(sys.argv[1], newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            method = row["stage"].rsplit("_", 2)[0]
            if method not in methods:
                methods.append(method)
            values.setdefault((row["set"], method), []).append([float(row[f]) for f in FIGURES])
    print("| images | method | seeds | " + " | ".join(FIGURES) + " |")
    print("|---|---|---|" + "---|" * len(FIGURES))
    for images in ("all", "non-empty"):
        for method in methods:
            runs = values[images, method]
            cells = []
            for column in zip(*runs):
                spread = statistics.stdev(column) if len(column) > 1 else 0
                cells.append(f"{statistics.mean(column):.3f} ± {spread:.3f}")
            print(f"| {images} | {method} | {len(runs)} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
