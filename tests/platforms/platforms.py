#!/usr/bin/env python3
"""Runs the suites kernel, gradient and golden and one small training on every OpenCL implementation of this machine.

    platforms.py [--build BUILD] [--only WORD] [--gpu] [--markdown] [--limit SECONDS] [--install-intel]

Each implementation runs alone, on each kind of device that it has, in both variants of the kernels, with caches of its
own below BUILD/platforms. A table is printed: test programs passed of those run, the training's outcome, and seconds. A
training has few steps and runs twice: losses must be finite, both runs equal in every bit, and the first epoch's
training loss that of the first device. Where an implementation is slow (llvmpipe, Oclgrind), PACED_TEST_SMALL=1 leaves
out the larger sizes and the table says "small". Oclgrind runs the kernel suite alone.

Exit status: 0 all that ran passed; 1 something failed; 77 there was nothing to run on.
"""
import argparse
import dataclasses
import pathlib
import re
import signal
import subprocess
import sys
import time

import checks
import implementations
import install_intel

SKIP = 77
HEADER = ("system", "implementation", "driver", "device", "variant", *checks.SUITES, "training", "seconds")


@dataclasses.dataclass
class Report:
    rows: list = dataclasses.field(default_factory=list)
    faults: list = dataclasses.field(default_factory=list)
    notes: list = dataclasses.field(default_factory=list)
    loss: float = None  # of the first training that ended


def say(text):
    print(f"platforms: {text}", file=sys.stderr, flush=True)


def system_name():
    """The distribution's name and release, as in "Debian 12"."""
    try:
        text = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return sys.platform
    found = dict(re.findall(r'^(\w+)="?([^"\n]*)', text, re.MULTILINE))
    return " ".join(filter(None, (found.get("NAME"), found.get("VERSION_ID")))).replace("GNU/Linux ", "")


def check_training(runner, paced, folder, report):
    try:
        loss = checks.train(runner, paced, folder)
        report.loss = report.loss or loss
        checks.compare_loss(loss, report.loss)
    except (checks.Fault, OSError, ValueError) as fault:
        return [f"training: {fault}"]
    return []


def check_variant(implementation, device, variant, options, report):
    """Adds one row of the table."""
    slow = implementation.simulator or "llvmpipe" in device["name"]
    env = implementation.environment(PACED_DEVICE=device["id"], PACED_VARIANT=variant, PACED_TEST_SMALL="01"[slow])
    runner = checks.Runner(env, options.limit)
    folder = implementation.folder / f"{device['id'].replace(':', '-')}-{variant}"
    where = f"{implementation.name}, {device['name']}, {variant}"
    started, results, faults = time.monotonic(), [], []
    for suite, tests in checks.programs(options.build).items():
        if implementation.simulator and suite != "kernel":
            results.append("-")
            continue
        passed, found = checks.run_suite(runner, implementation, tests, folder)
        results.append(f"{passed}/{len(tests)}{' small' if slow else ''}")
        faults += found
        say(f"{where}: {suite} {results[-1]}")
    if implementation.simulator:
        results.append("-")
    else:
        found = check_training(runner, options.build / "paced", folder / "training", report)
        results.append("failed" if found else "passed")
        faults += found
        say(f"{where}: training {results[-1]}")
    opencl = re.match(r"OpenCL \d+\.\d+", device["version"])
    report.rows.append((system_name(), f"{device['platform']}, {opencl[0] if opencl else device['version']}",
                        device["driver"], device["name"], variant, *results, f"{time.monotonic() - started:.0f}"))
    report.faults += [f"{where}: {fault}" for fault in faults]


def check_implementation(implementation, options, report):
    try:
        devices = implementation.devices(options.build / "paced")
    except RuntimeError as error:
        report.faults.append(f"{implementation.name}: {error}")
        return
    devices = [device for device in devices if not options.gpu or device["kind"] != "cpu"]
    if not devices:
        report.notes.append(f"{implementation.name}: no usable {'GPU' if options.gpu else 'device'}")
    for device in devices:
        for variant in ("cpu", "gpu"):
            check_variant(implementation, device, variant, options, report)


def find(options, report):
    work = options.build / "platforms"
    if options.gpu:
        return implementations.find_system(work)
    if options.install_intel:
        try:
            install_intel.install(work)
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            report.notes.append(f"Intel's runtime cannot be installed: {error}")
    found = implementations.find_system(work) + implementations.find_others(work)
    report.notes += [f"{name}: not installed; to have it: {remedy}" for name, remedy in implementations.missing(found)]
    return found


def print_report(report, markdown):
    if markdown:
        for row in report.rows:
            print(f"| {' | '.join(row)} |")
    elif report.rows:
        table = [HEADER, *report.rows]
        widths = [max(map(len, column)) for column in zip(*table)]
        for row in table:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    sys.stdout.flush()
    for line in report.notes:
        say(line)
    for line in report.faults:
        say(f"FAILED: {line}")


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default="build", help="Meson's build folder (build)")
    parser.add_argument("--only", metavar="WORD", default="", help="implementations with this in their name alone")
    parser.add_argument("--gpu", action="store_true", help="GPUs and accelerators alone")
    parser.add_argument("--markdown", action="store_true", help="rows for docs/platforms.md")
    parser.add_argument("--limit", type=float, metavar="SECONDS", default=600, help="limit on each program (600)")
    parser.add_argument("--install-intel", action="store_true", help="fetch Intel's runtime for CPUs if missing")
    options = parser.parse_args()
    options.build = options.build.resolve()
    return options


def main():
    options, report = read_options(), Report()
    # A limit of Meson's ends this script with SIGTERM; it must not leave a program running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    unbuilt = [f"tests/test_{suite}_*" for suite, tests in checks.programs(options.build).items() if not tests]
    unbuilt += ["paced"] * (not (options.build / "paced").exists())
    if unbuilt:
        say(f"{options.build} lacks {', '.join(unbuilt)}; install cmocka, then `meson setup build && ninja -C build`")
        return 1
    for implementation in find(options, report):
        if options.only in implementation.name:
            check_implementation(implementation, options, report)
    print_report(report, options.markdown)
    if report.faults:
        return 1
    return 0 if report.rows else SKIP


if __name__ == "__main__":
    sys.exit(main())
