"""Pictures of every format for `paced predict`, and a small network for them."""
import ctypes
import random
import struct
import zlib

import program

SIZE = 32  # input size of the network
WINDOWS = ("predict.mode=window",)


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
    """A JPEG file of pixels [height][width][3], encoded with the program's own JPEG library."""
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
    """(width, height, values) of a 16-bit greyscale PNG."""
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
    """Smooth blobs on a noisy background, RGB."""
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
    """Writes weights.safetensors, whose prediction has both classes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, size=SIZE)
        cls.run_program("train", "tiny.ini", "--output", "run", "--set", "train.epochs=3")
        cls.tensors, _ = program.read_tensors(cls.path("run", "last.safetensors"))
        cls.balance(cls.tensors)

    @classmethod
    def balance(cls, tensors):
        """Shifts the logits so that each class takes half of a picture's pixels."""
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
