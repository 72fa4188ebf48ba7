"""train.precision and predict.precision = mixed: deterministic, resumable, refused where the device or a run does not
allow it, and close to float32."""
import json
import os
import re

import program

MIXED = ("train.precision=mixed",)
WEIGHTS = ("best.safetensors", "last.safetensors", "state.safetensors")
# A kernel that builds and computes wrongly.
WRONG = "kernel void trial(uint vectors, global const float *x, global float *y)\n{\n    y[get_global_id(0)] = 0;\n}\n"


class PrecisionTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=14)
        cls.train("exact")
        cls.train("mixed", *MIXED)

    @staticmethod
    def sets(*keys):
        return [word for key in keys for word in ("--set", key)]

    @classmethod
    def train(cls, output, *keys, more=()):
        return cls.run_program("train", "tiny.ini", "--output", output, *cls.sets("train.lr=0.02", *keys), *more)

    def assert_same_run(self, a, b):
        self.assertEqual(program.read_log(self.path(a, "log.csv")), program.read_log(self.path(b, "log.csv")))
        for name in WEIGHTS:
            self.assertEqual(program.read_bytes(self.path(a, name)), program.read_bytes(self.path(b, name)), name)

    def losses(self, output):
        return [float(row["loss"]) for row in program.read_log(self.path(output, "log.csv"))]

    def test_same_seed_gives_the_same_bits(self):
        self.train("again", *MIXED)
        self.assert_same_run("mixed", "again")

    def test_close_to_float32(self):
        exact, mixed = self.losses("exact"), self.losses("mixed")
        self.assertNotEqual(exact, mixed)
        self.assertLess(abs(mixed[0] - exact[0]), 0.02 * exact[0])

    def test_files_are_float32(self):
        for name in ("best.safetensors", "last.safetensors"):
            tensors, metadata = program.read_tensors(self.path("mixed", name))
            self.assertEqual({dtype for dtype, _, _ in tensors.values()}, {"F32", "I64"})
            self.assertNotIn("precision", metadata)

    def test_resume(self):
        self.train("resumed", *MIXED, "train.epochs=1")
        self.train("resumed", *MIXED, more=["--resume"])
        self.assert_same_run("mixed", "resumed")

    def test_resume_with_another_precision_is_refused(self):
        for output, original in (("mixed", "mixed"), ("exact", "float32")):
            other = "float32" if original == "mixed" else "mixed"
            self.refuse("train", "tiny.ini", "--output", output, "--resume",
                        *self.sets("train.epochs=3", f"train.precision={other}"),
                        says=("state.safetensors", f"train.precision = {original}", "--overwrite"))

    def test_teacher_follows_the_training(self):
        keys = (*MIXED, "distill.method=kd", "distill.teacher=exact/best.safetensors", "distill.cache_mb=0")
        self.train("distilled", *keys)
        self.train("distilled_2", *keys, "predict.precision=mixed")
        self.train("distilled_3", *keys[1:])
        self.assert_same_run("distilled", "distilled_2")
        self.assertNotEqual(self.losses("distilled"), self.losses("distilled_3"))

    def masks(self, output, precision):
        self.run_program("predict", "tiny.ini", "--weights", "exact/last.safetensors", "data/benign", "--logits",
                         "--output", output, *self.sets(f"predict.precision={precision}"))
        return {name: program.read_bytes(self.path(output, name)) for name in sorted(os.listdir(self.path(output)))}

    def test_masks_agree(self):
        exact, mixed = self.masks("masks", "float32"), self.masks("mixed_masks", "mixed")
        self.assertEqual(list(exact), list(mixed))
        self.assertNotEqual(exact, mixed)  # the logits
        pixels = others = 0
        for name in exact:
            if not name.endswith(".png") or name.endswith(("_p1.png", "_overlay.png")):
                continue
            a, b = (program.read_png(self.path(folder, name))[-1] for folder in ("masks", "mixed_masks"))
            pixels += len(a)
            others += sum(x != y for x, y in zip(a, b))
        self.assertGreater(pixels, 1000)
        self.assertLess(others, 0.01 * pixels)

    def test_other_commands(self):
        keys = self.sets("predict.precision=mixed", "robustness.corruptions=brightness", "robustness.severities=3")
        self.run_program("test", "exact/config.ini", *keys)
        self.run_program("robustness", "exact/config.ini", *keys)
        self.run_program("calibrate", "exact/config.ini", "--weights", "exact/best.safetensors", *keys)

    def test_plan_and_benchmark(self):
        plans = [self.run_program("graph", "tiny.ini", *self.sets("model.width=16", *keys)).stdout
                 for keys in ((), (*MIXED, "predict.precision=mixed"))]
        sizes = [[float(size) for size in re.findall(r"([\d.]+) MiB without sharing", plan)] for plan in plans]
        self.assertEqual(plans[1].count("mixed precision"), 2)
        for exact, mixed in zip(*sizes):
            self.assertLess(mixed, 0.65 * exact)
        planned = []
        for keys in ((), (*MIXED, "predict.precision=mixed")):
            result = json.loads(self.run_program("bench", "tiny.ini", "--json", *self.sets(*keys)).stdout)
            planned.append([result[mode]["planned_bytes"] for mode in ("training", "inference")])
        for exact, mixed in zip(*planned):
            self.assertLess(mixed, exact)

    def test_tuning_of_each_precision(self):
        """Small layers have choices in mixed precision that float32 refuses, so the keys differ."""
        self.run_program("tune", "tiny.ini", "--output", "tuned.ini", *self.sets(*MIXED))
        keys = [key for key in program.parse_ini(program.read_text(self.path("tuned.ini")))
                if key.startswith("convolution.")]
        self.assertTrue(any(key.endswith("forward-training mixed") for key in keys), keys)
        self.assertTrue(any(key.endswith("n4 forward") for key in keys), keys)
        for name, keys in (("tuned_mixed", MIXED), ("tuned_exact", ())):
            self.train(name, "device.tuning=tuned.ini", *keys)

    def test_device_that_fails_the_trial(self):
        os.makedirs(self.path("cl"), exist_ok=True)
        program.write_text(self.path("cl", "trial_bfloat16.cl"), WRONG)
        env = {"PACED_CL_DIR": self.path("cl"), "PACED_CACHE_DIR": self.path("cache")}
        self.run_program("train", "tiny.ini", "--output", "warm", "--set", "train.epochs=1", env=env)
        says = ("bfloat16 storage", "it computes wrongly", "train.precision and predict.precision to float32")
        for command in (("train", "tiny.ini", "--output", "refused", *self.sets(*MIXED)),
                        ("predict", "tiny.ini", "--weights", "exact/last.safetensors", "data/benign", "--output",
                         "refused", *self.sets("predict.precision=mixed"))):
            self.run_program(*command, env=env, status=2)  # makes the trial and stores the verdict
            self.refuse(*command, says=says, env=env)


if __name__ == "__main__":
    program.main()
