"""The manual's five-minute tour, command by command: each prints what the manual says that it prints.

Numbers stand for any number: rounding differs from device to device, and with it what a training gives. A line `...`
stands for any lines, and `...` within a line for anything.
"""
import os
import re
import subprocess

import program

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MACHINE = ("build/paced devices", "build/paced doctor")  # print what this machine has


def blocks():
    """The lines of each block of the tour."""
    manual = program.read_text(os.path.join(SOURCE, "README.md"))
    tour = manual[manual.index("\n## A five-minute tour\n"):]
    tour = tour[:tour.index("\n## ", 1)]
    return [block.splitlines() for block in re.findall(r"^```\n(.*?)^```$", tour, re.DOTALL | re.MULTILINE)]


def take_command(lines):
    """The first command of `lines`, with its continued lines and its here-document, taken out of them."""
    command = lines.pop(0)[len("$ "):]
    while command.endswith("\\"):
        command += "\n" + lines.pop(0)
    here = re.search(r"<<(\w+)$", command)
    while here and not command.endswith("\n" + here.group(1)):
        command += "\n" + lines.pop(0)
    return command


def commands():
    """(command, the lines that it is said to print)"""
    found = []
    for lines in blocks():
        while lines:
            command, said = take_command(lines), []
            while lines and not lines[0].startswith("$ "):
                said.append(lines.pop(0))
            found.append((command, said))
    return found


def without_chance(line):
    """Without numbers, the marks that depend on them, and the blanks that numbers of other lengths move."""
    return " ".join(re.sub(r"\d+(\.\d+)?", "#", line.replace(" (best)", "")).split())


def pattern_of(said):
    pattern = "".join("(?:.*\n)*" if line == "..." else re.escape(without_chance(line)) + "\n" for line in said)
    return pattern.replace(re.escape("..."), ".*")


class Tour(program.Case):
    def test_every_command_prints_what_the_manual_says(self):
        os.mkdir(self.path("build"))
        os.symlink(program.PROGRAM, self.path("build", "paced"))
        os.symlink(os.path.join(SOURCE, "configs"), self.path("configs"))
        tour = commands()
        self.assertGreater(len(tour), 8)
        for command, said in tour:
            done = subprocess.run(["sh", "-c", command], cwd=self.dir, text=True, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
            self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}")
            printed = "".join(without_chance(line) + "\n" for line in done.stdout.splitlines() if line)
            if command not in MACHINE:
                self.assertRegex(printed, f"^{pattern_of([line for line in said if line])}$", command)


if __name__ == "__main__":
    program.main()
