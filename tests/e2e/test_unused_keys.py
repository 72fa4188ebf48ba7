"""Keys that are set, but have no effect beside others, are named once per run and before its first epoch."""
import program


class UnusedTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        cls.run_program("train", "tiny.ini", "--output", "teacher", "--set", "train.epochs=1")

    def train(self, output, *keys, resume=False):
        """The lines on stderr."""
        sets = [word for key in ("train.epochs=1", *keys) for word in ("--set", key)]
        return self.run_program("train", "tiny.ini", "--output", output, *(["--resume"] if resume else ["--overwrite"]),
                                *sets).stderr.splitlines()

    def assert_warns(self, lines, *keys):
        """Exactly these keys, each once and before the first epoch."""
        warnings = [i for i, line in enumerate(lines) if "is not used" in line]
        self.assertEqual([lines[i].split()[2] for i in warnings], list(keys), lines)
        epochs = [i for i, line in enumerate(lines) if line.startswith("paced: epoch ")]
        if warnings and epochs:
            self.assertLess(max(warnings), min(epochs))

    def test_teacher_of_a_method_without_one(self):
        teacher = "distill.teacher=teacher/best.safetensors"
        self.assert_warns(self.train("iid", teacher), "distill.teacher")
        self.assert_warns(self.train("iid", teacher, "train.epochs=2", resume=True), "distill.teacher")
        self.assert_warns(self.train("kd", teacher, "distill.method=kd"))

    def test_loss_by_its_name_beside_a_method(self):
        teacher = "distill.teacher=teacher/best.safetensors"
        keys = ("distill.method=kd", "distill.mix=sum", "uncertainty.target=svls", "pacing.admission=hard")
        self.assert_warns(self.train("loss", teacher, "distill.loss=kd", *keys),
                          *(key.split("=")[0] for key in keys))
        self.assert_warns(self.train("loss", teacher, "distill.loss=kd"))
        self.assert_warns(self.train("loss", teacher, "distill.loss=curriculum", "pacing.mu=0.3"))

    def test_momentum_of_another_optimiser(self):
        self.assert_warns(self.train("adam", "train.momentum=0.9"), "train.momentum")
        self.assert_warns(self.train("sgd", "train.momentum=0.9", "train.optimizer=sgd"))

    def test_keys_of_methods_beside_none(self):
        self.assert_warns(self.train("plain", "uncertainty.sigma=2", "pacing.mu=0.3", "distill.temperature=2",
                                     "distill.teacher_width=4"))

    def test_experiment(self):
        program.write_ini(self.path("stages.ini"), base="tiny.ini", run={"output": "all"}, train={"epochs": 1},
                          distill={"teacher": "teacher/best.safetensors"}, **{
                              "stage first": {"command": "train"},
                              "stage test": {"command": "test", "run.output": "%(first)"},
                          })
        self.assert_warns(self.run_program("experiment", "stages.ini").stderr.splitlines(), "distill.teacher")
        self.assert_warns(self.run_program("experiment", "stages.ini").stderr.splitlines())


if __name__ == "__main__":
    program.main()
