#!/usr/bin/env python3
"""Checks the order of the modules.

    check_modules.py [ROOT]        (the repository; default: the one that contains this file)

A module src/<module>/ has one public header, include/paced/<module>.h. The order of the modules is that of the list
`modules` in meson.build. Rules:
  * a file of a module includes its public header, its private headers, and public headers of modules above it;
  * a public header includes only public headers of modules above it; src/main.c includes only public headers;
  * any file may include cl/parameters.h, the parameters of kernels;
  * only src/device and the drivers in tests/platforms include OpenCL and CLBlast;
  * every public header compiles alone, without warnings (compiler: $CC, else cc).
Prints each violation as FILE:LINE; the exit status is 1 if there is any. Standard library only.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
OPENCL = re.compile(r"^(CL/|OpenCL/|clblast)")
SHARED = {"cl/parameters.h"}  # the parameters of kernels, for any module
GENERATED = {"paced_build.h", "paced_networks.h"}  # version and folders, names of networks; written by meson
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wstrict-prototypes", "-Wno-unused-parameter", "-Werror"]


def read_modules(root):
    text = (root / "meson.build").read_text()
    found = re.search(r"^modules\s*=\s*\[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    if not found:
        sys.exit(f"{root / 'meson.build'}: no list `modules`")
    return re.findall(r"'([^']+)'", found.group(1))


def includes(path):
    """Yields (line number, included name) of every #include."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1)


def sources(folder):
    return sorted(path for path in folder.rglob("*") if path.suffix in (".c", ".h"))


def fault(root, path, name, modules, reach, own):
    """Returns the error of including `name` in `path`, or None. `reach`: modules whose public headers are allowed;
    `own`: folder of private headers, or None."""
    header = re.fullmatch(r"paced/(\w+)\.h", name)
    if header:
        if header.group(1) not in modules:
            return "is not the public header of a module"
        return None if header.group(1) in reach else f"is not allowed here; allowed modules: {reach}"
    private = next((p for p in (path.parent / name, root / name) if p.is_file()), None)
    if private is None:
        return None  # a header of the system, of a library, or generated
    if own is not None and own in private.resolve().parents:
        return None
    return "is private to another part of the tree"


def check_file(root, path, modules, reach, own):
    for number, name in includes(path):
        if name in GENERATED | SHARED:
            continue
        what = fault(root, path, name, modules, reach, own)
        if what:
            yield f"{path.relative_to(root)}:{number}: {name} {what}"


def check_order(root, modules):
    headers, src = root / "include" / "paced", root / "src"
    for i, module in enumerate(modules):
        yield from check_file(root, headers / f"{module}.h", modules, modules[:i], None)
        for path in sources(src / module):
            yield from check_file(root, path, modules, modules[:i + 1], (src / module).resolve())
    for path in sorted(src.glob("*.c")):
        yield from check_file(root, path, modules, modules, None)


def check_complete(root, modules):
    """Checks that the list, the folders and the public headers name the same modules."""
    listed = set(modules)
    for what, found in (("folder src/{}", {p.name for p in (root / "src").iterdir() if p.is_dir()}),
                        ("header include/paced/{}.h", {p.stem for p in (root / "include" / "paced").glob("*.h")})):
        for module in sorted(listed ^ found):
            yield f"meson.build: module {module}: " + ("no " if module in listed else "not in `modules`, but there is ") \
                  + what.format(module)


def check_opencl(root):
    for top in ("src", "include", "tests"):
        for path in sources(root / top):
            if {root / "src" / "device", root / "tests" / "platforms"} & set(path.parents):
                continue
            for number, name in includes(path):
                if OPENCL.match(name):
                    yield f"{path.relative_to(root)}:{number}: {name} is for src/device alone"


def check_alone(root):
    compiler = shlex.split(os.environ.get("CC", "cc"))
    options = ["-std=gnu11", "-x", "c", "-fsyntax-only", "-I", root / "include"] + WARNINGS
    for header in sorted((root / "include" / "paced").glob("*.h")):
        done = subprocess.run(compiler + options + [header], capture_output=True, text=True)
        if done.returncode != 0:
            yield f"{header.relative_to(root)}: does not compile alone:\n{done.stderr.rstrip()}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    modules = read_modules(root)
    violations = list(check_complete(root, modules))
    if not violations:  # the other checks rely on the list
        violations = [*check_order(root, modules), *check_opencl(root), *check_alone(root)]
    for violation in violations:
        print(violation)
    print(f"{len(modules)} modules, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
