"""NIfTI files that nibabel writes, read voxel by voxel. Skips where a package is missing."""
import gzip
import itertools

import program

try:
    import nibabel
    import numpy
    import rasters
except ImportError as error:
    program.skip(str(error))

RNG = numpy.random.default_rng(5)
TYPES = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64")


def random(dtype, shape):
    if numpy.dtype(dtype).kind == "f":
        return RNG.normal(0, 1000, shape).astype(dtype)
    info = numpy.iinfo(dtype)
    return RNG.integers(info.min, info.max, shape, dtype, endpoint=True)


class Nifti(program.Case):
    def write(self, name, array, kind=nibabel.Nifti1Image, order="<", zooms=None, units=None, scale=None):
        head = kind.header_class(endianness=order)
        head.set_data_dtype(array.dtype.newbyteorder(order))
        image = kind(array, numpy.eye(4), head, dtype=array.dtype)
        if zooms:
            image.header.set_zooms(zooms)
        if units:
            image.header.set_xyzt_units(units)
        if scale:
            image.header.set_slope_inter(*scale)
        nibabel.save(image, self.path(name))
        return name

    def check(self, name, kind="values"):
        """Compares every slice with nibabel."""
        image = nibabel.load(self.path(name))
        data = numpy.asarray(image.dataobj)
        if data.dtype.fields:
            data = numpy.stack([data[c] for c in "RGB"], -1)
            flat = data.reshape(*data.shape[:2], -1, 3, order="F")
        else:
            data = image.get_fdata() if image.dataobj.slope != 1 or image.dataobj.inter != 0 else data
            flat = data.reshape(*data.shape[:2], -1, order="F")
        for k in range(flat.shape[2]):
            info, read = rasters.read(self.path(f"{name}#{k}"), kind)
            wanted = flat[:, :, k].swapaxes(0, 1)
            numpy.testing.assert_array_equal(read, wanted.astype("float32") if read.dtype == numpy.float32 else wanted, name)
        self.assertEqual(info["slices"], flat.shape[2])
        return info

    def test_types(self):
        for dtype, order, kind, ending in itertools.product(TYPES, "<>", (nibabel.Nifti1Image, nibabel.Nifti2Image),
                                                            (".nii", ".nii.gz")):
            name = self.write(f"{dtype}{ending}", random(dtype, (7, 5, 3)), kind, order)
            info = self.check(name)
            self.assertEqual(info["sample"], dtype if dtype in ("uint8", "uint16") else "float32")
            self.assertEqual((info["bits"], info["signed"], info["float"]),
                             (numpy.dtype(dtype).itemsize * 8, numpy.dtype(dtype).kind == "i", numpy.dtype(dtype).kind == "f"))

    def test_shapes(self):
        for shape in ((9, 4), (9, 4, 1), (9, 4, 6), (9, 4, 3, 5), (3, 2, 2, 2, 3)):
            self.check(self.write("shape.nii.gz", random("int16", shape)))

    def test_colours(self):
        colour = numpy.zeros((6, 5, 4), [(c, "u1") for c in "RGB"])
        for c in "RGB":
            colour[c] = random("uint8", colour.shape)
        for ending in (".nii", ".nii.gz"):
            for kind in ("shown", "values"):
                self.check(self.write(f"rgb{ending}", colour), kind)

    def test_scale(self):
        for dtype, scale in itertools.product(("uint8", "int16", "uint16", "float32"), ((0.37, -12.5), (1, 3), (2, 0), (1, 0))):
            name = self.write("scaled.nii", random(dtype, (6, 5, 2)))
            data = bytearray(program.read_bytes(self.path(name)))
            data[112:120] = numpy.array(scale, "<f4").tobytes()
            program.write_bytes(self.path(name), data)
            self.assertEqual(nibabel.load(self.path(name)).dataobj.slope, numpy.float32(scale[0]))
            info = self.check(name)
            self.assertEqual(info["float"], dtype == "float32" or scale != (1, 0))

    def test_spacing(self):
        for units, factor in (("mm", 1), ("meter", 1000), ("micron", 0.001), (None, 1)):
            self.write("s.nii", random("uint8", (6, 5, 2)), zooms=(0.5, 0.25, 3), units=units)
            numpy.testing.assert_allclose(rasters.describe(self.path("s.nii"))["spacing"], [0.25 * factor, 0.5 * factor], 1e-6)

    def test_one_volume_after_another(self):
        """A file that changes between two readings is read again."""
        for _ in range(3):
            self.check(self.write("again.nii.gz", random("int16", (9, 8, 7))))

    def test_refused(self):
        self.write("whole.nii", random("int16", (9, 8, 7)))
        program.write_bytes(self.path("text.nii.gz"), gzip.compress(b"no volume, but compressed" * 50))
        program.write_bytes(self.path("short.nii.gz"), gzip.compress(b"short"))
        nibabel.save(nibabel.Nifti1Pair(random("int16", (5, 4, 3)), numpy.eye(4)), self.path("pair.hdr"))
        self.write("complex.nii", random("float32", (5, 4, 3)).astype("complex64"))
        for name, says in (("whole.nii#7", "has 7 slices, so slice 7 is missing"), ("text.nii.gz", "holds no NIfTI volume"),
                           ("short.nii.gz", "the file ends early"), ("pair.hdr", "a pair .hdr and .img"),
                           ("complex.nii", "voxels of the type COMPLEX64")):
            with self.assertRaisesRegex(rasters.Refused, says):
                rasters.read(self.path(name))


if __name__ == "__main__":
    program.main(needs_device=False)
