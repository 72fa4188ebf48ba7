"""`paced doctor` on machines that lack something. `python3 test_doctor.py PROGRAM FAKE_ICD`: the driver of
tests/platforms fails on purpose."""
import json
import os
import shutil
import subprocess
import sys

import program

FAKE = os.path.abspath(sys.argv.pop(2)) if len(sys.argv) > 2 else None
VENDORS = os.environ.get("OCL_ICD_VENDORS") or "/etc/OpenCL/vendors"
STEPS = {"kernels", "matrix products", "network", "half storage", "half arithmetic", "bfloat16 storage",
         "bfloat16 products", "bfloat16 tiles"}


class DoctorTest(program.Case):
    def examine(self, *args, status=0, **env):
        """A separate cache: the doctor deletes the verdicts that other tests stored about devices."""
        return self.run_program("doctor", *args, status=status, env={"PACED_CACHE_DIR": self.path("cache"), **env})

    def report(self, status=0, **env):
        """The JSON report, after checks common to all reports."""
        report = json.loads(self.examine("--json", status=status, **env).stdout)
        self.assertEqual(report["status"], status)
        self.assertRegex(report["program"]["version"], r"^\d+\.\d+")
        self.assertTrue(os.path.exists(report["libraries"]["clblast"]))
        self.assertGreaterEqual(report["system"]["processors"], 1)
        self.assertIn("open_files", report["system"]["limits"])
        return report

    def vendors(self, name, **files):
        """A folder of .icd files: name of the file, and the library in it."""
        os.makedirs(self.path(name), exist_ok=True)
        for stem, library in files.items():
            program.write_text(self.path(name, stem + ".icd"), library + "\n")
        return self.path(name)

    def copied_vendors(self, name, **files):
        """The installed implementations and those of `files`."""
        shutil.copytree(VENDORS, self.path(name))
        return self.vendors(name, **files)

    def implementation(self, report, stem):
        found, = (file for file in report["implementations"]["files"] if file["path"].endswith(f"/{stem}.icd"))
        return found

    def assert_advice(self, report, *words):
        self.assertTrue(any(all(word in text for word in words) for text in report["advice"]), report["advice"])

    def test_this_machine(self):
        report = self.report()
        device, = (d for d in report["devices"] if d["id"] == report["selection"]["device"])
        self.assertEqual(set(device["trials"]), STEPS)
        for step in ("kernels", "matrix products", "network"):
            self.assertEqual(device["trials"][step]["verdict"], "passed")
        self.assertLess(device["trials"]["network"]["result"], 1e-4)
        self.assertGreater(device["trials"]["network"]["result"], 0)
        text = self.examine().stdout
        self.assertRegex(text, rf"(?m)^\* {device['id']}  ")
        self.assertRegex(text, rf"(?m)^verdict: device {device['id']}, .* works$")

    def test_without_opencl(self):
        folder = self.vendors("none")
        report = self.report(status=3, OCL_ICD_VENDORS=folder)
        self.assertEqual(report["implementations"], {"folder": folder, "files": []})
        self.assertEqual(report["devices"], [])
        self.assertIsNone(report["selection"]["device"])
        self.assert_advice(report, "no OpenCL implementation is installed", "pocl-opencl-icd")
        self.assertIn("verdict: no usable OpenCL device", self.examine(status=3, OCL_ICD_VENDORS=folder).stdout)

    def test_broken_files(self):
        folder = self.copied_vendors("broken", missing="libmissing.so.7", other="libpng16.so.16", empty="")
        report = self.report(OCL_ICD_VENDORS=folder)
        missing, other = self.implementation(report, "missing"), self.implementation(report, "other")
        self.assertIn("libmissing.so.7: cannot open shared object file", missing["cause"])
        self.assertIn("not an OpenCL implementation", other["cause"])
        self.assert_advice(report, "libmissing.so.7", "missing.icd")
        self.assert_advice(report, "empty.icd", "empty or cannot be read")

    def test_two_platforms(self):
        folder = self.copied_vendors("two", fake=FAKE)
        report = self.report(OCL_ICD_VENDORS=folder, FAKE_ICD="error")
        self.assertEqual(self.implementation(report, "fake")["platforms"][0]["name"], "Fake OpenCL")
        fake, = (d for d in report["devices"] if d["name"] == "fake GPU")
        self.assertEqual(fake["trials"], {"kernels": {"verdict": "its compiler fails", "result": None}})
        self.assertNotEqual(report["selection"]["device"], fake["id"])
        self.assert_advice(report, f"device {fake['id']}", "its compiler fails")

    def test_noise_that_is_not_text(self):
        """A compiler that writes much, and not in UTF-8: the report is valid JSON and names the cause."""
        report = self.report(OCL_ICD_VENDORS=self.copied_vendors("noise", fake=FAKE), FAKE_ICD="noise")
        fake, = (d for d in report["devices"] if d["name"] == "fake GPU")
        self.assertEqual(fake["trials"]["kernels"]["verdict"], "its compiler fails")
        self.assertIsNotNone(report["selection"]["device"])

    def test_selection_by_the_environment(self):
        report = self.report(status=3, PACED_DEVICE="no such device")
        self.assertEqual(report["selection"]["select"], "no such device")
        self.assert_advice(report, "PACED_DEVICE=no such device")

    def test_implementation_that_ends_the_process(self):
        folder = self.vendors("list", fake=FAKE)
        report = self.report(status=3, OCL_ICD_VENDORS=folder, FAKE_ICD="list")
        self.assertIn("signal 6", self.implementation(report, "fake")["verdict"])
        self.assertIn("signal 6", report["listing"])
        self.assert_advice(report, "fake.icd", "cannot be used")

    def test_verdicts_are_forgotten(self):
        """A repaired driver is used again."""
        env = {"OCL_ICD_VENDORS": self.copied_vendors("mended", fake=FAKE), "PACED_CACHE_DIR": self.path("mended cache")}
        self.run_program("devices", env={**env, "FAKE_ICD": "exit"})
        self.assertIn("exit status 9", self.verdicts("mended cache"))
        self.report(**env, FAKE_ICD="")
        self.assertNotIn("exit status 9", self.verdicts("mended cache"))
        self.assertIn("kernels: passed", self.verdicts("mended cache"))

    def verdicts(self, folder):
        return "".join(program.read_text(self.path(folder, name)) for name in os.listdir(self.path(folder))
                       if name.startswith("verdicts-"))

    def test_cache_that_cannot_be_written(self):
        program.write_text(self.path("file"), "")
        report = self.report(PACED_CACHE_DIR=self.path("file", "cache"))
        cache, = (cache for cache in report["caches"] if cache["name"] == "paced")
        self.assertFalse(cache["writable"])
        self.assert_advice(report, "PACED_CACHE_DIR")

    def test_empty_variable_counts_as_unset(self):
        self.run_program("devices", env={"POCL_CACHE_DIR": ""})

    def test_without_sys(self):
        hidden = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /sys && exec "$@"', "sh"]
        if subprocess.run([*hidden, "true"], capture_output=True).returncode != 0:
            self.skipTest("/sys cannot be hidden: needs root and unshare")
        done = subprocess.run([*hidden, program.PROGRAM, "doctor", "--json"], cwd=self.dir, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, report["status"])
        self.assertIn(report["status"], (0, 3))  # PoCL from version 4 on ends the process
        self.assertFalse(report["system"]["sysfs"])
        self.assert_advice(report, "/sys is not mounted")


if __name__ == "__main__":
    if not FAKE:
        sys.exit(f"usage: python3 {sys.argv[0]} PROGRAM FAKE_ICD")
    program.main()
