#!/usr/bin/env python3
"""Checks the completion by typing into a bash that has loaded it.

    check_completion.py PROGRAM COMPLETION

TAB completes a unique candidate; ESC * inserts all candidates into the line. The line then becomes the arguments of
printf, so that bash itself prints its words. Exit status 77 without bash.
"""
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import tempfile

START, END, ALL, TAB = "\x01", "\x05", "\x1b*", "\t"  # to start and end of the line; all candidates; complete


def typed(terminal, line):
    """Returns the words of the line after typing."""
    os.write(terminal, f"{line}{START}printf '[%s]' '<:' {END} ':>'\n".encode())
    text = b""
    while b"[:>]" not in text:
        text += os.read(terminal, 4096)
    shown = text.decode()
    return re.findall(r"\[(.*?)\]", shown[shown.index("[<:]") + 4:shown.index("[:>]")])


def start_bash(program, completion, folder):
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        environment = {"PATH": f"{os.path.dirname(program)}:{os.environ['PATH']}", "TERM": "dumb", "HOME": folder}
        os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], environment)
    os.write(terminal, f"source '{completion}'\n".encode())
    return child, terminal


def said(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout


def cases(program):
    commands = re.findall(r"^  paced ([a-z]+) ", said(program, "--help"), re.MULTILINE)
    yield f"paced {ALL}", ["paced", *sorted(commands + ["--help", "--version"])]
    for command in commands:
        options = set(re.findall(r"--[a-z][a-z-]*", said(program, command, "--help"))) | {"--help"}
        yield f"paced {command} --{ALL}", ["paced", command, *sorted(options)]
    keys = re.findall(r"^(train\.[a-z_]+)", said(program, "config", "--keys"), re.MULTILINE)
    yield f"paced train x.ini --set train.{ALL}", ["paced", "train", "x.ini", "--set", *sorted(k + "=" for k in keys)]
    yield f"paced trai{TAB}", ["paced", "train"]
    yield f"paced train my{TAB}", ["paced", "train", "my test.ini"]
    yield f"paced train x.ini --set train.epo{TAB}7", ["paced", "train", "x.ini", "--set", "train.epochs=7"]
    yield f"paced train x.ini --set data.root=fol{TAB}", ["paced", "train", "x.ini", "--set", "data.root=folder/"]
    yield f"paced train x.ini --set data.val={TAB}", ["paced", "train", "x.ini", "--set", "data.val="]
    yield f"paced predict x.ini --weights be{TAB}", ["paced", "predict", "x.ini", "--weights", "best.safetensors"]
    yield f"paced predict x.ini --weights ol{TAB}", ["paced", "predict", "x.ini", "--weights", "old.pth"]
    yield f"paced report {TAB}", ["paced", "report", "folder/"]
    yield f"paced predict x.ini im{TAB}", ["paced", "predict", "x.ini", "image.png"]
    yield f"paced train x.ini --output fo{TAB}", ["paced", "train", "x.ini", "--output", "folder/"]
    yield f"paced data sp{TAB}", ["paced", "data", "split"]
    yield f"paced synth n{TAB}", ["paced", "synth", "needle"]
    yield f"paced synth needle --count {TAB}", ["paced", "synth", "needle", "--count"]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    if not shutil.which("bash"):
        print("skip: no bash")
        sys.exit(77)
    program, completion = (os.path.abspath(path) for path in sys.argv[1:])
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in ("my test.ini", "my test.txt", "best.safetensors", "best.txt", "old.pth", "image.png", "image.txt",
                     "folder/x"):
            path = pathlib.Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.touch()
        child, terminal = start_bash(program, completion, folder)
        for line, expected in cases(program):
            found = typed(terminal, line)
            if found != expected and not (ALL in line and sorted(found) == sorted(expected)):
                print(f"{line!r}: {found}, expected {expected}")
                faults += 1
        os.write(terminal, b"exit\n")
        os.waitpid(child, 0)
    print(f"{faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
