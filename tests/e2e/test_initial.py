"""Initial weights: a file that fits in part is refused with the remedy, or taken in part with model.partial = yes."""
import program
from pytorch import write_pth

HEAD = ("out.weight", "out.bias")


class InitialTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        pairs = program.make_folder(cls, "bands", 4, 32, 32, 3)
        for split, part in (("train", pairs[:3]), ("val", pairs[3:])):
            program.write_json(cls.path("bands", f"{split}.json"), part)
        program.write_ini(cls.path("bands.ini"), base="tiny.ini", data={
            "dataset": "folder", "root": "bands", "train": "bands/train.json", "val": "bands/val.json", "classes": 3})
        cls.run_program("train", "tiny.ini", "--output", "run", "--set", "train.epochs=1")
        cls.file = cls.path("run", "best.safetensors")
        cls.tensors, cls.metadata = program.read_tensors(cls.file)

    @staticmethod
    def command(init, *sets):
        words = ("train.epochs=1", f"model.init={init}", *sets)
        return ["train", "bands.ini", "--output", "out", "--overwrite", *(w for s in words for w in ("--set", s))]

    def initial(self, init, *sets):
        """The initial weights, as far as steps too small to change a float leave them; and the messages."""
        done = self.run_program(*self.command(init, "train.lr=1e-30", *sets))
        tensors, _ = program.read_tensors(self.path("out", "last.safetensors"))
        return {k: v for k, v in tensors.items() if "running_" not in k and "num_batches" not in k}, done.stderr

    def test_another_number_of_classes(self):
        self.refuse(*self.command(self.file), says=[
            "best.safetensors: tensor out.weight has shape [2, 4, 1, 1], the configured network has [3, 4, 1, 1]",
            f"set model.partial = yes to keep the random initialisation of out.weight, out.bias (2 of "
            f"{len(self.tensors)} tensors)", "set model.arch, model.width and data.classes to the file's: arch unet, "
            "width 4, classes 2"])
        tensors, said = self.initial(self.file, "model.partial=yes")
        self.assertIn(f"best.safetensors: {len(self.tensors) - 2} of {len(self.tensors)} tensors are taken; at random: "
                      "out.weight, out.bias\n", said)
        random, _ = self.initial("")
        for name, tensor in tensors.items():
            self.assertEqual(tensor, random[name] if name in HEAD else self.tensors[name], name)

    def test_prefix_and_missing_and_foreign_tensors(self):
        names = list(self.tensors)
        kept = {"model." + name: self.tensors[name] for name in names[3:]}
        kept["model.teacher.weight"] = self.tensors["out.bias"]
        write_pth(self.path("part.pth"), kept)
        self.refuse(*self.command("part.pth", "log.level=error"), says=[
            f"part.pth: tensor {names[0]} is missing", "model.partial = yes", f"(5 of {len(names)} tensors)"])
        tensors, said = self.initial("part.pth", "model.partial=yes")
        self.assertIn("the prefix 'model.' is removed", said)
        self.assertIn(f"part.pth: {len(names) - 5} of {len(names)} tensors are taken", said)
        self.assertIn("not part of the network: teacher.weight\n", said)
        self.assertEqual(tensors["down1.maxpool_conv.1.double_conv.0.weight"],
                         self.tensors["down1.maxpool_conv.1.double_conv.0.weight"])
        program.write_tensors(self.path("more.safetensors"), {**self.tensors, "teacher.weight": self.tensors["out.bias"]})
        self.refuse("train", "tiny.ini", "--output", "out", "--overwrite", "--set", "model.init=more.safetensors",
                    says=["tensor teacher.weight is not part of", "model.partial = yes to leave it out"])

    def test_another_network(self):
        write_pth(self.path("unet.pth"), self.tensors)  # without metadata
        linknet = ("model.arch=linknet", "model.width=8")
        for init in (self.file, "unet.pth"):
            line = self.refuse(*self.command(init, *linknet), says=[
                "in_block.0.weight is missing; these weights are of another network", "arch unet, width 4, classes 2"])
            self.assertNotIn("model.partial", line)
            self.refuse(*self.command(init, *linknet, "model.partial=yes"), says=[
                "no tensor fits the configured network (linknet, width 8)", "arch unet, width 4"])
        self.refuse("test", "bands.ini", "--weights", "unet.pth", "--output", "out2", "--set", "model.arch=linknet",
                    "--set", "model.width=8", says=["arch unet, width 4, classes 2"])

    def test_bad_tensors_are_refused_in_part_too(self):
        dtype, shape, values = self.tensors["inp.double_conv.0.bias"]
        for tensor, says in (((dtype, shape, (float("nan"), *values[1:])), "not a finite number"),
                             (("F64", shape, values), "is not float32")):
            program.write_tensors(self.path("bad.safetensors"), {**self.tensors, "inp.double_conv.0.bias": tensor})
            self.refuse(*self.command("bad.safetensors", "model.partial=yes"), says=["inp.double_conv.0.bias", says])


if __name__ == "__main__":
    program.main()
