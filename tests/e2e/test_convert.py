"""Conversion of weights: to safetensors with metadata, to ONNX, whose graph is parsed here; and PyTorch files are
accepted wherever weights are read."""
import os
import struct
import zipfile

import program
from pytorch import text, write_pth


# ---- ONNX: protocol buffer messages ----------------------------------------------------------------------------------


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """{number: [values]} of a message: integers, or bytes."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            size, at = (4, at) if key & 7 == 5 else varint(data, at)
            value, at = data[at:at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def names(messages, number):
    return [name.decode() for message in messages for name in fields(message).get(number, [])]


class Onnx:
    def __init__(self, path):
        model = fields(program.read_bytes(path))
        graph = fields(model[7][0])
        pairs = [fields(pair) for pair in model[14]]
        self.version, self.operators = model[1][0], fields(model[8][0])[2][0]
        self.metadata = {pair[1][0].decode(): pair[2][0].decode() for pair in pairs}
        self.inputs, self.outputs = names(graph[11], 1), names(graph[12], 1)
        self.types = names(graph[1], 4)
        self.made, self.taken = names(graph[1], 2), names(graph[1], 1)
        self.weights = {fields(tensor)[8][0].decode(): fields(tensor) for tensor in graph[5]}


# ---- the tests -------------------------------------------------------------------------------------------------------


class ConvertTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        cls.run_program("train", "tiny.ini", "--set", "train.epochs=1", "--output", "run")
        cls.best = "run/best.safetensors"
        cls.tensors, cls.metadata = program.read_tensors(cls.path(cls.best))

    def predict(self, weights):
        self.done = self.run_program("predict", "tiny.ini", "--weights", weights, "--output", "out", "--logits",
                                     "data/benign/benign (1).png")
        return program.read_bytes(self.path("out", "benign (1).safetensors"))

    def test_normalises(self):
        program.write_tensors(self.path("parallel.safetensors"), {"module." + k: v for k, v in self.tensors.items()})
        program.write_text(self.path("plain.safetensors"), "what was there before")
        done = self.run_program("convert", "parallel.safetensors", "plain.safetensors")
        self.assertIn("plain.safetensors: unet, width 4, 2 classes", done.stdout)
        tensors, metadata = program.read_tensors(self.path("plain.safetensors"))
        self.assertEqual(tensors, self.tensors)
        self.assertEqual((metadata["arch"], metadata["width"], metadata["classes"]), ("unet", "4", "2"))
        self.run_program("convert", self.best, "again.safetensors")
        self.assertEqual(program.read_bytes(self.path("again.safetensors")), program.read_bytes(self.path(self.best)))

    def test_pytorch_files_serve_as_they_are(self):
        write_pth(self.path("w.pth"), self.tensors)
        write_pth(self.path("parallel.pth"), self.tensors, prefix="module.")
        logits = self.predict(self.best)
        self.assertEqual(self.predict("w.pth"), logits)
        self.assertEqual(self.predict("parallel.pth"), logits)
        self.run_program("convert", "w.pth", "from_pth.safetensors")
        self.assertEqual(program.read_tensors(self.path("from_pth.safetensors"))[0], self.tensors)
        logs = []
        for weights in (self.best, "w.pth"):
            self.run_program("train", "tiny.ini", "--set", f"model.init={weights}", "--set",
                             f"distill.teacher={weights}", "--set", "distill.method=kd", "--set", "train.epochs=1",
                             "--output", "student", "--overwrite")
            logs.append(program.read_log(self.path("student", "log.csv")))
        self.assertEqual(logs[0], logs[1])

    def test_prefixes(self):
        """Any prefix that all names share is removed where a network is configured, else those of common wrappers."""
        logits = self.predict(self.best)
        for prefix in ("_orig_mod.", "model.", "module._orig_mod.", "student.unet."):
            write_pth(self.path("wrapped.pth"), self.tensors, prefix=prefix)
            self.assertEqual(self.predict("wrapped.pth"), logits)
            self.assertEqual(self.done.stderr.count(f"wrapped.pth: the prefix '{prefix}' is removed from all names"), 1)
            if prefix == "student.unet.":
                self.refuse("convert", "wrapped.pth", "plain.safetensors", says=("does not match any network",))
                continue
            self.run_program("convert", "wrapped.pth", "plain.safetensors")
            self.assertEqual(program.read_tensors(self.path("plain.safetensors"))[0], self.tensors)
        program.write_tensors(self.path("wrapped.safetensors"), {"model." + k: v for k, v in self.tensors.items()})
        self.assertEqual(self.predict("wrapped.safetensors"), logits)
        self.assertIn("wrapped.safetensors: the prefix 'model.' is removed", self.done.stderr)
        self.predict(self.best)
        self.assertNotIn("prefix", self.done.stderr)

    def test_onnx(self):
        self.run_program("convert", self.best, "folded.onnx")
        self.run_program("convert", self.best, "apart.onnx", "--no-fold")
        folded, apart = Onnx(self.path("folded.onnx")), Onnx(self.path("apart.onnx"))
        for model in (folded, apart):
            self.assertEqual((model.version, model.operators), (8, 17))
            self.assertEqual((model.inputs, model.outputs), (["image"], ["logits"]))
            self.assertEqual(model.metadata, self.metadata)
            self.assertEqual(model.types.count("Conv"), 19)
            self.assertEqual(len(model.made), len(set(model.made)))
            self.assertEqual(set(model.taken) - {""}, {"image", *model.made, *model.weights} - {"logits"})
        self.assertNotIn("BatchNormalization", folded.types)
        self.assertEqual(apart.types.count("BatchNormalization"), 18)
        for name, (dtype, shape, values) in self.tensors.items():
            if dtype != "F32":
                continue
            tensor = apart.weights[name]
            self.assertEqual((tensor[1], tensor[2]), (shape, [1]))
            self.assertEqual(struct.unpack(f"<{len(values)}f", tensor[9][0]), values)

    def test_onnx_of_every_network(self):
        for arch in ("linknet", "deeplabv3"):
            sets = ["--set", f"model.arch={arch}", "--set", "model.width=8", "--set", "train.epochs=1", "--set",
                    "train.batch=2"]
            self.run_program("train", "tiny.ini", *sets, "--output", arch)
            done = self.run_program("convert", f"{arch}/best.safetensors", "net.onnx")
            self.assertIn(f"net.onnx: {arch}, width 8, 2 classes", done.stdout)
            self.assertEqual(Onnx(self.path("net.onnx")).metadata["arch"], arch)

    def test_what_cannot_be_converted(self):
        self.refuse("convert", self.best, "w.pth2", says=["w.pth2", ".safetensors", ".onnx"])
        self.refuse("convert", self.best, "weights", says=["weights: unknown extension"])
        self.refuse("convert", self.best, "out.pth", says=["load_state_dict(safetensors.torch.load_file("])
        self.refuse("convert", "nowhere.pth", "out.onnx", says=["nowhere.pth", "cannot open"])
        self.refuse("convert", "tiny.ini", "out.onnx", says=["tiny.ini", "not safetensors"])
        few = {name: value for name, value in self.tensors.items() if name != "down2.maxpool_conv.1.double_conv.0.bias"}
        program.write_tensors(self.path("few.safetensors"), few)
        self.refuse("convert", "few.safetensors", "out.onnx",
                    says=["tensor down2.maxpool_conv.1.double_conv.0.bias is missing", "unet of width 4 for 2 classes"])
        program.write_tensors(self.path("other.safetensors"), {"fc.weight": ("F32", [1], [0.5])})
        self.refuse("convert", "other.safetensors", "out.onnx", says=["does not match any network", "inp.double_conv.0"])

    def test_hostile_pickle_runs_nothing(self):
        marker = self.path("ran")
        with zipfile.ZipFile(self.path("bad.pth"), "w") as archive:
            archive.writestr("w/data.pkl", b"\x80\x02cos\nsystem\n(" + text(f"touch '{marker}'") + b"tR.")
        for command in (["convert", "bad.pth", "out.safetensors"],
                        ["predict", "tiny.ini", "--weights", "bad.pth", "--output", "out2", "data/benign"]):
            self.refuse(*command, says=["bad.pth: pickle global 'os system'", "only weights are read"])
        self.assertFalse(os.path.exists(marker))


if __name__ == "__main__":
    program.main()
