#!/usr/bin/env python3
"""Checks that the rooms of the house stand one upon another.

    check_rooms.py [ROOT]        (the repository; default: the one that holds this file)

A room src/<room>/ has one public door, include/paced/<room>.h. The order of the rooms is that of the list `rooms` in
meson.build. The laws:
  * a file of a room includes its own door, its own private headers, and the doors of rooms above it in the list;
  * a door includes only doors of rooms above it; src/main.c includes only doors;
  * OpenCL and CLBlast are included in src/device alone, and by the drivers in tests/platforms;
  * every door compiles alone, without warnings (compiler: $CC, else cc).
Prints each breach as FILE:LINE; the exit status is 1 where there is one. Standard library only.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
OPENCL = re.compile(r"^(CL/|OpenCL/|clblast)")
GENERATED = {"paced_build.h", "paced_networks.h"}  # version and folders, names of networks: written by meson
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wstrict-prototypes", "-Wno-unused-parameter", "-Werror"]


def read_rooms(root):
    text = (root / "meson.build").read_text()
    found = re.search(r"^rooms\s*=\s*\[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    if not found:
        sys.exit(f"{root / 'meson.build'}: no list `rooms`")
    return re.findall(r"'([^']+)'", found.group(1))


def includes(path):
    """(line number, included name) of every #include."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1)


def sources(folder):
    return sorted(path for path in folder.rglob("*") if path.suffix in (".c", ".h"))


def fault(root, path, name, rooms, reach, own):
    """What is wrong with the inclusion of `name` in `path`, or None. `reach`: the rooms whose doors may be included;
    `own`: the folder of private headers, or None."""
    door = re.fullmatch(r"paced/(\w+)\.h", name)
    if door:
        if door.group(1) not in rooms:
            return "is no room's door"
        return None if door.group(1) in reach else f"is the door of a room that may not be seen here; allowed: {reach}"
    private = next((p for p in (path.parent / name, root / name) if p.is_file()), None)
    if private is None:
        return None  # a header of the system, of a library, or generated
    if own is not None and own in private.resolve().parents:
        return None
    return "is private to another part of the tree"


def check_file(root, path, rooms, reach, own):
    for number, name in includes(path):
        if name in GENERATED:
            continue
        what = fault(root, path, name, rooms, reach, own)
        if what:
            yield f"{path.relative_to(root)}:{number}: {name} {what}"


def check_order(root, rooms):
    doors, src = root / "include" / "paced", root / "src"
    for i, room in enumerate(rooms):
        yield from check_file(root, doors / f"{room}.h", rooms, rooms[:i], None)
        for path in sources(src / room):
            yield from check_file(root, path, rooms, rooms[:i + 1], (src / room).resolve())
    for path in sorted(src.glob("*.c")):
        yield from check_file(root, path, rooms, rooms, None)


def check_complete(root, rooms):
    """The list, the folders and the doors are the same rooms."""
    listed = set(rooms)
    for what, found in (("folder src/{}", {p.name for p in (root / "src").iterdir() if p.is_dir()}),
                        ("door include/paced/{}.h", {p.stem for p in (root / "include" / "paced").glob("*.h")})):
        for room in sorted(listed ^ found):
            yield f"meson.build: room {room}: " + ("no " if room in listed else "not in `rooms`, but there is ") \
                  + what.format(room)


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
    for door in sorted((root / "include" / "paced").glob("*.h")):
        done = subprocess.run(compiler + options + [door], capture_output=True, text=True)
        if done.returncode != 0:
            yield f"{door.relative_to(root)}: does not compile alone:\n{done.stderr.rstrip()}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    rooms = read_rooms(root)
    breaches = list(check_complete(root, rooms))
    if not breaches:  # what follows takes the rooms as they are listed
        breaches = [*check_order(root, rooms), *check_opencl(root), *check_alone(root)]
    for breach in breaches:
        print(breach)
    print(f"{len(rooms)} rooms, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
