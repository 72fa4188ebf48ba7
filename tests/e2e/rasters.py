"""Rasters that the test program dump_raster reads, as arrays of numpy."""
import json
import subprocess
import sys

import numpy

DUMP = sys.argv.pop(2) if len(sys.argv) > 2 else "dump_raster"


class Refused(Exception):
    """The one line that the reader said."""


def run(path, kind):
    done = subprocess.run([DUMP, path, kind], capture_output=True, timeout=60)
    if done.returncode == 0:
        head, values = done.stdout.split(b"\n", 1)
        assert done.stderr == b"", done.stderr
        return json.loads(head), values
    lines = done.stderr.decode(errors="replace").splitlines()
    if done.returncode != 2 or len(lines) != 1 or not lines[0].startswith("paced: "):
        raise AssertionError(f"{path}: exit status {done.returncode}, stderr {lines}")
    raise Refused(lines[0])


def describe(path):
    return run(path, "describe")[0]


def read(path, kind="values"):
    """The header, and the samples as [height, width] or [height, width, 3]."""
    info, values = run(path, kind)
    array = numpy.frombuffer(values, info["sample"]).reshape(info["height"], info["width"], info["channels"])
    return info, array[:, :, 0] if info["channels"] == 1 else array
