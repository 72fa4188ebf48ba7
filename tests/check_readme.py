#!/usr/bin/env python3
"""Checks that the README shows the current output of the program.

    check_readme.py [--update] PROGRAM README

The text between the lines `<!-- paced ARGUMENTS -->` and `<!-- end -->` must be the output of `PROGRAM ARGUMENTS`; a
code fence around it is allowed. Linked files must exist. --update writes the output into the README instead of comparing.
Exit status 1 if a block is out of date, a link is broken, or the table of keys is missing.
"""
import pathlib
import re
import shlex
import subprocess
import sys

BLOCK = re.compile(r"(<!-- paced (.*?) -->\n)(.*?)(\n?<!-- end -->)", re.DOTALL)
FENCED = re.compile(r"\s*(```\w*\n)(.*?)(```)\s*", re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
KEYS = "config --keys --markdown"


def said(program, arguments):
    done = subprocess.run([program] + shlex.split(arguments), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"paced {arguments}: status {done.returncode}: {done.stderr.rstrip()}")
    return done.stdout.strip() + "\n"


def renewed(program, text):
    """Returns the README with the current output in every marked block, and the arguments of the blocks."""
    names = []

    def block(found):
        head, arguments, body, tail = found.groups()
        names.append(arguments)
        fence = FENCED.fullmatch(body)
        opening, closing = (fence.group(1), "```") if fence else ("", "")
        return head + opening + said(program, arguments) + closing + "\n" * bool(fence) + tail.lstrip("\n")

    return BLOCK.sub(block, text), names


def main():
    arguments = [a for a in sys.argv[1:] if a != "--update"]
    if len(arguments) != 2:
        sys.exit(__doc__)
    program, readme = arguments[0], pathlib.Path(arguments[1])
    text = readme.read_text()
    new, names = renewed(program, text)
    faults = [] if KEYS in names else [f"no block <!-- paced {KEYS} -->"]
    if "--update" in sys.argv:
        readme.write_text(new)
    elif new != text:
        old = text.splitlines()
        pairs = enumerate(zip(old, new.splitlines()), 1)
        faults += [f"line {i}: {a!r} should be {b!r}" for i, (a, b) in pairs if a != b][:1]
        faults += [f"out of date; update it with tests/check_readme.py --update PROGRAM {readme.name}"]
    links = [link for link in LINK.findall(text) if "://" not in link]
    faults += [f"link to {link}: file not found" for link in links if not (readme.parent / link).exists()]
    for fault in faults:
        print(f"{readme}: {fault}")
    print(f"{len(names)} blocks, {len(links)} links, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
