#!/usr/bin/env python3
"""Checks that the manual page has what the program and the documentation have: every command with its options, no others,
every environment variable of the documentation's tables, and every exit status, which the tables must have, too.

    check_manual.py PROGRAM PAGE FILE...        (FILE: a page of the documentation with such tables)

The page's own form is checked by mandoc and man, where they are installed.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys


def said(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout


def usage_options(program, command):
    return set(re.findall(r"--([a-z]+)", said(program, command, "--help")))


def check_commands(program, page):
    sections = dict(re.findall(r"^\.Ss ([a-z]+)\n(.*?)(?=^\.S[sh])", page, re.MULTILINE | re.DOTALL))
    commands = set(re.findall(r"^  paced ([a-z]+) ", said(program, "--help"), re.MULTILINE))
    yield from (f"no command {name}" for name in sorted(sections.keys() - commands))
    for command in sorted(commands):
        if command not in sections:
            yield f"command {command} is missing"
            continue
        written = set(re.findall(r"(?:Fl |\| )-([a-z]+)", sections[command]))
        for option in sorted(written ^ usage_options(program, command)):
            yield f"{command}: --{option} is " + ("not one of its options" if option in written else "missing")


def first_cells(documents):
    """The first cell of each row of the tables."""
    return [line.split("|")[1].strip() for line in documents.splitlines() if line.startswith("| ")]


def check_words(page, documents, program):
    cells = first_cells(documents)
    variables = re.findall(r"`([A-Z_]+)(?:=1)?`", "\n".join(cell for cell in cells if re.match("`[A-Z_]+", cell)))
    written = set(re.findall(r"[A-Z][A-Z_]+", " ".join(re.findall(r"^\.It Ev (.*)", page, re.MULTILINE))))
    yield from (f"environment variable {name} is missing" for name in variables if name not in written)
    statuses = re.findall(r"(?:status:|;)\s(\d+) ", said(program, "--help"))
    yield from (f"exit status {n} is missing" for n in statuses if f".It {n}\n" not in page)
    yield from (f"exit status {n} is missing in the documentation" for n in statuses if n not in cells)
    if not variables or not statuses:
        yield "nothing to compare with was found in the documentation or the program's help"


def check_form(path):
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"}
    for command in ["mandoc", "-Tlint", "-W", "style"], ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"]:
        if shutil.which(command[0]):
            done = subprocess.run([*command, path], capture_output=True, text=True, env=environment)
            heard = done.stderr if command[0] == "man" else done.stdout + done.stderr
            yield from heard.splitlines()


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    program, path, *names = sys.argv[1:]
    page = pathlib.Path(path).read_text()
    documents = "\n".join(pathlib.Path(name).read_text() for name in names)
    faults = [*check_commands(program, page), *check_words(page, documents, program), *check_form(path)]
    for fault in faults:
        print(f"{path}: {fault}")
    print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
