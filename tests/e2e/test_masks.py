"""Data as people have it, through `paced data check`, `data split`, train and test: masks of many encodings keep their
lesions or are warned about, images of more than 8 bits keep their contrast, files and pairs in other layouts are found,
and files that are not used are named."""
import os
import struct
import unittest
import zlib

import program
from pictures import GREY, PALETTE, RGB, RGBA, jpeg_of

SIZE = 32
LESION = [(x, y) for y in range(8, 20) for x in range(10, 26)]
SHARE = 100 * len(LESION) / SIZE**2


def png_of(kind, bits, raw, colours=b""):
    """A PNG file of SIZE x SIZE, of packed samples."""
    stride = len(raw) // SIZE
    rows = b"".join(b"\0" + raw[y * stride:(y + 1) * stride] for y in range(SIZE))
    palette = program.png_chunk(b"PLTE", colours) if colours else b""
    return (b"\x89PNG\r\n\x1a\n" + program.png_chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, bits, kind, 0, 0, 0)) +
            palette + program.png_chunk(b"IDAT", zlib.compress(rows)) + program.png_chunk(b"IEND", b""))


def lesion(inside, outside=0, edge=None):
    """Values of a mask; `edge` replaces the lesion's outline."""
    values = [outside] * SIZE**2
    for x, y in LESION:
        border = x in (10, 25) or y in (8, 19)
        values[y * SIZE + x] = edge if border and edge is not None else inside
    return values


def grey(values):
    return png_of(GREY, 8, bytes(values))


def deep(values):
    return png_of(GREY, 16, b"".join(struct.pack(">H", v) for v in values))


def picture(seed, scale=1):
    return [(v * 7 + seed * 31) % 256 * scale for v in range(SIZE**2)]


class Case(program.Case):
    def put_set(self, name, mask, image=None, **data):
        """Three training pairs and one for validation. `mask` and `image` are files, or functions of the number."""
        for split, numbers in (("train", range(3)), ("val", range(3, 4))):
            pairs = []
            for i in numbers:
                pairs.append([f"{i}.png", f"{i}_mask.png"])
                program.write_bytes(self.path(name, f"{i}.png"), image(i) if image else grey(picture(i)))
                program.write_bytes(self.path(name, f"{i}_mask.png"), mask(i) if callable(mask) else mask)
            program.write_json(self.path(f"{name}-{split}.json"), pairs)
        program.write_ini(self.path(f"{name}.ini"), model={"width": 4}, train={"epochs": 1, "batch": 2},
                          data={"root": name, "train": f"{name}-train.json", "val": f"{name}-val.json", "size": SIZE,
                                **data})
        return f"{name}.ini"

    def check_set(self, name, mask, share=SHARE, says=(), quiet=True, **data):
        """data check finds the foreground's share; stderr has the warnings `says`, and nothing if there are none."""
        done = self.run_program("data", "check", self.put_set(name, mask, **data))
        self.assertRegex(done.stdout, rf"\n +1 +\d +{share:.3f}%")
        for words in says:
            self.assertIn(words, done.stderr)
        if not says and quiet:
            self.assertEqual(done.stderr, "")
        return done


class BinaryTest(Case):
    """Masks of the kind bus."""

    def test_every_white_is_foreground(self):
        self.check_set("8bit", grey(lesion(255)))
        self.check_set("01", grey(lesion(1)))
        self.check_set("1bit", png_of(GREY, 1, bytes(
            sum(lesion(1)[y * SIZE + 8 * b + i] << (7 - i) for i in range(8)) for y in range(SIZE) for b in range(4))))
        for white in (1, 255, 4095, 65535):
            self.check_set(f"16bit-{white}", deep(lesion(white)))
        for channel in range(3):
            pixels = bytes(v if c == channel else 0 for v in lesion(255) for c in range(3))
            self.check_set(f"channel{channel}", png_of(RGB, 8, pixels))
        self.check_set("palette", png_of(PALETTE, 8, bytes(lesion(1)), bytes((0, 0, 0, 0, 255, 0))))
        self.check_set("named", grey(lesion(255)), dataset="binary")

    def test_values_between_are_divided_and_counted(self):
        done = self.check_set("254", grey(lesion(254)), says=["576 mask pixels are neither black nor white",
                                                             "data.threshold = 0.5 divides them, first in 0_mask.png"])
        self.assertNotIn("no mask has foreground", done.stderr)
        edge = sum(x in (10, 25) or y in (8, 19) for x, y in LESION)
        inner = 100 * (len(LESION) - edge) / SIZE**2
        self.check_set("soft", grey(lesion(255, edge=200)), says=["are neither black nor white"])
        self.check_set("softer", grey(lesion(255, edge=100)), share=inner, says=["are neither black nor white"])
        self.check_set("strict", grey(lesion(255, edge=200)), share=inner, says=["data.threshold = 1 "], threshold=1)
        self.refuse("data", "check", "strict.ini", "--set", "data.threshold=0", says=["data.threshold"])
        self.refuse("data", "check", "strict.ini", "--set", "data.threshold=1.5", says=["data.threshold"])

    def test_faults_are_warned_about(self):
        self.check_set("empty", grey(lesion(0)), 0, ["empty-train.json: no mask has foreground: ", "empty-val.json: no "])
        self.check_set("dim", grey(lesion(100)), 0, ["dim-train.json: no mask has foreground: "])
        self.check_set("full", grey(lesion(255, 255)), 100, ["full-train.json: all of every mask is foreground"])
        alpha = png_of(RGBA, 8, bytes(v for a in lesion(255) for v in (255, 255, 255, a)))
        self.check_set("alpha", alpha, 100, ["all of every mask is foreground; ", "alpha"])
        self.check_set("inverted", grey(lesion(0, 255)), 100 - SHARE,
                       ["inverted-train.json: 3 of 3 masks have foreground along most of their edge, first 0_mask.png"])
        self.check_set("half", lambda i: grey(lesion(0, 255) if i == 2 else lesion(255)), (100 + SHARE) / 3,
                       ["half-train.json: 1 of 3 masks have foreground along most of their edge, first 2_mask.png"])
        big = [255 if 0 < x < SIZE - 1 and 0 < y < SIZE - 1 else 0 for y in range(SIZE) for x in range(SIZE)]
        self.check_set("most", grey(big), 100 * (SIZE - 2)**2 / SIZE**2, ["% of the mask pixels are foreground"])
        self.check_set("swapped", lambda i: grey(picture(i)), 50, ["masks have the values of a photograph, first 0_mask.png"])
        self.check_set("mixed", lambda i: grey(lesion(1 if i == 1 else 255)),
                       says=["white is not the same value in all masks: 1 of 3 differ, first 1_mask.png"])

    def test_a_lesion_that_disappears(self):
        dot = [255 if i == SIZE + 1 else 0 for i in range(SIZE**2)]
        ini = self.put_set("tiny", lambda i: grey(lesion(255) if i == 1 else dot), size=8)
        done = self.run_program("data", "check", ini)
        self.assertIn("tiny-train.json: 2 of 3 masks lose all foreground at data.size = 8, first 0_mask.png", done.stderr)
        self.assertIn("tiny-val.json: 1 of 1 masks lose all foreground", done.stderr)
        self.assertRegex(done.stdout, r"small lesions +2 lose all foreground at data\.size = 8")

    def test_train_and_test_warn_before_they_compute(self):
        ini = self.put_set("none", grey(lesion(0)))
        lines = self.run_program("train", ini, "--output", "none-run").stderr.splitlines()
        warned = [i for i, line in enumerate(lines) if "no mask has foreground" in line]
        epoch = [i for i, line in enumerate(lines) if "epoch 1/1" in line]
        self.assertEqual(len(warned), 2, lines)
        self.assertLess(max(warned), epoch[0])
        for command in ("test", "robustness"):
            done = self.run_program(command, ini, "--output", "results", "--set", "run.output=none-run", "--set",
                                    "robustness.corruptions=contrast", "--set", "robustness.severities=1")
            self.assertIn("none-val.json: no mask has foreground", done.stderr)


class IndexTest(Case):
    def test_indices(self):
        voc = png_of(PALETTE, 8, bytes(lesion(1, edge=255)), bytes(768))
        edge = sum(x in (10, 25) or y in (8, 19) for x, y in LESION)
        ini = self.put_set("voc", voc, dataset="folder")
        done = self.run_program("data", "check", ini, status=2)
        self.assertIn("row 8, column 10 holds 255", done.stderr)
        self.assertIn("set data.ignore = 255", done.stderr)
        done = self.check_set("void", voc, 100 * (len(LESION) - edge) / SIZE**2, dataset="index", ignore=255)
        self.assertRegex(done.stdout, rf"\n +- +3 +{100 * edge / SIZE**2:.3f}% [^\n]*\(ignored\)\n")
        self.check_set("deep", deep(lesion(1)), dataset="index")
        for white in (1, 254):  # the ignored value is not white
            self.check_set(f"seam{white}", grey(lesion(white, edge=255)), 100 * (len(LESION) - edge) / SIZE**2,
                           says=["neither black nor white"] if white > 1 else [], ignore=255)
        self.refuse("data", "check", "void.ini", "--set", "data.ignore=many", says=["data.ignore: 'many'"])

    def test_classes_without_a_pixel(self):
        self.check_set("absent", grey(lesion(1)), dataset="folder", classes=4,
                       says=["absent-train.json: no mask has classes 2, 3; check data.classes"])
        colours = png_of(RGB, 8, bytes(v for m in lesion(1) for v in (m, 2 * m, 0)))
        done = self.run_program("data", "check", self.put_set("colours", colours, dataset="folder", classes=4), status=2)
        self.assertIn("row 8, column 10 has a colour; ", done.stderr)
        done = self.run_program("data", "check", self.put_set("255", grey(lesion(255)), dataset="folder"), status=2)
        self.assertIn("data.dataset = bus", done.stderr)


class RangeTest(Case):
    def test_12_bits_in_16(self):
        """The network sees what it sees of the same images in 8 bits."""
        shallow = self.put_set("shallow", grey(lesion(255)))
        ini = self.put_set("deep12", grey(lesion(255)), lambda i: deep([16 * v for v in picture(i)]))
        self.run_program("train", shallow, "--output", "shallow-run")
        done = self.run_program("train", ini, "--output", "deep-run")
        self.assertIn("deep12-train.json: data.range = auto: images of 16 bits with values from 0 to 4080; black is 0, "
                      "white 4095", done.stderr)
        self.assertEqual(*(program.read_log(self.path(f"{run}-run", "log.csv"))[0]["ce"] for run in ("shallow", "deep")))
        self.assertIn("range = auto,0,4095", program.read_text(self.path("deep-run", "config.ini")))
        self.assertIn("range = auto\n", program.read_text(self.path("shallow-run", "config.ini")))

        # Weights remember the range, so that a dark image is not brightened on its own.
        program.write_bytes(self.path("dark", "a.png"), deep([v for v in picture(1)]))
        program.write_bytes(self.path("dark8", "a.png"), grey([v // 16 for v in picture(1)]))
        for run, images in (("deep", "dark"), ("shallow", "dark8")):
            weights = self.path(f"{run}-run", "best.safetensors")
            self.run_program("predict", f"{'deep12' if run == 'deep' else run}.ini", "--weights", weights, "--logits",
                             "--output", f"out-{images}", images)
        self.assertEqual(*(program.read_tensors(self.path(f"out-{images}", "a.safetensors")) for images in ("dark", "dark8")))

    def test_values_beyond_the_range(self):
        """Images of other values than those of the training are named wherever the weights are applied."""
        ini = self.put_set("dim", grey(lesion(255)), lambda i: deep([16 * v if i < 3 else 257 * v for v in picture(i)]))
        said = "dim-val.json: 1 of 1 images have values outside data.range = 0,4095, which become black or white, first 3.png"
        self.assertIn(said, self.run_program("train", ini, "--output", "dim-run").stderr)
        self.assertIn(said, self.run_program("test", ini, "--set", "run.output=dim-run").stderr)
        self.assertIn(said, self.run_program("data", "check", ini).stderr)
        done = self.run_program("predict", ini, "--weights", "dim-run/best.safetensors", "--output", "dim-out", "dim/3.png")
        self.assertRegex(done.stderr, r"dim/3\.png: \d+\.\d% of its values lie outside data\.range = 0,4095")
        self.put_set("both", grey(lesion(255)), lambda i: grey(picture(i)) if i < 3 else deep([257 * v for v in picture(i)]))
        self.assertIn("both-val.json: its images have 16 bits, those of data.train 8",
                      self.run_program("data", "check", "both.ini").stderr)

    def test_each_weights_has_its_range(self):
        """Robustness of several weights measures each with the range of its own training."""
        images = lambda i: deep([16 * v for v in picture(i)])
        ini = self.put_set("own", grey(lesion(255)), images)
        for name, text in (("narrow", "0,4095"), ("wide", "0,65535")):
            self.run_program("train", ini, "--set", f"data.range={text}", "--set", "train.epochs=6", "--output", name)
        dice = {}
        for order in ("narrow,wide", "wide,narrow"):
            files = ",".join(f"{name}/best.safetensors" for name in order.split(","))
            self.run_program("robustness", ini, "--weights", files, "--output", "results", "--set",
                             "robustness.corruptions=contrast", "--set", "robustness.severities=1")
            rows = program.read_csv(self.path("results", "robustness.csv"))[1]
            dice[order] = {tuple(row.values()) for row in rows}
        self.assertEqual(dice["narrow,wide"], dice["wide,narrow"])

    def test_teacher_of_another_range(self):
        ini = self.put_set("taught", grey(lesion(255)))
        self.run_program("train", ini, "--set", "data.range=20,200", "--output", "taught-teacher")
        done = self.run_program("train", ini, "--output", "taught-run", "--set", "distill.method=kd", "--set",
                                "distill.teacher=taught-teacher/best.safetensors")
        self.assertIn("the teacher was trained with data.range = 20,200, but the images are read with auto", done.stderr)

    def test_keys(self):
        self.put_set("keys", grey(lesion(255)), lambda i: deep([16 * v for v in picture(i)]))
        for text, black, white in (("16bit", 0, 65535), ("100,300.5", 100, 300.5), ("8bit", 0, 255)):
            done = self.run_program("data", "check", "keys.ini", "--set", f"data.range={text}")
            self.assertIn(f"values         0 to 4080; black is {black}, white {white}", done.stdout)
        self.run_program("data", "check", "keys.ini", "--set", "data.range=file")
        for text in ("12bit", "5", "5,5", "9,1", "a,b", "1,2,3"):
            self.refuse("data", "check", "keys.ini", "--set", f"data.range={text}", says=["data.range: ", "LOW,HIGH"])


class FilesTest(Case):
    def put_pairs(self, root, *pairs):
        for i, (image, mask) in enumerate(pairs):
            program.write_bytes(self.path(root, image), grey(picture(i)))
            program.write_bytes(self.path(root, mask), grey(lesion(255)))
        program.write_ini(self.path(f"{root}.ini"), data={"root": root, "size": SIZE})

    def split(self, root, *options):
        self.run_program("data", "split", f"{root}.ini", "--val", "0.5", "--output", f"{root}-split", "--overwrite", *options)
        return sorted(tuple(pair) for name in ("train", "val")
                      for pair in program.read_json(self.path(f"{root}-split", f"{name}.json")))

    def test_layouts(self):
        layouts = {
            "suffix": [("a.png", "a_mask.png"), ("b.JPG", "b_Mask.PNG")],
            "isic": [("ISIC_1.jpg", "ISIC_1_segmentation.png"), ("ISIC_2.jpg", "ISIC_2_Segmentation.png")],
            "folders": [("images/1.png", "masks/1.png"), ("images/2.jpg", "masks/2.png")],
            "nested": [("one/Images/x.png", "one/Masks/x.png"), ("two/Images/x.png", "two/Masks/x.png")],
            "needle": [("train/a.png", "train_mask/a_mask.png"), ("test/a.png", "test_mask/a_mask.png")],
            "nnunet": [("imagesTr/c_1_0000.png", "labelsTr/c_1.png"), ("imagesTr/c_2_0000.png", "labelsTr/c_2.png")],
            "voc": [("JPEGImages/1.jpg", "SegmentationClass/1.png"), ("JPEGImages/2.jpg", "SegmentationClass/2.png")],
            "both": [("img/1.png", "mask/1_mask.png"), ("img/2.png", "mask/2_mask.png")],
        }
        for root, pairs in layouts.items():
            self.put_pairs(root, *pairs)
            self.assertEqual(self.split(root), sorted(pairs))

    def test_pattern(self):
        pairs = [("in/a scan.jpg", "out/gt-a scan.png"), ("in/b.jpg", "out/gt-b.png")]
        self.put_pairs("pattern", *pairs)
        program.write_bytes(self.path("pattern", "in", "c.jpg"), grey(picture(1)))
        said = self.refuse("data", "split", "pattern.ini", "--val", "0.5", "--output", "x",
                           says=["contains no image with a mask", "data.pairs = images/*.png, masks/*.png", "[["])
        self.assertEqual(self.split("pattern", "--set", "data.pairs=in/*.jpg, out/gt-*.png"), sorted(pairs))
        self.refuse("data", "split", "pattern.ini", "--output", "x", "--set", "data.pairs=in/*, none/*",
                    says=["data.pairs = in/*, none/* matches no image"])
        for text in ("in/*", "in/*.jpg, out/b.png", "a*b*, c*", "a*, b*, c*"):
            self.refuse("data", "split", "pattern.ini", "--output", "x", "--set", f"data.pairs={text}", says=["data.pairs"])

    def put_files(self, root, *names):
        for i, name in enumerate(names):
            program.write_bytes(self.path(root, name), grey(picture(i)))
        self.put_pairs(root)

    def refuse_split(self, root, *says):
        self.refuse("data", "split", f"{root}.ini", "--output", f"{root}-split", says=[*says, "set data.pairs"])

    def said_by_split(self, root, *options):
        return self.run_program("data", "split", f"{root}.ini", "--val", "0.5", "--output", f"{root}-split", "--overwrite",
                                *options).stderr

    def test_an_image_with_two_masks(self):
        cases = {
            "suffixes": ("a.png", "a_mask.png", "a_seg.png"),
            "folders": ("images/a.png", "labels/a.png", "masks/a.png"),
            "formats": ("images/a.png", "masks/a.png", "masks/a.tif"),
            "folder-suffix": ("images/a.png", "masks/a.png", "masks/a_mask.png"),
            "suffix-folder": ("images/a.png", "images/a_gt.png", "masks/a.png"),
        }
        for root, names in cases.items():
            root = f"twice-{root}"
            self.put_files(root, *names)
            self.refuse_split(root, f"{names[0]} has two masks, {names[1]} and {names[2]}")

    def test_a_file_that_may_be_an_image_or_a_mask(self):
        self.put_files("either", "images/a.png", "images/a_mask.png", "masks/a_mask.png")
        self.refuse_split("either", "images/a_mask.png has a mask, but may be the mask of images/a.png")
        pairs = [("images/a.png", "masks/a.png"), ("images/a_gt.png", "masks/a_gt.png")]
        self.put_pairs("own", *pairs)
        self.assertEqual(self.split("own"), pairs)
        self.put_files("chain", "a.png", "a_mask.png", "a_mask_mask.png", "b.png", "b_mask.png")
        for options in ((), ("--set", "data.pairs=*.png, *_mask.png")):
            self.assertIn("1 image has no mask, first a_mask_mask.png", self.said_by_split("chain", *options))
            self.assertEqual(self.split("chain", *options), [("a.png", "a_mask.png"), ("b.png", "b_mask.png")])
        self.put_files("alone", "images/a.png", "images/a_gt.png", "images/b.png", "images/c.png", "masks/b.png",
                       "masks/c.png")
        self.assertIn("2 images have no mask, first images/a.png", self.said_by_split("alone"))

    def test_a_mask_of_two_images(self):
        cases = {
            "stems": ("images/a.jpg", "images/a.png", "masks/a.png"),
            "same-folder": ("a.jpg", "a.png", "a_mask.png"),
            "two-folders": ("images/a.png", "img/a.png", "masks/a.png"),
            "channels": ("imagesTr/a.png", "imagesTr/a_0000.png", "labelsTr/a.png"),
        }
        for root, names in cases.items():
            self.put_files(root, *names)
            self.refuse_split(root, f"{names[2]} may be the mask of {names[0]} or of {names[1]}")

    def test_images_without_a_mask(self):
        pairs = [("images/a.png", "masks/a.png"), ("images/b.png", "masks/b.png")]
        self.put_pairs("bare", *pairs)
        self.assertNotIn("no mask", self.said_by_split("bare"))
        for name in ("images/c.png", "images/d.png", "images/notes.txt", "others/e.png"):
            program.write_bytes(self.path("bare", name), grey(picture(5)))
        for options in ((), ("--set", "data.pairs=images/*.png, masks/*.png")):
            self.assertIn("bare: 2 images have no mask, first images/c.png", self.said_by_split("bare", *options))
        self.assertEqual(self.split("bare"), pairs)
        done = self.run_program("data", "check", "bare.ini", "--set", "data.train=bare-split/train.json", "--set",
                                "data.val=bare-split/val.json")
        self.assertIn("in neither split: 4 of 8: images/c.png, images/d.png, images/notes.txt, ...", done.stdout)
        self.put_pairs("numbered", ("a.png", "a_mask.png"), ("b.png", "b_mask.png"))
        for number in (1, 2):
            program.write_bytes(self.path("numbered", f"a_mask_{number}.png"), grey(lesion(255)))
        self.assertNotIn("no mask", self.said_by_split("numbered"))

    def test_files_of_other_systems(self):
        pairs = [("a.png", "a_mask.png"), ("b.png", "b_mask.png")]
        self.put_pairs("mac", *pairs)
        for name in ("._a.png", "._a_mask.png", ".DS_Store", "Thumbs.db"):
            program.write_bytes(self.path("mac", name), b"\0\5\x16\7\0\2")
        self.assertEqual(self.split("mac"), pairs)
        ini = self.put_set("weights", grey(lesion(255)))
        self.run_program("train", ini, "--output", "weights-run")
        done = self.run_program("predict", ini, "--weights", "weights-run/best.safetensors", "--output", "predicted", "mac")
        self.assertIn("images predicted: 2; masks skipped: 2", done.stderr)

    def test_images_in_both_splits_or_twice(self):
        ini = self.put_set("twice", grey(lesion(255)))
        program.write_json(self.path("twice-val.json"), [["1.png", "1_mask.png"], ["3.png", "3_mask.png"],
                                                         ["./3.png", "3_mask.png"]])
        said = ["twice-val.json: 1 image is listed more than once and counts as often, first entry 3, ./3.png",
                "twice-val.json: 1 of 3 images are in data.train, too, first 1.png"]
        done = self.run_program("train", ini, "--output", "twice-run")
        for done in (done, self.run_program("test", ini, "--set", "run.output=twice-run"),
                     self.run_program("data", "check", ini)):
            for words in said:
                self.assertIn(words, done.stderr)
        program.write_json(self.path("twice-val.json"), [["3_mask.png", "3_mask.png"]])
        self.refuse("train", ini, "--output", "none", says=["entry 1: names 3_mask.png as image and as mask"])

    def test_backslashes(self):
        self.put_pairs("windows", ("in/a.png", "in/a_mask.png"))
        pairs = [["in\\a.png", "in\\a_mask.png"]]
        for name in ("train", "val"):
            program.write_json(self.path(f"windows-{name}.json"), pairs)
        program.write_ini(self.path("windows.ini"), data={"root": "windows", "train": "windows-train.json",
                                                          "val": "windows-val.json", "size": SIZE})
        self.run_program("data", "check", "windows.ini")
        program.write_json(self.path("windows-val.json"), [["..\\secret.png", "in\\a_mask.png"]])
        self.refuse("data", "check", "windows.ini", says=["leaves data.root"])
        program.write_bytes(self.path("windows", "..\\secret.png"), grey(picture(1)))
        self.refuse("data", "check", "windows.ini", says=["leaves data.root"])

    def test_a_name_with_a_backslash(self):
        pairs = [("bs\\y.png", "bs\\y_mask.png"), ("bs\\z.png", "bs\\z_mask.png")]
        self.put_pairs("literal", *pairs)
        self.assertEqual(self.split("literal"), pairs)
        done = self.run_program("data", "check", "literal.ini", "--set", "data.train=literal-split/train.json", "--set",
                                "data.val=literal-split/val.json")
        self.assertIn("in neither split: 0 of 4", done.stdout)

    def test_unused_files_are_named(self):
        ini = self.put_set("unused", grey(lesion(255)))
        for name in ("7.png", "notes.txt", "1_mask_1.png", "z/deep.bmp"):
            program.write_bytes(self.path("unused", name), b"x")
        program.write_bytes(self.path("unused", ".hidden"), b"x")
        out = self.run_program("data", "check", ini).stdout
        self.assertIn("files below unused in neither split: 4 of 12: 1_mask_1.png, 7.png, notes.txt, ...\n",
                      out.replace(str(self.path()) + "/", ""))
        said = self.run_program("train", ini, "--output", "unused-run").stderr
        self.assertIn("4 of 12 files are in neither split: 1_mask_1.png, 7.png, notes.txt, ...\n", said)

    def test_decoder_warnings_and_orientation(self):
        file = jpeg_of(SIZE, SIZE, bytes(v for p in picture(1) for v in (p, p, p)))
        body = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) + b"\0\0\0\0"
        rotated = file[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + file[2:]
        self.put_set("jpeg", grey(lesion(255)), lambda i: file[:-2] + bytes(99) + file[-2:] if i == 2 else rotated)
        said = self.run_program("data", "check", "jpeg.ini").stderr
        self.assertIn("jpeg-train.json: 1 image has a harmless fault, first 2.png (Corrupt JPEG data: ", said)
        self.assertIn("jpeg-train.json: the EXIF orientation of 2 images is ignored, first of 0.png", said)
        self.assertEqual(said.count("EXIF"), 2, "once for each split")


if __name__ == "__main__":
    program.main()
