"""Common code of the end-to-end tests: the program under test, its files, and an environment to run it in.

A test file is a script: `python3 test_x.py PROGRAM` ends with 0 (passed), 77 (skipped, the reason on stdout) or 1.
Only the Python standard library is used. PNG and safetensors are read and written here, from their specifications,
so that the files of the program are verified by a second reader.
"""
import csv
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree
import zlib

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "paced"
SKIP = 77
TIME_COLUMNS = ("seconds", "images_per_second")


# ---- running ---------------------------------------------------------------------------------------------------------


def main(needs_device=True):
    """Runs the tests of the calling script."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: python3 {sys.argv[0]} PROGRAM")
    if needs_device and subprocess.run([PROGRAM, "devices"], capture_output=True).returncode == 3:
        if not os.environ.get("PACED_REQUIRE_DEVICE"):
            skip("no usable OpenCL device (`paced devices` ends with 3)")
        sys.exit("no usable OpenCL device, but PACED_REQUIRE_DEVICE is set")
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:])


def skip(reason):
    print(f"skip: {reason}")
    sys.exit(SKIP)


class Case(unittest.TestCase):
    """A test class with a directory of its own, where everything runs: `self.dir`."""

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="paced-e2e-")
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)

    @classmethod
    def path(cls, *parts):
        return os.path.join(cls.dir, *parts)

    @classmethod
    def start(cls, *args, env=None, **options):
        """Starts the program with its stderr in a pipe."""
        return subprocess.Popen([PROGRAM, *args], cwd=cls.dir, env={**os.environ, **(env or {})}, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)

    @classmethod
    def run_program(cls, *args, env=None, status=0):
        """Runs the program to its end; fails the test if the exit status is not `status`."""
        done = subprocess.run([PROGRAM, *args], cwd=cls.dir, env={**os.environ, **(env or {})}, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        if done.returncode != status:
            raise AssertionError(f"paced {' '.join(args)}: exit status {done.returncode} instead of {status}\n"
                                 f"stdout: {done.stdout}\nstderr: {done.stderr}")
        return done

    def refuse(self, *args, status=2, says=(), env=None):
        """Checks that the program ends with `status`, prints one line with all of `says`, and changes no file."""
        before = snapshot(self.dir)
        done = self.run_program(*args, env=env, status=status)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, f"one line expected on stderr:\n{done.stderr}")
        self.assertTrue(lines[0].startswith("paced: "), lines[0])
        for words in says:
            self.assertIn(words, lines[0])
        self.assertEqual(done.stdout, "")
        self.assertEqual(snapshot(self.dir), before, "files were written or removed")
        return lines[0]


def snapshot(root):
    """Every path below root, with its attributes that a write would change."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            found[path] = "folder" if name in folders else (info.st_ino, info.st_size, info.st_mtime_ns)
    return found


# ---- text files ------------------------------------------------------------------------------------------------------


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def write_bytes(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def read_text(path):
    return read_bytes(path).decode()


def write_text(path, text):
    write_bytes(path, text.encode())


def write_ini(path, base=None, **sections):
    """Writes an INI file: write_ini(path, train={"epochs": 2}, data={...})."""
    lines = [f"base = {base}"] if base else []
    for section, keys in sections.items():
        lines += [f"[{section}]"] + [f"{key} = {value}" for key, value in keys.items()]
    write_text(path, "\n".join(lines) + "\n")


def parse_ini(text):
    """{"section.key": "value"} of the printed configuration (without continuation lines)."""
    keys, section = {}, None
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line:
            key, value = line.split("=", 1)
            keys[f"{section}.{key.strip()}"] = value.strip()
    return keys


def read_csv(path):
    """The header and the rows as dicts."""
    with open(path, newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    return reader.fieldnames, rows


def read_log(path):
    """log.csv without the columns of times."""
    _, rows = read_csv(path)
    return [{key: value for key, value in row.items() if key not in TIME_COLUMNS} for row in rows]


def read_json(path):
    return json.loads(read_text(path))


def write_json(path, value):
    write_text(path, json.dumps(value))


# ---- PNG (ISO/IEC 15948): 8 bits, grey or RGB, not interlaced --------------------------------------------------------


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def make_png(width, height, channels, pixels):
    """Writes a PNG; pixels: bytes [height][width][channels], channels 1 or 3."""
    stride = width * channels
    rows = b"".join(b"\0" + pixels[y * stride:(y + 1) * stride] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(rows)) +
            png_chunk(b"IEND", b""))


def write_png(path, width, height, channels, pixels):
    write_bytes(path, make_png(width, height, channels, bytes(pixels)))


def svg_size(path):
    """Width and height of an SVG file, which must be well-formed XML."""
    root = xml.etree.ElementTree.parse(path).getroot()
    return int(root.get("width")), int(root.get("height"))


def svg_texts(path):
    return [element.text for element in xml.etree.ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")]


def png_size(path):
    return struct.unpack(">II", read_bytes(path)[16:24])


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def unfilter(kind, row, above, step):
    if kind == 2:
        row[:] = bytes((a + b) & 255 for a, b in zip(row, above))
    for i in range(len(row)) if kind in (1, 3, 4) else ():
        left, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
        predicted = left if kind == 1 else (left + above[i]) // 2 if kind == 3 else paeth(left, above[i], corner)
        row[i] = (row[i] + predicted) & 255


def read_png(path):
    """Reads a PNG: (width, height, channels, pixels). Pixels of a palette are its indices."""
    data, at, packed = read_bytes(path), 8, b""
    assert data[:8] == b"\x89PNG\r\n\x1a\n", path
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    assert bits == 8 and colour in (0, 2, 3) and not interlaced, path
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += 12 + size
    channels = 3 if colour == 2 else 1
    stride, raw, pixels = width * channels, zlib.decompress(packed), bytearray()
    above = bytes(stride)
    for y in range(height):
        row = bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        unfilter(raw[y * (stride + 1)], row, above, channels)
        pixels += row
        above = row
    return width, height, channels, bytes(pixels)


# ---- safetensors -----------------------------------------------------------------------------------------------------

FORMATS = {"F32": "f", "F64": "d", "I64": "q", "U8": "B"}


def read_tensors(path):
    """Reads safetensors: ({name: (dtype, shape, values)}, metadata)."""
    data = read_bytes(path)
    size, = struct.unpack("<Q", data[:8])
    header, tensors = json.loads(data[8:8 + size]), {}
    metadata = header.pop("__metadata__", {})
    for name, item in header.items():
        begin, end = (8 + size + offset for offset in item["data_offsets"])
        code = FORMATS[item["dtype"]]
        count = (end - begin) // struct.calcsize("<" + code)
        tensors[name] = (item["dtype"], item["shape"], struct.unpack(f"<{count}{code}", data[begin:end]))
    return tensors, metadata


def write_tensors(path, tensors, metadata=None):
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, (dtype, shape, values) in tensors.items():
        part = struct.pack(f"<{len(values)}{FORMATS[dtype]}", *values)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    write_bytes(path, struct.pack("<Q", len(text)) + text + data)


# ---- data sets -------------------------------------------------------------------------------------------------------


def make_breast(case, count=12, size=32, seed=3):
    """Creates a synthetic breast set in case.dir/data, and tiny.ini, which trains on it."""
    case.run_program("synth", "breast", "--count", str(count), "--size", str(size), "--seed", str(seed), "--output",
                     "data")
    write_ini(case.path("tiny.ini"),
              data={"root": "data", "train": "data/train.json", "val": "data/val.json", "size": size},
              model={"width": 4}, train={"epochs": 2, "batch": 4})


def bands(width, height, classes, shift):
    """Class of each pixel, in vertical bands."""
    return [(x + shift) * classes // width % classes for _ in range(height) for x in range(width)]


def make_folder(case, name, count, width, height, classes):
    """Creates a `folder` set in case.dir/NAME: greyscale images with one band per class. Returns the pairs of the
    split."""
    pairs = []
    for i in range(count):
        labels = bands(width, height, classes, 5 * i)
        pairs.append([f"{i}.png", f"{i}_mask.png"])
        write_png(case.path(name, pairs[-1][0]), width, height, 1, [40 + 70 * c + i for c in labels])
        write_png(case.path(name, pairs[-1][1]), width, height, 1, labels)
    return pairs
