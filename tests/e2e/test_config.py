"""`paced config` and the help texts, as seen by a user."""
import os
import re

import program


class ConfigTest(program.Case):
    def printed(self, *args):
        return self.run_program("config", *args).stdout

    def test_output_reads_back_as_itself(self):
        long_path = "/" + "/".join(f"a folder with ä long name {i}" for i in range(12))
        program.write_ini(self.path("base.ini"), train={"epochs": 3, "lr": "0.1"})
        program.write_ini(self.path("own.ini"), base="base.ini", train={"epochs": 5})
        sets = ("train.batch=3", "train.gamma=0.30000000000000004", f"data.root={long_path}")
        resolved = self.printed("own.ini", *(word for key in sets for word in ("--set", key)))
        program.write_text(self.path("resolved.ini"), resolved)
        self.assertEqual(self.printed("resolved.ini"), resolved)
        self.assertIn("gamma = 0.30000000000000004", resolved)
        keys = program.parse_ini(resolved)
        self.assertEqual([keys[f"train.{key}"] for key in ("epochs", "lr", "batch")], ["5", "0.1", "3"])
        self.assertEqual(keys["run.name"], "own")
        self.assertEqual(keys["run.output"], self.path("outputs", "bus", "own"))

    def test_keys_lists_each_key_once(self):
        program.write_text(self.path("empty.ini"), "")
        keys = list(program.parse_ini(self.printed("empty.ini")))
        listed = [line.split()[0] for line in self.printed("--keys").splitlines()]
        self.assertEqual([name for name in listed if "." in name], keys)
        table = re.findall(r"^\| `([a-z_.]+)` \|", self.printed("--keys", "--markdown"), re.MULTILINE)
        self.assertEqual(table, keys)

    def test_defaults_are_the_references(self):
        program.write_text(self.path("empty.ini"), "")
        keys = program.parse_ini(self.printed("empty.ini"))
        expected = {"run.seed": "12345", "data.classes": "2", "data.size": "224", "model.arch": "unet",
                    "model.width": "64", "train.epochs": "100", "train.batch": "16", "train.optimizer": "adam",
                    "train.lr": "0.003", "train.schedule": "step", "train.step": "7", "train.gamma": "0.1",
                    "train.shuffle": "yes", "train.save_every": "1", "test.weights": "best",
                    "train.select": "loss", "train.patience": "0", "train.clip_norm": "0"}
        self.assertEqual({key: keys[key] for key in expected}, expected)


class ShippedTest(program.Case):
    """The configurations shipped with the program."""

    FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "configs")

    def test_each_is_valid(self):
        paths = [os.path.join(folder, name) for folder, _, names in os.walk(self.FOLDER) for name in names]
        self.assertGreater(len(paths), 15)
        for path in paths:
            self.run_program("config", path)
            self.run_program("graph", path)

    def config(self, path, *sets):
        words = [word for key in sets for word in ("--set", key)]
        return program.parse_ini(self.run_program("config", path, *words).stdout)

    def test_data_sets_combine_with_methods_and_networks(self):
        for data in ("bus", "needle", "robo"):
            for method in ("kd", "kd_cpl", "kd_tpl", "pcd"):
                files = [os.path.join(self.FOLDER, "data", data), os.path.join(self.FOLDER, "method", method)]
                program.write_text(self.path("x.ini"), f"base = {files[0]}.ini,\n    {files[1]}.ini\n")
                for arch in ("unet", "linknet", "deeplabv3"):
                    keys = self.config("x.ini", f"model.arch={arch}")
                    self.assertEqual((keys["data.dataset"], keys["distill.method"], keys["model.arch"]),
                                     (data, method.removeprefix("kd_"), arch))
                    self.assertEqual(keys["train.epochs"], "100" if method == "kd" else "40")

    def test_methods_of_breast_ultrasound(self):
        for name, method in (("unet", "iid"), ("kd", "kd"), ("kd_cpl", "cpl"), ("kd_tpl", "tpl"), ("pcd", "pcd")):
            keys = self.config(os.path.join(self.FOLDER, "bus", f"{name}.ini"))
            self.assertEqual((keys["data.dataset"], keys["distill.method"], keys["run.name"]), ("bus", method, name))


class HelpTest(program.Case):
    def test_each_command_explains_itself(self):
        usage = self.run_program("--help").stdout
        commands = set(re.findall(r"^  paced ([a-z]+) ", usage, re.MULTILINE))
        self.assertLessEqual({"train", "test", "predict", "synth", "devices", "graph", "config"}, commands)
        for command in commands:
            done = self.run_program(command, "--help")
            self.assertTrue(done.stdout.startswith(f"usage: paced {command} "), done.stdout)
            self.assertEqual(done.stderr, "")

    def test_version(self):
        self.assertRegex(self.run_program("--version").stdout, r"\Apaced \d+\.\d+\.\d+\n\Z")

    def test_nothing_to_do_shows_the_usage(self):
        done = self.run_program(status=2)
        self.assertEqual(done.stdout, "")
        self.assertIn("usage:", done.stderr)


if __name__ == "__main__":
    program.main(needs_device=False)
