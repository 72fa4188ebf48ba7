"""Errors in the command line, the configuration or a file are reported in one line with the right exit status, and
leave every file unchanged."""
import os
import shutil
import struct
import subprocess
import time

import program
from pytorch import write_pth


class CommandTest(program.Case):
    """The command line and the configuration."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)

    def refuse_ini(self, text, says):
        program.write_text(self.path("bad.ini"), text)
        return self.refuse("train", "bad.ini", "--output", "out", says=says)

    def test_unknown_command(self):
        self.refuse("trian", "tiny.ini", says=["trian", "`paced train`"])

    def test_unknown_option(self):
        self.refuse("train", "tiny.ini", "--ouput", "out", says=["--ouput", "paced train --help"])

    def test_option_of_another_command(self):
        self.refuse("train", "tiny.ini", "--logits", says=["train", "--logits"])

    def test_option_without_its_value(self):
        self.refuse("train", "tiny.ini", "--output", says=["--output", "needs a value"])
        self.refuse("predict", "tiny.ini", "--output", "", says=["--output", "needs a value"])

    def test_control_characters(self):
        for command in (("train", "tiny.ini"), ("test", "tiny.ini"), ("predict", "tiny.ini", "--weights", "w", "data"),
                        ("synth", "breast"), ("report", "run"), ("data", "split", "tiny.ini")):
            self.refuse(*command, "--output", "x\nnl", says=["--output 'x?nl': contains a control character"])
        self.refuse("predict", "tiny.ini", "--weights", "w\x01", "--output", "x", "data", says=["--weights 'w?'"])
        self.refuse("synth", "breast", "--output", "x", "--count", "1\n2", says=["--count 1?2: "])
        self.refuse("train", "tiny.ini", "--set", "run.output=x\nnl", says=["run.output: 'x?nl' contains"])
        self.refuse_ini("[data]\nroot = x\x7fy\n", says=["bad.ini:2: ", "'x?y' contains"])

    def test_options_that_a_configuration_cannot_hold(self):
        self.refuse("train", "tiny.ini", "--output", "x ;y", says=["--output: run.output: ", "';'"])
        self.refuse("test", "tiny.ini", "--weights", "x ;y", says=["--weights: test.weights: ", "';'"])
        self.refuse("robustness", "tiny.ini", "--weights", "x ;y", says=["--weights: robustness.weights: ", "';'"])

    def test_pipe_for_a_file(self):
        """A pipe without a writer would be waited for."""
        os.mkfifo(self.path("pipe"))
        self.refuse("train", "pipe", says=["pipe: is a pipe, socket or device; give a regular file"])
        self.refuse("train", "/dev/null", says=["/dev/null: is a pipe, socket or device"])
        self.refuse("convert", "pipe", "x.onnx", says=["pipe: is a pipe"])
        self.refuse("train", "tiny.ini", "--output", "x", "--set", "data.train=pipe", says=["pipe: is a pipe"])
        self.refuse("predict", "tiny.ini", "--weights", "pipe", "--output", "x", "data/benign", says=["pipe: is a pipe"])

    def test_missing_names(self):
        self.refuse("train", says=["usage: paced train CONFIG"])
        self.refuse("predict", "tiny.ini", says=["predict", "--weights"])

    def test_keys_of_a_configuration(self):
        self.refuse("config", "--keys", "tiny.ini", says=["config: --keys", "CONFIG"])
        self.refuse("config", "--keys", "--set", "train.epochs=1", says=["config: --keys", "--set"])
        self.refuse("config", "tiny.ini", "--markdown", says=["config: --markdown", "--keys"])
        self.assertIn("train.epochs", self.run_program("config", "--keys", "--markdown").stdout)

    def test_missing_configuration(self):
        self.refuse("train", "nowhere.ini", says=["nowhere.ini"])

    def test_unknown_section(self):
        self.refuse_ini("[data]\nsize = 32\n[trian]\n", says=["bad.ini:3: ", "trian", "[train]"])

    def test_unknown_key(self):
        self.refuse_ini("[train]\nepochs = 1\nepoch = 2\n", says=["bad.ini:3: ", "train.epoch:", "train.epochs?"])

    def test_value_of_the_wrong_type(self):
        self.refuse_ini("[train]\nepochs = many\n", says=["bad.ini:2: ", "train.epochs", "'many'", "1 to 1000000"])
        self.refuse_ini("[train]\nlr = quick\n", says=["bad.ini:2: ", "train.lr", "'quick'"])
        self.refuse_ini("[train]\nshuffle = perhaps\n", says=["bad.ini:2: ", "train.shuffle", "yes or no"])

    def test_value_out_of_range(self):
        self.refuse_ini("[train]\nepochs = 0\n", says=["bad.ini:2: ", "train.epochs", "1 to 1000000"])
        self.refuse_ini("[train]\nlr = nan\n", says=["bad.ini:2: ", "train.lr"])

    def test_no_valid_choice(self):
        self.refuse_ini("[train]\noptimizer = adan\n", says=["bad.ini:2: ", "train.optimizer", "'adan'", "adam"])
        self.refuse_ini("[model]\narch = unett\n", says=["bad.ini:2: ", "model.arch", "'unett'", "unet?"])
        self.refuse("config", "tiny.ini", "--set", "distill.teacher_arch=linkent", says=["--set ", "linknet?"])

    def test_bad_set(self):
        self.refuse("train", "tiny.ini", "--set", "epochs", says=["--set epochs", "SECTION.KEY=VALUE"])
        self.refuse("train", "tiny.ini", "--set", "train.epoch=3", says=["--set train.epoch=3", "train.epochs?"])
        self.refuse("train", "tiny.ini", "--set", "trian.epochs=3", says=["--set trian.epochs=3", "train.epochs?"])
        self.refuse("train", "tiny.ini", "--set", "train.epochs=0", says=["--set train.epochs=0", "1 to 1000000"])

    def test_empty_name_or_output(self):
        for key in ("run.name", "run.output"):
            for command in ("config", "train"):
                self.refuse(command, "tiny.ini", "--set", f"{key}=", says=[f"--set {key}=: ", "is empty"])

    def test_teacher_that_is_missing(self):
        for key in ("distill.method=kd", "distill.loss=ce_weighted"):
            self.refuse("train", "tiny.ini", "--output", "out", "--set", key, says=["distill.teacher"])

    def test_bad_synth(self):
        self.refuse("synth", "breast", "--count", "10", says=["--output"])
        self.refuse("synth", "breast", "--count", "ten", "--output", "out", says=["--count", "ten"])
        self.refuse("synth", "beast", "--output", "out", says=["beast", "breast"])
        self.refuse("synth", "breast", "--size", "1", "--output", "out", says=["--size"])
        self.refuse("synth", "breast", "--count", "4294967396", "--output", "out", says=["4294967396", "--count"])

    def test_no_device(self):
        os.makedirs(self.path("no_drivers"), exist_ok=True)
        env = {"OCL_ICD_VENDORS": self.path("no_drivers"), "OCL_ICD_FILENAMES": "", "OPENCL_VENDOR_PATH": ""}
        self.refuse("devices", status=3, env=env, says=["OpenCL", "pocl-opencl-icd"])
        self.refuse("train", "tiny.ini", "--output", "out", status=3, env=env, says=["OpenCL", "pocl-opencl-icd"])

    def test_device_that_is_not_there(self):
        self.refuse("train", "tiny.ini", "--output", "out", "--set", "device.select=no such device", status=3,
                    says=["no such device", "paced devices"])

    def test_algorithm_that_is_none(self):
        self.refuse("bench", "tiny.ini", says=("PACED_CONV=direct", "winograd4"),
                    env={"PACED_CONV": "direct"})

    def test_more_pixels_than_can_be_counted(self):
        self.refuse("graph", "tiny.ini", "--set", "data.size=8192", "--set", "train.batch=65536",
                    says=("65536 images of 8192 x 8192", "lower train.batch or data.size"))

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([program.PROGRAM, "--version"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^paced: standard output: cannot write: .*\n$")

    def test_size_that_the_network_cannot_take(self):
        self.refuse("train", "tiny.ini", "--output", "out", "--set", "data.size=8", says=["data.size"])
        self.refuse("graph", "tiny.ini", "--set", "data.size=8", says=["data.size"])

    def test_more_memory_than_the_device_has(self):
        start = time.monotonic()
        for sets in (["data.size=8192", "model.width=1024"], ["model.width=1024", "data.size=4096"]):
            options = [word for key in sets for word in ("--set", key)]
            line = self.refuse("train", "tiny.ini", "--output", "out", *options, status=1, says=["model.width"])
            self.assertRegex(line, r"needs? [0-9.]+ MiB")
        self.assertLess(time.monotonic() - start, 30, "found out before anything is allocated")


class DataTest(program.Case):
    """Splits, images and masks."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        cls.pairs = program.read_json(cls.path("data", "train.json"))
        cls.run_program("train", "tiny.ini", "--output", "older", "--set", "train.epochs=1")

    def refuse_split(self, split, says, name="train"):
        text = split if isinstance(split, str) else program.json.dumps(split)
        program.write_text(self.path("bad.json"), text)
        return self.refuse("train", "tiny.ini", "--output", "out", "--set", f"data.{name}=bad.json",
                           says=["bad.json", *says])

    def refuse_image(self, data, says, place=0):
        """An image of these bytes, as the third of the training set."""
        pair = list(self.pairs[2])
        pair[place] = "bad image.png"
        path = self.path("data", "bad image.png")
        if data is not None:
            program.write_bytes(path, data)
        line = self.refuse_split([*self.pairs[:2], pair, *self.pairs[3:]], ["entry 3", "bad image.png", *says])
        if data is not None:
            os.remove(path)
        return line

    def test_empty_split(self):
        self.refuse_split([], ["empty"])
        self.refuse_split([], ["empty"], name="val")

    def test_split_that_is_none(self):
        self.refuse_split("[[\"a.png\", ", ["bad.json:1:"])
        self.refuse_split({"train": []}, ["array"])
        self.refuse_split([*self.pairs, ["a.png"]], [f"entry {len(self.pairs) + 1}"])
        self.refuse("train", "tiny.ini", "--output", "out", "--set", "data.train=nowhere.json", says=["nowhere.json"])

    def test_root_that_is_none(self):
        self.refuse("train", "tiny.ini", "--output", "out", "--set", "data.root=nowhere", says=["nowhere", "data.root"])

    def test_path_that_leaves_the_root(self):
        for path in ("../data/outside.png", "benign/../../outside.png", "/etc/passwd"):
            self.refuse_split([self.pairs[0], [path, self.pairs[0][1]]], ["entry 2", path])
            self.refuse_split([self.pairs[0], [self.pairs[0][0], path]], ["entry 2", path])

    def test_missing_image_or_mask(self):
        for place in (0, 1):
            self.refuse_image(None, ["No such file", "; check the path"], place)

    def test_folder_for_an_image_or_a_mask(self):
        for place in (0, 1):
            pair = list(self.pairs[0])
            pair[place] = "benign"
            self.refuse_split([pair, *self.pairs[1:]], ["entry 1", "benign: is a directory; give a file"])

    def test_missing_image_of_a_stage(self):
        """An experiment opens every file before its first stage."""
        program.write_json(self.path("missing.json"), [self.pairs[0], ["none.png", "none_mask.png"]])
        program.write_text(self.path("stages.ini"), "base = tiny.ini\n[run]\noutput = stages\n[stage one]\n"
                           "command = train\ndata.train = missing.json\n")
        self.refuse("experiment", "stages.ini", says=["missing.json: entry 2", "none.png", "; check the path"])

    def test_truncated_image(self):
        data = program.read_bytes(self.path("data", self.pairs[2][0]))
        for size in (20, len(data) // 2, len(data) - 12):
            self.refuse_image(data[:size], ["damaged"])
        self.refuse_image(b"", ["PNG"])

    def test_damaged_image(self):
        data = bytearray(program.read_bytes(self.path("data", self.pairs[2][0])))
        data[len(data) // 2] ^= 0x55
        self.refuse_image(data, ["damaged"])

    def test_file_that_is_no_png(self):
        self.refuse_image(b"\xff\xd8\xff\xe0 this would be a JPEG file", ["damaged or unusual JPEG file"])
        self.refuse_image(b"\xff\xd8\xff\xe0 this would be a JPEG file", ["masks must be PNG"], place=1)
        for place in (0, 1):
            self.refuse_image(b"GIF89a, by its first bytes", ["not a PNG"], place)

    def test_image_of_an_absurd_size(self):
        header = struct.pack(">IIBBBBB", 2_000_000_000, 2_000_000_000, 8, 2, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + program.png_chunk(b"IHDR", header) + program.png_chunk(b"IEND", b"")
        self.refuse_image(data, ["2000000000"])

    def test_mask_of_another_size(self):
        self.refuse_image(program.make_png(30, 32, 1, bytes(30 * 32)), ["30 x 32", "32 x 32"], place=1)

    def test_bad_image_spares_the_run_that_would_be_replaced(self):
        program.write_json(self.path("missing.json"), [*self.pairs, ["none.png", "none_mask.png"]])
        for name in ("train", "val"):
            self.refuse("train", "tiny.ini", "--output", "older", "--overwrite", "--set", f"data.{name}=missing.json",
                        says=["missing.json", "none.png"])

    def test_bad_image_in_test(self):
        program.write_json(self.path("missing.json"), [self.pairs[0], ["none.png", "none_mask.png"]])
        self.refuse("test", "tiny.ini", "--set", "run.output=older", "--set", "data.val=missing.json", "--output",
                    "out", says=["missing.json", "entry 2", "none.png"])

    def test_class_outside_the_classes(self):
        pairs = program.make_folder(self, "bands", 4, 32, 32, 3)
        program.write_json(self.path("bands.json"), pairs)
        sets = ["data.dataset=folder", "data.root=bands", "data.train=bands.json", "data.val=bands.json",
                "data.classes=2"]
        options = [word for key in sets for word in ("--set", key)]
        self.refuse("train", "tiny.ini", "--output", "out", *options, says=["bands.json", "entry 1", "0_mask.png",
                                                                           "holds 2", "classes 0 to 1"])

    def test_classes_that_the_data_set_has_not(self):
        self.refuse("train", "tiny.ini", "--output", "out", "--set", "data.classes=3", says=["data.classes = 2"])

    def test_bad_images_to_predict(self):
        options = ["predict", "tiny.ini", "--weights", "older/best.safetensors", "--output", "older"]
        program.write_text(self.path("text", "a.png"), "no image")
        for name, says in (("nowhere.png", "; check the path"), ("text/a.png", "not a PNG, JPEG")):
            said = self.run_program(*options, name, status=2).stderr.splitlines()
            self.assertEqual(len(said), 2, said)
            self.assertTrue(said[0].startswith(f"paced: {name}: ") and says in said[0], said[0])
            self.assertIn("images predicted: 0, unreadable: 1", said[1])
        os.makedirs(self.path("nothing"), exist_ok=True)
        self.refuse(*options, "data/benign", "", says=["'' is not the name of an image", "folder"])
        self.refuse(*options, "nothing", says=["nothing", "no PNG file"])
        self.refuse(*options, "text/a.png", "text/../text/a.png", says=["text/a.png", "text/../text/a.png"])


class OutputTest(program.Case):
    """An unwritable output directory is reported before the work, not after it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        cls.run_program("train", "tiny.ini", "--output", "run", "--set", "train.epochs=1")
        cls.weights = cls.path("run", "best.safetensors")
        program.write_text(cls.path("file"), "in the way")
        program.write_text(cls.path("experiment.ini"), "base = tiny.ini\n[run]\noutput = file/below\n[stage first]\n"
                           "command = train\nrun.output = elsewhere\n[stage second]\ncommand = train\n")

    def test_directories(self):
        weights = ("--weights", self.weights)
        image = self.path("data", "benign")
        for command in (("train", "tiny.ini"), ("test", "tiny.ini", *weights), ("robustness", "tiny.ini", *weights),
                        ("predict", "tiny.ini", *weights, image), ("uncertainty", "tiny.ini", *weights, image),
                        ("report", "run"), ("data", "split", "tiny.ini"), ("synth", "breast", "--count", "5")):
            for place in ("file", "file/below"):
                self.refuse(*command, "--output", place, says=[f"{place}: cannot be written into: Not a directory; "])

    def test_before_the_inputs_are_read(self):
        for command in ("train", "test", "robustness"):
            self.refuse(command, "tiny.ini", "--output", "file", "--set", "data.train=nowhere.json", "--set",
                        "data.val=nowhere.json", says=["file: cannot be written into"])

    def test_files(self):
        for place, says in (("nowhere/x", "there is no directory nowhere"), ("run", "not a plain file")):
            self.refuse("tune", "tiny.ini", "--output", place, says=[place, says])
        self.refuse("convert", self.weights, "nowhere/x.onnx", says=["nowhere/x.onnx", "there is no directory nowhere"])
        self.refuse("convert", "nowhere.pth", "nowhere/x.onnx", says=["nowhere/x.onnx"])

    def test_experiments(self):
        self.refuse("experiment", "experiment.ini", says=["file/below: cannot be written into: Not a directory; "])
        program.write_text(self.path("late.ini"), "base = tiny.ini\n[run]\noutput = there\n[stage first]\n"
                           "command = train\n[stage second]\ncommand = train\nrun.output = file/below\n")
        self.refuse("experiment", "late.ini", says=["[stage second]", "file/below: cannot be written into"])


class WeightsTest(program.Case):
    """Weights files, as read by `test`; `predict` and `model.init` use the same reader."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        cls.run_program("train", "tiny.ini", "--output", "run", "--set", "train.epochs=1")
        cls.good = cls.path("run", "best.safetensors")
        cls.tensors, cls.metadata = program.read_tensors(cls.good)

    def refuse_weights(self, says, data=None, tensors=None):
        bad = self.path("bad.safetensors")
        if tensors is not None:
            program.write_tensors(bad, tensors, self.metadata)
        else:
            program.write_bytes(bad, data)
        return self.refuse("test", "tiny.ini", "--weights", "bad.safetensors", "--output", "out",
                           says=["bad.safetensors", *says])

    def changed(self, name, tensor):
        """The valid tensors with one changed, or removed (None)."""
        tensors = {**self.tensors, name: tensor}
        return {key: value for key, value in tensors.items() if value is not None}

    def test_own_writing_is_taken(self):
        program.write_tensors(self.path("again.safetensors"), self.tensors)
        self.run_program("test", "tiny.ini", "--weights", "again.safetensors", "--output", "again")
        self.run_program("test", "tiny.ini", "--weights", "run/best.safetensors", "--output", "known")
        self.assertEqual(program.read_bytes(self.path("again", "metrics.csv")),
                         program.read_bytes(self.path("known", "metrics.csv")))

    def test_missing_file(self):
        self.refuse("test", "tiny.ini", "--weights", "nowhere.safetensors", "--output", "out",
                    says=["nowhere.safetensors"])
        self.refuse("test", "tiny.ini", "--output", "out", says=["best.safetensors"])
        self.refuse("train", "tiny.ini", "--output", "out", "--set", "model.init=nowhere.safetensors",
                    says=["nowhere.safetensors"])
        self.refuse("predict", "tiny.ini", "--weights", "nowhere.safetensors", "--output", "out", "data/benign",
                    says=["nowhere.safetensors"])

    def test_missing_tensor(self):
        self.refuse_weights(["down2.maxpool_conv.1.double_conv.0.weight", "missing"],
                            tensors=self.changed("down2.maxpool_conv.1.double_conv.0.weight", None))

    def test_tensor_of_another_shape_type_or_name(self):
        dtype, shape, values = self.tensors["out.bias"]
        self.refuse_weights(["out.bias", "[3]", "[2]"], tensors=self.changed("out.bias", (dtype, [3], (0, 0, 0))))
        self.refuse_weights(["out.bias", "float32"], tensors=self.changed("out.bias", ("F64", shape, values)))
        self.refuse_weights(["extra.bias"], tensors=self.changed("extra.bias", (dtype, shape, values)))

    def test_values_that_are_no_finite_numbers(self):
        for name, value in (("out.bias", float("nan")), ("inp.double_conv.1.running_var", float("-inf"))):
            dtype, shape, values = self.tensors[name]
            tensors = self.changed(name, (dtype, shape, (*values[:-1], value)))
            says = [f"tensor {name} has a value that is not a finite number ({value})", "train again"]
            self.refuse_weights(says, tensors=tensors)
            write_pth(self.path("bad.pth"), tensors)
            for command in (["predict", "tiny.ini", "--output", "out", "data/benign"], ["calibrate", "tiny.ini"]):
                self.refuse(*command, "--weights", "bad.pth", says=["bad.pth", *says])
            self.refuse("train", "tiny.ini", "--output", "out", "--set", "model.init=bad.safetensors",
                        says=["bad.safetensors", *says])

    def test_weights_of_another_network(self):
        self.refuse("test", "tiny.ini", "--weights", self.good, "--output", "out", "--set", "model.width=8",
                    says=["inp.double_conv.0.weight", "[4, 3, 3, 3]", "[8, 3, 3, 3]", "width 4"])
        self.refuse("train", "tiny.ini", "--output", "out", "--set", f"model.init={self.good}", "--set",
                    "model.width=8", says=["inp.double_conv.0.weight"])

    def test_truncated_file(self):
        data = program.read_bytes(self.good)
        self.refuse_weights(["tensor", "beyond the end"], data=data[:-1])
        self.refuse_weights(["header"], data=data[:100])
        self.refuse_weights(["too few"], data=data[:5])

    def test_absurd_header(self):
        data = program.read_bytes(self.good)
        self.refuse_weights(["header"], data=struct.pack("<Q", 1 << 62) + data[8:])
        self.refuse_weights(["JSON"], data=struct.pack("<Q", 12) + b"this is none")
        huge = {"dtype": "F32", "shape": [1 << 62, 1 << 62], "data_offsets": [0, 4]}
        text = program.json.dumps({"out.bias": huge}).encode()
        self.refuse_weights(["out.bias"], data=struct.pack("<Q", len(text)) + text + bytes(4))

    def test_damaged_state(self):
        shutil.copytree(self.path("run"), self.path("damaged"))
        state = self.path("damaged", "state.safetensors")
        program.write_bytes(state, program.read_bytes(state)[:-1])
        self.refuse("train", "tiny.ini", "--output", "damaged", "--resume", says=["state.safetensors"])
        program.write_bytes(state, program.read_bytes(self.good))
        self.refuse("train", "tiny.ini", "--output", "damaged", "--resume", says=["state.safetensors"])


if __name__ == "__main__":
    program.main()
