"""Files with several slices, from the split to the predicted volume. NIfTI and TIFF files are written here."""
import gzip
import os
import random
import struct

import program

W, H, SLICES, CLASSES = 20, 16, 11, 3
HEADER = 352


def slice_of(shift, k):
    return program.bands(W, H, CLASSES, shift + k)


def make_nifti(slices, code=2, kind="B"):
    """A NIfTI-1 file; slices: lists of voxels."""
    bits = 8 * struct.calcsize(kind)
    header = bytearray(HEADER)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, W, H, len(slices), 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, code, bits)
    struct.pack_into("<8f", header, 76, 1, 0.5, 0.25, 3, 1, 1, 1, 1)
    struct.pack_into("<3f", header, 108, HEADER, 1, 0)
    header[123] = 2
    header[148:152] = b"kept"
    struct.pack_into("<4s", header, 344, b"n+1")
    return bytes(header) + b"".join(struct.pack(f"<{W * H}{kind}", *values) for values in slices)


def make_tiff(slices):
    """A TIFF file of grey pages, not compressed."""
    data, at = b"II*\0" + struct.pack("<I", 8), 8
    for k, values in enumerate(slices):
        entries = [(256, W), (257, H), (258, 8), (259, 1), (262, 1), (273, at + 2 + 9 * 12 + 4), (277, 1), (278, H),
                   (279, W * H)]
        following = at + 2 + 9 * 12 + 4 + W * H
        data += struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
        data += struct.pack("<I", following if k + 1 < len(slices) else 0) + bytes(values)
        at = following
    return data


class Volumes(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pairs = []
        for i in range(4):
            labels = [slice_of(5 * i, k) for k in range(SLICES)]
            noise = random.Random(i)
            grey = [[20 + 50 * c + noise.randrange(100) for c in values] for values in labels]
            ending, image, mask = ((".nii.gz", gzip.compress(make_nifti(grey)), gzip.compress(make_nifti(labels))),
                                   (".nii", make_nifti([[100 * v for v in values] for values in grey], 4, "h"),
                                    make_nifti(labels)),
                                   (".tif", make_tiff(grey), make_tiff(labels)))[i % 3]
            pairs.append([f"v{i}{ending}", f"v{i}_mask{ending}"])
            program.write_bytes(cls.path("data", pairs[-1][0]), image)
            program.write_bytes(cls.path("data", pairs[-1][1]), mask)
        program.write_json(cls.path("train.json"), [pairs[0], pairs[3], pairs[2]])
        program.write_json(cls.path("val.json"), [["v2.tif#4", "v2_mask.tif#4"], pairs[0]])
        program.write_ini(cls.path("vol.ini"),
                          run={"output": "run"},
                          data={"dataset": "index", "root": "data", "train": "train.json", "val": "val.json",
                                "size": 16, "classes": CLASSES}, model={"width": 4}, train={"epochs": 2, "batch": 3})
        cls.run_program("train", "vol.ini")
        cls.weights = ["--weights", "run/best.safetensors"]

    def test_names_of_slices(self):
        self.run_program("test", "vol.ini", *self.weights, "--output", "tested")
        names = {row["image"] for row in program.read_csv(self.path("tested", "metrics.csv"))[1]}
        self.assertEqual(names, {"v2.tif#4"} | {f"v0.nii.gz#{k}" for k in range(SLICES)})

    def test_data_check(self):
        said = self.run_program("data", "check", "vol.ini").stdout
        self.assertIn(f"train: {3 * SLICES} pairs", said)
        self.assertIn(f"val: {SLICES + 1} pairs", said)
        self.assertIn(f"0.25 x 0.5 mm ({2 * SLICES} images), unknown ({SLICES} images)", said)

    def test_slices_stay_together(self):
        program.write_json(self.path("all.json"), [[f"v{i}{e}", f"v{i}_mask{e}"] for i, e in
                                                   enumerate([".nii.gz", ".nii", ".tif", ".nii.gz"])])
        self.run_program("data", "split", "vol.ini", "--set", "data.train=all.json", "--set", "data.val=", "--val", "0.5",
                         "--output", "splits")
        found = [[image for image, _ in program.read_json(self.path("splits", f"{name}.json"))] for name in ("train", "val")]
        self.assertEqual(sum(map(len, found)), 4 * SLICES)
        files = [{image.split("#")[0] for image in images} for images in found]
        self.assertFalse(files[0] & files[1])

    def predict(self, output, *words, status=0):
        return self.run_program("predict", "vol.ini", *self.weights, "--output", output, *words, status=status)

    def test_predicted_volume(self):
        """The volume has the header of the image, and the labels that its slices have one by one."""
        for name, load in (("v0.nii.gz", gzip.decompress), ("v1.nii", bytes)):
            output, stem = f"out_{name}", name.split(".")[0]
            said = self.predict(output, "--overlay", f"data/{name}").stderr
            self.assertIn(f"images predicted: {SLICES}", said)
            self.assertEqual(sorted(os.listdir(self.path(output))),
                             sorted(["predict.ini", f"{stem}.nii.gz"] + [f"{stem}_{k:02}_overlay.png" for k in range(SLICES)]))
            written = gzip.decompress(program.read_bytes(self.path(output, f"{stem}.nii.gz")))
            header = load(program.read_bytes(self.path("data", name)))[:HEADER]
            self.assertEqual(written[:70], header[:70])
            self.assertEqual(struct.unpack_from("<2h", written, 70), (2, 8))
            self.assertEqual(written[74:HEADER], header[74:])
            labels = written[HEADER:]
            self.assertEqual(len(labels), SLICES * W * H)
            self.assertGreater(len(set(labels)), 1)
            self.predict(f"{output}_slices", *(f"data/{name}#{k}" for k in (0, 7)))
            for k in (0, 7):
                one = program.read_png(self.path(f"{output}_slices", f"{stem}_{k}.png"))
                self.assertEqual(one[3], labels[k * W * H:(k + 1) * W * H])
            again = self.predict(output, "--overlay", f"data/{name}").stderr
            self.assertIn(f"images predicted: 0, done before: {SLICES}", again)
            os.remove(self.path(output, f"{stem}_03_overlay.png"))
            self.assertIn(f"images predicted: {SLICES}", self.predict(output, "--overlay", f"data/{name}").stderr)

    def test_predicted_pages(self):
        self.predict("out_tif", "data/v2.tif")
        self.assertEqual(sorted(os.listdir(self.path("out_tif"))),
                         ["predict.ini"] + [f"v2_{k:02}.png" for k in range(SLICES)])

    def test_folder(self):
        said = self.predict("out_all", "data").stderr
        self.assertIn(f"images predicted: {4 * SLICES}; masks skipped: 4", said)

    def test_damaged_volume(self):
        data = program.read_bytes(self.path("data", "v0.nii.gz"))
        program.write_bytes(self.path("bad", "cut.nii.gz"), data[:-9])
        said = self.predict("out_bad", "bad/cut.nii.gz", "data/v3.nii.gz", status=2).stderr.splitlines()
        self.assertEqual(len(said), 2, said)
        self.assertIn("bad/cut.nii.gz: damaged NIfTI file (the file ends early)", said[0])
        self.assertIn(f"images predicted: {SLICES}, unreadable: {SLICES}", said[1])
        self.assertEqual(sorted(os.listdir(self.path("out_bad"))), ["predict.ini", "v3.nii.gz"])

    def test_uncertainty(self):
        self.run_program("uncertainty", "vol.ini", *self.weights, "--output", "looked", "data/v3.nii.gz", "data/v2.tif#1")
        found = os.listdir(self.path("looked"))
        for stem in ["v2_1"] + [f"v3_{k:02}" for k in range(SLICES)]:
            for ending in (".png", "_u_p.png", "_u_b.png", "_u.png", "_weight.png"):
                self.assertIn(stem + ending, found)

    def test_different_numbers(self):
        program.write_json(self.path("odd.json"), [["v3.nii.gz", "v2_mask.tif#3"]])
        self.refuse("train", "vol.ini", "--set", "data.train=odd.json", "--output", "odd",
                    says=["odd.json: entry 1: v3.nii.gz has 11 slices, but its mask v2_mask.tif#3 has 1"])


if __name__ == "__main__":
    program.main()
