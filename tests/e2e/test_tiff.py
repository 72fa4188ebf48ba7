"""TIFF files that tifffile and Pillow write, read sample by sample. Skips where a package is missing."""
import itertools
import unittest
import warnings

import program

try:
    import numpy
    import tifffile
    from PIL import Image
    import rasters
except ImportError as error:
    program.skip(str(error))

RNG = numpy.random.default_rng(5)


def random(dtype, shape):
    if numpy.dtype(dtype).kind == "f":
        return RNG.normal(0, 1000, shape).astype(dtype)
    info = numpy.iinfo(dtype)
    return RNG.integers(info.min, info.max, shape, dtype, endpoint=True)


class Tiff(program.Case):
    def check(self, name, array, page=0, kind="values"):
        info, read = rasters.read(self.path(name) + (f"#{page}" if page else ""), kind)
        with numpy.errstate(over="ignore"):
            wanted = array.astype("float32") if read.dtype == numpy.float32 else array
        numpy.testing.assert_array_equal(read, wanted, name)
        return info

    def write(self, name, array, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tifffile.imwrite(self.path(name), array, **options)
        return name

    def test_types(self):
        for dtype in ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "float32",
                      "float64"):
            for order, big in itertools.product("<>", (False, True)):
                array = random(dtype, (13, 7))
                name = self.write(f"{dtype}{'be' if order == '>' else 'le'}{big}.tif", array, byteorder=order, bigtiff=big,
                                  photometric="minisblack")
                info = self.check(name, array)
                kind = numpy.dtype(dtype).kind
                self.assertEqual((info["bits"], info["signed"], info["float"]),
                                 (numpy.dtype(dtype).itemsize * 8, kind == "i", kind == "f"))
                self.assertEqual(info["sample"], dtype if dtype in ("uint8", "uint16") else "float32")

    def test_layouts(self):
        for dtype in ("uint8", "uint16", "float32"):
            for channels, planar in ((1, None), (3, "contig"), (3, "separate"), (4, "contig"), (4, "separate")):
                for block in ({}, {"rowsperstrip": 5}, {"tile": (16, 32)}):
                    for compression in (None, "zlib"):
                        shape = (37, 51) if channels == 1 else (37, 51, channels)
                        array = random(dtype, shape)
                        stored = numpy.moveaxis(array, 2, 0) if planar == "separate" else array
                        options = {"photometric": "rgb", "planarconfig": planar} if planar else {"photometric": "minisblack"}
                        if channels == 4:
                            options["extrasamples"] = ["unassalpha"]
                        name = self.write("layout.tif", stored, compression=compression, predictor=bool(compression) and dtype != "float32",
                                          **block, **options)
                        self.check(name, array[:, :, :3] if channels > 1 else array)

    def test_compressions(self):
        grey, colour = random("uint8", (40, 30)) // 16 * 16, random("uint8", (40, 30, 3))
        for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "raw"):
            for array in (grey, colour):
                Image.fromarray(array).save(self.path("a.tif"), compression=compression)
                self.check("a.tif", array)
        bits = random("uint8", (33, 61)) > 128
        for compression in ("group3", "group4", "tiff_ccitt", "tiff_lzw"):
            Image.fromarray(bits).save(self.path("bits.tif"), compression=compression)
            info = self.check("bits.tif", bits.astype("uint8"))
            self.assertEqual(info["bits"], 1)
            self.check("bits.tif", bits.astype("uint8") * 255, kind="shown")

    def test_jpeg(self):
        x, y = numpy.meshgrid(numpy.arange(48), numpy.arange(32))
        colour = numpy.stack([40 + 3 * x, 200 - 4 * y, 90 + x + y], 2).astype("uint8")
        Image.fromarray(colour).save(self.path("j.tif"), compression="jpeg", quality=95)
        info, read = rasters.read(self.path("j.tif"), "shown")
        self.assertEqual(info["sample"], "uint8")
        self.assertLess(numpy.abs(read.astype(int) - colour).max(), 12)
        for kind in ("values", "colours"):
            with self.assertRaisesRegex(rasters.Refused, "j.tif: is a lossy TIFF file, whose compression changes values"):
                rasters.read(self.path("j.tif"), kind)

    def test_palette(self):
        index = random("uint8", (20, 25)) % 16
        map_ = random("uint16", (3, 256))
        self.write("p.tif", index, photometric="palette", colormap=map_)
        self.check("p.tif", index)
        for kind in ("shown", "colours"):
            self.check("p.tif", (map_[:, index] >> 8).astype("uint8").transpose(1, 2, 0), kind=kind)

    def test_white_is_zero(self):
        array = random("uint16", (20, 25))
        self.write("w.tif", array, photometric="miniswhite")
        self.assertEqual(self.check("w.tif", array)["inverted"], 1)

    def test_pages(self):
        stack = random("uint16", (12, 9, 8))
        self.write("stack.tif", stack, photometric="minisblack", compression="zlib")
        self.assertEqual(rasters.describe(self.path("stack.tif"))["slices"], 12)
        for page in range(12):
            self.check("stack.tif", stack[page], page)
        with self.assertRaisesRegex(rasters.Refused, "has 12 slices, so slice 12 is missing"):
            rasters.describe(self.path("stack.tif#12"))
        with tifffile.TiffWriter(self.path("mixed.tif")) as file:
            for page in (stack[0], stack[1], stack[2, :, :5]):
                file.write(page, photometric="minisblack", contiguous=False)
        with self.assertRaisesRegex(rasters.Refused, "mixed.tif: page 2 is 5 x 9, but page 0 is 8 x 9"):
            rasters.describe(self.path("mixed.tif"))
        with tifffile.TiffWriter(self.path("thumb.tif")) as file:
            file.write(stack[0], photometric="minisblack", contiguous=False)
            file.write(stack[0, ::2, ::2], photometric="minisblack", subfiletype=1, contiguous=False)
            file.write(stack[1], photometric="minisblack", contiguous=False)
        self.assertEqual(rasters.describe(self.path("thumb.tif"))["slices"], 2)
        self.check("thumb.tif", stack[1], 1)

    def test_spacing(self):
        for resolution, unit, wanted in (((50, 100), "CENTIMETER", [0.1, 0.2]), ((254, 508), "INCH", [0.05, 0.1]),
                                         ((72, 72), "INCH", [0, 0]), ((96, 96), "INCH", [0, 0]), ((5, 5), "NONE", [0, 0])):
            self.write("s.tif", random("uint8", (4, 4)), photometric="minisblack", resolution=resolution,
                       resolutionunit=unit)
            numpy.testing.assert_allclose(rasters.describe(self.path("s.tif"))["spacing"], wanted, 1e-6)

    def test_truncated(self):
        array = random("uint16", (30, 20, 3)) // 4096
        pictures = {"raw": array.astype("uint8"), "tiff_lzw": array.astype("uint8"), "packbits": array.astype("uint8"),
                    "jpeg": array.astype("uint8"), "tiff_adobe_deflate": array.astype("uint8"),
                    "group3": array[:, :, 0] > 7, "group4": array[:, :, 0] > 7}
        for compression, picture in pictures.items():
            Image.fromarray(picture).save(self.path("whole.tif"), compression=compression)
            data = program.read_bytes(self.path("whole.tif"))
            whole = rasters.read(self.path("whole.tif"), "shown")[1]
            for size in list(range(8, len(data), max(1, len(data) // 30))) + list(range(len(data) - 4, len(data))):
                program.write_bytes(self.path("cut.tif"), data[:size])
                try:
                    numpy.testing.assert_array_equal(rasters.read(self.path("cut.tif"), "shown")[1], whole,
                                                     f"{compression}, {size} of {len(data)} bytes")
                except rasters.Refused as refusal:
                    self.assertIn("cut.tif: ", str(refusal))

    def test_other_content(self):
        self.write("c.tif", random("float32", (5, 5)).astype("complex64"), photometric="minisblack")
        Image.fromarray(random("uint8", (5, 5, 4)), "CMYK").save(self.path("k.tif"))
        self.write("m.tif", random("uint8", (5, 5, 3)), photometric="minisblack", planarconfig="contig")
        for name, says in (("c.tif", "complex numbers"), ("k.tif", "neither grey values, RGB nor a palette")):
            with self.assertRaisesRegex(rasters.Refused, says):
                rasters.read(self.path(name))


if __name__ == "__main__":
    program.main(needs_device=False)
