#!/usr/bin/env python3
"""Checks that the manual page documents exactly the commands and options of the program, every environment variable of
the README that is not for tests, and every exit status.

    check_manual.py PROGRAM PAGE README

The format of the page is checked by mandoc and man, if they are installed.
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
    yield from (f"unknown command {name}" for name in sorted(sections.keys() - commands))
    for command in sorted(commands):
        if command not in sections:
            yield f"command {command} is missing"
            continue
        written = set(re.findall(r"(?:Fl |\| )-([a-z]+)", sections[command]))
        for option in sorted(written ^ usage_options(program, command)):
            yield f"{command}: --{option} is " + ("not one of its options" if option in written else "missing")


def check_words(page, readme, program):
    variables = re.findall(r"`([A-Z_]+)(?:=1)?`", "".join(
        line.split("|")[1] for line in readme.splitlines() if re.match(r"\| `[A-Z_]+", line) and "| tests:" not in line))
    written = set(re.findall(r"[A-Z][A-Z_]+", " ".join(re.findall(r"^\.It Ev (.*)", page, re.MULTILINE))))
    yield from (f"environment variable {name} is missing" for name in variables if name not in written)
    statuses = re.findall(r"(?:status:|;)\s(\d+) ", said(program, "--help"))
    yield from (f"exit status {n} is missing" for n in statuses if f".It {n}\n" not in page)
    if not variables or not statuses:
        yield "nothing to compare with was found in the README or the program's help"


def check_form(path):
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"}
    for command in ["mandoc", "-Tlint", "-W", "style"], ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"]:
        if shutil.which(command[0]):
            done = subprocess.run([*command, path], capture_output=True, text=True, env=environment)
            heard = done.stderr if command[0] == "man" else done.stdout + done.stderr
            yield from heard.splitlines()


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    program, path, readme = sys.argv[1:]
    page = pathlib.Path(path).read_text()
    faults = [*check_commands(program, page), *check_words(page, pathlib.Path(readme).read_text(), program),
              *check_form(path)]
    for fault in faults:
        print(f"{path}: {fault}")
    print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
