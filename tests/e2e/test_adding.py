"""docs/adding.md, followed literally: the page's network and line are added to a copy of the sources, which is built
and behaves as the page says. No other file needs a change."""
import os
import re
import shutil
import subprocess

import program

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
OTHERS = re.compile(r"\.|build|outputs|tests$")  # parts of the project that a build does not read


def blocks(text):
    """The fenced blocks of the page: [(kind, content)]."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


class AddingTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.page = program.read_text(os.path.join(ROOT, "docs", "adding.md"))
        cls.code, = (content for kind, content in blocks(cls.page) if kind == "c")
        cls.line, = (content for kind, content in blocks(cls.page) if kind == "meson")
        cls.session, = (content for kind, content in blocks(cls.page) if content.startswith("$ build/paced graph"))
        for part in os.listdir(ROOT):
            if OTHERS.match(part):
                continue
            copy = shutil.copytree if os.path.isdir(os.path.join(ROOT, part)) else shutil.copy
            copy(os.path.join(ROOT, part), cls.path(part))
        cls.leave_out_tests()
        cls.follow()
        cls.build()

    @classmethod
    def leave_out_tests(cls):
        os.makedirs(cls.path("tests"))
        program.write_text(cls.path("tests", "meson.build"), "")

    @classmethod
    def follow(cls):
        name, = re.findall(r"^`(src/models/\w+\.c)`:$", cls.page, re.MULTILINE)
        program.write_text(cls.path(name), cls.code)
        registry = cls.path("meson.build")
        before = program.read_text(registry)
        after = re.sub(r"^networks = .*\n", cls.line, before, flags=re.MULTILINE)
        assert after.replace(", 'fcn'", "") == before and after != before, "the page's line is not the list and one word"
        program.write_text(registry, after)

    @classmethod
    def build(cls):
        for command in (["meson", "setup", "build", "-Doptimization=0", "-Ddicom=disabled"], ["ninja", "-C", "build"]):
            done = subprocess.run(command, cwd=cls.dir, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr

    def run_built(self, *args):
        done = subprocess.run([self.path("build", "paced"), *args], cwd=self.dir, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_graph_is_as_the_page_shows_it(self):
        first, *lines = self.session.splitlines()
        shown = self.run_built(*first.split()[2:]).stdout.splitlines()
        for line in lines:
            if line != "...":
                self.assertIn(line, shown)

    def test_trains_and_learns_from_another(self):
        program.make_breast(self)
        self.run_built("train", "tiny.ini", "--output", "unet")
        self.run_built("train", "tiny.ini", "--output", "fcn", "--set", "model.arch=fcn", "--set", "distill.method=kd",
                       "--set", "distill.teacher=unet/best.safetensors", "--set", "distill.teacher_arch=unet")
        tensors, metadata = program.read_tensors(self.path("fcn", "best.safetensors"))
        self.assertEqual(metadata["arch"], "fcn")
        self.assertEqual(tensors["score1.weight"][1], [2, 4, 1, 1])
        self.assertEqual(tensors["stage2.norm.running_var"][1], [8])


if __name__ == "__main__":
    if not shutil.which("meson") or not shutil.which("ninja"):
        program.skip("meson and ninja are not there to build with")
    program.main()
