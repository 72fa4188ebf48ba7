"""Every network trains, is tested and predicts by name; every network teaches every other, also of another width; and
unsupported inputs are reported before training starts."""
import program

ARCHS = ("unet", "linknet", "deeplabv3")
SIZE, EPOCHS = 32, 7


class NetworksTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=15, size=SIZE)
        for arch in ARCHS:
            cls.run_program("train", "tiny.ini", *cls.sets(arch), "--set", f"train.epochs={EPOCHS}", "--output", arch)

    @staticmethod
    def sets(arch, width=8, **keys):
        """deeplabv3 needs two images in each batch; the 12 training images make batches of 4."""
        pairs = {"model.arch": arch, "model.width": width, **keys}
        return [word for key, value in pairs.items() for word in ("--set", f"{key}={value}")]

    def losses(self, run):
        return program.read_json(self.path(run, "losses.json"))["train"]

    def test_learns(self):
        for arch in ARCHS:
            losses = self.losses(arch)
            self.assertLess(losses[-1], 0.9 * losses[0], arch)

    def test_weights_say_what_they_are(self):
        for arch in ARCHS:
            tensors, metadata = program.read_tensors(self.path(arch, "best.safetensors"))
            self.assertEqual((metadata["arch"], metadata["width"], metadata["size"]), (arch, "8", str(SIZE)))
            counters = [values for name, (_, _, values) in tensors.items() if name.endswith("num_batches_tracked")]
            self.assertGreater(len(counters), 15, arch)

    def test_test_and_predict(self):
        for arch in ARCHS:
            options = ["tiny.ini", *self.sets(arch), "--weights", f"{arch}/best.safetensors", "--output", f"{arch}_out"]
            self.run_program("test", *options)
            _, rows = program.read_csv(self.path(f"{arch}_out", "summary.csv"))
            self.assertEqual(rows[0]["set"], "all")
            self.run_program("predict", *options, "--logits", "data/benign/benign (1).png")
            self.assertEqual(program.png_size(self.path(f"{arch}_out", "benign (1).png")), (SIZE, SIZE))
            tensors, _ = program.read_tensors(self.path(f"{arch}_out", "benign (1).safetensors"))
            self.assertEqual(tensors["logits"][1], [2, SIZE, SIZE])

    def test_same_again(self):
        """Bit for bit, from the same seed."""
        for arch in ("linknet", "deeplabv3"):
            self.run_program("train", "tiny.ini", *self.sets(arch), "--set", f"train.epochs={EPOCHS}", "--output",
                             "again", "--overwrite")
            self.assertEqual(program.read_log(self.path(arch, "log.csv")),
                             program.read_log(self.path("again", "log.csv")))
            self.assertEqual(program.read_bytes(self.path(arch, "last.safetensors")),
                             program.read_bytes(self.path("again", "last.safetensors")))

    def test_each_teaches_each_other(self):
        """A student of half the width, with a method that uses the logits and the uncertainty of the teacher."""
        for teacher in ARCHS:
            for student in ARCHS:
                if teacher == student == "unet":
                    continue  # covered by other tests
                keys = {"distill.teacher": f"{teacher}/best.safetensors", "distill.teacher_width": 8,
                        "distill.teacher_arch": teacher, "distill.method": "pcd", "pacing.mu": 0.6}
                self.run_program("train", "tiny.ini", *self.sets(student, 4, **keys), "--output", "student",
                                 "--overwrite")
                rows = program.read_log(self.path("student", "log.csv"))
                self.assertEqual(len(rows), 4)
                for row in rows:
                    self.assertGreater(float(row["kld"]), 0)
                self.assertEqual(program.read_tensors(self.path("student", "last.safetensors"))[1]["arch"], student)

    def test_teacher_of_another_kind(self):
        keys = {"distill.teacher": "linknet/best.safetensors", "distill.method": "kd"}
        says = ["linknet/best.safetensors", "arch linknet, width 8", "distill.teacher_arch"]
        self.refuse("train", "tiny.ini", *self.sets("unet", 8, **keys), "--output", "out",
                    says=[*says, "tensor inp.double_conv.0.weight is missing"])
        self.refuse("train", "tiny.ini", *self.sets("linknet", 4, **keys), "--output", "out",
                    says=[*says, "tensor in_block.0.weight has shape [8, 3, 7, 7]"])

    def test_sizes_and_widths_that_linknet_cannot_take(self):
        for command in ("graph", "train"):
            self.refuse(command, "tiny.ini", *self.sets("linknet", 8, **{"data.size": 30}),
                        says=["size 30", "multiples of 4", "32"])
            self.refuse(command, "tiny.ini", *self.sets("linknet", 6), says=["width 6", "multiple of 4"])

    def test_batch_of_one_image(self):
        train = program.read_json(self.path("data", "train.json"))
        self.assertEqual(len(train), 12)
        for batch, images in ((1, 12), (11, 12), (4, 9), (8, 1)):
            program.write_json(self.path("some.json"), train[:images])
            keys = {"train.batch": batch, "data.train": "some.json"}
            self.refuse("train", "tiny.ini", *self.sets("deeplabv3", 8, **keys), "--output", "out",
                        says=[f"train.batch = {batch} ", f"the {images} training image", "aspp.bn_conv_1x1_2"])
        keys = {"train.batch": 5, "train.epochs": 1}  # batches of 5, 5, 2; three validation images in one
        self.run_program("train", "tiny.ini", *self.sets("deeplabv3", 8, **keys), "--output", "fives")
        keys = {"train.batch": 11, "train.epochs": 1}  # the other networks normalise over pixels
        self.run_program("train", "tiny.ini", *self.sets("unet", 8, **keys), "--output", "elevens")


if __name__ == "__main__":
    program.main()
