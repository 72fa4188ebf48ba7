#!/usr/bin/env python3
"""Checks the style that tools can check.

    check_style.py BUILD        (the build folder, with compile_commands.json)

 * clang-format agrees with every C file (only the version that .clang-format is written for: others differ);
 * clang-tidy finds nothing (.clang-tidy lists the checks);
 * clang compiles every kernel file as OpenCL C 1.2, for scalars and for vectors, in both variants;
 * include guards are PACED_<folder>_<file>_H, loops count with ++i, no line of C or of a kernel exceeds 120 columns.
Prints each violation; the exit status is then 1. 77 is a skip: the checks of tools that are not installed were left out,
and the others passed. Standard library only.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FORMAT_VERSION = "14"
COLUMNS = 120
WORKERS = os.cpu_count() or 1
SKIP = 77
left_out = []


def files(*patterns):
    return sorted(path.relative_to(ROOT) for pattern in patterns for path in ROOT.glob(pattern))


def run(command, **options):
    return subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, **options)


def run_in_parts(command, paths):
    """Runs the command on parts of the paths side by side; returns the outputs of those that failed."""
    parts = [paths[i::4 * WORKERS] for i in range(4 * WORKERS)]
    running, failed = [], []
    for part in [part for part in parts if part]:
        if len(running) == WORKERS:
            finish(running.pop(0), failed)
        running.append(subprocess.Popen([str(word) for word in [*command, *part]], cwd=ROOT, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
    for child in running:
        finish(child, failed)
    return failed


def finish(child, failed):
    output = child.communicate()[0]
    if child.returncode != 0:
        failed.append(output.strip())


def tool(name):
    found = shutil.which(f"{name}-{FORMAT_VERSION}") or shutil.which(name)
    if not found:
        left_out.append(f"{name} is not installed")
    return found


def check_format():
    command = tool("clang-format")
    if not command:
        return
    version = re.search(r"version (\d+)", run([command, "--version"]).stdout)
    if not version or version.group(1) != FORMAT_VERSION:
        left_out.append(f"clang-format is not of version {FORMAT_VERSION}")
        return
    done = run([command, "--dry-run", "-Werror", *files("src/**/*.[ch]", "include/**/*.h", "tests/**/*.[ch]")])
    if done.returncode != 0:
        yield from sorted({line for line in done.stderr.splitlines() if "error:" in line})


def check_tidy(build):
    command = tool("clang-tidy")
    if command:
        yield from run_in_parts([command, "-p", build, "--quiet"], files("src/**/*.c"))


def check_kernels():
    command = tool("clang")
    if not command:
        return
    common = "".join((ROOT / "cl" / name).read_text() for name in ("parameters.h", "common.clh"))
    given = set(re.findall(r"#\s*(?:define|ifndef) (PACED_\w+)", common)) | {"PACED_GPU", "PACED_PRODUCTS"}
    for path in files("cl/*.cl"):
        if path.name.startswith("trial_"):
            continue  # may use extensions that this compiler's default target lacks
        text = (ROOT / path).read_text()
        names = sorted(set(re.findall(r"\bPACED_[A-Z0-9_]+\b", text)) - given)  # constants that the host defines
        constants = [f"-D{name}={i}" for i, name in enumerate(names)]
        x86 = ["-DVEC=16", "--target=x86_64-linux-gnu", "-mavx512vl"]  # inline assembly
        for options in (["-DVEC=1"], ["-DVEC=16"], ["-DVEC=1", "-DPACED_GPU=1"], [*x86, "-DPACED_PRODUCTS=1"],
                        [*x86, "-DPACED_PRODUCTS=2"]):
            done = run([command, "-x", "cl", "-cl-std=CL1.2", "-fsyntax-only", "-Wall", "-Wno-unused-function", "-Werror",
                        "-Xclang", "-finclude-default-header", "-I", "cl", *options, *constants, "-"], input=common + f'\n#line 1 "{path}"\n' + text)
            if done.returncode != 0:
                yield f"{path} {' '.join(options)}:\n{done.stderr.strip()}"
                break


def guard_of(path):
    """Beginning and end of a header's guard: the module, and the file."""
    parts = path.parts
    module = parts[0].upper() if parts[0] in ("tests", "cl") else "" if parts[0] == "include" else parts[1].upper()
    return f"PACED_{module}_" if module else "PACED_", f"{path.stem.upper()}_H"


def check_text():
    for path in files("src/**/*.[ch]", "include/**/*.h", "tests/**/*.[ch]", "cl/*"):
        text = (ROOT / path).read_text()
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > COLUMNS and "clang-format off" not in text:
                yield f"{path}:{number}: {len(line)} columns"
            if re.search(r"for \(.*;[^;]*\b\w+(\+\+|--)\)", line):
                yield f"{path}:{number}: a loop counts with ++i"
        if path.suffix == ".h":
            begin, end = guard_of(path)
            guard = re.search(r"^#ifndef (\w+)\n#define \1$", text, re.MULTILINE)
            if not guard or not (guard.group(1).startswith(begin) and guard.group(1).endswith(end)):
                yield f"{path}: the include guard is not {begin}...{end}"


def main():
    violations = [*check_text(), *check_format(), *check_kernels(), *check_tidy(pathlib.Path(sys.argv[1]).resolve())]
    for violation in violations:
        print(violation)
    print(f"{len(violations)} violations")
    if left_out:
        print(f"skip: {', '.join(left_out)}; the other checks ran")
    return 1 if violations else SKIP if left_out else 0


if __name__ == "__main__":
    sys.exit(main())
