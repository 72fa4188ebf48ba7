"""The pictures of a test, compared pixel by pixel with the images, the masks and the output of `paced predict`."""
import math
import os

import program

NAMES = [f"{case}_{number:02d}.png" for case, count in (("best", 3), ("median", 2), ("worst", 3))
         for number in range(1, count + 1)]
SIDE, SCALE = 32, 8  # image size, and scale of the picture
LEFT, TOP, STEP = 16, 84, 272  # position of the first panel; distance between panels
ORANGE = (0xE6, 0x9F, 0x00)  # class 1, without a label table
TINT = 0.4
PREDICTED_TINT = 0.3


class Picture:
    def __init__(self, path):
        self.width, self.height, _, self.pixels = program.read_png(path)

    def at(self, panel, x, y):
        """The colour in the middle of an image pixel, which outlines do not reach."""
        column, row = LEFT + STEP * panel + x * SCALE + SCALE // 2, TOP + y * SCALE + SCALE // 2
        start = 3 * (row * self.width + column)
        return tuple(self.pixels[start:start + 3])


class OverlaysTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=50, size=SIDE)
        cls.run_program("train", "tiny.ini", "--output", "run", "--set", "train.epochs=6")
        cls.measure("tested")

    @classmethod
    def measure(cls, output, *sets, ini="tiny.ini", run="run"):
        words = [word for key in (f"run.output={run}", "test.metrics=dice", *sets) for word in ("--set", key)]
        return cls.run_program("test", ini, "--output", output, *words)

    def table(self, output="tested"):
        header, rows = program.read_csv(self.path(output, "overlays", "overlays.csv"))
        self.assertEqual(header, ["file", "case", "image", "dice"])
        return rows

    def test_cases(self):
        rows = self.table()
        self.assertEqual([row["file"] for row in rows], NAMES)
        self.assertEqual([row["case"] for row in rows], [name.split("_")[0] for name in NAMES])
        self.assertEqual(sorted(os.listdir(self.path("tested", "overlays"))), sorted([*NAMES, "overlays.csv"]))
        measured = {row["image"]: row["dice"] for row in program.read_csv(self.path("tested", "metrics.csv"))[1]}
        self.assertEqual([measured[row["image"]] for row in rows], [row["dice"] for row in rows])
        self.assertEqual(len({row["image"] for row in rows}), 8)
        dice = [float(row["dice"]) for row in rows]
        self.assertEqual(dice[:5], sorted(dice[:5], reverse=True))
        self.assertEqual(dice[5:], sorted(dice[5:]))
        self.assertEqual(dice[5], min(map(float, measured.values())))

    def test_large_images_have_pictures_of_the_usual_size(self):
        """The same width as for an image of 256 pixels, whose panels have that width."""
        program.write_json(self.path("two.json"), program.read_json(self.path("data", "val.json"))[:2])
        for size, width in ((256, 4 * 256 + 5 * 16), (600, 4 * 256 + 5 * 16)):
            self.measure(f"large_{size}", "test.overlays=1", f"data.size={size}", "train.batch=1",
                         "data.val=two.json")
            self.assertEqual(program.png_size(self.path(f"large_{size}", "overlays", "best_01.png"))[0], width)
        self.run_program("robustness", "tiny.ini", "--output", "large", "--set", "run.output=run", "--set",
                         "robustness.corruptions=contrast", "--set", "robustness.severities=1,5", "--set",
                         "data.size=600", "--set", "train.batch=1", "--set", "data.val=two.json")
        width, height = program.png_size(self.path("large", "contact_sheet.png"))
        self.assertTrue(2 * 256 < width < 3 * 256 and 2 * 256 < height < 3 * 256, (width, height))

    def test_best_one_shows_something(self):
        """An empty image predicted as empty has dice 1 but shows nothing."""
        self.measure("three", "test.overlays=3")
        measured = [float(row["dice"]) for row in program.read_csv(self.path("three", "metrics.csv"))[1]]
        self.assertIn(1, measured)
        best, _, worst = (float(row["dice"]) for row in self.table("three"))
        self.assertEqual((best, worst), (max(dice for dice in measured if dice < 1), min(measured)))

    def check_picture(self, row):
        picture, name = Picture(self.path("tested", "overlays", row["file"])), row["image"]
        self.run_program("predict", "tiny.ini", "--weights", "run/best.safetensors", "--logits", "--output", "masks",
                         f"data/{name}")
        stem = os.path.basename(name)[:-4]
        _, _, channels, image = program.read_png(self.path("data", name))
        mask = program.read_png(self.path("data", name[:-4] + "_mask.png"))
        prediction = program.read_png(self.path("masks", stem + ".png"))
        _, _, logits = program.read_tensors(self.path("masks", stem + ".safetensors"))[0]["logits"]
        uncertain = []
        for i in range(SIDE * SIDE):
            x, y = i % SIDE, i // SIDE
            own = tuple(image[channels * i + (c if channels == 3 else 0)] for c in range(3))
            tinted = tuple(a + (b - a) * TINT for a, b in zip(own, ORANGE))
            self.assertEqual(picture.at(0, x, y), own)
            for panel, (_, _, step, label) in ((1, mask), (2, prediction)):
                wanted = tinted if label[step * i] == 255 else own
                for value, expected in zip(picture.at(panel, x, y), wanted):
                    self.assertLessEqual(abs(value - expected), 0.5, (row, panel, x, y))
            u = 1 / (1 + math.exp(abs(logits[i] - logits[SIDE * SIDE + i])))
            red, green, blue = picture.at(3, x, y)
            uncertain.append((u, 0.2126 * red + 0.7152 * green + 0.0722 * blue))
        lightest = 0
        for u, light in sorted(uncertain):
            self.assertGreater(light, lightest - 1.5, "colours grow lighter with u")
            lightest = max(lightest, light)

    def test_pictures(self):
        rows = self.table()
        for row in (rows[0], rows[3], rows[5]):
            self.check_picture(row)

    def test_again_gives_the_same(self):
        self.measure("again")
        for name in [*NAMES, "overlays.csv"]:
            self.assertEqual(program.read_bytes(self.path("again", "overlays", name)),
                             program.read_bytes(self.path("tested", "overlays", name)), name)

    def test_those_of_an_earlier_test_are_removed(self):
        self.measure("twice")
        program.write_text(self.path("twice", "overlays", "notes.txt"), "mine")
        program.write_text(self.path("twice", "overlays", "best_01.png.tmp.99999999"), "half a fi")
        self.measure("twice", "test.overlays=2")
        self.assertEqual([row["file"] for row in self.table("twice")], ["best_01.png", "worst_01.png"])
        self.assertEqual(sorted(os.listdir(self.path("twice", "overlays"))),
                         ["best_01.png", "notes.txt", "overlays.csv", "worst_01.png"])
        self.measure("twice", "test.overlays=0")
        self.assertEqual(os.listdir(self.path("twice", "overlays")), ["notes.txt"])

    def test_none(self):
        self.measure("bare", "test.overlays=0")
        self.assertFalse(os.path.exists(self.path("bare", "overlays")))

    def test_more_than_there_are(self):
        self.measure("all", "test.overlays=999")
        images = {row["image"] for row in program.read_csv(self.path("all", "metrics.csv"))[1]}
        self.assertEqual({row["image"] for row in self.table("all")}, images)

    def test_those_of_a_replaced_run_are_removed(self):
        self.run_program("train", "tiny.ini", "--output", "old", "--set", "train.epochs=1")
        self.measure("old", run="old")
        self.run_program("train", "tiny.ini", "--output", "old", "--overwrite", "--set", "train.epochs=1")
        self.assertEqual(os.listdir(self.path("old", "overlays")), [])

    def test_cleaned_prediction(self):
        """The picture shows the postprocessed prediction that was scored, with only the largest component."""
        self.measure("largest", "test.postprocess=largest", "test.overlays=999")
        dice = {row["image"]: row["dice"] for row in program.read_csv(self.path("largest", "metrics.csv"))[1]}
        for row in self.table("largest")[:3]:
            picture, predicted, labelled, both = Picture(self.path("largest", "overlays", row["file"])), 0, 0, 0
            for i in range(SIDE * SIDE):
                own, mask, prediction = (picture.at(panel, i % SIDE, i // SIDE) for panel in range(3))
                labelled, predicted = labelled + (mask != own), predicted + (prediction != own)
                both += mask != own and prediction != own
            self.assertAlmostEqual((2 * both + 1e-4) / (predicted + labelled + 1e-4), float(dice[row["image"]]), 6)

    def test_colours_of_the_label_table(self):
        self.run_program("synth", "scene", "--count", "10", "--size", str(SIDE), "--output", "scene")
        program.write_ini(self.path("scene.ini"), model={"width": 4}, train={"epochs": 1, "batch": 4},
                          data={"dataset": "robo", "root": "scene", "train": "scene/train.json", "classes": 6,
                                "val": "scene/val.json", "labels": "scene/labels.json", "size": SIDE})
        self.run_program("train", "scene.ini", "--output", "scene_run")
        self.measure("scene_test", ini="scene.ini", run="scene_run")
        row = self.table("scene_test")[0]
        picture = Picture(self.path("scene_test", "overlays", row["file"]))
        image = program.read_png(self.path("scene", "val", row["image"]))[3]
        mask = program.read_png(self.path("scene", "val", row["image"][:-4] + "_mask.png"))[3]
        for i in range(SIDE * SIDE):
            own, colour = image[3 * i:3 * i + 3], mask[3 * i:3 * i + 3]
            wanted = [a + (b - a) * TINT if any(colour) else a for a, b in zip(own, colour)]
            for value, expected in zip(picture.at(1, i % SIDE, i // SIDE), wanted):
                self.assertLessEqual(abs(value - expected), 0.5)
        self.check_predicted_colours(row["image"])

    def check_predicted_colours(self, name):
        """`predict --overlay` uses the same class colours; without a label table, those of the program."""
        picture, stem, only = self.path("scene", "val", name), name[:-4], 3
        tensors, metadata = program.read_tensors(self.path("scene_run", "best.safetensors"))
        dtype, shape, _ = tensors["out.bias"]
        tensors["out.bias"] = (dtype, shape, [1e6 * (c == only) for c in range(6)])  # the class predicted everywhere
        program.write_tensors(self.path("only.safetensors"), tensors, metadata)
        options = ("predict", "scene.ini", "--weights", "only.safetensors", "--overlay", picture)
        for output, labels in (("shown", "scene/labels.json"), ("plain", "")):
            self.run_program(*options, "--output", output, "--set", f"data.labels={labels}")
        image = program.read_png(picture)[3]
        shown, plain = (program.read_png(self.path(f, f"{stem}_overlay.png"))[3] for f in ("shown", "plain"))
        colours = {entry["classid"]: entry["color"] for entry in program.read_json(self.path("scene", "labels.json"))}
        for i in (y * SIDE + x for y in range(1, SIDE - 1) for x in range(1, SIDE - 1)):  # inside the outline
            for k, colour in zip(range(3 * i, 3 * i + 3), colours[only]):
                self.assertLessEqual(abs(image[k] + (colour - image[k]) * PREDICTED_TINT - shown[k]), 0.5)
        self.assertNotEqual(shown, plain)
        self.refuse(*options, "--output", "none", "--set", "data.labels=gone.json", says=("gone.json", "data.labels"))


if __name__ == "__main__":
    program.main()
