"""A short run on real ultrasound images (BUSI) if PACED_TEST_DATA names a folder with busi/, busi_train.json and
busi_val.json: one epoch on a few images, a test, and a prediction at the original image size."""
import os

import program

DATA = os.environ.get("PACED_TEST_DATA", "")
SPLITS = {"train": 24, "val": 8}


class BusiTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subset = {}
        for name, count in SPLITS.items():
            pairs = program.read_json(os.path.join(DATA, f"busi_{name}.json"))
            cls.subset[name] = pairs[::len(pairs) // count][:count]
            program.write_json(cls.path(f"{name}.json"), cls.subset[name])
        program.write_ini(cls.path("busi.ini"),
                          data={"root": os.path.join(os.path.abspath(DATA), "busi"), "train": "train.json",
                                "val": "val.json", "size": 48},
                          model={"width": 4}, train={"epochs": 1, "batch": 4})
        cls.run_program("train", "busi.ini", "--output", "run")
        cls.run_program("test", "busi.ini", "--set", "run.output=run")

    def test_log(self):
        rows = program.read_log(self.path("run", "log.csv"))
        self.assertEqual([row["phase"] for row in rows], ["train", "val"])
        for row in rows:
            self.assertTrue(0 < float(row["ce"]) < 5, row)

    def test_metrics_name_the_images(self):
        _, rows = program.read_csv(self.path("run", "metrics.csv"))
        self.assertEqual([row["image"] for row in rows], [image for image, _ in self.subset["val"]])
        _, rows = program.read_csv(self.path("run", "summary.csv"))
        self.assertEqual(rows[0]["images"], str(SPLITS["val"]))

    def test_prediction_has_the_images_own_size(self):
        image = os.path.join(DATA, "busi", self.subset["val"][0][0])
        self.run_program("predict", "busi.ini", "--weights", "run/best.safetensors", "--output", "predicted",
                         os.path.abspath(image))
        width, height, channels, pixels = program.read_png(self.path("predicted", os.path.basename(image)))
        self.assertEqual((width, height), program.png_size(image))
        self.assertEqual(channels, 1)
        self.assertLessEqual(set(pixels), {0, 255})


if __name__ == "__main__":
    if not DATA:
        program.skip("PACED_TEST_DATA is not set (a folder with busi/, busi_train.json and busi_val.json)")
    missing = [name for name in ("busi", "busi_train.json", "busi_val.json")
               if not os.path.exists(os.path.join(DATA, name))]
    if missing:
        program.skip(f"PACED_TEST_DATA = {DATA} lacks {', '.join(missing)}")
    program.main()
