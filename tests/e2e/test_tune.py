"""`paced tune`, and training with its results: found automatically, named, or disabled."""
import json
import os
import re
import shutil
import signal

import program

SHIPPED = {"Portable Computing Language": "pocl", "Intel(R) OpenCL": "intel"}  # platform: first word of its files
WEIGHTS = ("best.safetensors", "last.safetensors", "state.safetensors")


class TuneTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=8)
        program.write_ini(cls.path("small.ini"), base="tiny.ini", model={"width": 16}, train={"batch": 2, "epochs": 1})
        cls.tuned = cls.run_program("tune", "small.ini", env=cls.cache())
        cls.file, = (cls.path("cache", name) for name in os.listdir(cls.path("cache")) if name.endswith(".ini"))

    @classmethod
    def cache(cls, name="cache"):
        """An environment with a separate cache, without variables that would change the choice."""
        return {"PACED_CACHE_DIR": cls.path(name), "PACED_VARIANT": ""}

    def train(self, output, *sets, cache="cache", resume=False):
        options = [word for key in sets for word in ("--set", key)] + ["--resume"] * resume
        return self.run_program("train", "small.ini", "--output", output, *options, env=self.cache(cache))

    def tuning_of(self, output):
        _, metadata = program.read_tensors(self.path(output, "state.safetensors"))
        return metadata["tuning"]

    def assert_same_run(self, a, b):
        self.assertEqual(program.read_log(self.path(a, "log.csv")), program.read_log(self.path(b, "log.csv")))
        for name in WEIGHTS:
            self.assertEqual(program.read_bytes(self.path(a, name)), program.read_bytes(self.path(b, name)), name)

    def test_table_and_file_agree(self):
        keys = program.parse_ini(re.sub(r" ;.*", "", program.read_text(self.file)))
        choices = {key: value for key, value in keys.items() if key.startswith("convolution.")}
        self.assertIn(keys["gemm.setting"], self.tuned.stdout)
        self.assertEqual(keys["device.measured"], "unet, width 16, size 32, batch 2")
        self.assertIn("convolution.32x32x3-16 k3 s1 p1 d1 n2 forward", choices)
        self.assertNotIn("convolution.32x32x3-16 k3 s1 p1 d1 n2 backward-data", choices)  # not needed by any layer
        for key, value in choices.items():
            self.assertRegex(self.tuned.stdout, rf"(?m)^{re.escape(key.split('.')[1])} +{value} ")
        said = self.tuned.stderr.splitlines()
        items = [line for line in said if re.match(r"paced: tune \d+/\d+: ", line)]
        self.assertEqual(items[-1].split(": ")[1], f"tune {len(items)}/{len(items)}")
        self.assertEqual(said[-1], f"paced: tune: stored in {self.file}")

    def test_same_tuning_gives_the_same_bits(self):
        self.train("found")
        self.train("named", f"device.tuning={self.file}", cache="other")
        self.train("again")
        self.assert_same_run("found", "again")
        self.assert_same_run("found", "named")

    def test_another_tuning_is_told(self):
        self.train("off", "device.tuning=off")
        off = self.tuning_of("off")
        done = self.train("off", "train.epochs=2", resume=True)
        self.assertIn("another device.tuning", done.stderr)
        self.assertNotEqual(self.tuning_of("off"), off)
        done = self.train("off", "train.epochs=3", resume=True)
        self.assertNotIn("another device.tuning", done.stderr)

    def refuse_file(self, text, *says):
        program.write_text(self.path("bad.ini"), text)
        self.refuse("train", "small.ini", "--output", "refused", "--set", "device.tuning=bad.ini",
                    says=(self.path("bad.ini"), *says), env=self.cache())

    def test_bad_files(self):
        self.refuse("train", "small.ini", "--output", "refused", "--set", "device.tuning=missing.ini",
                    says=(self.path("missing.ini"),), env=self.cache())
        self.refuse_file("[gemm]\nsetting = magic\n", ":2:", "setting", "magic")
        self.refuse_file("[gemm]\nsetting\n", ":2:")
        self.refuse_file("[tuning]\nsetting = magic\n", ":2:", "[tuning]")
        self.refuse_file("[convolution]\n32x32x3-16 k3 s1 p1 d1 n2 forward = magic\n", ":2:", "32x32x3-16", "magic")

    def test_own_file_that_is_broken_is_ignored(self):
        shutil.copytree(self.path("cache"), self.path("broken"))
        program.write_text(self.path("broken", os.path.basename(self.file)), "nonsense\n")
        done = self.train("broken_run", cache="broken")
        self.assertIn("is ignored", done.stderr)

    def test_shipped_file_is_found(self):
        device, = (d for d in json.loads(self.run_program("devices", "--json").stdout) if d["selected"])
        files = next((files for platform, files in SHIPPED.items() if platform in device["platform"]), None)
        if not files or device["float_width"] not in (8, 16):
            self.skipTest("no tuning is shipped for this device")
        done = self.train("shipped", "log.level=debug", cache="fresh")
        self.assertRegex(done.stderr, rf"tuning .*/{files}-cpu-{device['float_width']}\.ini")
        done = self.train("shipped_off", "log.level=debug", "device.tuning=off", cache="fresh")
        self.assertNotIn(f"{files}-cpu", done.stderr)

    def test_adds_to_the_file_that_is_named(self):
        before = program.parse_ini(program.read_text(self.file))
        shutil.copy(self.file, self.path("mine.ini"))
        program.write_ini(self.path("larger.ini"), base="small.ini", data={"size": 48})
        self.run_program("tune", "larger.ini", "--output", "mine.ini", env=self.cache("other"))
        after = program.parse_ini(program.read_text(self.path("mine.ini")))
        self.assertLessEqual(set(before), set(after))
        self.assertIn("convolution.48x48x3-16 k3 s1 p1 d1 n2 forward", after)
        self.assertFalse([name for name in os.listdir(self.path("other")) if name.endswith(".ini")])

    def test_stopping_leaves_the_file(self):
        shutil.copytree(self.path("cache"), self.path("stopped"))
        copy = self.path("stopped", os.path.basename(self.file))
        child = self.start("tune", "small.ini", env=self.cache("stopped"))
        with child.stderr:
            child.stderr.readline()
            child.send_signal(signal.SIGINT)
            child.stderr.read()
        self.assertEqual(child.wait(timeout=60), 130)
        self.assertEqual(program.read_text(copy), program.read_text(self.file))

    def test_a_forced_algorithm_leaves_no_choice(self):
        self.refuse("tune", "small.ini", says=("PACED_CONV",), env={**self.cache(), "PACED_CONV": "im2col"})


if __name__ == "__main__":
    program.main()
