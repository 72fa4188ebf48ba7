"""`paced predict` by windows: no seams, mirrored borders and flips; a large image needs little memory and can be
stopped."""
import os
import random
import signal
import time

import program
from pictures import SIZE, WINDOWS, PredictCase, mirrored, picture, read_deep

# ---- windows ---------------------------------------------------------------------------------------------------------


class WindowsTest(PredictCase):
    """A network with a receptive field of four pixels in each direction: the deep part of the input of up4 is
    cut off."""
    REACH = 4

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        local = dict(cls.tensors)
        dtype, shape, values = local["up4.conv.double_conv.0.weight"]
        kept = shape[1] // 2
        local["up4.conv.double_conv.0.weight"] = (dtype, shape, tuple(
            value if i // 9 % shape[1] < kept else 0.0 for i, value in enumerate(values)))
        cls.balance(local)
        cls.side = 3 * SIZE
        program.write_png(cls.path("large.png"), cls.side, cls.side, 3, picture(cls.side, cls.side, 5))
        cls.whole = cls.probabilities("whole", f"data.size={cls.side}")

    @classmethod
    def probabilities(cls, output, *sets, image="large.png"):
        cls.predict(output, "--probabilities", image, sets=sets)
        name = os.path.splitext(image)[0]
        return [value / 65535 for value in read_deep(cls.path(output, f"{name}_p1.png"))[2]]

    def errors(self, output, *sets):
        """|difference| from the pass over the whole image, and its mean by position of the column in a grid of SIZE /
        2."""
        windows = self.probabilities(output, *WINDOWS, *sets)
        errors = [abs(a - b) for a, b in zip(windows, self.whole)]
        step = SIZE // 2
        columns = [[errors[y * self.side + x] for y in range(self.side) for x in range(place, self.side, step)]
                   for place in range(step)]
        other = sum((a >= 0.5) != (b >= 0.5) for a, b in zip(windows, self.whole)) / len(errors)
        return errors, [sum(column) / len(column) for column in columns], other

    def test_no_seams(self):
        spread = sum(p >= 0.5 for p in self.whole) / len(self.whole)
        self.assertTrue(0.1 < spread < 0.9, "both classes, or the test says nothing")
        errors, columns, other = self.errors("blended", "predict.overlap=0.5")
        self.assertLess(max(errors), 0.02)
        self.assertLess(max(columns), 0.002)
        self.assertLess(other, 0.005)
        # Windows without overlap differ up to their borders: the measure detects seams.
        seams, places, _ = self.errors("touching", "predict.overlap=0")
        self.assertGreater(max(seams), 5 * max(errors))
        self.assertGreater(max(places), 5 * max(columns))

    def test_touching_windows_are_right_away_from_their_borders(self):
        errors, _, _ = self.errors("inside", "predict.overlap=0")
        inside = [error for i, error in enumerate(errors)
                  if all(self.REACH <= at % SIZE < SIZE - self.REACH for at in divmod(i, self.side))]
        self.assertLess(max(inside), 1e-4)

    def test_batches_do_not_matter(self):
        one = self.probabilities("one", *WINDOWS, "predict.batch=1")
        seven = self.probabilities("seven", *WINDOWS, "predict.batch=7")
        self.assertLess(max(abs(a - b) for a, b in zip(one, seven)), 1e-4)

    def test_one_window_is_the_whole(self):
        program.write_png(self.path("fitting.png"), SIZE, SIZE, 3, picture(SIZE, SIZE, 6))
        self.predict("fits", "fitting.png", sets=WINDOWS)
        self.predict("resized", "fitting.png")
        self.assertEqual(program.read_bytes(self.path("fits", "fitting.png")),
                         program.read_bytes(self.path("resized", "fitting.png")))

    def test_small_image_is_mirrored_around(self):
        """The result equals that of an image enlarged by hand."""
        width, height = 20, 12
        small = picture(width, height, 7)
        mirror = lambda i, n: min(i % (2 * n - 2), -i % (2 * n - 2))
        left, top = (SIZE - width) // 2, (SIZE - height) // 2
        large = b"".join(small[3 * (mirror(y - top, height) * width + mirror(x - left, width)):][:3]
                         for y in range(SIZE) for x in range(SIZE))
        program.write_png(self.path("small.png"), width, height, 3, small)
        program.write_png(self.path("enlarged.png"), SIZE, SIZE, 3, large)
        a = self.probabilities("padded", *WINDOWS, image="small.png")
        b = self.probabilities("padded", *WINDOWS, image="enlarged.png")
        cut = [b[(top + y) * SIZE + left + x] for y in range(height) for x in range(width)]
        self.assertLess(max(abs(p - q) for p, q in zip(a, cut)), 1e-4)

    def test_flips(self):
        """With flips, a mirrored image has the mirrored result; without them it does not."""
        side = 2 * SIZE
        pixels = picture(side, side, 8)
        program.write_png(self.path("there.png"), side, side, 3, pixels)
        program.write_png(self.path("back.png"), side, side, 3, mirrored(pixels, side, 3))
        for flip, mode in (("yes", "window"), ("yes", "resize"), ("no", "window")):
            sets = (f"predict.flip={flip}", f"predict.mode={mode}", f"data.size={SIZE if mode == 'window' else side}")
            there = self.probabilities(f"{flip}_{mode}", *sets, image="there.png")
            back = self.probabilities(f"{flip}_{mode}", *sets, image="back.png")
            turned = [p for y in range(side) for p in back[y * side:(y + 1) * side][::-1]]
            most = max(abs(p - q) for p, q in zip(there, turned))
            if flip == "yes":
                self.assertLess(most, 1e-4)
            else:
                self.assertGreater(most, 1e-3)

    def test_classes_have_maps_of_their_own(self):
        """Three classes; their probabilities add up to 1 and the mask is the most probable class."""
        tensors = dict(self.tensors)
        for name in ("out.weight", "out.bias"):
            dtype, shape, values = tensors[name]
            third = tuple(-value for value in values[:len(values) // 2])
            tensors[name] = (dtype, [3, *shape[1:]], (*values, *third))
        program.write_tensors(self.path("three.safetensors"), tensors)
        self.run_program("predict", "tiny.ini", "--weights", "three.safetensors", "--output", "three", "--probabilities",
                         "large.png", *(word for key in (*WINDOWS, "data.classes=3", "data.dataset=folder")
                                        for word in ("--set", key)))
        maps = [read_deep(self.path("three", f"large_p{c}.png"))[2] for c in range(3)]
        for label, *p in zip(program.read_png(self.path("three", "large.png"))[3], *maps):
            self.assertLessEqual(abs(sum(p) - 65535), 2)
            self.assertGreaterEqual(p[label] + 1, max(p))


# ---- a large image ---------------------------------------------------------------------------------------------------


class LargeTest(PredictCase):
    CLASSES, WIDTH, HEIGHT = 12, 2000, 1500

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rng = random.Random(1)
        for name in ("out.weight", "out.bias"):
            dtype, shape, values = cls.tensors[name]
            count = cls.CLASSES * len(values) // 2
            cls.tensors[name] = (dtype, [cls.CLASSES, *shape[1:]], [rng.uniform(-1, 1) for _ in range(count)])
        program.write_tensors(cls.path("many.safetensors"), cls.tensors)
        tile = picture(SIZE, SIZE)
        rows = [tile[3 * y * SIZE:3 * (y + 1) * SIZE] * (cls.WIDTH // SIZE + 1) for y in range(SIZE)]
        large = b"".join(rows[y % SIZE][:3 * cls.WIDTH] for y in range(cls.HEIGHT))
        program.write_png(cls.path("large.png"), cls.WIDTH, cls.HEIGHT, 3, large)
        program.write_png(cls.path("small.png"), SIZE, SIZE, 3, tile)

    def command(self, output, image, *sets):
        keys = (*WINDOWS, "data.size=64", "data.dataset=folder", f"data.classes={self.CLASSES}", "predict.batch=16", *sets)
        return ["predict", "tiny.ini", "--weights", "many.safetensors", "--output", output, image,
                *(word for key in keys for word in ("--set", key))]

    def peak_bytes(self, output, image, *options, sets=()):
        child = self.start(*self.command(output, image, *sets), *options)
        said = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        child.stderr.close()
        self.assertEqual(child.returncode, 0, said)
        return usage.ru_maxrss * 1024

    def test_memory_does_not_hold_all_classes(self):
        """The image has 3 bytes per pixel, its mask 1; twelve classes of floats would take 48 more."""
        sets = ("predict.overlap=0.1",)
        self.peak_bytes("warm", "small.png", "--probabilities", sets=sets)  # builds the kernels
        small = self.peak_bytes("small", "small.png", "--probabilities", sets=sets)
        large = self.peak_bytes("large", "large.png", "--probabilities", sets=sets)
        self.assertLess(large - small, 12 * self.WIDTH * self.HEIGHT)
        self.assertEqual(program.png_size(self.path("large", "large.png")), (self.WIDTH, self.HEIGHT))

    def test_ctrl_c_leaves_whole_files_only(self):
        """Stops between two batches, in the middle of an image."""
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            child = self.start(*self.command("stopped", "large.png", "predict.overlap=0.9"), "--probabilities",
                               "--overwrite")
            while not os.path.exists(self.path("stopped")) or not any(
                    ".tmp." in name and "_p11" in name for name in os.listdir(self.path("stopped"))):
                time.sleep(0.05)
                self.assertIsNone(child.poll(), "ended by itself")
            child.send_signal(signal_number)
            with child.stderr:
                said = child.stderr.read()
            self.assertEqual(child.wait(timeout=60), 130, said)
            self.assertEqual(os.listdir(self.path("stopped")), ["predict.ini"])
            self.assertIn("images predicted: 0, left: 1", said)


if __name__ == "__main__":
    program.main()
