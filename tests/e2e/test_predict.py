"""`paced predict` on the pictures that people have: any format, size and name, broken ones among them; by windows, with
flips; what is done is passed over; a large image takes little memory."""
import ctypes
import os
import random
import re
import signal
import struct
import time
import zlib

import program

SIZE = 32  # of the network


# ---- files -----------------------------------------------------------------------------------------------------------

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}


def png_of(kind, bits, width, height, seed=0):
    """A PNG file of random samples."""
    rng, stride = random.Random(seed), (width * CHANNELS[kind] * bits + 7) // 8
    rows = b"".join(b"\0" + rng.randbytes(stride) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    colours = program.png_chunk(b"PLTE", rng.randbytes(3 << bits)) if kind == PALETTE else b""
    return (b"\x89PNG\r\n\x1a\n" + program.png_chunk(b"IHDR", header) + colours +
            program.png_chunk(b"IDAT", zlib.compress(rows)) + program.png_chunk(b"IEND", b""))


def jpeg_of(width, height, pixels, grey=False):
    """A JPEG file of pixels [height][width][3], by the library that the program reads it with."""
    turbo = ctypes.CDLL("libturbojpeg.so.0")
    turbo.tjInitCompress.restype = ctypes.c_void_p
    file, size = ctypes.c_void_p(), ctypes.c_ulong()
    handle = ctypes.c_void_p(turbo.tjInitCompress())
    failed = turbo.tjCompress2(handle, bytes(pixels), width, 0, height, 0, ctypes.byref(file), ctypes.byref(size),
                               3 if grey else 0, 100, 0)
    assert failed == 0
    data = ctypes.string_at(file, size.value)
    turbo.tjFree(file)
    turbo.tjDestroy(handle)
    return data


def read_deep(path):
    """(width, height, values) of a 16-bit grey PNG."""
    data, at, packed = program.read_bytes(path), 8, b""
    width, height, bits, colour = struct.unpack(">IIBB", data[16:26])
    assert (bits, colour) == (16, GREY), path
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += 12 + size
    raw, rows, above = zlib.decompress(packed), bytearray(), bytes(2 * width)
    for y in range(height):
        begin = y * (2 * width + 1)
        row = bytearray(raw[begin + 1:begin + 2 * width + 1])
        program.unfilter(raw[begin], row, above, 2)
        rows += row
        above = row
    return width, height, struct.unpack(f">{width * height}H", rows)


def picture(width, height, seed=0):
    """Soft blobs on a noisy ground, RGB."""
    rng = random.Random(seed)
    blobs = [(rng.uniform(0, width), rng.uniform(0, height), rng.uniform(3, 9)) for _ in range(width * height // 400 + 1)]
    pixels = bytearray()
    for y in range(height):
        for x in range(width):
            dark = any((x - u) ** 2 + (y - v) ** 2 < r * r for u, v, r in blobs)
            grey = (60 if dark else 150) + rng.randrange(-25, 25)
            pixels += bytes((grey, grey, grey))
    return bytes(pixels)


def mirrored(pixels, width, channels):
    rows = [pixels[i:i + width * channels] for i in range(0, len(pixels), width * channels)]
    return b"".join(row[x * channels:(x + 1) * channels] for row in rows for x in reversed(range(width)))


# ---- the network -----------------------------------------------------------------------------------------------------


class PredictCase(program.Case):
    """Weights whose prediction has both classes, in weights.safetensors."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, size=SIZE)
        cls.run_program("train", "tiny.ini", "--output", "run", "--set", "train.epochs=3")
        cls.tensors, _ = program.read_tensors(cls.path("run", "last.safetensors"))
        cls.balance(cls.tensors)

    @classmethod
    def balance(cls, tensors):
        """Shifts the logits so that half of a picture's pixels are of each class."""
        program.write_png(cls.path("balance.png"), SIZE, SIZE, 3, picture(SIZE, SIZE))
        program.write_tensors(cls.path("weights.safetensors"), tensors)
        cls.run_program("predict", "tiny.ini", "--weights", "weights.safetensors", "--output", "balance", "--logits",
                        "balance.png")
        logits = program.read_tensors(cls.path("balance", "balance.safetensors"))[0]["logits"][2]
        margins = sorted(b - a for a, b in zip(logits[:SIZE * SIZE], logits[SIZE * SIZE:]))
        dtype, shape, (first, second) = tensors["out.bias"]
        tensors["out.bias"] = (dtype, shape, (first + margins[len(margins) // 2], second))
        program.write_tensors(cls.path("weights.safetensors"), tensors)

    @classmethod
    def predict(cls, output, *args, sets=(), status=0):
        options = [word for key in sets for word in ("--set", key)]
        return cls.run_program("predict", "tiny.ini", "--weights", "weights.safetensors", "--output", output, *options,
                               *args, status=status)


WINDOWS = ("predict.mode=window",)


# ---- what people have ------------------------------------------------------------------------------------------------


class PicturesTest(PredictCase):
    SIZES = [(1, 1), (1, 7), (40, 1), (9, 14), (SIZE, SIZE), (33, 31), (70, 20), (64, 57)]
    KINDS = [(GREY, 1), (GREY, 2), (GREY, 4), (GREY, 8), (GREY, 16), (RGB, 8), (RGB, 16), (PALETTE, 1), (PALETTE, 4),
             (PALETTE, 8), (GREY_ALPHA, 8), (RGBA, 8), (RGBA, 16)]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sizes = {}  # of the good ones, by stem
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
        self.assertEqual(lines[-1], f"paced: {output}: {len(self.sizes)} images predicted, {len(self.bad)} could not be "
                                    "read")
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
        """Alpha is dropped; grey is grey, in whatever format; JPEG loses little."""
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
        self.assertIn(f"{len(images)} images predicted; {masks} masks passed over", done.stderr)
        self.assertEqual(set(os.listdir(self.path("set_out"))), {"predict.ini", *images})

    def test_logits_of_windows_are_refused(self):
        self.refuse("predict", "tiny.ini", "--weights", "weights.safetensors", "--output", "out", "--logits", "data/benign",
                    "--set", "predict.mode=window", says=["--logits", "predict.mode = resize"])


# ---- again -----------------------------------------------------------------------------------------------------------


class AgainTest(PredictCase):
    def setUp(self):
        self.names = ["a", "b", "c"]
        self.folder, self.out = f"{self._testMethodName}_in", f"{self._testMethodName}_out"
        for i, name in enumerate(self.names):
            program.write_png(self.path(self.folder, f"{name}.png"), 20, 20, 3, picture(20, 20, i))
        self.predict(self.out, "--overlay", self.folder)

    def done_again(self, *args, sets=()):
        """The images whose masks are written anew."""
        before = program.snapshot(self.path(self.out))
        said = self.predict(self.out, *(args or ("--overlay",)), self.folder, sets=sets).stderr
        after = program.snapshot(self.path(self.out))
        anew = [name for name in self.names if before.get(self.mask(name)) != after[self.mask(name)]]
        self.assertIn(f"{len(anew)} images predicted", said)
        if len(anew) < len(self.names):
            self.assertIn(f"{len(self.names) - len(anew)} were done before", said)
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

    def test_overwrite(self):
        self.assertEqual(self.done_again("--overlay", "--overwrite"), self.names)

    def test_what_was_interrupted_is_made_up_for(self):
        """Settings change, and the run that would use them makes one image only."""
        os.remove(self.path(self.folder, "b.png"))
        os.remove(self.path(self.folder, "c.png"))
        self.predict(self.out, self.folder, sets=["predict.flip=yes"])
        for i, name in ((1, "b"), (2, "c")):
            program.write_png(self.path(self.folder, f"{name}.png"), 20, 20, 3, picture(20, 20, i))
            os.utime(self.path(self.folder, f"{name}.png"), (0, 0))  # older than all results
        self.assertEqual(self.done_again(sets=["predict.flip=yes"]), self.names)


# ---- windows ---------------------------------------------------------------------------------------------------------


class WindowsTest(PredictCase):
    """A network that sees only four pixels in each direction: of up4's input, what comes from the deep is cut off."""
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
        """|difference| from the whole image's pass, and its means in columns by their place in a grid of SIZE / 2."""
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
        # Windows that only touch differ up to their borders: the measure sees seams where there are some.
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
        """As if the image had been enlarged so by hand."""
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
        """A mirrored image has the mirrored result; without flips it has not."""
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
        """Of three classes; their probabilities make 1 and the mask is the likeliest."""
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
        """The image has 3 bytes a pixel, its mask 1; twelve classes of floats would take 48 more."""
        sets = ("predict.overlap=0.1",)
        self.peak_bytes("warm", "small.png", "--probabilities", sets=sets)  # builds the kernels
        small = self.peak_bytes("small", "small.png", "--probabilities", sets=sets)
        large = self.peak_bytes("large", "large.png", "--probabilities", sets=sets)
        self.assertLess(large - small, 12 * self.WIDTH * self.HEIGHT)
        self.assertEqual(program.png_size(self.path("large", "large.png")), (self.WIDTH, self.HEIGHT))

    def test_ctrl_c_leaves_whole_files_only(self):
        """Between two batches, in the midst of an image."""
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
            self.assertIn("0 images predicted, 1 are left", said)


class JpegDataTest(program.Case):
    """A data set of JPEG images, found by their names, trained on and looked over."""

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
        for i in range(10):  # masks must not be JPEG, whatever they are called
            program.write_bytes(self.path("set", f"{i}_mask.png"), jpeg_of(SIZE, SIZE, bytes(3 * SIZE * SIZE)))
        said = self.run_program("train", "jpeg.ini", "--output", "no", *sets, status=2).stderr
        self.assertIn("is a JPEG file", said)
        self.assertRegex(said, re.compile("masks must be PNG"))


if __name__ == "__main__":
    program.main()
