"""A run directory that was moved, or copied, is used where it is. Nothing is read from or written to its old place."""
import os
import shutil

import program


class MovedTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        program.write_ini(cls.path("stages.ini"), base="tiny.ini", run={"output": "all/old"}, **{
            "stage teacher": {"command": "train", "train.epochs": 1},
            "stage student": {"command": "train", "train.epochs": 1, "distill.method": "kd",
                              "distill.teacher": "%(teacher)/best.safetensors"},
            "stage test": {"command": "test", "test.weights": "%(student)/best.safetensors"},
        })
        cls.run_program("experiment", "stages.ini")
        os.rename(cls.path("all"), cls.path("moved"))
        cls.student = os.path.join("moved", "old", "student")
        cls.config = os.path.join(cls.student, "config.ini")
        cls.image = os.path.join("data", program.read_json(cls.path("data", "val.json"))[0][0])

    def tearDown(self):
        self.assertFalse(os.path.exists(self.path("all")), "the old place is in use again")

    def keys(self, path, *options):
        return program.parse_ini(self.run_program("config", path, *options).stdout)

    def test_paths(self):
        keys = self.keys(self.config)
        self.assertEqual(keys["run.output"], self.path(self.student))
        self.assertEqual(keys["distill.teacher"], self.path("moved", "old", "teacher", "best.safetensors"))
        self.assertEqual(keys["data.root"], self.path("data"))
        self.assertEqual(self.keys(self.config, "--set", "run.output=here")["run.output"], self.path("here"))
        keys = self.keys("moved/old/test/config.ini")
        self.assertEqual(keys["run.output"], self.path("moved", "old", "test"))
        self.assertEqual(keys["test.weights"], self.path(self.student, "best.safetensors"))

    def test_commands(self):
        predict = ("--weights", "best", "--output", "predicted", self.image)
        one = ("--set", "robustness.corruptions=contrast", "--set", "robustness.severities=1")
        self.run_program("test", self.config)
        self.assertTrue(os.path.exists(self.path(self.student, "summary.csv")))
        self.run_program("robustness", self.config, *one)
        self.assertTrue(os.path.exists(self.path(self.student, "robustness.csv")))
        self.run_program("predict", self.config, *predict)
        self.run_program("uncertainty", self.config, *predict[:3], "maps", self.image)
        self.run_program("calibrate", self.config, "--weights", "best")
        self.run_program("test", "moved/old/test/config.ini")
        self.run_program("report", "moved/old", "--output", "reported")

    def test_resume(self):
        more = ("--resume", "--set", "train.epochs=2")
        self.run_program("train", self.config, *more)
        self.assertEqual(len(program.read_log(self.path(self.student, "log.csv"))), 4)
        keys = program.parse_ini(program.read_text(self.path(self.student, "config.ini")))
        self.assertEqual(keys["run.output"], self.path(self.student))
        shutil.copytree(self.path("moved/old/teacher"), self.path("plain"))
        said = self.run_program("train", "tiny.ini", "--output", "plain", *more).stderr
        self.assertNotIn("run.output", said)
        self.assertEqual(len(program.read_log(self.path("plain", "log.csv"))), 4)

    def test_stage_with_its_configuration(self):
        program.write_ini(self.path("more.ini"), base="tiny.ini", run={"output": "more"}, **{
            "stage test": {"command": "test", "config": "moved/old/teacher/config.ini"}})
        self.run_program("experiment", "more.ini")
        self.assertTrue(os.path.exists(self.path("moved/old/teacher", "summary.csv")))

    def test_copy(self):
        """Original and copy each use their own directory."""
        shutil.copytree(self.path("moved/old/teacher"), self.path("copy"))
        self.run_program("test", "copy/config.ini", "--set", "test.overlays=0")
        self.assertTrue(os.path.exists(self.path("copy", "summary.csv")))
        os.symlink("copy", self.path("linked"))
        self.assertEqual(self.keys("linked/config.ini")["run.output"], self.path("linked"))

    def test_other_configurations_keep_their_directory(self):
        """Results of a test elsewhere belong to the tested run, and a file of the user is not that of a run."""
        self.run_program("test", self.config, "--output", "elsewhere")
        self.assertEqual(self.keys("elsewhere/config.ini")["run.output"], self.path(self.student))
        shutil.copytree(self.path("moved/old/teacher"), self.path("mine"))
        program.write_ini(self.path("mine", "config.ini"), base="../tiny.ini", run={"output": "planned"})
        self.assertEqual(self.keys("mine/config.ini")["run.output"], self.path("planned"))


if __name__ == "__main__":
    program.main()
