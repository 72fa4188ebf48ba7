"""DICOM files that pydicom writes, read sample by sample. Skips where a package is missing."""
import io
import itertools
import warnings

import program

try:
    import numpy
    import pydicom
    import rasters
    from PIL import Image
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.pixel_data_handlers.rle_handler import rle_encode_frame
    from pydicom.pixel_data_handlers.util import apply_modality_lut, convert_color_space
    from pydicom.sequence import Sequence
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless
except ImportError as error:
    program.skip(str(error))

RNG = numpy.random.default_rng(5)
SECRET = "Doe^Jane"


def dataset(array, syntax=ExplicitVRLittleEndian, photometric="MONOCHROME2", stored=None, **attributes):
    """A file with samples [height, width], [frames, height, width] or [..., 3]."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.is_little_endian, data.is_implicit_VR = syntax != ExplicitVRBigEndian, syntax == ImplicitVRLittleEndian
    data.PatientName, data.SOPClassUID, data.SOPInstanceUID = SECRET, meta.MediaStorageSOPClassUID, "1.2.3"
    colour = photometric in ("RGB", "YBR_FULL", "YBR_FULL_422")
    shape = array.shape[:-1] if colour else array.shape
    data.Rows, data.Columns = shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = (3 if colour else 1), photometric
    data.BitsAllocated = 8 * array.dtype.itemsize
    data.BitsStored = stored or data.BitsAllocated
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(array.dtype.kind == "i")
    if colour:
        data.PlanarConfiguration = 0
    if len(shape) == 3:
        data.NumberOfFrames = shape[0]
    for name, value in attributes.items():
        setattr(data, name, value)
    raw = array.astype(array.dtype.newbyteorder("<" if data.is_little_endian else ">")).tobytes()
    data.add_new("PixelData", "OW" if array.dtype.itemsize > 1 or data.is_implicit_VR else "OB", raw + b"\0" * (len(raw) % 2))
    return data


class Dicom(program.Case):
    def write(self, name, data):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data.save_as(self.path(name), write_like_original=False)

    def check(self, data, kind="values", name="a.dcm"):
        self.write(name, data)
        again = pydicom.dcmread(self.path(name))
        array = again.pixel_array
        if again.SamplesPerPixel == 1:
            array = apply_modality_lut(array, again)
        frames = array if again.get("NumberOfFrames", 1) > 1 else array[None]
        for k, wanted in enumerate(frames):
            info, read = rasters.read(self.path(name) + f"#{k}", kind)
            numpy.testing.assert_array_equal(read, wanted.astype("float32") if read.dtype == numpy.float32 else wanted)
        self.assertEqual(info["slices"], len(frames))
        return info

    def test_types(self):
        for dtype, syntax, frames in itertools.product(("uint8", "int8", "uint16", "int16", "uint32", "int32"),
                                                       (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian),
                                                       (1, 3)):
            limits = numpy.iinfo(dtype)
            array = RNG.integers(limits.min, limits.max, (frames, 7, 5), dtype, endpoint=True)
            info = self.check(dataset(array if frames > 1 else array[0], syntax))
            self.assertEqual((info["bits"], info["signed"], info["float"]),
                             (array.itemsize * 8, int(array.dtype.kind == "i"), 0))
            self.assertEqual(info["sample"], dtype if dtype in ("uint8", "uint16") else "float32")

    def test_twelve_bits(self):
        array = RNG.integers(0, 4095, (9, 8), "uint16", endpoint=True)
        self.assertEqual(self.check(dataset(array, stored=12))["bits"], 12)
        array = RNG.integers(-2048, 2047, (9, 8), "int16", endpoint=True)
        self.assertEqual(self.check(dataset(array, stored=12))["bits"], 12)

    def test_rescale_and_window(self):
        array = RNG.integers(0, 4095, (9, 8), "uint16", endpoint=True)
        for slope, intercept in ((1, -1024), (0.37, 5.5), (2, 0)):
            info = self.check(dataset(array, stored=12, RescaleSlope=slope, RescaleIntercept=intercept,
                                      WindowCenter=[40, 300], WindowWidth=[400, 1500]))
            self.assertEqual(info["window"], [-160, 240])
            self.assertEqual(info["float"], 1)
        self.assertEqual(self.check(dataset(array))["window"], [0, 0])

    def test_lookup_table(self):
        table = Dataset()
        table.LUTDescriptor, table.LUTData = [256, 10, 16], RNG.integers(0, 65535, 256).tolist()
        table.ModalityLUTType = "US"
        for element in table:
            element.VR = {"LUTDescriptor": "US", "LUTData": "US"}.get(element.keyword, element.VR)
        self.check(dataset(RNG.integers(0, 300, (9, 8), "uint16"), ModalityLUTSequence=Sequence([table])))

    def test_inverted(self):
        info = self.check(dataset(RNG.integers(0, 255, (9, 8), "uint8"), photometric="MONOCHROME1"))
        self.assertEqual(info["inverted"], 1)

    def test_colours(self):
        array = RNG.integers(0, 255, (9, 8, 3), "uint8", endpoint=True)
        self.check(dataset(array, photometric="RGB"), "colours")
        self.check(dataset(numpy.stack([array, array[::-1]]), photometric="RGB"), "shown")
        planes = dataset(array, photometric="RGB")
        planes.PlanarConfiguration, planes.PixelData = 1, numpy.moveaxis(array, 2, 0).tobytes()
        self.check(planes)
        self.write("y.dcm", dataset(array, photometric="YBR_FULL"))
        wanted = convert_color_space(array, "YBR_FULL", "RGB").astype(int)
        self.assertLessEqual(numpy.abs(rasters.read(self.path("y.dcm"))[1] - wanted).max(), 1)

    def test_palette(self):
        index = RNG.integers(0, 255, (9, 8), "uint8", endpoint=True)
        data, tables = dataset(index, photometric="PALETTE COLOR"), RNG.integers(0, 65535, (3, 256), "uint16")
        for c, name in enumerate(("Red", "Green", "Blue")):
            data.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [256, 0, 16])
            data.add_new(f"{name}PaletteColorLookupTableData", "OW", tables[c].tobytes())
        self.check(data)
        info, read = rasters.read(self.path("a.dcm"), "shown")
        numpy.testing.assert_array_equal(read, (tables[:, index] >> 8).transpose(1, 2, 0))
        self.assertEqual(rasters.describe(self.path("a.dcm"))["channels"], 3)

    def test_single_bits(self):
        frames = RNG.integers(0, 1, (3, 7, 5), "uint8", endpoint=True)
        data = dataset(frames)
        packed = numpy.packbits(frames.ravel(), bitorder="little").tobytes()
        data.BitsAllocated, data.BitsStored, data.HighBit = 1, 1, 0
        data.PixelData = packed + b"\0" * (len(packed) % 2)
        self.check(data)
        numpy.testing.assert_array_equal(rasters.read(self.path("a.dcm#1"), "shown")[1], 255 * frames[1])

    def test_run_lengths(self):
        for dtype, shape, photometric in (("uint8", (3, 9, 8), "MONOCHROME2"), ("uint16", (9, 8), "MONOCHROME2"),
                                          ("uint8", (9, 8, 3), "RGB")):
            array = RNG.integers(0, 250, shape, dtype) // 50
            data = dataset(array, RLELossless, photometric)
            data.PixelData = encapsulate([rle_encode_frame(frame) for frame in (array if len(shape) == 3 and photometric != "RGB" else [array])])
            data["PixelData"].VR, data["PixelData"].is_undefined_length = "OB", True
            self.check(data)

    def test_jpeg(self):
        x, y = numpy.meshgrid(numpy.arange(48), numpy.arange(32))
        for mode, photometric in (("L", "MONOCHROME2"), ("RGB", "YBR_FULL_422")):
            array = numpy.stack([40 + 3 * x, 200 - 4 * y, 90 + x + y], 2).astype("uint8")
            if mode == "L":
                array = array[:, :, 0]
            file = io.BytesIO()
            Image.fromarray(array).save(file, "JPEG", quality=95)
            data = dataset(array, JPEGBaseline8Bit, photometric)
            data.PixelData = encapsulate([file.getvalue()])
            data["PixelData"].VR, data["PixelData"].is_undefined_length = "OB", True
            self.write("j.dcm", data)
            read = rasters.read(self.path("j.dcm"), "shown")[1]
            self.assertLess(numpy.abs(read.astype(int) - array).max(), 12)
            for kind in ("values", "colours"):
                with self.assertRaisesRegex(rasters.Refused, "is a lossy DICOM file, whose compression changes values"):
                    rasters.read(self.path("j.dcm"), kind)

    def test_spacing(self):
        array = RNG.integers(0, 255, (9, 8), "uint8")
        region = Dataset()
        region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
        region.PhysicalDeltaX, region.PhysicalDeltaY = 0.02, 0.01
        for attributes, wanted in (({"PixelSpacing": [0.5, 0.25], "ImagerPixelSpacing": [9, 9]}, [0.5, 0.25]),
                                   ({"ImagerPixelSpacing": [0.3, 0.2]}, [0.3, 0.2]), ({}, [0, 0]),
                                   ({"SequenceOfUltrasoundRegions": Sequence([region])}, [0.1, 0.2])):
            self.write("s.dcm", dataset(array, **attributes))
            self.assertEqual(rasters.describe(self.path("s.dcm"))["spacing"], wanted)

    def test_truncated(self):
        """A file without its end is refused, and no message tells the patient."""
        array = RNG.integers(0, 5, (3, 70, 50), "uint16")
        encoded = dataset(array, RLELossless)
        encoded.PixelData = encapsulate([rle_encode_frame(frame) for frame in array])
        encoded["PixelData"].VR, encoded["PixelData"].is_undefined_length = "OB", True
        for data in (dataset(array), encoded):
            self.write("whole.dcm", data)
            raw = program.read_bytes(self.path("whole.dcm"))
            for size in [*range(132, 600, 13), *range(600, len(raw), 511), len(raw) - 2, len(raw) - 1]:
                program.write_bytes(self.path("cut.dcm"), raw[:size])
                try:
                    numpy.testing.assert_array_equal(rasters.read(self.path("cut.dcm#2"))[1], array[2], f"{size} of {len(raw)}")
                    self.assertIs(data, encoded)
                except rasters.Refused as refusal:
                    self.assertIn("cut.dcm", str(refusal))
                    self.assertNotIn("Doe", str(refusal))

    def test_changed(self):
        self.write("whole.dcm", dataset(RNG.integers(0, 5, (2, 7, 5), "uint16"), PixelSpacing=[1, 2]))
        raw = bytearray(program.read_bytes(self.path("whole.dcm")))
        for i in range(132, len(raw), 3):
            raw[i] ^= 0xff
            program.write_bytes(self.path("changed.dcm"), raw)
            raw[i] ^= 0xff
            try:
                rasters.read(self.path("changed.dcm#1"))
            except rasters.Refused as refusal:
                self.assertNotIn("Doe", str(refusal))


if __name__ == "__main__":
    program.main(needs_device=False)
