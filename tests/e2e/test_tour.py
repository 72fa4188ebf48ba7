"""The five-minute tour of the manual, command by command: each prints the documented output.

Numbers match any number, because rounding and therefore the results of a training depend on the device. A line `...`
matches any lines, and `...` within a line matches anything.
"""
import os
import re
import subprocess

import program

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MACHINE = ("build/paced devices", "build/paced doctor")  # output depends on the machine


def blocks():
    """The lines of each block of the tour."""
    manual = program.read_text(os.path.join(SOURCE, "README.md"))
    tour = manual[manual.index("\n## A five-minute tour\n"):]
    tour = tour[:tour.index("\n## ", 1)]
    return [block.splitlines() for block in re.findall(r"^```\n(.*?)^```$", tour, re.DOTALL | re.MULTILINE)]


def take_command(lines):
    """Removes the first command from `lines`, with its continuation lines and here-document, and returns it."""
    command = lines.pop(0)[len("$ "):]
    while command.endswith("\\"):
        command += "\n" + lines.pop(0)
    here = re.search(r"<<(\w+)$", command)
    while here and not command.endswith("\n" + here.group(1)):
        command += "\n" + lines.pop(0)
    return command


def commands():
    """(command, lines of its documented output)"""
    found = []
    for lines in blocks():
        while lines:
            command, said = take_command(lines), []
            while lines and not lines[0].startswith("$ "):
                said.append(lines.pop(0))
            found.append((command, said))
    return found


def without_chance(line):
    """The lines without numbers, the marks that depend on them, and the blanks that align them."""
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
