"""A reader of TensorBoard event files, written from their definition: TFRecords (size, masked CRC-32C, data, masked
CRC-32C) of protocol buffers. It is independent of TensorBoard, which is not installed everywhere."""
import glob
import os
import struct

import program


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    """Data of each record; a truncated or damaged record is an error. The checksum of long records (pictures) is not
    verified."""
    at = 0
    while at < len(data):
        size, crc = struct.unpack_from("<QI", data, at)
        assert crc == masked(data[at:at + 8]), f"size at {at}"
        body, (crc, ) = data[at + 12:at + 12 + size], struct.unpack_from("<I", data, at + 12 + size)
        assert size > 20000 or crc == masked(body), f"data at {at}"
        yield body
        at += 16 + size


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """[(number, value)]: integers, floats, doubles and bytes."""
    at, found = 0, []
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            code = {1: "<d", 5: "<f"}[kind]
            value, = struct.unpack_from(code, data, at)
            at += struct.calcsize(code)
        found.append((key >> 3, value))
    return found


class Events:
    """scalars {tag: [(step, value)]}, images {tag: (step, width, height, png)}, times [(step, time)], hparams {name:
    value}, status (None: the run has not ended)"""

    def __init__(self, run):
        self.paths = sorted(glob.glob(os.path.join(glob.escape(run), "events.out.tfevents.*")))
        assert len(self.paths) == 1, self.paths
        self.scalars, self.images, self.times, self.hparams, self.status = {}, {}, [], {}, None
        first, *rest = (dict(fields(record)) for record in records(program.read_bytes(self.paths[0])))
        assert first[3] == b"brain.Event:2" and 5 not in first, first
        for event in rest:
            self.times.append((event[2], event[1]))
            for number, value in fields(event[5]):
                assert number == 1
                self.take(event[2], dict(fields(value)))

    def take(self, step, value):
        tag = value[1].decode()
        if 2 in value:
            self.scalars.setdefault(tag, []).append((step, value[2]))
        elif 4 in value:
            image = dict(fields(value[4]))
            assert tag not in self.images and image[3] == 3, tag
            self.images[tag] = (step, image[2], image[1], image[4])
        else:
            plugin = dict(fields(dict(fields(value[9]))[1]))
            assert plugin[1] == b"hparams"
            self.take_session(tag, dict(fields(plugin[2])))

    def take_session(self, tag, data):
        if tag == "_hparams_/session_start_info":
            for number, entry in fields(data[3]):
                if number == 1:
                    entry = dict(fields(entry))
                    (kind, value), = fields(entry[2])
                    self.hparams[entry[1].decode()] = value if kind == 2 else value.decode()
        else:
            assert tag == "_hparams_/session_end_info", tag
            self.status = dict(fields(data[4]))[1]


def expected_scalars(log):
    """The scalars of log.csv, {tag: [(step, value)]}."""
    columns = {"train": {"ckd/mu": "mu", "spl/data_in_train": "admitted", "logs/lr": "lr", "logs/train_loss": "ce",
                         "logs/train_objective": "loss"},
               "val": {"logs/val_loss": "ce", "logs/val_objective": "loss",
                       **{f"logs/metric_{m}": m for m in ("dice", "iou", "precision", "recall", "f1")}}}
    series = {}
    for row in program.read_csv(log)[1]:
        for tag, column in columns[row["phase"]].items():
            if row[column]:
                value, = struct.unpack("<f", struct.pack("<f", float(row[column])))
                series.setdefault(tag, []).append((int(row["epoch"]), value))
    return series
