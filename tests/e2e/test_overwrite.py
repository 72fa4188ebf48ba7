"""No command overwrites what it reads: a teacher, initial weights, images, splits, a configuration of the user."""
import os
import shutil

import program


class OverwriteTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        cls.run_program("train", "tiny.ini", "--output", "teacher", "--set", "train.epochs=1")
        cls.best = os.path.join("teacher", "best.safetensors")
        os.symlink("teacher", cls.path("link"))
        cls.kd = cls.sets("distill.method=kd", f"distill.teacher={cls.best}")

    @staticmethod
    def sets(*keys):
        return [word for key in keys for word in ("--set", key)]

    def test_teacher_and_initial_weights_of_a_training(self):
        for start in ("--overwrite", "--resume"):
            for output in ("teacher", "link", "data/../teacher", self.path("teacher", "")):
                self.refuse("train", "tiny.ini", *self.kd, "--output", output, start,
                            says=("distill.teacher", "run.output"))
            self.refuse("train", "tiny.ini", "--output", "teacher", start, *self.sets("model.init=link/last.safetensors"),
                        says=("model.init", "run.output"))
        self.refuse("train", "tiny.ini", "--output", "teacher", "--overwrite", *self.sets(f"distill.teacher={self.best}"),
                    says=("distill.teacher", "run.output"))

    def test_linked_weights(self):
        """A link to the weights that are about to be replaced, and weights reached through a link."""
        os.symlink(self.path(self.best), self.path("linked.safetensors"))
        self.refuse("train", "tiny.ini", "--output", "teacher", "--overwrite",
                    *self.sets("distill.method=kd", "distill.teacher=linked.safetensors"),
                    says=("distill.teacher", "run.output"))

    def test_other_file_in_the_directory_is_no_obstacle(self):
        shutil.copytree(self.path("teacher"), self.path("kept"))
        os.rename(self.path("kept", "best.safetensors"), self.path("kept", "teacher.safetensors"))
        self.run_program("train", "tiny.ini", "--output", "kept", "--overwrite",
                         *self.sets("distill.method=kd", "distill.teacher=kept/teacher.safetensors", "train.epochs=1"))

    def test_run_may_be_repeated_from_its_own_configuration(self):
        shutil.copytree(self.path("teacher"), self.path("again"))
        self.run_program("train", "again/config.ini", "--output", "again", "--overwrite")

    def test_experiment(self):
        """Stages that overwrite the weights of an earlier run, or of an earlier stage under another name."""
        student = {"command": "train", "distill.method": "kd", "train.epochs": 1}
        program.write_ini(self.path("old.ini"), base="tiny.ini", run={"output": "old"}, **{
            "stage student": {**student, "run.output": "teacher", "distill.teacher": self.best}})
        program.write_ini(self.path("new.ini"), base="tiny.ini", run={"output": "new"}, **{
            "stage first": {"command": "train", "train.epochs": 1},
            "stage student": {**student, "run.output": "./data/../new/first",
                              "distill.teacher": "%(first)/best.safetensors"}})
        self.refuse("experiment", "old.ini", "--overwrite", says=("student", "distill.teacher", "run.output"))
        self.refuse("experiment", "new.ini", says=("student", "run.output", "first"))
        shutil.copytree(self.path("teacher"), self.path("swept", "lr=0.2"))
        self.refuse("train", "tiny.ini", "--overwrite", "--output", "swept",
                    *self.sets("sweep.train.lr=0.1, 0.2", "distill.method=kd",
                               "distill.teacher=swept/lr=0.2/best.safetensors"),
                    says=("lr=0.2/best.safetensors", "distill.teacher", "run.output"))

    def test_configuration_of_the_user(self):
        os.mkdir(self.path("mine"))
        program.write_ini(self.path("mine", "config.ini"), base="../tiny.ini", run={"output": "teacher"})
        for command in ("train", "test", "robustness"):
            self.refuse(command, "mine/config.ini", "--output", "mine", says=("mine/config.ini", "overwritten"))

    def test_splits(self):
        self.refuse("data", "split", "tiny.ini", "--output", "data", "--overwrite",
                    says=("data.train", "data/train.json", "--output"))
        self.refuse("data", "split", "tiny.ini", "--output", "link/../data", "--overwrite", says=("--output",))

    def test_images_masks_and_weights_of_a_prediction(self):
        image = program.read_json(self.path("data", "val.json"))[0][0]
        os.mkdir(self.path("photos"))
        shutil.copy(self.path("data", image), self.path("photos", "a.png"))
        shutil.copy(self.path("data", image), self.path("photos", "b_mask.png"))
        shutil.copy(self.path(self.best), self.path("photos", "a.safetensors"))
        os.mkdir(self.path("other"))
        shutil.copy(self.path("data", image), self.path("other", "a_overlay.png"))
        options = ("predict", "tiny.ini", "--weights", self.best, "--overwrite", "--output")
        self.refuse(*options, "photos", "photos", says=("photos/a.png", "--output"))
        self.refuse(*options, "other", "--overlay", "photos/a.png", "other/a_overlay.png",
                    says=("other/a_overlay.png", "--output"))
        self.refuse("predict", "tiny.ini", "--weights", "photos/a.safetensors", "--logits", "--output", "photos",
                    self.path("data", "..", "photos", "a.png"), says=("photos", "--output"))

    def test_prediction_beside_files_of_others(self):
        """Without a record of `paced predict`, masks of the same names are not its results."""
        image = program.read_json(self.path("data", "val.json"))[0][0]
        os.mkdir(self.path("masks"))
        program.write_png(self.path("masks", os.path.basename(image)), 1, 1, 1, bytes(1))
        options = ("predict", "tiny.ini", "--weights", self.best, "--output", "masks", os.path.join("data", image))
        self.refuse(*options, says=(os.path.basename(image), "--overwrite"))
        self.run_program(*options, "--overwrite")
        self.run_program(*options)

    def test_weights_converted_onto_themselves(self):
        self.refuse("convert", self.best, "link/best.safetensors", says=("best.safetensors", "same file"))

    def test_configuration_as_tuning(self):
        self.refuse("tune", "tiny.ini", "--output", "./tiny.ini", says=("CONFIG", "--output"))


if __name__ == "__main__":
    program.main()
