"""Failing drivers: the device is named and skipped, and the next one is used. `python3 test_broken_drivers.py PROGRAM
FAKE_ICD`: the driver of tests/platforms fails on purpose, and PoCL is the next device."""
import glob
import json
import os
import shutil
import subprocess
import sys

import program

FAKE = os.path.abspath(sys.argv.pop(2)) if len(sys.argv) > 2 else None
VENDORS = os.environ.get("OCL_ICD_VENDORS") or "/etc/OpenCL/vendors"
TRIAL_SECONDS = 2

# Messages about a device that another one can replace, by value of FAKE_ICD.
CAUSES = {"exit": "its driver ended the process .*exit status 9",
          "success": "its driver ended the process .*exit status 0", "noise": "its compiler fails",
          "abort": "its driver ended the process .*signal 6",
          "segv": "its driver ended the process .*signal 11",
          "hang": f"its driver did not answer within {TRIAL_SECONDS} s", "error": "its compiler fails",
          "wrong": "computes wrongly", "zero": "reports 0 bytes of memory", "context": "context|CL_OUT_OF_RESOURCES"}
# Messages about the only device: an unknown memory size is no reason to reject it, but allocations fail.
LAST_CAUSES = {**CAUSES, "zero": "memory|buffer|CL_MEM_OBJECT_ALLOCATION_FAILURE"}


def find_pocl():
    for path in sorted(glob.glob(os.path.join(VENDORS, "*.icd"))):
        if "pocl" in program.read_text(path).lower():
            return path
    return None


class BrokenDriverTest(program.Case):
    # The fastest command that needs a device; the directory for its results follows.
    PREDICT = ("predict", "small.ini", "--weights", "run/last.safetensors", "--logits", "data/benign", "--output")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for folder in ("pocl", "both"):
            os.mkdir(cls.path(folder))
            shutil.copy(find_pocl(), cls.path(folder, "pocl.icd"))
        for folder in ("fake", "both"):
            program.write_text(cls.path(folder, "fake.icd"), FAKE + "\n")
        program.make_breast(cls, count=8)
        # Channels in multiples of 16 need kernels of one vector width.
        program.write_ini(cls.path("small.ini"), base="tiny.ini", model={"width": 16}, train={"epochs": 1})
        # The verdict about PoCL is in the cache from here on, so later trials concern only the fake device.
        alone = cls.environment("", "pocl", "warm", 600)
        cls.run_program("train", "small.ini", "--output", "run", env=alone)
        cls.run_program(*cls.PREDICT, "expected", env=alone)

    def setUp(self):
        self.cache = f"cache of {self._testMethodName}"
        shutil.copytree(self.path("warm"), self.path(self.cache))

    @classmethod
    def environment(cls, failure, vendors, cache, seconds):
        return {"FAKE_ICD": failure, "OCL_ICD_VENDORS": cls.path(vendors), "PACED_CACHE_DIR": cls.path(cache),
                "PACED_DEVICE": "", "PACED_TRIAL_SECONDS": str(seconds)}

    def run_with(self, failure, *args, vendors="both", status=0):
        seconds = TRIAL_SECONDS if failure == "hang" else 600
        done = self.run_program(*args, status=status, env=self.environment(failure, vendors, self.cache, seconds))
        if "log.level=debug" not in args:
            self.assertNotRegex(done.stderr, "raw line|log line")
        return done

    def warning_in(self, done, failure):
        """The single line about the fake device."""
        line, = (line for line in done.stderr.splitlines() if "fake" in line)
        self.assertRegex(line, r"^paced: warning: device \d+:\d+ fake GPU \(Fake OpenCL\): ")
        self.assertRegex(line, rf"({CAUSES[failure]}).*skipped")
        return line

    def assert_same_pictures(self, output):
        names = sorted(os.listdir(self.path("expected")))
        self.assertGreater(len(names), 2)
        self.assertEqual(sorted(os.listdir(self.path(output))), names)
        for name in names:
            if name != "predict.ini":
                self.assertEqual(program.read_bytes(self.path(output, name)),
                                 program.read_bytes(self.path("expected", name)), name)

    def devices(self, failure):
        """The fake device and the others, as listed by `paced devices --json`."""
        devices = json.loads(self.run_with(failure, "devices", "--json").stdout)
        fake, = (device for device in devices if device["name"] == "fake GPU")
        return fake, [device for device in devices if device != fake]

    def test_next_device_is_used(self):
        for failure in CAUSES:
            with self.subTest(failure):
                first = self.run_with(failure, *self.PREDICT, f"{failure} 1")
                again = self.run_with(failure, *self.PREDICT, f"{failure} 2")
                self.assertEqual(self.warning_in(first, failure), self.warning_in(again, failure))
                self.assert_same_pictures(f"{failure} 1")
                self.assert_same_pictures(f"{failure} 2")

    def test_lasting_verdicts_are_kept(self):
        """A hang is not waited for again, unless more time is allowed than before."""
        for failure in ("hang", "exit", "wrong"):
            self.run_with(failure, *self.PREDICT, f"{failure} first")
            again = self.run_with(failure, *self.PREDICT, f"{failure} second", "--set", "log.level=debug")
            self.assertNotIn("kernels", again.stderr)
        env = self.environment("hang", "both", self.cache, TRIAL_SECONDS + 1)
        more = self.run_program(*self.PREDICT, "hang third", "--set", "log.level=debug", env=env)
        self.assertIn(f"kernels: its driver did not answer within {TRIAL_SECONDS + 1} s", more.stderr)

    def test_training(self):
        done = self.run_with("exit", "train", "small.ini", "--output", "beside")
        self.warning_in(done, "exit")
        logs = [program.read_log(self.path(run, "log.csv")) for run in ("beside", "run")]
        weights = [program.read_bytes(self.path(run, "last.safetensors")) for run in ("beside", "run")]
        self.assertEqual(*logs)
        self.assertEqual(*weights)

    def test_devices(self):
        for failure, cause in CAUSES.items():
            with self.subTest(failure):
                done = self.run_with(failure, "devices")
                self.assertRegex(done.stdout, rf"(?m)^  \d+:\d+  fake GPU .*not usable.*({cause})")
                self.assertRegex(done.stdout, r"(?m)^\* \d+:\d+  .*\n +platform Portable Computing Language")
                fake, others = self.devices(failure)
                self.assertFalse(fake["usable"])
                self.assertFalse(fake["selected"])
                self.assertEqual(sum(device["selected"] for device in others), 1)

    def test_named_device_ends_the_run(self):
        for failure, cause in LAST_CAUSES.items():
            with self.subTest(failure):
                fake, _ = self.devices(failure)
                for name in (fake["id"], "fake gpu"):
                    done = self.run_with(failure, *self.PREDICT, "none", "--set", f"device.select={name}",
                                         status=3)
                    line, = done.stderr.splitlines()
                    self.assertRegex(line, rf"^paced: .*fake GPU.*({cause})")

    def test_no_other_device(self):
        for failure, cause in LAST_CAUSES.items():
            with self.subTest(failure):
                done = self.run_with(failure, "devices", vendors="fake", status=3)
                self.assertRegex(done.stdout, rf"(?m)^  0:0  fake GPU .*not usable.*({cause})")
                done = self.run_with(failure, *self.PREDICT, "none", vendors="fake", status=3)
                self.assertRegex(done.stderr, rf"fake GPU.*({cause})")

    def test_driver_that_ends_the_process_while_listing(self):
        for vendors in ("both", "fake"):
            for args in (["devices"], [*self.PREDICT, "none"]):
                done = self.run_with("list", *args, vendors=vendors, status=3)
                line, = done.stderr.splitlines()
                self.assertRegex(line, "^paced: .*driver ended the process .signal 6.*paced doctor")
                self.assertEqual(done.stdout, "")

    def test_plain_loop(self):
        """A CLBlast whose programs do not build: a plain loop takes its place, once with a warning and no raw message."""
        env = {**self.environment("", "pocl", self.cache, 600), "CLBLAST_BUILD_OPTIONS": " -Dget_group_id=@ "}
        for output in ("plain 1", "plain 2"):
            done = self.run_program(*self.PREDICT, output, env=env)
            warning, _ = done.stderr.splitlines()
            self.assertRegex(warning, "^paced: warning: device .*a plain loop replaces it, at about a tenth of the "
                                      "speed; `paced doctor` shows the cause")
        masks = [name for name in os.listdir(self.path("expected")) if name.endswith(".png")]
        self.assertGreater(len(masks), 2)
        for name in masks:
            self.assertEqual(program.read_png(self.path("plain 1", name)), program.read_png(self.path("plain 2", name)))

    def forget_verdicts(self):
        for path in glob.glob(self.path(glob.escape(self.cache), "verdicts-*")):
            os.remove(path)

    def predict_with_pocl(self, cache, output, status=0):
        """The messages, with the kernels of PoCL in a cache of this test."""
        env = {**self.environment("", "pocl", self.cache, 600), "POCL_CACHE_DIR": self.path(cache)}
        return self.run_program(*self.PREDICT, output, env=env, status=status).stderr

    def test_damaged_cache_of_pocl(self):
        """Truncated kernels crash the process when they are loaded. A line names the folder; without it all is well."""
        self.forget_verdicts()
        self.predict_with_pocl("kernels", "undamaged")
        kernels = glob.glob(self.path("kernels", "**", "*.so"), recursive=True)
        self.assertGreater(len(kernels), 2)
        for kernel in kernels:
            os.truncate(kernel, 512)
        said = self.predict_with_pocl("kernels", "damaged", status=1).splitlines()
        self.assertRegex(said[-1], r"^paced: device .*: the program crashed \(SIG[A-Z]+\), probably in the driver; ")
        self.assertIn(self.path("kernels"), said[-1])
        self.forget_verdicts()  # a device that is tried with damaged kernels is not given up
        said = self.predict_with_pocl("kernels", "damaged", status=3)
        self.assertRegex(said, f"warning: device .*: its driver ended the process .*{self.path('kernels')}")
        shutil.rmtree(self.path("kernels"))
        self.predict_with_pocl("kernels", "repaired")
        self.assert_same_pictures("repaired")

    def test_cache_of_pocl_on_a_full_disk(self):
        os.mkdir(self.path("full"))
        mounted = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=64k none full && exec "$@"', "sh"]
        if subprocess.run([*mounted, "true"], cwd=self.dir, capture_output=True).returncode != 0:
            self.skipTest("no disk can be mounted: needs root and unshare")
        env = {**os.environ, **self.environment("", "pocl", self.cache, 600), "POCL_CACHE_DIR": self.path("full", "cache")}
        done = subprocess.run([*mounted, program.PROGRAM, *self.PREDICT, "none"], cwd=self.dir, text=True, env=env,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, f"(?m)^paced: device .*{self.path('full', 'cache')}.*full disk")

    def test_compiler_messages_are_for_debugging(self):
        for failure, words in (("exit", ["raw line 1", "raw line 3"]), ("error", ["raw line 1", "log line 2"])):
            done = self.run_with(failure, *self.PREDICT, f"debug {failure}", "--set", "log.level=debug")
            for word in words:
                self.assertIn(f"fake compiler: {word}", done.stderr)


if __name__ == "__main__":
    if not FAKE:
        sys.exit(f"usage: python3 {sys.argv[0]} PROGRAM FAKE_ICD")
    if not find_pocl():
        program.skip(f"no .icd file of PoCL in {VENDORS}")
    program.main()
