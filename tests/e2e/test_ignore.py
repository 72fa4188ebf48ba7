"""Ignored pixels (data.ignore), from the mask files to every result that they must not reach."""
import math

import program

SIZE, CLASSES, COUNT, BLANK = 24, 3, 10, 7


def cross_entropy(logits, labels, ignored):
    """Sum over the other pixels, and their number; logits [C][pixels]."""
    counted = [pixel for pixel, label in enumerate(labels) if label != ignored]
    total = 0
    for pixel in counted:
        values = [plane[pixel] for plane in logits]
        total += max(values) + math.log(sum(math.exp(v - max(values)) for v in values)) - values[labels[pixel]]
    return total, len(counted)


class IgnoreTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pairs = program.make_folder(cls, "data", COUNT, SIZE, SIZE, CLASSES)
        cls.labels = [cls.mark(pair[1], i) for i, pair in enumerate(cls.pairs)]
        program.write_json(cls.path("data", "train.json"), cls.pairs[:6])
        program.write_json(cls.path("data", "val.json"), cls.pairs[6:])
        program.write_ini(cls.path("tiny.ini"), model={"width": 4},
                          data={"dataset": "folder", "root": "data", "train": "data/train.json",
                                "val": "data/val.json", "size": SIZE, "classes": CLASSES, "ignore": 255},
                          train={"epochs": 2, "batch": 3}, test={"metrics": "dice,hd95,nsd,ece,brier,nll"})
        cls.run_program("train", "tiny.ini", "--output", "teacher")

    @classmethod
    def mark(cls, name, i):
        """Ignores a band, single pixels, and mask BLANK as a whole; returns the labels."""
        labels = [255 if i == BLANK or pixel % 13 == 0 or 5 < pixel // SIZE < 9 else label
                  for pixel, label in enumerate(program.read_png(cls.path("data", name))[3])]
        program.write_png(cls.path("data", name), SIZE, SIZE, 1, labels)
        return labels

    def train(self, output, *sets):
        options = [word for key in sets for word in ("--set", key)]
        return self.run_program("train", "tiny.ini", "--output", output, *options)

    def student(self, output, *sets):
        teacher = f"distill.teacher={self.path('teacher', 'best.safetensors')}"
        return self.train(output, teacher, "distill.method=pcd", "uncertainty.target=svls",
                          "uncertainty.temperature=auto", "pacing.function=linear", *sets)

    def test_log_has_the_mean_over_the_other_pixels(self):
        total = counted = 0
        for (image, _), labels in zip(self.pairs[6:], self.labels[6:]):
            self.run_program("predict", "tiny.ini", "--weights", "teacher/best.safetensors", "--logits", "--output",
                             "logits", self.path("data", image))
            (_, _, values), = program.read_tensors(self.path("logits", image[:-4] + ".safetensors"))[0].values()
            planes = [values[c * SIZE * SIZE:(c + 1) * SIZE * SIZE] for c in range(CLASSES)]
            entropy, pixels = cross_entropy(planes, labels, 255)
            total, counted = total + entropy, counted + pixels
        self.assertAlmostEqual(total / counted, min(program.read_json(self.path("teacher", "losses.json"))["val"]), 5)

    def test_blank_images_are_named_once_and_left_out(self):
        named = f"{self.pairs[BLANK][0]}: the mask ignores every pixel"
        for resolution in "input", "original":
            done = self.run_program("test", "tiny.ini", "--set", "run.output=teacher", "--output", resolution, "--set",
                                    f"test.resolution={resolution}")
            self.assertEqual(done.stderr.count(named), 1, resolution)
        self.assertEqual(self.train("blank").stderr.count(named), 1)
        self.assertEqual(program.read_bytes(self.path("input", "metrics.csv")),
                         program.read_bytes(self.path("original", "metrics.csv")))
        _, metrics = program.read_csv(self.path("input", "metrics.csv"))
        self.assertEqual({row["image"] for row in metrics},
                         {image for i, (image, _) in enumerate(self.pairs) if i >= 6 and i != BLANK})
        for row in program.read_csv(self.path("input", "summary.csv"))[1]:
            self.assertEqual(row["images"], "3")
            self.assertTrue(math.isfinite(float(row["dice"])))

    def test_the_value_in_the_masks_does_not_matter(self):
        self.student("first")
        for _, mask in self.pairs:
            values = program.read_png(self.path("data", mask))[3]
            program.write_png(self.path("data", "other_" + mask), SIZE, SIZE, 1, [9 if v == 255 else v for v in values])
        for name, pairs in ("other_train", self.pairs[:6]), ("other_val", self.pairs[6:]):
            program.write_json(self.path("data", name + ".json"), [[a, "other_" + b] for a, b in pairs])
        self.student("second", "data.train=data/other_train.json", "data.val=data/other_val.json", "data.ignore=9")
        for name in "best.safetensors", "last.safetensors", "losses.json":
            self.assertEqual(program.read_bytes(self.path("first", name)),
                             program.read_bytes(self.path("second", name)), name)
        for row in program.read_log(self.path("first", "log.csv")):
            self.assertTrue(all(math.isfinite(float(row[key])) for key in ("loss", "ce", "kld")), row)

    def test_pixels_from_outside_are_ignored(self):
        """A mask without any other pixel has none after a rotation, either."""
        self.run_program("robustness", "tiny.ini", "--set", "run.output=teacher", "--output", "rotated", "--set",
                         "robustness.corruptions=rotate", "--set", "robustness.severities=5")
        _, rows = program.read_csv(self.path("rotated", "robustness.csv"))
        self.assertNotIn(self.pairs[BLANK][0], {row["image"] for row in rows})

    def test_uncertainty_of_ignored_pixels_is_zero_in_the_maps(self):
        image, mask = self.pairs[6]
        self.run_program("uncertainty", "tiny.ini", "--weights", "teacher/best.safetensors", "--output", "maps",
                         self.path("data", image))
        for name in "u_p", "u_b", "u", "weight":
            values = program.read_png(self.path("maps", f"{image[:-4]}_{name}.png"))[3]
            self.assertEqual({v for v, label in zip(values, self.labels[6]) if label == 255}, {0}, name)
        self.assertTrue(any(program.read_png(self.path("maps", f"{image[:-4]}_u_p.png"))[3]))

    def test_only_ignored_pixels(self):
        program.write_json(self.path("data", "blank.json"), [self.pairs[BLANK]])
        blank = ("--set", "data.val=data/blank.json")
        for command in (("test", "--set", "run.output=teacher", "--output", "none"), ("train", "--output", "none"),
                        ("calibrate", "--weights", "teacher/best.safetensors")):
            done = self.run_program(command[0], "tiny.ini", *command[1:], *blank, status=2)
            self.assertIn("the masks ignore every pixel", done.stderr.splitlines()[-1])


program.main()
