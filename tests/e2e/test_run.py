"""A complete run: synthetic images -> train -> test -> predict. Files and columns are as documented, and values are
consistent where one can be computed from the other."""
import math
import os
import pty
import re
import subprocess

import program

LOG = "epoch,phase,loss,ce,kld,lr,mu,admitted,dice,iou,precision,recall,f1,seconds,images_per_second".split(",")
METRICS = ["dice", "iou", "precision", "recall", "f1"]
EPOCHS, SIZE = 3, 32


def cross_entropy(logits, labels):
    """The mean over the pixels; logits [C][pixels]."""
    total = 0
    for pixel, label in enumerate(labels):
        values = [plane[pixel] for plane in logits]
        most = max(values)
        total += most + math.log(sum(math.exp(v - most) for v in values)) - values[label]
    return total / len(labels)


def planes_of(path):
    (dtype, (classes, height, width), values), = program.read_tensors(path)[0].values()
    assert dtype == "F32"
    pixels = height * width
    return [values[c * pixels:(c + 1) * pixels] for c in range(classes)], (classes, height, width)


def dice(prediction, label):
    both = sum(p and g for p, g in zip(prediction, label))
    return (2 * both + 1e-4) / (sum(prediction) + sum(label) + 1e-4)


class BreastTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=30, size=SIZE)
        sets = ["--set", f"train.epochs={EPOCHS}", "--set", "run.seed=7", "--output", "run"]
        cls.train = cls.run_program("train", "tiny.ini", *sets)
        cls.test = cls.run_program("test", "tiny.ini", "--set", "run.output=run")
        cls.val = program.read_json(cls.path("data", "val.json"))
        cls.images = [cls.path("data", image) for image, _ in cls.val]
        cls.predict = cls.run_program("predict", "run/config.ini", "--weights", "run/best.safetensors", "--output",
                                      "predicted", "--logits", *cls.images)

    def predicted(self, image, suffix):
        return self.path("predicted", os.path.splitext(os.path.basename(image))[0] + suffix)

    def test_run_directory_holds_the_promised_files_and_no_temporary_ones(self):
        names = {"config.ini", "best.safetensors", "last.safetensors", "state.safetensors", "log.csv", "losses.json",
                 "metrics.csv", "summary.csv", "intervals.csv", "reliability.csv", "report.html", "curves.svg",
                 "reliability.svg", "overlays"}
        found = set(os.listdir(self.path("run")))
        self.assertLessEqual(names, found)
        self.assertEqual([name for name in found if ".tmp" in name], [])

    def test_config_ini_is_resolved_and_reads_back_as_itself(self):
        text = program.read_text(self.path("run", "config.ini"))
        keys = program.parse_ini(text)
        self.assertEqual(keys["data.root"], self.path("data"))
        self.assertEqual(keys["run.output"], self.path("run"))
        self.assertEqual(keys["run.seed"], "7")
        self.assertEqual(keys["train.lr"], "0.003")
        origin, keys_text = text.split("\n", 1)
        self.assertRegex(origin, r"^; paced \d+\.\d+\.\d+ on .+$")
        self.assertEqual(self.run_program("config", "run/config.ini").stdout, keys_text)

    def test_log_has_two_rows_per_epoch(self):
        header, rows = program.read_csv(self.path("run", "log.csv"))
        self.assertEqual(header[:len(LOG)], LOG)
        self.assertEqual([(row["epoch"], row["phase"]) for row in rows],
                         [(str(e), phase) for e in range(1, EPOCHS + 1) for phase in ("train", "val")])
        for row in rows:
            self.assertEqual(row["loss"], row["ce"], "without a teacher the objective is the cross entropy")
            self.assertEqual([row["kld"], row["mu"], row["admitted"]], ["", "", ""])
            self.assertEqual(float(row["lr"]), 0.003)
            self.assertGreater(float(row["seconds"]), 0)
            for name in METRICS:
                self.assertTrue(0 <= float(row[name]) <= 1, row)

    def test_losses_are_the_ce_of_the_log(self):
        _, rows = program.read_csv(self.path("run", "log.csv"))
        expected = {phase: [float(row["ce"]) for row in rows if row["phase"] == phase] for phase in ("train", "val")}
        self.assertEqual(program.read_json(self.path("run", "losses.json")), expected)

    def test_loss_falls(self):
        losses = program.read_json(self.path("run", "losses.json"))["train"]
        self.assertLess(losses[-1], 0.9 * losses[0])

    def test_stderr_has_one_plain_line_per_epoch_and_stdout_results_only(self):
        lines = self.train.stderr.splitlines()
        epochs = [line for line in lines if re.match(r"paced: epoch \d+/\d+: ", line)]
        self.assertEqual(len(epochs), EPOCHS, self.train.stderr)
        self.assertLessEqual(len(lines), EPOCHS + 1, self.train.stderr)
        self.assertNotRegex(self.train.stderr + self.test.stderr + self.predict.stderr, "[\r\033]")
        self.assertEqual([line.split()[0] for line in self.train.stdout.splitlines()],
                         ["weights", "best", "last", str(EPOCHS)])
        self.assertEqual(self.predict.stdout, "")
        self.assertIn("dice", self.test.stdout)
        self.assertEqual(self.test.stderr, "")

    def test_weights_carry_what_they_are(self):
        for name in ("best", "last"):
            tensors, metadata = program.read_tensors(self.path("run", f"{name}.safetensors"))
            self.assertEqual({key: metadata[key] for key in ("arch", "width", "classes", "size")},
                             {"arch": "unet", "width": "4", "classes": "2", "size": str(SIZE)})
            self.assertIn("paced", metadata)
            self.assertEqual(tensors["inp.double_conv.0.weight"][:2], ("F32", [4, 3, 3, 3]))
            self.assertEqual(tensors["inp.double_conv.1.num_batches_tracked"][:2], ("I64", []))
        batches = -(-len(program.read_json(self.path("data", "train.json"))) // 4) * EPOCHS
        self.assertEqual(tensors["inp.double_conv.1.num_batches_tracked"][2], (batches,))

    def test_metrics_have_a_row_per_image_and_class(self):
        header, rows = program.read_csv(self.path("run", "metrics.csv"))
        self.assertEqual(header[:2 + len(METRICS)], ["image", "class"] + METRICS)
        self.assertEqual([(row["image"], row["class"]) for row in rows], [(image, "1") for image, _ in self.val])

    def test_summary_begins_with_the_mean_of_all(self):
        header, rows = program.read_csv(self.path("run", "summary.csv"))
        self.assertEqual(header[:3 + len(METRICS)], ["set", "class", "images"] + METRICS)
        self.assertEqual([(row["set"], row["class"]) for row in rows],
                         [("all", "mean"), ("non-empty", "mean"), ("all", "1")])
        _, images = program.read_csv(self.path("run", "metrics.csv"))
        self.assertEqual(int(rows[0]["images"]), len(images))
        for name in METRICS[:4]:
            mean = sum(float(image[name]) for image in images) / len(images)
            self.assertAlmostEqual(float(rows[0][name]), mean, 6)
        precision, recall = float(rows[0]["precision"]), float(rows[0]["recall"])
        self.assertAlmostEqual(float(rows[0]["f1"]), 2 * precision * recall / (precision + recall or 1), 6)

    def test_predictions_have_the_images_size_and_are_0_or_255(self):
        for image in self.images:
            width, height, channels, pixels = program.read_png(self.predicted(image, ".png"))
            self.assertEqual((width, height), program.png_size(image))
            self.assertEqual(channels, 1)
            self.assertLessEqual(set(pixels), {0, 255})

    def test_prediction_is_the_larger_logit(self):
        for image in self.images:
            planes, shape = planes_of(self.predicted(image, ".safetensors"))
            self.assertEqual(shape, (2, SIZE, SIZE))
            expected = bytes(255 if b > a else 0 for a, b in zip(*planes))
            self.assertEqual(program.read_png(self.predicted(image, ".png"))[3], expected)

    def test_metrics_and_log_follow_from_the_predictions(self):
        _, metrics = program.read_csv(self.path("run", "metrics.csv"))
        entropies = []
        for (image, mask), row in zip(self.val, metrics):
            _, _, channels, pixels = program.read_png(self.path("data", mask))
            label = [value == 255 for value in pixels[::channels]]
            prediction = [value == 255 for value in program.read_png(self.predicted(image, ".png"))[3]]
            self.assertAlmostEqual(float(row["dice"]), dice(prediction, label), 6)
            entropies.append(cross_entropy(planes_of(self.predicted(image, ".safetensors"))[0], label))
        best = min(program.read_json(self.path("run", "losses.json"))["val"])
        self.assertAlmostEqual(sum(entropies) / len(entropies), best, 5)

    def test_output_of_test_moves_only_the_results(self):
        self.run_program("test", "tiny.ini", "--set", "run.output=run", "--output", "elsewhere")
        names = ["intervals.csv", "metrics.csv", "reliability.csv", "summary.csv"]
        self.assertEqual(set(os.listdir(self.path("elsewhere"))),
                         {*names, "config.ini", "report.html", "reliability.svg", "overlays"})
        for name in names:
            self.assertEqual(program.read_bytes(self.path("elsewhere", name)),
                             program.read_bytes(self.path("run", name)))

    def test_image_of_another_size_is_predicted_at_its_own(self):
        program.write_png(self.path("odd", "wide one.png"), 45, 19, 3, [(i * 7) % 256 for i in range(45 * 19 * 3)])
        self.run_program("predict", "run/config.ini", "--weights", "best", "--output", "odd_out", "odd")
        self.assertEqual(program.png_size(self.path("odd_out", "wide one.png")), (45, 19))
        self.assertEqual(sorted(os.listdir(self.path("odd_out"))), ["predict.ini", "wide one.png"])

    def test_progress_shows_on_a_terminal(self):
        screen, terminal = pty.openpty()
        child = subprocess.Popen([program.PROGRAM, "train", "tiny.ini", "--output", "shown", "--set", "train.epochs=1"],
                                 cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=terminal,
                                 env={**os.environ, "TERM": "xterm"})
        os.close(terminal)
        shown = b""
        while True:
            try:
                part = os.read(screen, 4096)
            except OSError:  # the other end of the terminal is closed
                break
            if not part:
                break
            shown += part
        os.close(screen)
        self.assertEqual(child.wait(), 0)
        self.assertIn(b"\r", shown)
        self.assertIn(b"ETA", shown)
        self.assertIn(b"images/s", shown)


class FolderTest(program.Case):
    """Three classes, and images of a size other than the network's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pairs = program.make_folder(cls, "bands", 10, 40, 36, 3)
        program.write_json(cls.path("train.json"), pairs[:8])
        program.write_json(cls.path("val.json"), pairs[8:])
        program.write_ini(cls.path("bands.ini"),
                          data={"dataset": "folder", "root": "bands", "train": "train.json", "val": "val.json",
                                "classes": 3, "size": SIZE},
                          model={"width": 4}, train={"epochs": 2, "batch": 2})
        cls.run_program("train", "bands.ini")
        cls.run_program("test", "bands.ini")
        cls.run_program("predict", "bands.ini", "--weights", "best", "--output", "predicted", "--logits",
                        "bands/8.png")

    def test_default_output_names_dataset_and_configuration(self):
        self.assertTrue(os.path.exists(self.path("outputs", "folder", "bands", "best.safetensors")))

    def test_summary_has_a_row_per_class(self):
        _, rows = program.read_csv(self.path("outputs", "folder", "bands", "summary.csv"))
        self.assertEqual([(row["set"], row["class"], row["images"]) for row in rows],
                         [("all", "mean", "2"), ("non-empty", "mean", "2"), ("all", "1", "2"), ("all", "2", "2")])
        mean = (float(rows[2]["dice"]) + float(rows[3]["dice"])) / 2
        self.assertAlmostEqual(float(rows[0]["dice"]), mean, 6)

    def test_metrics_have_a_row_per_image_and_class(self):
        _, rows = program.read_csv(self.path("outputs", "folder", "bands", "metrics.csv"))
        self.assertEqual([(row["image"], row["class"]) for row in rows],
                         [("8.png", "1"), ("8.png", "2"), ("9.png", "1"), ("9.png", "2")])

    def test_prediction_holds_class_numbers(self):
        width, height, _, pixels = program.read_png(self.path("predicted", "8.png"))
        self.assertEqual((width, height), (40, 36))
        planes, shape = planes_of(self.path("predicted", "8.safetensors"))
        self.assertEqual(shape, (3, SIZE, SIZE))
        best = [max(range(3), key=lambda c: planes[c][i]) for i in range(SIZE * SIZE)]
        self.assertEqual(list(pixels), [best[(y * SIZE // 36) * SIZE + x * SIZE // 40]
                                        for y in range(36) for x in range(40)])

    def test_loss_falls(self):
        losses = program.read_json(self.path("outputs", "folder", "bands", "losses.json"))["train"]
        self.assertLess(losses[-1], losses[0])


if __name__ == "__main__":
    program.main()
