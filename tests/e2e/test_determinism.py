"""The same seed gives the same run, bit for bit, with any number of loader threads; another seed gives another run."""
import program


class DeterminismTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=14)
        cls.train("first")

    @classmethod
    def train(cls, output, *sets):
        options = [word for key in sets for word in ("--set", key)]
        cls.run_program("train", "tiny.ini", "--output", output, *options)

    def assert_same_run(self, a, b, files=("losses.json", "best.safetensors", "last.safetensors", "state.safetensors")):
        self.assertEqual(program.read_log(self.path(a, "log.csv")), program.read_log(self.path(b, "log.csv")))
        for name in files:
            self.assertEqual(program.read_bytes(self.path(a, name)), program.read_bytes(self.path(b, name)), name)

    def test_same_seed_gives_the_same_bits(self):
        self.train("second")
        self.assert_same_run("first", "second")

    def test_workers_change_nothing(self):
        self.train("two_workers", "data.workers=2")
        self.assert_same_run("first", "two_workers")

    def test_another_seed_gives_another_run(self):
        self.train("other", "run.seed=54321")
        first, other = (program.read_log(self.path(name, "log.csv")) for name in ("first", "other"))
        for a, b in zip(first, other):
            self.assertNotEqual(a["ce"], b["ce"])
        self.assertNotEqual(program.read_bytes(self.path("first", "last.safetensors")),
                            program.read_bytes(self.path("other", "last.safetensors")))

    def test_order_of_the_images_comes_from_the_seed_alone(self):
        """Without the shuffle, only the initial weights differ."""
        weights = self.path("first", "last.safetensors")
        sets = ["train.shuffle=no", f"model.init={weights}"]
        self.train("unshuffled", *sets)
        self.train("unshuffled_other", *sets, "run.seed=54321")
        self.assert_same_run("unshuffled", "unshuffled_other", files=("losses.json", "last.safetensors"))


if __name__ == "__main__":
    program.main()
