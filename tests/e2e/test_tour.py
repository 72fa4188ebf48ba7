"""The tours of docs/tour.md and README.md, command by command: each prints what its page shows.

A number stands for any number, because rounding and thus training differ between devices. A line `...` stands for any
lines, and `...` within a line for any text.
"""
import os
import re
import subprocess

import program

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MACHINE = ("build/paced devices", "build/paced doctor")  # print what this machine has


def blocks(page, heading):
    """The lines of each block of a page's section, or of the whole page without a heading."""
    tour = program.read_text(os.path.join(SOURCE, page))
    if heading:
        tour = tour[tour.index(f"\n## {heading}\n") + 1:]
        tour = tour[:tour.index("\n## ")]
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


def commands(page, heading):
    """(command, the lines that the page shows as its output)"""
    found = []
    for lines in blocks(page, heading):
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
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        os.mkdir(cls.path("build"))
        os.symlink(program.PROGRAM, cls.path("build", "paced"))
        os.symlink(os.path.join(SOURCE, "configs"), cls.path("configs"))

    def follow(self, tour):
        for command, said in tour:
            done = subprocess.run(["sh", "-c", command], cwd=self.dir, text=True, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
            self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}")
            printed = "".join(without_chance(line) + "\n" for line in done.stdout.splitlines() if line)
            if command not in MACHINE:
                self.assertRegex(printed, f"^{pattern_of([line for line in said if line])}$", command)

    def test_five_minute_tour(self):
        tour = commands("docs/tour.md", None)
        self.assertGreater(len(tour), 8)
        self.follow(tour)

    def test_one_page_tour(self):
        tour = commands("README.md", "A one-page tour")
        self.assertGreater(len(tour), 5)
        self.follow(tour)


if __name__ == "__main__":
    program.main()
