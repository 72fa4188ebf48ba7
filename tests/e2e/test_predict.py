"""`paced predict` on real-world pictures: any format, size and name, including broken files; finished images are
skipped; a data set of JPEG images."""
import os
import re
import shutil
import struct
import zlib

import program
from pictures import (GREY, GREY_ALPHA, PALETTE, RGB, RGBA, SIZE, WINDOWS, PredictCase, jpeg_of, picture, png_of,
                      read_deep)

# ---- input pictures --------------------------------------------------------------------------------------------------


class PicturesTest(PredictCase):
    SIZES = [(1, 1), (1, 7), (40, 1), (9, 14), (SIZE, SIZE), (33, 31), (70, 20), (64, 57)]
    KINDS = [(GREY, 1), (GREY, 2), (GREY, 4), (GREY, 8), (GREY, 16), (RGB, 8), (RGB, 16), (PALETTE, 1), (PALETTE, 4),
             (PALETTE, 8), (GREY_ALPHA, 8), (RGBA, 8), (RGBA, 16)]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sizes = {}  # sizes of the valid pictures, by stem
        for i in range(96):
            width, height = cls.SIZES[i % len(cls.SIZES)]
            stem = f"{i} größer & blau" if i % 5 == 0 else f"{i}"
            if i % 6 == 5:
                name, data = f"{stem}.jpg", jpeg_of(width, height, picture(width, height, i), grey=i % 12 == 5)
            else:
                kind, bits = cls.KINDS[i % len(cls.KINDS)]
                name, data = f"{stem}.PNG" if i % 7 == 0 else f"{stem}.png", png_of(kind, bits, width, height, i)
            program.write_bytes(cls.path("all sorts", name), data)
            cls.sizes[stem] = (width, height)
        good, jpeg = png_of(RGB, 8, 20, 20), jpeg_of(20, 20, picture(20, 20))
        cls.bad = {"cut.png": good[:len(good) // 2], "text.png": b"no picture", "empty.png": b"", "void.jpg": b"",
                   "cut öd.jpeg": jpeg[:len(jpeg) // 2], "bytes.jpg": bytes(range(256))}
        for name, data in cls.bad.items():
            program.write_bytes(cls.path("all sorts", name), data)
        program.write_text(cls.path("all sorts", "notes.txt"), "no image by its name")

    def check(self, output, *sets):
        done = self.predict(output, "--probabilities", "--overlay", "all sorts", sets=sets, status=2)
        lines = done.stderr.splitlines()
        self.assertEqual(lines[-1], f"paced: {output}: images predicted: {len(self.sizes)}, unreadable: {len(self.bad)}")
        self.assertEqual(len(lines), len(self.bad) + 1, done.stderr)
        for name in self.bad:
            self.assertEqual(sum(f"all sorts/{name}: " in line for line in lines), 1)
        found = {"predict.ini"}
        for stem, size in self.sizes.items():
            width, height, channels, pixels = program.read_png(self.path(output, f"{stem}.png"))
            self.assertEqual((width, height, channels), (*size, 1))
            self.assertLessEqual(set(pixels), {0, 255})
            width, height, values = read_deep(self.path(output, f"{stem}_p1.png"))
            self.assertEqual((width, height), size)
            for label, p in zip(pixels, values):
                self.assertTrue(p >= 32767 if label else p <= 32768)
            self.assertEqual(program.png_size(self.path(output, f"{stem}_overlay.png")), size)
            found |= {f"{stem}{ending}" for ending in (".png", "_p1.png", "_overlay.png")}
        self.assertEqual(set(os.listdir(self.path(output))), found)

    def test_whole(self):
        self.check("whole")

    def test_windows(self):
        self.check("windows", *WINDOWS, "predict.flip=yes", "predict.batch=3")

    def test_the_same_picture_in_other_formats(self):
        """Alpha is dropped; greyscale is the same in any format; JPEG loses little."""
        width, height = 50, 41
        rgb = picture(width, height, 1)
        grey = rgb[::3]
        alpha = b"".join(b"\0" + b"".join(bytes((*rgb[3 * i:3 * i + 3], 9)) for i in range(y * width, (y + 1) * width))
                         for y in range(height))
        header = struct.pack(">IIBBBBB", width, height, 8, RGBA, 0, 0, 0)
        program.write_png(self.path("formats", "rgb.png"), width, height, 3, rgb)
        program.write_png(self.path("formats", "grey.png"), width, height, 1, grey)
        program.write_bytes(self.path("formats", "rgba.png"), b"\x89PNG\r\n\x1a\n" + program.png_chunk(b"IHDR", header) +
                            program.png_chunk(b"IDAT", zlib.compress(alpha)) + program.png_chunk(b"IEND", b""))
        program.write_bytes(self.path("formats", "jpeg.png"), jpeg_of(width, height, rgb))
        self.predict("formats_out", "formats", sets=WINDOWS)
        masks = {name: program.read_png(self.path("formats_out", f"{name}.png"))[3]
                 for name in ("rgb", "grey", "rgba", "jpeg")}
        self.assertEqual(len(set(masks["rgb"])), 2, "both classes, or the test says nothing")
        self.assertEqual(masks["rgb"], masks["grey"])
        self.assertEqual(masks["rgb"], masks["rgba"])
        other = sum(a != b for a, b in zip(masks["rgb"], masks["jpeg"]))
        self.assertLess(other, 0.03 * width * height)

    def test_results_of_one_name(self):
        for name in ("one/a.png", "two/a.png", "pair/b.png", "pair/b.jpg", "tail/c.png", "tail/c_overlay.png"):
            program.write_png(self.path("same", name), 4, 4, 1, bytes(16))
        options = ["predict", "tiny.ini", "--weights", "weights.safetensors", "--output", "same_out"]
        self.refuse(*options, "same/one", "same/two", says=["same/one/a.png", "same/two/a.png", "--output"])
        self.refuse(*options, "same/pair", says=["same/pair/b.png", "same/pair/b.jpg"])
        self.refuse(*options, "same/tail", "--overlay", says=["c.png", "c_overlay.png"])
        self.run_program(*options, "same/tail")

    def test_masks_of_a_data_set_are_no_images(self):
        folder = self.path("data", "malignant")
        images = [name for name in os.listdir(folder) if "_mask" not in name]
        masks = len(os.listdir(folder)) - len(images)
        done = self.predict("set_out", "data/malignant")
        self.assertIn(f"images predicted: {len(images)}; masks skipped: {masks}", done.stderr)
        self.assertEqual(set(os.listdir(self.path("set_out"))), {"predict.ini", *images})

    def test_what_only_looks_like_a_mask_is_an_image(self):
        for name in ("x.png", "x_mask.png", "x_mask_12.png", "x_masked.png", "y_mask.png", "z_mask.png"):
            program.write_png(self.path("alike", name), 4, 4, 1, bytes(16))
        program.write_bytes(self.path("alike", "z.jpg"), jpeg_of(4, 4, bytes(48)))
        self.predict("alike_out", "alike")
        self.assertEqual(set(os.listdir(self.path("alike_out"))),
                         {"predict.ini", "x.png", "x_masked.png", "y_mask.png", "z.png"})

    def test_file_in_the_place_of_the_record(self):
        """An existing configuration of that name is kept."""
        program.write_ini(self.path("mine", "predict.ini"), base="../tiny.ini", model={"width": 4})
        self.refuse("predict", "mine/predict.ini", "--weights", "weights.safetensors", "--output", "mine", "data/benign",
                    says=["mine/predict.ini", "--output"])

    def test_logits_of_windows_are_refused(self):
        self.refuse("predict", "tiny.ini", "--weights", "weights.safetensors", "--output", "out", "--logits", "data/benign",
                    "--set", "predict.mode=window", says=["--logits", "predict.mode = resize"])


# ---- repeated runs ---------------------------------------------------------------------------------------------------


class AgainTest(PredictCase):
    def setUp(self):
        self.names = ["a", "b", "c"]
        self.folder, self.out = f"{self._testMethodName}_in", f"{self._testMethodName}_out"
        for i, name in enumerate(self.names):
            program.write_png(self.path(self.folder, f"{name}.png"), 20, 20, 3, picture(20, 20, i))
        self.predict(self.out, "--overlay", self.folder)

    def done_again(self, *args, sets=()):
        """The images whose masks are rewritten."""
        before = program.snapshot(self.path(self.out))
        said = self.predict(self.out, *(args or ("--overlay",)), self.folder, sets=sets).stderr
        after = program.snapshot(self.path(self.out))
        anew = [name for name in self.names if before.get(self.mask(name)) != after[self.mask(name)]]
        self.assertIn(f"images predicted: {len(anew)}", said)
        if len(anew) < len(self.names):
            self.assertIn(f"done before: {len(self.names) - len(anew)}", said)
        return anew

    def mask(self, name):
        return self.path(self.out, f"{name}.png")

    def test_nothing(self):
        self.assertEqual(self.done_again(), [])

    def test_results_that_are_missing(self):
        os.remove(self.mask("b"))
        os.remove(self.path(self.out, "c_overlay.png"))
        self.assertEqual(self.done_again(), ["b", "c"])
        self.assertEqual(self.done_again("--overlay", "--probabilities"), self.names)

    def test_image_that_is_newer(self):
        program.write_png(self.path(self.folder, "b.png"), 24, 24, 3, picture(24, 24, 9))
        self.assertEqual(self.done_again(), ["b"])
        self.assertEqual(program.png_size(self.mask("b")), (24, 24))

    def test_other_settings(self):
        self.assertEqual(self.done_again(sets=["predict.flip=yes"]), self.names)
        self.assertEqual(self.done_again(sets=["predict.flip=yes"]), [])
        self.assertEqual(self.done_again(), self.names)
        self.assertEqual(program.parse_ini(program.read_text(self.path(self.out, "predict.ini")))["predict.flip"], "no")

    def test_other_weights(self):
        os.utime(self.path("weights.safetensors"))
        self.assertEqual(self.done_again(), self.names)
        before = program.snapshot(self.path(self.out))
        self.run_program("predict", "tiny.ini", "--weights", "run/best.safetensors", "--output", self.out, self.folder)
        after = program.snapshot(self.path(self.out))
        self.assertNotEqual(before[self.mask("a")], after[self.mask("a")], "older, but others")

    def replace(self, name, by):
        """Puts a copy, dated earlier than everything else, in the place of a file."""
        shutil.copy(self.path(by), self.path("new"))
        os.utime(self.path("new"), (1000000, 1000000))
        os.replace(self.path("new"), self.path(name))

    def test_image_that_is_replaced_by_an_older_one(self):
        program.write_png(self.path("other.png"), 24, 24, 3, picture(24, 24, 9))
        self.replace(f"{self.folder}/b.png", "other.png")
        self.assertEqual(self.done_again(), ["b"])
        self.assertEqual(program.png_size(self.mask("b")), (24, 24))
        os.rename(self.path(self.folder, "c.png"), self.path("c_target.png"))
        os.symlink(self.path("c_target.png"), self.path(self.folder, "c.png"))
        self.assertEqual(self.done_again(), ["c"])
        self.assertEqual(self.done_again(), [])

    def test_weights_that_are_replaced_by_older_ones(self):
        os.rename(self.path("weights.safetensors"), self.path("weights.kept"))
        try:
            self.replace("weights.safetensors", "run/best.safetensors")
            self.assertEqual(self.done_again(), self.names)
            self.assertEqual(self.done_again(), [])
        finally:
            os.replace(self.path("weights.kept"), self.path("weights.safetensors"))

    def test_link_to_the_output_directory(self):
        os.symlink(self.out, self.path(f"{self.out}_link"))
        said = self.predict(f"{self.out}_link", "--overlay", self.folder).stderr
        self.assertIn("done before: 3", said)

    def test_pipe_in_the_folder(self):
        os.remove(self.path(self.folder, "b.png"))
        os.mkfifo(self.path(self.folder, "b.png"))
        done = self.predict(self.out, "--overlay", "--overwrite", self.folder, status=2)
        self.assertIn(f"{self.folder}/b.png: is a pipe", done.stderr)
        self.assertIn("images predicted: 2, unreadable: 1", done.stderr)

    def test_overwrite(self):
        self.assertEqual(self.done_again("--overlay", "--overwrite"), self.names)

    def test_what_was_interrupted_is_made_up_for(self):
        """The settings change, and the run with the new ones processes only one image."""
        os.remove(self.path(self.folder, "b.png"))
        os.remove(self.path(self.folder, "c.png"))
        self.predict(self.out, self.folder, sets=["predict.flip=yes"])
        for i, name in ((1, "b"), (2, "c")):
            program.write_png(self.path(self.folder, f"{name}.png"), 20, 20, 3, picture(20, 20, i))
            os.utime(self.path(self.folder, f"{name}.png"), (0, 0))  # older than all results
        self.assertEqual(self.done_again(sets=["predict.flip=yes"]), self.names)


# ---- data sets -------------------------------------------------------------------------------------------------------


class JpegDataTest(program.Case):
    """A data set of JPEG images, found by name, used for training and checked."""

    def test_data_set(self):
        for i in range(10):
            pixels = picture(SIZE, SIZE, i)
            program.write_bytes(self.path("set", f"{i}.{('jpg', 'JPG', 'jpeg')[i % 3]}"), jpeg_of(SIZE, SIZE, pixels))
            program.write_png(self.path("set", f"{i}_mask.png"), SIZE, SIZE, 1, bytes(v < 100 for v in pixels[::3]))
        program.write_ini(self.path("jpeg.ini"), data={"dataset": "folder", "root": "set", "size": SIZE},
                          model={"width": 4}, train={"epochs": 1, "batch": 4})
        self.run_program("data", "split", "jpeg.ini", "--output", "splits")
        sets = [word for key in ("data.train=splits/train.json", "data.val=splits/val.json") for word in ("--set", key)]
        pairs = program.read_json(self.path("splits", "train.json")) + program.read_json(self.path("splits", "val.json"))
        self.assertEqual(sorted(pair[0][0] for pair in pairs), [str(i) for i in range(10)])
        self.run_program("data", "check", "jpeg.ini", *sets)
        self.run_program("train", "jpeg.ini", "--output", "run", *sets)
        for i in range(10):  # masks must not be JPEG, with any file name
            program.write_bytes(self.path("set", f"{i}_mask.png"), jpeg_of(SIZE, SIZE, bytes(3 * SIZE * SIZE)))
        said = self.run_program("train", "jpeg.ini", "--output", "no", *sets, status=2).stderr
        self.assertIn("is a JPEG file", said)
        self.assertRegex(said, re.compile("masks must be PNG"))


if __name__ == "__main__":
    program.main()
