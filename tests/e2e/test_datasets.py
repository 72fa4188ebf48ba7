"""Data sets through the program: training on needle and colour-coded sets; `paced data check` finds the faults planted
in a synthetic set; `paced data split` keeps related images together. With PACED_TEST_DATA, also the known leaks of BUSI
and the colours of CamVid."""
import os
import re
import unittest

import program
from terminal import run_in_terminal

DATA = os.environ.get("PACED_TEST_DATA", "")


def random_image(seed, size=32):
    """Smooth grey levels, unique to the seed."""
    state, cells = 2 * seed + 1, []
    for _ in range(16):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        cells.append(state >> 56)
    return [cells[y * 4 // size * 4 + x * 4 // size] for y in range(size) for x in range(size)]


def half_mask(size=32):
    return [255 if y < size // 2 else 0 for y in range(size) for _ in range(size)]


class TrainTest(program.Case):
    def check_run(self, kind, classes, **data):
        self.run_program("synth", kind, "--count", "10", "--size", "32", "--seed", "4", "--output", kind)
        program.write_ini(self.path(f"{kind}.ini"),
                          data={"root": kind, "train": f"{kind}/train.json", "val": f"{kind}/val.json", "size": 32,
                                "classes": classes, **data},
                          model={"width": 4}, train={"epochs": 2, "batch": 4})
        self.run_program("train", f"{kind}.ini", "--output", f"{kind}-run")
        rows = program.read_log(self.path(f"{kind}-run", "log.csv"))
        self.assertEqual(len(rows), 4)
        self.assertLess(float(rows[2]["ce"]), float(rows[0]["ce"]))
        self.run_program("test", f"{kind}.ini", "--set", f"run.output={kind}-run")
        _, rows = program.read_csv(self.path(f"{kind}-run", "summary.csv"))
        self.assertEqual([row["class"] for row in rows][-(classes - 1):], [str(c) for c in range(1, classes)])

    def test_needle(self):
        self.check_run("needle", 2, dataset="needle")
        self.assertTrue(os.path.exists(self.path("needle", "train_mask", "p1_1_001_mask.png")))

    def test_scene(self):
        self.check_run("scene", 6, dataset="robo", labels="scene/labels.json")
        done = self.run_program("data", "check", "scene.ini")
        self.assertIn("instrument-shaft", done.stdout)

    def test_ctrl_c_leaves_no_set(self):
        """The splits of an earlier set, some of whose images are replaced, are not kept either."""
        for kind in ("breast", "needle", "scene"):
            self.run_program("synth", kind, "--count", "5", "--size", "16", "--output", f"stopped {kind}")
            seen = run_in_terminal(self, 80, "synth", kind, "--count", "100000", "--size", "64", "--output",
                                   f"stopped {kind}", status=130, stop_after="synth 3/")
            self.assertRegex(seen, r"stopped after \d+ of 100000 images; the set is incomplete \(without train.json and")
            self.assertFalse({"train.json", "val.json"} & set(os.listdir(self.path(f"stopped {kind}"))))

    def test_synthetic_images_replace_only_such(self):
        """Files of other origin stay, wherever the set would write."""
        folders = {"breast": "normal", "needle": "test_mask", "scene": "val"}
        for kind, folder in folders.items():
            for name in (f"{folder}/real.png", "train.json", "val.json", *(["labels.json"] if kind == "scene" else [])):
                with self.subTest(kind, name=name):
                    output = f"real {kind} {name.replace('/', ' ')}"
                    program.write_text(self.path(output, name), "mine")
                    synth = ("synth", kind, "--count", "5", "--size", "16", "--output", output)
                    self.refuse(*synth, says=(f"{output}/{name}", "--overwrite"))
                    self.refuse(*synth, "--overwrite", "--count", "1", says=("--count",))
                    self.refuse(*synth, says=(name,))
        self.run_program(*synth, "--overwrite")
        self.run_program(*synth)
        self.assertNotEqual(program.read_text(self.path(output, name)), "mine")
        program.write_text(self.path("beside", "notes.txt"), "mine")
        self.run_program("synth", "needle", "--count", "5", "--size", "16", "--output", "beside")
        self.assertEqual(program.read_text(self.path("beside", "notes.txt")), "mine")

    def test_unknown_colour_and_wrong_classes(self):
        self.run_program("synth", "scene", "--count", "5", "--size", "16", "--output", "odd")
        mask = self.path("odd", "val", "scene_00005_mask.png")
        pixels, at = bytearray(program.read_png(mask)[3]), 3 * (16 * 2 + 7)
        pixels[at:at + 3] = bytes((1, 2, 3))
        program.write_png(mask, 16, 16, 3, pixels)
        options = ["odd.ini", "--output", "none"]
        data = {"dataset": "robo", "root": "odd", "train": "odd/train.json", "val": "odd/val.json", "size": 16}
        program.write_ini(self.path("odd.ini"), model={"width": 4},
                          data={**data, "labels": "odd/labels.json", "classes": 6})
        self.refuse("train", *options, says=["val.json: entry 1: ", "scene_00005_mask.png: row 2, column 7", "(1, 2, 3)"])
        self.refuse("train", *options, "--set", "data.classes=5", says=["labels.json has 6 classes"])
        self.refuse("train", *options, "--set", "data.labels=", says=["data.labels is not set"])


class CheckTest(program.Case):
    """20 training and 6 validation images; train 3 is a copy of train 2, val 0 is train 7 slightly brighter, val 1 is
    train 8 at twice the size."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pairs = {"train": [], "val": []}
        seed = 0
        for name, count in (("train", 20), ("val", 6)):
            for i in range(count):
                seed += 1
                cls.put(name, i, random_image(seed), half_mask())
        cls.put("train", 3, random_image(3), half_mask(), listed=True)
        cls.put("val", 0, [min(255, v + 3) for v in random_image(8)], half_mask(), listed=True)
        cls.put("val", 1, random_image(9, 64), half_mask(64), size=64, listed=True)
        cls.put("train", 5, random_image(6), [0] * 1024, listed=True)
        for name, pairs in cls.pairs.items():
            program.write_json(cls.path(f"{name}.json"), pairs)
        program.write_ini(cls.path("set.ini"), data={"dataset": "bus", "root": "set", "train": "train.json",
                                                     "val": "val.json", "size": 32, "workers": 2})

    @classmethod
    def put(cls, name, i, image, mask, size=32, listed=False):
        pair = [f"{name}/a{i % 4}_{i}.png", f"{name}/a{i % 4}_{i}_mask.png"]
        program.write_png(cls.path("set", pair[0]), size, size, 1, image)
        program.write_png(cls.path("set", pair[1]), size, size, 1, mask)
        if not listed:
            cls.pairs[name].append(pair)

    def test_what_is_planted_is_found(self):
        out = self.run_program("data", "check", "set.ini").stdout
        train, val = out[:out.index("val: ")], out[out.index("val: "):]
        self.assertRegex(train, r"train: 20 pairs\n +unreadable +0\n +size +32 x 32 to 32 x 32 ")
        self.assertRegex(train, r"\n +empty masks +1\n")
        self.assertRegex(train, r"\n +1 +19 +47\.500% +19 +47\.500%  lesion\n")
        self.assertRegex(val, r"val: 6 pairs\n +unreadable +0\n +size +32 x 32 to 64 x 64 ")
        self.assertRegex(val, r"\n +bits +8 grey\n +values +1 to 251\n +pixel spacing +unknown\n +empty masks +0\n")
        self.assertRegex(val, r"\n +1 +6 +50\.000% +6 +50\.000%  lesion\n")
        self.assertIn("3 groups of 6 images", out)
        self.assertIn("across: 2 of val repeat images of train, 2 of train images of val", out)
        groups = [line.split("  ")[-1] for line in out[out.index("likeness"):].splitlines()[1:]]
        self.assertEqual(sorted(groups), ["train: train/a0_8.png, val: val/a1_1.png",
                                          "train: train/a2_2.png, train: train/a3_3.png",
                                          "train: train/a3_7.png, val: val/a0_0.png"])

    def test_every_unreadable_file_is_named(self):
        program.write_bytes(self.path("set", "broken.png"), b"\x89PNG\r\n\x1a\n")
        pairs = self.pairs["val"] + [["missing.png", "val/a0_0_mask.png"], ["broken.png", "val/a0_0_mask.png"],
                                     ["val/a0_0.png", "val/a1_1_mask.png"]]
        program.write_json(self.path("bad.json"), pairs)
        done = self.run_program("data", "check", "set.ini", "--set", "data.val=bad.json", status=2)
        for words in ("entry 7: ", "missing.png", "entry 8: ", "broken.png", "entry 9: ", "must have the same size",
                      "3 of 29 pairs cannot be read"):
            self.assertIn(words, done.stderr)
        self.assertIn("val: 9 pairs\n  unreadable     3\n", done.stdout)

    def test_split_keeps_together_what_belongs_together(self):
        for seed in range(3):
            out = self.run_program("data", "split", "set.ini", "--val", "0.3", "--seed", str(seed), "--output",
                                   f"split{seed}").stdout
            split = {name: program.read_json(self.path(f"split{seed}", f"{name}.json")) for name in ("train", "val")}
            every = split["train"] + split["val"]
            self.assertEqual(sorted(every), sorted(self.pairs["train"] + self.pairs["val"]))
            self.assertTrue(6 <= len(split["val"]) <= 10, out)
            images = {image for image, _ in split["val"]}
            for a, b in (("train/a2_2.png", "train/a3_3.png"), ("train/a3_7.png", "val/a0_0.png"),
                         ("train/a0_8.png", "val/a1_1.png")):
                self.assertEqual(a in images, b in images)
        self.assertNotEqual(program.read_bytes(self.path("split0", "val.json")),
                            program.read_bytes(self.path("split1", "val.json")))
        self.run_program("data", "split", "set.ini", "--val", "0.3", "--seed", "1", "--output", "again")
        self.assertEqual(program.read_bytes(self.path("split1", "val.json")),
                         program.read_bytes(self.path("again", "val.json")))
        self.refuse("data", "split", "set.ini", "--output", "again", says=["train.json", "--overwrite"])

    def test_split_by_patient(self):
        self.run_program("synth", "needle", "--count", "40", "--size", "32", "--output", "needle")
        program.write_ini(self.path("needle.ini"), data={"dataset": "needle", "root": "needle", "size": 32})
        for by in ("_", "^(p[0-9]+)_"):
            self.run_program("data", "split", "needle.ini", "--patient", by, "--output", "patients", "--overwrite")
            patients = [{re.match("[a-z_]+/(p[0-9]+)_", image).group(1)
                         for image, _ in program.read_json(self.path("patients", f"{name}.json"))}
                        for name in ("train", "val")]
            self.assertFalse(patients[0] & patients[1])
            self.assertEqual((len(patients[0]), len(patients[1])), (8, 2))
        self.run_program("train", "needle.ini", "--set", "data.train=patients/train.json", "--set",
                         "data.val=patients/val.json", "--set", "model.width=4", "--set", "train.epochs=1", "--output",
                         "patients/run")

    def test_splits_of_phases_lead_into_both_folders(self):
        self.run_program("synth", "scene", "--count", "20", "--size", "16", "--output", "scene")
        program.write_ini(self.path("scene.ini"), data={"dataset": "robo", "root": "scene", "size": 16, "classes": 6,
                                                        "labels": "scene/labels.json"})
        self.run_program("data", "split", "scene.ini", "--val", "0.5", "--seed", "2", "--output", "halves")
        for name, other in (("train", "../val/"), ("val", "../train/")):
            pairs = program.read_json(self.path("halves", f"{name}.json"))
            self.assertTrue(any(image.startswith(other) for image, _ in pairs), pairs)
        self.run_program("data", "check", "scene.ini", "--set", "data.train=halves/train.json", "--set",
                         "data.val=halves/val.json")

    def test_refused(self):
        self.refuse("data", "chekc", "set.ini", says=["chekc", "paced data check CONFIG"])
        self.refuse("data", "check", "set.ini", "--seed", "3", says=["data check"])
        self.refuse("data", "split", "set.ini", says=["--output DIR"])
        for share in ("0", "1", "many"):
            self.refuse("data", "split", "set.ini", "--val", share, "--output", "x", says=["--val " + share])
        self.refuse("data", "split", "set.ini", "--val", "0.001", "--output", "x", says=["x/val.json", "--val"])
        self.refuse("data", "split", "set.ini", "--patient", "(", "--output", "x", says=["no patient"])
        self.refuse("data", "split", "set.ini", "--patient", "((", "--output", "x", says=["not a regular expression"])


@unittest.skipUnless(DATA, "PACED_TEST_DATA is not set")
class RealTest(program.Case):
    def options(self, name):
        stem, words = os.path.join(os.path.abspath(DATA), name), []
        for key, path in (("root", stem), ("train", f"{stem}_train.json"), ("val", f"{stem}_val.json")):
            words += ["--set", f"data.{key}={path}"]
        return words

    def test_leaks_of_busi(self):
        program.write_ini(self.path("busi.ini"), data={"dataset": "bus"})
        out = self.run_program("data", "check", "busi.ini", *self.options("busi")).stdout
        self.assertRegex(out, r"\nval: 100 pairs\n +unreadable +0\n(.*\n)+? +empty masks +19\n")
        self.assertIn("17 of val repeat images of train", out)
        self.run_program("data", "split", "busi.ini", *self.options("busi"), "--output", "busi")
        out = self.run_program("data", "check", "busi.ini", *self.options("busi"), "--set", "data.train=busi/train.json",
                               "--set", "data.val=busi/val.json").stdout
        self.assertRegex(out, r"\nval: 15[4-8] pairs\n")
        self.assertIn("0 of val repeat images of train", out)

    def test_camvid(self):
        program.write_ini(self.path("camvid.ini"), model={"width": 4}, train={"epochs": 1},
                          data={"dataset": "robo", "classes": 12, "size": 32,
                                "labels": os.path.join(os.path.abspath(DATA), "camvid_labels.json")})
        self.run_program("train", "camvid.ini", *self.options("camvid"), "--output", "run")
        rows = program.read_log(self.path("run", "log.csv"))
        self.assertTrue(0 < float(rows[0]["ce"]) < 4)


if __name__ == "__main__":
    program.main()
