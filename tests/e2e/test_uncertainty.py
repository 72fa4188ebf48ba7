"""The uncertainty of the teacher as pictures (`paced uncertainty`), and the calibration of its probabilities (`paced
calibrate`): the maps are recomputed from the logits written by `predict --logits`."""
import math
import os
import re
import shutil

import program

SIZE, TAU = 32, 1.5
MAPS = ("u_p", "u_b", "u", "weight")
# SVLS kernel of side 3 and sigma 1: corners, edges, and the centre.
CORNER, EDGE = math.exp(-1), math.exp(-0.5)
KERNEL = {0: 0.5, 1: 0.5 * EDGE / (4 * EDGE + 4 * CORNER), 2: 0.5 * CORNER / (4 * EDGE + 4 * CORNER)}


def boundary(labels):
    """u_b of [SIZE][SIZE] labels, replicate padding."""
    found = []
    for y in range(SIZE):
        for x in range(SIZE):
            same = 0
            for dy in (-1, 0, 1):
                for dx in (-1, 0, 1):
                    at = min(max(y + dy, 0), SIZE - 1) * SIZE + min(max(x + dx, 0), SIZE - 1)
                    same += KERNEL[dx * dx + dy * dy] * (labels[at] == labels[y * SIZE + x])
            found.append(1 - same)
    return found


def confidences(planes):
    """softmax(logits / TAU) of planes[class][pixel], per pixel."""
    for logits in zip(*planes):
        terms = [math.exp((value - max(logits)) / TAU) for value in logits]
        yield [term / sum(terms) for term in terms]


class UncertaintyTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=15, size=SIZE)
        cls.run_program("train", "tiny.ini", "--output", "run")
        cls.image = "data/benign/benign (1).png"
        cls.options = ["tiny.ini", "--weights", "run/best.safetensors"]
        cls.sets = ["--set", f"uncertainty.temperature={TAU}", "--set", "pacing.mu=0.3"]
        cls.run_program("uncertainty", *cls.options, *cls.sets, "--output", "maps", "data/benign")
        cls.run_program("predict", *cls.options, "--output", "logits", "--logits", cls.image)
        (_, (classes, _, _), values), = program.read_tensors(
            cls.path("logits", "benign (1).safetensors"))[0].values()
        pixels = SIZE * SIZE
        cls.f = list(confidences([values[c * pixels:(c + 1) * pixels] for c in range(classes)]))
        mask = program.read_png(cls.path("data", "benign", "benign (1)_mask.png"))
        cls.labels = [int(value == 255) for value in mask[3][::mask[2]]]

    def grey(self, name, folder="maps", stem="benign (1)"):
        width, height, channels, values = program.read_png(self.path(folder, f"{stem}_{name}.png"))
        self.assertEqual((width, height, channels), (SIZE, SIZE, 1))
        return values

    def assert_close(self, found, wanted):
        """Compares bytes with values in 0..1, up to a rounding error."""
        worst = max(abs(byte - 255 * value) for byte, value in zip(found, wanted))
        self.assertLess(worst, 0.51)

    def test_files_of_every_image_and_none_of_a_mask(self):
        images = [name for name in os.listdir(self.path("data", "benign")) if not name.endswith("_mask.png")]
        self.assertGreater(len(images), 1)
        wanted = {stem + end for stem in (name[:-4] for name in images)
                  for end in (".png", *(f"_{name}.png" for name in MAPS))}
        self.assertEqual(set(os.listdir(self.path("maps"))), wanted)

    def test_u_p(self):
        self.assert_close(self.grey("u_p"), [1 - f[y] for f, y in zip(self.f, self.labels)])

    def test_u_b(self):
        wanted = boundary(self.labels)
        found = self.grey("u_b")
        self.assertGreater(max(found), 0)
        self.assertLessEqual(max(found), 128)
        self.assert_close(found, wanted)
        inside = [i for i, value in enumerate(wanted) if self.labels[i] and value < 1e-9]
        self.assertGreater(len(inside), 0)
        self.assertEqual({found[i] for i in inside}, {0})

    def test_fused_and_weight(self):
        fused = [1 - f[y] * (1 - u_b) for f, y, u_b in zip(self.f, self.labels, boundary(self.labels))]
        self.assert_close(self.grey("u"), fused)
        self.assertEqual(set(self.grey("weight")) | {0, 255}, {0, 255})
        for byte, u in zip(self.grey("weight"), fused):
            if abs(u - 0.3) > 1e-4:
                self.assertEqual(byte, 255 if u < 0.3 else 0)

    def test_picture_shows_the_image_scaled_up(self):
        width, height, channels, values = program.read_png(self.path("maps", "benign (1).png"))
        self.assertEqual(channels, 3)
        self.assertGreater(width, 3 * 8 * SIZE)
        self.assertGreater(height, 2 * 8 * SIZE)
        self.assertEqual(values[:3], b"\xff\xff\xff")
        _, _, step, pixels = program.read_png(self.path(self.image))
        row = b"".join(8 * (pixels[i:i + step] if step == 3 else 3 * pixels[i:i + 1])
                       for i in range(0, SIZE * step, step))
        found = [y for y in range(height) if row in values[y * width * 3:(y + 1) * width * 3]]
        self.assertGreaterEqual(len(found), 8)

    def test_soft_weights_of_a_named_method(self):
        self.run_program("uncertainty", *self.options, *self.sets, "--set", "distill.method=cpl", "--output", "soft",
                         self.image)
        for byte, f, y in zip(self.grey("weight", "soft"), self.f, self.labels):
            if abs(f[y] - 0.7) > 1e-4:
                self.assertEqual(byte, 255 if f[y] > 0.7 else round(255 * 0.4))

    def test_mu_from_a_quantile_of_the_given_images(self):
        self.run_program("uncertainty", *self.options, *self.sets, "--set", "pacing.function=linear", "--set",
                         "pacing.start=0.7", "--output", "quantile", self.image)
        weights = self.grey("weight", "quantile")
        share = sum(byte == 255 for byte in weights) / len(weights)
        self.assertAlmostEqual(share, 0.7, delta=0.02)

    def test_without_a_mask(self):
        os.makedirs(self.path("bare"), exist_ok=True)
        for name in ("a.png", "b.png"):
            shutil.copy(self.path(self.image), self.path("bare", name))
        done = self.run_program("uncertainty", *self.options, *self.sets, "--output", "bare_maps", "bare")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("a_mask.png", done.stderr)
        self.assertEqual(len(os.listdir(self.path("bare_maps"))), 2 * 4)
        self.assertFalse(os.path.exists(self.path("bare_maps", "a_u_b.png")))
        self.assert_close(self.grey("u_p", "bare_maps", "a"), [1 - max(f) for f in self.f])
        self.assertEqual(self.grey("u", "bare_maps", "b"), self.grey("u_p", "bare_maps", "b"))

    def test_the_teacher_is_the_network_named_by_distill(self):
        self.run_program("uncertainty", *self.options, *self.sets, "--set", "model.width=8", "--set",
                         "distill.teacher_width=4", "--output", "teacher", self.image)
        self.assertEqual(self.grey("u", "teacher"), self.grey("u"))

    def test_calibrate(self):
        done = self.run_program("calibrate", *self.options)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[1].split(), ["tau", "NLL", "ECE", "Brier"])
        before, after = ([float(word) for word in line.split()] for line in lines[2:4])
        self.assertEqual(before[0], 1)
        self.assertNotIn("a limit of the range", done.stderr)
        self.assertLessEqual(after[1], before[1])
        tau, = re.fullmatch(r"uncertainty\.temperature = (\S+)", lines[4]).groups()
        self.assertEqual(float(tau), after[0])
        entropies = program.read_json(self.path("run", "losses.json"))["val"]
        self.assertAlmostEqual(before[1], min(entropies), 5)
        for maps, temperature in (("fitted", "auto"), ("given", tau)):
            self.run_program("uncertainty", *self.options, "--set", f"uncertainty.temperature={temperature}",
                             "--output", maps, self.image)
        worst = max(abs(a - b) for a, b in zip(self.grey("u_p", "fitted"), self.grey("u_p", "given")))
        self.assertLessEqual(worst, 1)

    def test_calibrate_a_network_that_is_far_too_sure(self):
        tensors, metadata = program.read_tensors(self.path("run", "best.safetensors"))
        for name in ("out.weight", "out.bias"):
            dtype, shape, values = tensors[name]
            tensors[name] = (dtype, shape, [512 * value for value in values])
        program.write_tensors(self.path("sure.safetensors"), tensors, metadata)
        tau, sure = (float(self.run_program("calibrate", "tiny.ini", "--weights", weights).stdout.split()[-1])
                     for weights in ("run/best.safetensors", "sure.safetensors"))
        self.assertAlmostEqual(sure / (512 * tau), 1, 4)

    # ---- bad input ---------------------------------------------------------------------------------------------------

    def test_missing_arguments(self):
        self.refuse("uncertainty", "tiny.ini", self.image, says=["uncertainty", "--weights"])
        self.refuse("uncertainty", *self.options, "--output", "out", says=["usage", "IMAGE"])
        self.refuse("calibrate", "tiny.ini", says=["calibrate", "--weights"])

    def test_bad_weights(self):
        for command in (["calibrate", "tiny.ini"], ["uncertainty", "tiny.ini", self.image, "--output", "out"]):
            self.refuse(*command, "--weights", "nowhere.safetensors", says=["nowhere.safetensors"])
            self.refuse(*command, "--weights", "run/best.safetensors", "--set", "model.width=8",
                        says=["inp.double_conv.0.weight"])

    def test_a_bad_image_is_named_and_the_others_are_done(self):
        program.write_text(self.path("mixed", "a.png"), "no image")
        shutil.copy(self.path(self.image), self.path("mixed", "b.png"))
        shutil.copy(self.path(self.image), self.path("mixed", "b_mask.png"))
        for pacing in ("step", "quantile"):
            done = self.run_program("uncertainty", *self.options, "--set", f"pacing.function={pacing}", "--output",
                                    f"mixed_{pacing}", "mixed", status=2)
            self.assertEqual(done.stderr.count("mixed/a.png"), 1, done.stderr)
            self.assertIn("not a PNG", done.stderr)
            self.assertEqual(len(os.listdir(self.path(f"mixed_{pacing}"))), 5)

    def test_mask_of_another_size(self):
        os.makedirs(self.path("unequal"), exist_ok=True)
        shutil.copy(self.path(self.image), self.path("unequal", "a.png"))
        program.write_png(self.path("unequal", "a_mask.png"), 5, 4, 1, bytes(20))
        done = self.run_program("uncertainty", *self.options, "--output", "unequal_maps", "unequal", status=2)
        for words in ("unequal/a.png", "a_mask.png", "5 x 4"):
            self.assertIn(words, done.stderr)
        self.assertEqual(os.listdir(self.path("unequal_maps")), [])

    def test_results_do_not_replace_their_images(self):
        for command in ("uncertainty", "predict"):
            self.refuse(command, *self.options, "--output", "data/benign", self.image,
                        says=["benign (1).png", "would replace"])


if __name__ == "__main__":
    program.main()
