"""safetensors files in a few lines of numpy, so that the tests need no package for them.

Format: 8 bytes little-endian header length; a JSON header {name: {dtype, shape, data_offsets}, "__metadata__":
{string: string}}; the raw little-endian data without gaps. The header is padded with blanks to a multiple of 8.
Arrays are in file order; torch tensors convert with .numpy() and torch.from_numpy().
"""
import json
import struct

import numpy as np

DTYPES = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4", "U8": "|u1"}
CODES = {np.dtype(dtype): code for code, dtype in DTYPES.items()}


def save(path, tensors, metadata=None):
    """Writes {name: array}; metadata is a map of strings."""
    header, blobs, offset = {}, [], 0
    if metadata:
        header["__metadata__"] = metadata
    for name, array in tensors.items():
        array = np.asarray(array)
        blobs.append(array.tobytes())  # row-major with any strides
        header[name] = {"dtype": CODES[array.dtype], "shape": list(array.shape),
                        "data_offsets": [offset, offset + len(blobs[-1])]}
        offset += len(blobs[-1])
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def load(path):
    """Returns ({name: array}, metadata); the arrays are writable copies."""
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = np.frombuffer(data[8 + length + begin:8 + length + end], DTYPES[entry["dtype"]])
        tensors[name] = raw.reshape(entry["shape"]).copy()
    return tensors, metadata
