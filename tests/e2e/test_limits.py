"""Limits of the system for a process: the size of files, and memory."""
import glob
import json
import os
import subprocess

import program


class LimitsTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        cls.run_program("train", "tiny.ini", "--output", "run", "--set", "train.epochs=1")

    def run_limited(self, limit, *args):
        """Runs the program after `ulimit LIMIT`. A sanitizer or a container may make that impossible."""
        words = ["sh", "-c", f'ulimit {limit} && exec "$@"', "sh", program.PROGRAM]
        options = {"cwd": self.dir, "text": True, "stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 300}
        if subprocess.run([*words, "--version"], **options).returncode != 0:
            self.skipTest(f"the program cannot run after ulimit {limit}")
        return subprocess.run([*words, *args], **options)

    def test_file_that_is_too_large(self):
        """The file is named with the cause, and no part of it remains. 16 blocks are 8 or 16 KiB."""
        for args, path in ((["convert", "run/best.safetensors", "net.onnx"], "net.onnx"),
                           (["synth", "breast", "--count", "5", "--size", "256", "--output", "set"], "set/"),
                           (["train", "tiny.ini", "--output", "large"], "large/state.safetensors")):
            done = self.run_limited("-f 16", *args)
            self.assertEqual(done.returncode, 1, done.stderr)
            line = done.stderr.splitlines()[-1]
            self.assertRegex(line, f"^paced: .*{path}.*: cannot write: File too large; ")
            self.assertEqual(glob.glob(self.path("**", "*.tmp*"), recursive=True), [])
            self.assertFalse(os.path.isfile(self.path(path)))

    def test_too_little_address_space(self):
        """PoCL crashes then. The process ends with a line and a status of its own, whatever the driver does."""
        for mib in (250, 350, 450, 550, 650):
            done = self.run_limited(f"-v {mib << 10}", "test", "tiny.ini", "--set", "run.output=run")
            self.assertIn(done.returncode, (0, 1, 3), done.stderr)
            if done.returncode != 0:
                self.assertRegex(done.stderr.splitlines()[-1], r"^paced: .*ulimit -v|^paced: the host has no memory left")

    def test_memory_of_a_cpu_is_the_process_s(self):
        """A device for which the process may use 3 GiB gets half of it, as `paced devices` shows."""
        limited = self.run_limited(f"-v {3 << 20}", "devices", "--json")
        for device in json.loads(limited.stdout):
            if device["kind"] == "cpu":
                self.assertEqual(device["process_bytes"], 3 << 30)
                self.assertLessEqual(device["global_bytes"], 3 << 29)
                self.assertLessEqual(device["max_alloc_bytes"], 3 << 29)
                self.assertIn("half of the process's limit", self.run_limited(f"-v {3 << 20}", "devices").stdout)


if __name__ == "__main__":
    program.main()
