"""PyTorch files, written from the format: a zip archive of a pickle and of data."""
import struct
import zipfile

import program


def text(value):
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def integers(values):
    return b"(" + b"".join(b"J" + struct.pack("<i", value) for value in values) + b"t"


def describe(key, kind, shape, count):
    strides = [1] * len(shape)
    for i in range(len(shape) - 1, 0, -1):
        strides[i - 1] = strides[i] * shape[i]
    storage = b"(" + text("storage") + b"ctorch\n" + kind + b"\n" + text(key) + text("cpu") + b"J" + \
        struct.pack("<i", count) + b"tQ"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0" + integers(shape) + integers(strides) + \
        b"\x89ccollections\nOrderedDict\n)RtR"


def write_pth(path, tensors, prefix=""):
    pickle = b"\x80\x02ccollections\nOrderedDict\n)R("
    with zipfile.ZipFile(path, "w") as archive:
        for key, (name, (dtype, shape, values)) in enumerate(tensors.items()):
            kind = {"F32": b"FloatStorage", "I64": b"LongStorage"}[dtype]
            pickle += text(prefix + name) + describe(str(key), kind, shape, len(values))
            archive.writestr(f"w/data/{key}", struct.pack(f"<{len(values)}{program.FORMATS[dtype]}", *values))
        archive.writestr("w/data.pkl", pickle + b"u.")
