"""Tests of platforms.py on made-up implementations, whose programs are shell scripts: a failure, a death, a NaN and a
difference between two runs are each found and named."""
import json
import os
import pathlib
import select
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parent / "platforms.py"
DEVICE = {"id": "0:0", "name": "toy", "platform": "Toys", "version": "OpenCL 1.2 toy", "driver": "7", "kind": "gpu",
          "usable": True}
# The loss is read from a file; the weights are the variant's name, and the run's where a file says so.
PACED = """#!/bin/sh
case $1 in
devices) cat "$HERE/devices.json"; exit $(cat "$HERE/devices_status") ;;
train)
    mkdir -p "$4"
    loss=$(cat "$HERE/$PACED_VARIANT.loss")
    printf 'epoch,phase,ce,seconds\\n1,train,%s,0\\n1,val,1,0\\n2,train,1,0\\n2,val,1,0\\n' "$loss" >"$4/log.csv"
    if [ -f "$HERE/random" ]; then echo "$4"; fi >"$4/last.safetensors" ;;
esac
"""


class PlatformsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="paced-platforms-")
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)
        self.write("vendors/toy.icd", "libtoy.so\n")
        self.write("vendors/other.icd", "libother.so\n")
        self.write("devices.json", json.dumps([DEVICE, DEVICE, {**DEVICE, "name": "broken", "usable": False}]))
        self.write("devices_status", "0")
        for variant in ("cpu", "gpu"):
            self.write(f"{variant}.loss", "0.5")
        self.write_program("paced", PACED)
        for name in ("kernel_a", "kernel_b", "gradient_a", "golden_a"):
            self.write_program(f"tests/test_{name}", "#!/bin/sh\n")

    def write(self, name, text):
        path = self.dir / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def write_program(self, name, text):
        self.write(name, text).chmod(0o755)

    def run_script(self, status, *options):
        env = {**os.environ, "HERE": str(self.dir), "OCL_ICD_VENDORS": str(self.dir / "vendors")}
        command = [sys.executable, str(SCRIPT), "--build", str(self.dir), "--only", "toy", *options]
        done = subprocess.run(command, env=env, text=True, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def test_all_pass(self):
        """One row for each variant of the one usable kind of device, which sees its own .icd file alone."""
        self.write_program("tests/test_kernel_a", '#!/bin/sh\n[ "$(ls "$OCL_ICD_VENDORS")" = toy.icd ] && '
                                                  '[ "$PACED_DEVICE" = 0:0 ] && [ "$PACED_TEST_SMALL" = 0 ]')
        rows = self.run_script(0, "--markdown").stdout.splitlines()
        for row, variant in zip(rows, ("cpu", "gpu"), strict=True):
            self.assertIn(f"| Toys, OpenCL 1.2 | 7 | toy | {variant} | 2/2 | 1/1 | 1/1 | passed |", row)

    def test_gpu_alone(self):
        self.assertIn("2/2", self.run_script(0, "--gpu").stdout)
        self.write("devices.json", json.dumps([{**DEVICE, "kind": "cpu"}]))
        self.assertIn("toy: no usable GPU", self.run_script(77, "--gpu").stderr)

    def test_slow_devices_run_small_sizes(self):
        self.write("devices.json", json.dumps([{**DEVICE, "name": "llvmpipe"}]))
        self.write_program("tests/test_kernel_a", '#!/bin/sh\n[ "$PACED_TEST_SMALL" = 1 ]')
        self.assertIn("2/2 small", self.run_script(0).stdout)

    def test_failing_programs_are_named(self):
        self.write_program("tests/test_kernel_a", "#!/bin/sh\necho '[  FAILED  ] test_sizes'\nexit 1\n")
        self.write_program("tests/test_golden_a", "#!/bin/sh\nkill -9 $$\n")
        done = self.run_script(1)
        self.assertRegex(done.stdout, "1/2 +1/1 +0/1 +passed")
        self.assertIn("FAILED: toy, toy, cpu: test_kernel_a: status 1, test_sizes; see ", done.stderr)
        self.assertIn("test_golden_a: killed by signal 9; see ", done.stderr)

    def test_programs_that_do_not_end_are_killed_with_their_children(self):
        """The child holds a pipe open as long as it lives."""
        os.mkfifo(self.dir / "pipe")
        pipe = os.open(self.dir / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, pipe)
        self.write_program("tests/test_kernel_a", '#!/bin/sh\nsleep 1000 >"$HERE/pipe" &\nwait\n')
        done = self.run_script(1, "--limit", "2")
        self.assertIn("toy, cpu: test_kernel_a: did not end in 2 s; see ", done.stderr)
        poll = select.poll()
        poll.register(pipe)
        self.assertEqual(poll.poll(10000), [(pipe, select.POLLHUP)])

    def test_failing_trainings_are_named(self):
        self.write("gpu.loss", "0.501")
        self.assertIn("training loss is 0.501, the first device's 0.5\n", self.run_script(1).stderr)
        self.write("gpu.loss", "nan")
        self.assertIn("toy, gpu: training: losses are not 4 finite numbers: [nan, ", self.run_script(1).stderr)
        self.write("random", "")
        self.assertIn("toy, cpu: training: two equal runs differ", self.run_script(1).stderr)

    def test_an_implementation_that_cannot_be_listed(self):
        self.write("devices_status", "134")
        self.assertIn("FAILED: toy: `paced devices` ends with 134", self.run_script(1).stderr)

    def test_nothing_to_run_on(self):
        (self.dir / "vendors" / "toy.icd").unlink()
        self.run_script(77)
        self.write("devices.json", "[]")
        self.write("devices_status", "3")
        self.write("vendors/toy.icd", "libtoy.so\n")
        self.assertIn("toy: no usable device", self.run_script(77).stderr)

    def test_nothing_built(self):
        (self.dir / "tests" / "test_golden_a").unlink()
        self.assertIn("lacks tests/test_golden_*; install", self.run_script(1).stderr)


if __name__ == "__main__":
    unittest.main()
