#!/usr/bin/env python3
"""Prints the skipped tests of the last run with their reasons, or nothing.

    list_skipped.py TESTLOG        (build/meson-logs/testlog.json)
"""
import json
import sys


def reason(output):
    """The last line that speaks of a skip, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if "skip" in line.lower()), lines[-1] if lines else "no reason given")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        tests = [json.loads(line) for line in file]
    skipped = sorted((test["name"], reason(test.get("stdout", ""))) for test in tests if test["result"] == "SKIP")
    if skipped:
        print(f"Skipped tests ({len(skipped)}):")
    for name, why in skipped:
        print(f"  {name.split(' / ')[-1]}: {why}")


if __name__ == "__main__":
    main()
