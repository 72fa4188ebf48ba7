"""The further metrics of `paced test`, recomputed from the logits written by `paced predict`."""
import math
import os

import program

COUNTED = ["dice", "iou", "precision", "recall", "f1"]
MEASURED = ["hd95", "nsd", "ece", "brier"]
BINS = 15


def outline(mask, side):
    """{(row, column)} of the mask pixels with a neighbour outside the mask, or at the edge of the image."""
    held = {(i // side, i % side) for i, value in enumerate(mask) if value}
    return {(y, x) for y, x in held if not {(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)} <= held}


def percentile(values, share):
    values = sorted(values)
    place = share * (len(values) - 1)
    below = int(place)
    return values[below] + (place - below) * (values[min(below + 1, len(values) - 1)] - values[below])


def compare_outlines(first, second, side, tolerance):
    a, b = outline(first, side), outline(second, side)
    if not a or not b:
        return (0, 1) if not a and not b else (math.hypot(side, side), 0)
    ways = [[min(math.dist(p, q) for q in other) for p in one] for one, other in ((a, b), (b, a))]
    near = sum(d <= tolerance for way in ways for d in way)
    return max(percentile(way, 0.95) for way in ways), near / (len(a) + len(b))


def softmax(logits):
    powers = [math.exp(z - max(logits)) for z in logits]
    return [power / sum(powers) for power in powers]


def calibrate(pixels):
    """ece, brier, nll and the bins [confidence, correct, count] of (probabilities, label)."""
    bins, brier, nll = [[0, 0, 0] for _ in range(BINS)], 0, 0
    for p, label in pixels:
        best = p.index(max(p))
        bin_ = bins[max(math.ceil(p[best] * BINS) - 1, 0)]
        for i, value in enumerate((p[best], best == label, 1)):
            bin_[i] += value
        brier += sum((value - (c == label)) ** 2 for c, value in enumerate(p))
        nll -= math.log(p[label])
    ece = sum(abs(right - confidence) for confidence, right, _ in bins)
    return ece / len(pixels), brier / len(pixels), nll / len(pixels), bins


class Sample:
    def __init__(self, logits, classes, label):
        _, _, values = program.read_tensors(logits)[0]["logits"]
        planes = [values[c * len(label):(c + 1) * len(label)] for c in range(classes)]
        self.label = label
        self.probabilities = [softmax(pixel) for pixel in zip(*planes)]
        self.prediction = [p.index(max(p)) for p in self.probabilities]
        self.pixels = list(zip(self.probabilities, label))


class MetricsTest(program.Case):
    SIDE = 24

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=20, size=cls.SIDE)
        cls.learn("tiny.ini", "run", epochs=8)
        cls.run_program("test", "tiny.ini", "--weights", "run/last.safetensors", "--output", "run", "--set",
                        "test.metrics=hd95, nsd, ece, brier, nll")
        cls.samples = cls.predict("tiny.ini", "run", "data", 2, [255])

    @classmethod
    def learn(cls, ini, run, epochs):
        cls.run_program("train", ini, "--output", run, "--set", f"train.epochs={epochs}")

    @classmethod
    def predict(cls, ini, run, data, classes, foreground):
        """{image: Sample} of the split `val`."""
        pairs = program.read_json(cls.path(data, "val.json"))
        cls.run_program("predict", ini, "--weights", f"{run}/last.safetensors", "--output", f"{run}-masks", "--logits",
                        *(os.path.join(data, image) for image, _ in pairs))
        samples = {}
        for image, mask in pairs:
            stem = os.path.splitext(os.path.basename(image))[0]
            _, _, channels, pixels = program.read_png(cls.path(data, mask))
            label = [foreground.index(v) + 1 if v in foreground else 0 for v in pixels[::channels]]
            samples[image] = Sample(cls.path(f"{run}-masks", f"{stem}.safetensors"), classes, label)
        return samples

    def near(self, text, value, bound=1e-5):
        self.assertAlmostEqual(float(text), value, delta=bound * max(1, abs(value)))

    def rows(self, run):
        return program.read_csv(self.path(run, "metrics.csv"))

    def test_each_image(self):
        header, rows = self.rows("run")
        self.assertEqual(header, ["image", "class", *COUNTED, *MEASURED, "nll", "labelled"])
        self.assertTrue(any(0 < float(row["dice"]) < 0.99 for row in rows), "nothing is compared with nothing")
        for row in rows:
            sample = self.samples[row["image"]]
            hd95, nsd = compare_outlines(sample.prediction, sample.label, self.SIDE, 2)
            ece, brier, nll, _ = calibrate(sample.pixels)
            for name, value in zip([*MEASURED, "nll"], (hd95, nsd, ece, brier, nll)):
                self.near(row[name], value)
            self.assertEqual(int(row["labelled"]), sum(sample.label))

    def test_the_set(self):
        _, rows = self.rows("run")
        _, summary = program.read_csv(self.path("run", "summary.csv"))
        every = [pixel for sample in self.samples.values() for pixel in sample.pixels]
        ece, brier, nll, bins = calibrate(every)
        for name in ("hd95", "nsd"):
            self.near(summary[0][name], sum(float(row[name]) for row in rows) / len(rows))
        for name, value in (("ece", ece), ("brier", brier), ("nll", nll)):
            self.near(summary[0][name], value)
            self.assertEqual(summary[2][name], "")
        header, curve = program.read_csv(self.path("run", "reliability.csv"))
        self.assertEqual(header, ["bin", "confidence", "accuracy", "count"])
        for row, (confidence, right, count) in zip(curve, bins, strict=True):
            self.assertEqual(int(row["count"]), count)
            if count:
                self.near(row["confidence"], confidence / count)
                self.near(row["accuracy"], right / count)

    def test_intervals(self):
        header, rows = program.read_csv(self.path("run", "intervals.csv"))
        _, summary = program.read_csv(self.path("run", "summary.csv"))
        self.assertEqual(header, ["set", "class", "images", "metric", "mean", "low", "high"])
        for row in rows:
            means = next(s for s in summary if (s["set"], s["class"]) == (row["set"], row["class"]))
            self.assertEqual(row["mean"], means[row["metric"]])
            self.assertLessEqual(float(row["low"]), float(row["mean"]) + 1e-9)
            self.assertGreaterEqual(float(row["high"]), float(row["mean"]) - 1e-9)
        before = program.read_bytes(self.path("run", "intervals.csv"))
        self.run_program("test", "tiny.ini", "--weights", "run/last.safetensors", "--output", "again", "--set",
                         "test.metrics=nll,brier,ece,nsd,hd95")
        self.assertEqual(program.read_bytes(self.path("again", "intervals.csv")), before)

    def test_columns_are_chosen(self):
        self.run_program("test", "tiny.ini", "--weights", "run/last.safetensors", "--output", "few", "--set",
                         "test.metrics=dice")
        self.assertEqual(self.rows("few")[0], ["image", "class", *COUNTED, "labelled"])
        self.assertFalse(os.path.exists(self.path("few", "reliability.csv")))
        self.run_program("test", "tiny.ini", "--weights", "run/last.safetensors", "--output", "default")
        self.assertEqual(self.rows("default")[0], ["image", "class", *COUNTED, *MEASURED, "labelled"])
        self.refuse("test", "tiny.ini", "--set", "test.metrics=dice,hd59", says=("'hd59'", "did you mean hd95?"))

    def test_postprocess(self):
        for kind in ("largest", "needle"):
            self.run_program("test", "tiny.ini", "--weights", "run/last.safetensors", "--output", kind, "--set",
                             f"test.postprocess={kind}")
        header, rows = self.rows("needle")
        self.assertEqual(header[-3:], ["angle_error", "distance_error", "labelled"])
        for row in rows:
            self.assertTrue(0 <= float(row["angle_error"]) <= 90 ** 2)
            if int(row["labelled"]) == 0:  # stretched probabilities always contain a needle
                self.near(row["distance_error"], 2 * self.SIDE ** 2)
        plain = {row["image"]: float(row["recall"]) for row in self.rows("run")[1]}
        for row in self.rows("largest")[1]:
            self.assertLessEqual(float(row["recall"]), plain[row["image"]])

    def make_bands(self, classes):
        pairs = program.make_folder(self, "bands", 6, self.SIDE, self.SIDE, 3)
        for split in ("train", "val"):
            program.write_json(self.path("bands", f"{split}.json"), pairs)
        program.write_ini(self.path("bands.ini"), base="tiny.ini", data={
            "dataset": "folder", "root": "bands", "train": "bands/train.json", "val": "bands/val.json", "classes": classes})

    def test_classes(self):
        self.make_bands(3)
        self.learn("bands.ini", "three", epochs=3)
        self.run_program("test", "bands.ini", "--weights", "three/last.safetensors", "--output", "three", "--set",
                         "test.nsd_tolerance=1")
        samples = self.predict("bands.ini", "three", "bands", 3, [1, 2])
        for row in self.rows("three")[1]:
            sample, c = samples[row["image"]], int(row["class"])
            hd95, nsd = compare_outlines([v == c for v in sample.prediction], [v == c for v in sample.label],
                                         self.SIDE, 1)
            self.near(row["hd95"], hd95)
            self.near(row["nsd"], nsd)
            self.near(row["ece"], calibrate(sample.pixels)[0])
        self.refuse("test", "bands.ini", "--weights", "three/last.safetensors", "--set", "test.postprocess=needle",
                    says=("data.classes is 3",))

    def test_absent_classes(self):
        """The masks have two of the four foreground classes."""
        self.make_bands(5)
        self.learn("bands.ini", "five", epochs=2)
        means = {}
        for absent in ("skip", "perfect"):
            self.run_program("test", "bands.ini", "--weights", "five/last.safetensors", "--output", absent, "--set",
                             f"test.absent={absent}")
            _, summary = program.read_csv(self.path(absent, "summary.csv"))
            images = {}
            for row in self.rows(absent)[1]:
                images.setdefault(row["image"], []).append(row)
            for name in ("dice", "iou", "precision", "recall", "hd95", "nsd"):
                cells = [[float(row[name]) for row in rows if row[name]] for rows in images.values()]
                self.near(summary[0][name], sum(sum(each) / len(each) for each in cells) / len(cells))
                for c, row in enumerate(summary[2:], 1):
                    own = [float(rows[c - 1][name]) for rows in images.values() if rows[c - 1][name]]
                    self.assertEqual(int(row["images"]), len(own))
                    if own:
                        self.near(row[name], sum(own) / len(own))
                    else:
                        self.assertEqual(row[name], "")
            means[absent] = float(summary[0]["dice"])
            empty = [row for rows in images.values() for row in rows if not row["dice"]]
            self.assertEqual(bool(empty), absent == "skip")
            self.assertTrue(all(row["labelled"] == "0" and row["ece"] for row in empty))
        self.assertLess(means["skip"], means["perfect"])
        _, log = program.read_csv(self.path("five", "log.csv"))
        self.near(log[-1]["dice"], means["skip"])

    def test_best_weights_by_another_dice(self):
        """A best Dice that counts absent classes as perfect would never be reached again."""
        self.make_bands(5)
        more = ("--set", "train.select=dice", "--output", "select")
        self.run_program("train", "bands.ini", *more, "--set", "train.epochs=1", "--set", "test.absent=perfect")
        self.refuse("train", "bands.ini", *more, "--set", "train.epochs=2", "--resume",
                    says=("select/state.safetensors", "test.absent = perfect", "--overwrite"))
        self.run_program("train", "bands.ini", *more, "--set", "train.epochs=1", "--resume")  # finished already
        self.run_program("train", "bands.ini", *more, "--set", "train.epochs=2", "--resume", "--set",
                         "test.absent=perfect")


if __name__ == "__main__":
    program.main()
