#!/usr/bin/env python3
"""Checks that the files of a module do not depend on each other in a cycle, and neither do its folders.

    check_cycles.py LIBRARY [NM]        (LIBRARY: libinternals.a in the build folder; its objects lie in LIBRARY.p)

A file depends on another of its module if it names a function or a variable that the other defines: the symbols of the
two objects, read by nm. A folder depends on what its files depend on; a file that is in no folder of its module stands
for itself. Prints every dependency that is part of a cycle; the exit status is then 1. 77 is a skip: without nm, or with
objects that it cannot read. Standard library only.
"""
import collections
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIP = 77


def read_symbols(source, listing):
    """The names that `listing`, the output of nm -P for the source's object, defines, and those that it needs."""
    defined, needed = set(), set()
    for line in listing.splitlines():
        name, kind = line.split()[:2]
        (needed if kind in "Uw" else defined).add(name)
    return source, defined, needed


def find_dependencies(objects):
    """{source: {source of the same module: names}} from the results of read_symbols."""
    owners = {(source.parts[1], name): source for source, defined, _ in objects for name in defined}
    graph = collections.defaultdict(lambda: collections.defaultdict(set))
    for source, defined, needed in objects:
        for name in needed:
            owner = owners.get((source.parts[1], name))
            if owner:
                graph[source][owner].add(name)
    return graph


def join_folders(graph):
    """The same graph between the folders of each module, src/MODULE/FOLDER, and its files beside them."""
    joined = collections.defaultdict(lambda: collections.defaultdict(set))
    for source, owners in graph.items():
        for owner, names in owners.items():
            here, there = (pathlib.PurePath(*path.parts[:3]) for path in (source, owner))
            if here != there:
                joined[here][there] |= names
    return joined


def reachable(graph, start):
    found, rest = set(), [start]
    while rest:
        new = set(graph.get(rest.pop(), ())) - found
        found |= new
        rest += new
    return found


def find_cycles(graph):
    """Yields the dependencies (from, to, names) that are part of a cycle."""
    reach = {node: reachable(graph, node) for node in graph}
    for node in sorted(graph):
        for owner in sorted(graph[node]):
            if node in reach.get(owner, ()):
                yield node, owner, sorted(graph[node][owner])


def find_all_cycles(graph):
    files = list(find_cycles(graph))
    # A cycle of files beside the folders would appear in both lists.
    return files + [found for found in find_cycles(join_folders(graph)) if found not in files]


def check_planted():
    """Finds planted cycles, so that no cycle means that there is none."""
    def cycles(**files):
        objects = [read_symbols(pathlib.PurePath("src/m", name.replace("__", "/") + ".c"), listing)
                   for name, listing in files.items()]
        return [(str(node), str(owner), names) for node, owner, names in find_all_cycles(find_dependencies(objects))]

    assert cycles(a="f T 0 8\ng U", b="g D 0 8\nprintf U") == []
    assert cycles(a="f T 0 8\ng U", b="g D 0 8\nf U") == [("src/m/a.c", "src/m/b.c", ["g"]),
                                                          ("src/m/b.c", "src/m/a.c", ["f"])]
    assert len(cycles(a="f T 0 8\ng U", b="g R 0 8\nh U", c="h B 0 8\nf U", d="i T 0 8\nf U")) == 3
    assert cycles(x__a="f T 0 8\ng U", y__b="g T 0 8", y__c="h T 0 8\ni U", x__d="i T 0 8") == [
        ("src/m/x", "src/m/y", ["g"]), ("src/m/y", "src/m/x", ["i"])]
    assert len(cycles(x__a="f T 0 8\ng U", b="g T 0 8\nh U", x__c="h T 0 8")) == 2


def main():
    check_planted()
    library, nm = sys.argv[1], shutil.which(sys.argv[2] if len(sys.argv) > 2 else "nm")
    if not nm:
        print("skip: nm is not installed (Debian: apt-get install binutils)")
        return SKIP
    objects, sources = [], sorted(path.relative_to(ROOT) for path in (ROOT / "src").glob("*/**/*.c"))
    for source in sources:
        built = pathlib.Path(library + ".p", str(source).replace(os.sep, "_") + ".o")
        if built.exists():  # not so for a file that is only in the shared library
            done = subprocess.run([nm, "-P", "-g", built], capture_output=True, text=True, check=True)
            objects.append(read_symbols(source, done.stdout))
    if not any(defined for _, defined, _ in objects):
        print(f"skip: {nm} finds no symbol in {library}.p (link-time optimisation?)")
        return SKIP
    cycles = find_all_cycles(find_dependencies(objects))
    for node, owner, names in cycles:
        print(f"{node} -> {owner}: {', '.join(names)}")
    print(f"{len(objects)} of {len(sources)} files, {len(cycles)} dependencies in cycles")
    return 1 if cycles else 0


if __name__ == "__main__":
    sys.exit(main())
