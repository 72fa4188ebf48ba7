"""A network whose input is not square: training with a teacher, tests, predictions, ONNX, robustness, the report."""
import program

HEIGHT, WIDTH, CLASSES = 45, 61, 3
SIZE = f"{HEIGHT}x{WIDTH}"
IMAGE_HEIGHT, IMAGE_WIDTH = 70, 52
RUNS = ("teacher", "student")


class RectanglesTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pairs = program.make_folder(cls, "data", 6, IMAGE_WIDTH, IMAGE_HEIGHT, CLASSES)
        for name, split in (("train", pairs[:4]), ("val", pairs[4:])):
            program.write_json(cls.path(f"{name}.json"), split)
        program.write_ini(cls.path("x.ini"), data={"dataset": "folder", "root": "data", "train": "train.json",
                                                   "val": "val.json", "classes": CLASSES, "size": SIZE},
                          model={"width": 4}, train={"epochs": 3, "batch": 2, "lr": 0.01}, log={"tensorboard": "yes"})
        cls.run_program("train", "x.ini", "--output", "teacher", "--set", "model.arch=deeplabv3")
        cls.run_program("train", "x.ini", "--output", "student", *cls.distilled())

    @staticmethod
    def distilled():
        pairs = {"distill.teacher": "teacher/best.safetensors", "distill.teacher_arch": "deeplabv3",
                 "distill.method": "pcd", "pacing.mu": 0.95}
        return [word for key, value in pairs.items() for word in ("--set", f"{key}={value}")]

    def predict(self, output, *args):
        self.run_program("predict", "x.ini", "--weights", "student/best.safetensors", "--output", output, *args,
                         "data/5.png")
        return program.read_png(self.path(output, "5.png"))

    # ---- training ----

    def test_run_says_its_size(self):
        for run in RUNS:
            _, metadata = program.read_tensors(self.path(run, "last.safetensors"))
            self.assertEqual(metadata["size"], SIZE)
            config = program.parse_ini(program.read_text(self.path(run, "config.ini")))
            self.assertEqual(config["data.size"], SIZE)

    def test_losses_are_distilled(self):
        for row in program.read_log(self.path("student", "log.csv")):
            self.assertGreater(float(row["kld"]), 0)
            if row["phase"] == "train":
                self.assertTrue(0 < float(row["admitted"]) <= 1)

    def test_resumed_run_is_the_same(self):
        """Bit for bit."""
        for epochs, more in ((1, ()), (3, ("--resume",))):
            self.run_program("train", "x.ini", "--output", "resumed", *self.distilled(), *more, "--set",
                             f"train.epochs={epochs}")
        for name in ("last.safetensors", "best.safetensors"):
            self.assertEqual(program.read_bytes(self.path("resumed", name)),
                             program.read_bytes(self.path("student", name)))

    # ---- use of the weights ----

    def test_test(self):
        self.run_program("test", "x.ini", "--weights", "student/best.safetensors", "--output", "tested", "--set",
                         "test.overlays=2")
        _, rows = program.read_csv(self.path("tested", "summary.csv"))
        self.assertEqual((rows[0]["set"], rows[0]["images"]), ("all", "2"))

    def test_prediction_has_the_size_of_its_image(self):
        """Each pixel is the most likely class of the logits' pixel that lies there."""
        width, height, channels, pixels = self.predict("predicted", "--logits")
        self.assertEqual((width, height, channels), (IMAGE_WIDTH, IMAGE_HEIGHT, 1))
        _, shape, logits = program.read_tensors(self.path("predicted", "5.safetensors"))[0]["logits"]
        self.assertEqual(shape, [CLASSES, HEIGHT, WIDTH])
        for y in range(IMAGE_HEIGHT):
            for x in range(IMAGE_WIDTH):
                at = y * HEIGHT // IMAGE_HEIGHT * WIDTH + x * WIDTH // IMAGE_WIDTH
                scores = [logits[c * HEIGHT * WIDTH + at] for c in range(CLASSES)]
                self.assertEqual(pixels[y * IMAGE_WIDTH + x], scores.index(max(scores)), (y, x))

    def test_windows(self):
        """A window of the image's size is the whole image; smaller ones cover it."""
        whole = ("--set", f"data.size={IMAGE_HEIGHT}x{IMAGE_WIDTH}")
        window = ("--set", "predict.mode=window")
        self.assertEqual(self.predict("one", *whole), self.predict("window", *whole, *window))
        self.assertEqual(self.predict("many", *window)[:2], (IMAGE_WIDTH, IMAGE_HEIGHT))

    def test_uncertainty(self):
        self.run_program("uncertainty", "x.ini", "--weights", "student/best.safetensors", "--output", "maps",
                         "data/5.png")
        for name in ("u_p", "u_b", "u", "weight"):
            self.assertEqual(program.png_size(self.path("maps", f"5_{name}.png")), (WIDTH, HEIGHT))

    def test_onnx(self):
        self.run_program("convert", "student/best.safetensors", "student.onnx")
        self.assertIn(b"image", program.read_bytes(self.path("student.onnx")))

    def test_robustness_and_report(self):
        self.run_program("robustness", "x.ini", "--weights", "student/best.safetensors", "--output", "hard", "--set",
                         "robustness.severities=3", "--set", "robustness.corruptions=all,geometric")
        self.run_program("report", *RUNS, "hard", "--output", "compared")
        self.assertIn(f"folder, {HEIGHT} x {WIDTH}", program.read_text(self.path("compared", "report.html")))

    # ---- the network ----

    def test_graph(self):
        self.assertIn(f" {HEIGHT}x{WIDTH}x4 ", self.run_program("graph", "x.ini").stdout)

    def test_refused(self):
        self.refuse("train", "x.ini", "--output", "out", "--set", "model.arch=linknet",
                    says=["size 45 x 61", "multiples of 4", "use 48 x 64"])
        program.write_ini(self.path("bad.ini"), data={"size": "45x"})
        self.refuse("graph", "bad.ini", says=["bad.ini:2: data.size: '45x'", "HEIGHTxWIDTH"])


if __name__ == "__main__":
    program.main()
