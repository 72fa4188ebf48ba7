"""Images of another shape than the network's input: data.fit, measured on the input and on the masks' own pixels
(test.resolution), with distances in pixels and in mm (data.spacing)."""
import os
import unittest

import program

WIDTH, HEIGHT, SIZE = 60, 40, 32


def scan(i):
    return [(x * 5 + y * 3 + i * 17) % 97 + (120 if lesion(i, x, y) else 0) for y in range(HEIGHT) for x in range(WIDTH)]


def lesion(i, x, y):
    return 12 + i <= x < 40 and 8 <= y < 30 - i


class FitTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, numbers in (("train", range(4)), ("val", range(4, 6))):
            pairs = [[f"{i}.png", f"{i}_mask.png"] for i in numbers]
            program.write_json(cls.path(f"{name}.json"), pairs)
            for i in numbers:
                program.write_png(cls.path("set", f"{i}.png"), WIDTH, HEIGHT, 1, scan(i))
                program.write_png(cls.path("set", f"{i}_mask.png"), WIDTH, HEIGHT, 1,
                                  [255 * lesion(i, x, y) for y in range(HEIGHT) for x in range(WIDTH)])
        program.write_ini(cls.path("set.ini"), model={"width": 4}, train={"epochs": 6, "batch": 2, "lr": 0.01},
                          data={"root": "set", "train": "train.json", "val": "val.json", "size": SIZE, "workers": 2})
        for fit in ("stretch", "pad", "crop"):
            cls.run_program("train", "set.ini", "--set", f"data.fit={fit}", "--output", f"{fit}-run")

    def measure(self, *options, fit="pad", resolution="original"):
        self.run_program("test", "set.ini", "--set", f"data.fit={fit}", "--set", f"run.output={fit}-run", "--output",
                         "results", "--set", f"test.resolution={resolution}",
                         *(word for option in options for word in ("--set", option)))
        return {row["image"]: row for row in program.read_csv(self.path("results", "metrics.csv"))[1] if row["class"] == "1"}

    def test_pad_ignores_the_border(self):
        """36 rows of 60 x 40 fill 21.3 of 32; the rest counts nowhere."""
        out = self.run_program("data", "check", "set.ini", "--set", "data.fit=pad").stdout
        ignored = 100 * (1 - 21 / 32)
        self.assertRegex(out, rf"\n +- +0 +0\.000% +4 +{ignored:.3f}%  \(ignored\)\n")
        out = self.run_program("data", "check", "set.ini").stdout
        self.assertNotIn("(ignored)", out)
        logs = {fit: program.read_log(self.path(f"{fit}-run", "log.csv")) for fit in ("stretch", "pad", "crop")}
        self.assertEqual(len({rows[0]["ce"] for rows in logs.values()}), 3)
        for rows in logs.values():
            self.assertLess(float(rows[-1]["ce"]), float(rows[1]["ce"]))

    def test_original_resolution_is_that_of_predict(self):
        for fit in ("stretch", "pad"):
            rows = self.measure("test.metrics=dice,hd95,nsd,ece,brier", fit=fit)
            self.run_program("predict", "set.ini", "--set", f"data.fit={fit}", "--weights",
                             f"{fit}-run/best.safetensors", "--output", f"{fit}-out", "set/4.png", "set/5.png")
            for i in (4, 5):
                width, height, _, pixels = program.read_png(self.path(f"{fit}-out", f"{i}.png"))
                self.assertEqual((width, height), (WIDTH, HEIGHT))
                both = predicted = labelled = 0
                for k, value in enumerate(pixels):
                    label = lesion(i, k % WIDTH, k // WIDTH)
                    both += value == 255 and label
                    predicted += value == 255
                    labelled += label
                self.assertGreater(both, 0)
                self.assertAlmostEqual(float(rows[f"{i}.png"]["dice"]), 2 * both / (predicted + labelled), 5)

    def test_cleaned_overlays(self):
        """Predictions are cleaned at the size of the mask for the figures, and at that of the input for the pictures."""
        for cleaning in ("largest", "needle"):
            self.measure(f"test.postprocess={cleaning}", "test.overlays=2")
            self.assertTrue(os.path.exists(self.path("results", "overlays", "overlays.csv")))

    def test_crop_leaves_edges_without_prediction(self):
        weights = ["--weights", "crop-run/best.safetensors", "--output", "crop-out", "set/4.png"]
        self.refuse("predict", "set.ini", "--set", "data.fit=crop", *weights, says=["data.fit = crop", "predict.mode"])
        self.run_program("predict", "set.ini", "--set", "data.fit=crop", "--set", "predict.mode=window", *weights)
        self.refuse("test", "set.ini", "--set", "data.fit=crop", "--set", "run.output=crop-run", "--output", "none", "--set",
                    "test.resolution=original", says=["test.resolution = original", "data.fit = crop"])
        self.refuse("robustness", "set.ini", "--set", "run.output=pad-run", "--output", "none", "--set",
                    "test.resolution=original", "--set", "robustness.corruptions=contrast,rotate",
                    says=["test.resolution = original", "rotate"])

    def test_distances_in_mm(self):
        pixels = self.measure("test.metrics=hd95,nsd", "test.nsd_tolerance=2")
        half = self.measure("test.metrics=hd95,nsd", "test.nsd_tolerance=1", "data.spacing=0.5")
        for name, row in pixels.items():
            self.assertAlmostEqual(float(half[name]["hd95"]), float(row["hd95"]) / 2, 6)
            self.assertAlmostEqual(float(half[name]["nsd"]), float(row["nsd"]), 6)
        # On the input, a stretched pixel is 40 / 32 rows high and 60 / 32 columns wide.
        square = self.measure("test.metrics=hd95", "data.spacing=0.8x0.5333333333333333", fit="stretch", resolution="input")
        plain = self.measure("test.metrics=hd95", fit="stretch", resolution="input")
        for name, row in plain.items():
            self.assertAlmostEqual(float(square[name]["hd95"]), float(row["hd95"]), 5)
        for text in ("0", "-1", "1x", "x1", "1x2x3", "a"):
            self.refuse("test", "set.ini", "--set", f"data.spacing={text}", says=["data.spacing: '" + text, "mm"])


if __name__ == "__main__":
    program.main()
