"""Symbolic links in the places of results: every command refuses them by the same message, and no file is written."""
import os

import program


class LinksTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=10)
        cls.image = os.path.join("data", program.read_json(cls.path("data", "val.json"))[0][0])
        cls.run_program("train", "tiny.ini", "--output", "run", "--set", "train.epochs=1", "--set", "log.tensorboard=yes")
        cls.best = os.path.join("run", "best.safetensors")

    def refuse_link(self, name, *command, dangling=False):
        """Moves the result, if there is one, and puts a link to it or to nowhere in its place."""
        path, moved = self.path(name), self.path("moved")
        existed = os.path.exists(path)
        if existed:
            os.rename(path, moved)
        elif not dangling:
            program.write_text(moved, "kept")
        os.symlink(self.path("nowhere") if dangling else moved, path)
        self.refuse(*command, says=(f"{name}: is a symbolic link in the place of a result; remove it, or choose another "
                                    "place",))
        os.remove(path)
        if existed:
            os.rename(moved, path)
        elif not dangling:
            os.remove(moved)

    def check(self, folder, *command, at_least=(), only=None):
        """Checks all files of a result directory; those of `at_least` must be among them."""
        names = [os.path.relpath(os.path.join(place, name), self.path(folder))
                 for place, _, files in os.walk(self.path(folder)) for name in files]
        self.assertLessEqual(set(at_least), set(names))
        for number, name in enumerate(sorted(only or names)):
            with self.subTest(f"{command[0]}: {name}"):
                self.refuse_link(os.path.join(folder, name), *command, dangling=number % 2 == 1)

    def test_train(self):
        names = ("best.safetensors", "last.safetensors", "state.safetensors", "log.csv", "losses.json", "config.ini",
                 "report.html", "curves.svg")
        self.check("run", "train", "tiny.ini", "--output", "run", "--overwrite", at_least=names)
        self.refuse_link("run/state.safetensors", "train", "tiny.ini", "--output", "run", "--resume")
        os.mkdir(self.path("new"))
        self.refuse_link("new/losses.json", "train", "tiny.ini", "--output", "new")

    def test_test(self):
        command = ("test", "tiny.ini", "--output", "tested", "--set", "run.output=run", "--set", "test.overlays=2")
        self.run_program(*command)
        self.check("tested", *command, at_least=("metrics.csv", "summary.csv", "intervals.csv", "reliability.csv",
                                                 "reliability.svg", "config.ini", "report.html", "overlays/best_01.png",
                                                 "overlays/overlays.csv"))

    def test_weights_that_are_only_read_may_be_links(self):
        """A test replaces no file of the training."""
        os.rename(self.path(self.best), self.path("weights"))
        os.symlink(self.path("weights"), self.path(self.best))
        self.run_program("test", "tiny.ini", "--set", "run.output=run", "--set", "test.overlays=0", "--output", "linked")
        os.replace(self.path("weights"), self.path(self.best))

    def test_robustness(self):
        command = ("robustness", "tiny.ini", "--output", "robust", "--set", "run.output=run", "--set",
                   "robustness.corruptions=contrast", "--set", "robustness.severities=1")
        self.run_program(*command)
        self.check("robust", *command, at_least=("robustness.csv", "robustness_summary.csv", "robustness.txt",
                                                 "robustness_dice.svg", "contact_sheet.png"))

    def test_report(self):
        command = ("report", "run", "--output", "page")
        self.run_program(*command)
        self.check("page", *command, at_least=("report.html", "curves.svg"))

    def test_experiment(self):
        program.write_ini(self.path("stages.ini"), base="tiny.ini", run={"output": "stages"}, train={"epochs": 1},
                          sweep={"run.seed": "1, 2"}, **{
                              "stage net": {"command": "train"},
                              "stage net-test": {"command": "test", "run.output": "%(net)"}})
        self.run_program("experiment", "stages.ini")
        names = {name for name in os.listdir(self.path("stages")) if os.path.isfile(self.path("stages", name))}
        self.check("stages", "experiment", "stages.ini", only=names,
                   at_least=("comparison.csv", "differences.csv", "sweep.csv", "seeds.csv", "sweep.svg", "runs.txt",
                             "report.html", "training_curves.svg"))
        best = "seed=1/net/best.safetensors"
        self.refuse_link(os.path.join("stages", best), "experiment", "stages.ini", "--overwrite")

    def test_predictions(self):
        options = ("tiny.ini", "--weights", self.best, "--output")
        for command in (("predict", *options, "masks", "--overlay"), ("uncertainty", *options, "maps")):
            self.run_program(*command, self.image)
            self.check(command[5], *command, self.image)
        self.check("masks", "predict", *options, "masks", "--overlay", "--overwrite", self.image)

    def test_data_sets(self):
        synth = ("synth", "scene", "--count", "5", "--size", "32", "--output", "scene")
        self.run_program(*synth)
        picture = program.read_json(self.path("scene", "train.json"))[0][0]
        names = (".paced.synth", "train.json", "val.json", "labels.json")
        self.check("scene", *synth, only=(*names, os.path.join("train", picture)))
        self.check("scene", *synth, "--overwrite", only=names)
        split = ("data", "split", "tiny.ini", "--output", "splits", "--overwrite")
        self.run_program(*split)
        self.check("splits", *split, at_least=("train.json", "val.json"))

    def test_single_files(self):
        for command in (("convert", self.best, "single.onnx"), ("tune", "tiny.ini", "--output", "single.onnx")):
            for dangling in (False, True):
                self.refuse_link("single.onnx", *command, dangling=dangling)


if __name__ == "__main__":
    program.main()
