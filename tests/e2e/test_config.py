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

    def test_each_network_has_all_five_methods(self):
        for arch in ("unet", "linknet", "deeplabv3"):
            for method in ("iid", "kd", "cpl", "tpl", "pcd"):
                name = {"iid": "", "cpl": "kd_cpl", "tpl": "kd_tpl"}.get(method, method)
                if arch != "unet":
                    name = f"{arch}_{name}".rstrip("_")
                path = os.path.join(self.FOLDER, "bus", f"{name or 'unet'}.ini")
                keys = program.parse_ini(self.run_program("config", path).stdout)
                self.assertEqual((keys["model.arch"], keys["distill.method"]), (arch, method))


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
