#!/usr/bin/env python3
"""Logic of the comparing scripts, with stand-ins for `paced` and for the peers' Python. Nothing is timed.

Both stand-ins append what they run to calls.jsonl and take their speeds from setup.json.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))
import comparison  # noqa: E402
import machine  # noqa: E402
import peer  # noqa: E402

SKIP = 77
COMMON = f"""#!{sys.executable} -IS
import json, os, sys
HERE = os.path.dirname(os.path.abspath(__file__))
SETUP = json.load(open(HERE + "/setup.json"))
def log(**call):
    with open(HERE + "/calls.jsonl", "a") as file:
        file.write(json.dumps(call) + "\\n")
"""
FAKE_PACED = COMMON + """
command, words = sys.argv[1], sys.argv[2:]
if command == "--version":
    print("paced 9.9")
elif command == "config":
    print("\\n".join(SETUP["keys"]))
elif command == "bench":
    keys = dict(word.split("=") for word in words if "=" in word)
    log(who="paced", keys=keys)
    modes = SETUP["paced"]["mixed" if "train.precision" in keys else "float32"]
    print(json.dumps({mode: {"images_per_second": rate, "step_processor_seconds": 8 / rate, "peak_mib": 100} for mode, rate in modes.items()}))
elif command == "convert":
    open(words[1], "w").close()
"""
FAKE_PYTHON = COMMON + """
script, task, given = os.path.basename(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
log(who=task, script=script, given=given, env=[name for name in os.environ if name.startswith(("OPENBLAS", "OMP"))])
def settled(rules):
    return next((rule for rule in rules if rule["task"] == task and rule.get("given", {}).items() <= given.items()), None)
rule = settled(SETUP["peers"])
if rule is None:
    sys.exit("no rule for " + task)
if "skip" in rule:
    print(rule["skip"])
    sys.exit(77)
if "fail" in rule:
    sys.exit(rule["fail"])
print("a line that a library prints")
print(json.dumps(rule["result"]))
"""
STEPS = {"training": 2.0, "inference": 8.0}


def version(task, **result):
    return {"task": task, "result": result}


def speed(task, rate, **given):
    return {"task": task, "given": given, "result": {"images_per_second": rate, "step_processor_seconds": 4 / rate,
                                                     "peak_mib": 200}}


class Scripts(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="paced-bench-test-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        for name, text in (("paced", FAKE_PACED), ("python", FAKE_PYTHON)):
            (self.dir / name).write_text(text)
            (self.dir / name).chmod(0o755)
        self.keys, self.paced = ["train.batch"], {"float32": STEPS}

    def run_script(self, script, *options, peers, status=0):
        (self.dir / "setup.json").write_text(json.dumps({"keys": self.keys, "paced": self.paced, "peers": peers}))
        done = subprocess.run([sys.executable, HERE / script, "--paced", self.dir / "paced", "--python",
                               self.dir / "python", *options], text=True, capture_output=True,
                              env={**os.environ, "OPENBLAS_CORETYPE": "Haswell", "OMP_NUM_THREADS": "1",
                                   "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def calls(self):
        return [json.loads(line) for line in (self.dir / "calls.jsonl").read_text().splitlines()]

    def headline(self, text):
        """Rows of the first table: [batch, mode, precision of paced, variant, paced, peer, ratio, by processor time]."""
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()
                if line.startswith("|")]
        end = next(i for i, row in enumerate(rows) if row[:2] == ["batch", "variant"])
        return rows[2:end]


class Pytorch(Scripts):
    VERSION = version("versions", PyTorch="9.1")

    def test_processes_run_in_turn_with_equal_threads_and_a_clean_environment(self):
        text = self.run_script("compare_pytorch.py", "--rounds", "2", "--batch", "4,16", "--threads", "3", "--only",
                               "eager|autocast, channels_last$", peers=[self.VERSION, speed("steps", 1.0)])
        calls = self.calls()
        self.assertEqual([call["who"] for call in calls], ["versions"] + ["steps", "steps", "paced"] * 8)
        steps = [call["given"] for call in calls if call["who"] == "steps"]
        self.assertEqual([given["training"] for given in steps], [True, False] * 8)
        self.assertEqual([given.get("bfloat16", False) for given in steps], ([False] * 2 + [True] * 2) * 4)
        self.assertEqual([given["batch"] for given in steps], [4] * 8 + [16] * 8)
        for call in calls:
            if call["who"] == "paced":
                self.assertEqual(call["keys"]["device.threads"], "3")
            else:
                self.assertEqual(call["env"], [])
                self.assertEqual(call["given"].get("threads", 3), 3)
        for words in ("paced 9.9", "PyTorch 9.1", "load average", "other processes took"):
            self.assertIn(words, text)

    def test_the_headline_has_the_best_variant_of_each_precision_and_mode(self):
        text = self.run_script("compare_pytorch.py", "--rounds", "1", peers=[
            self.VERSION, speed("steps", 4.0, bfloat16=True, training=False, compile=True, frozen=True),
            speed("steps", 3.0, bfloat16=True), speed("steps", 1.0, channels_last=True, compile=True, training=True),
            speed("steps", 5.0, compile=True, frozen=True), speed("steps", 2.0, training=False), speed("steps", 0.5)])
        self.assertEqual([(row[1], row[3], row[6].split()[0]) for row in self.headline(text)], [
            ("training", "PyTorch, float32, channels_last, compile", "2.00"),
            ("training", "PyTorch, bfloat16, autocast, channels_last", "0.67"),
            ("inference", "PyTorch, float32, channels_last, compile, frozen", "1.60"),
            ("inference", "PyTorch, bfloat16, autocast, channels_last, compile, frozen", "2.00")])
        self.assertEqual([row[7].split()[0] for row in self.headline(text)], ["1.00", "0.33", "0.80", "1.00"])

    def test_mixed_precision_meets_bfloat16_once_the_program_has_it(self):
        peers = [self.VERSION, speed("steps", 1.0)]
        arguments = ("compare_pytorch.py", "--rounds", "1", "--only", "eager|autocast, channels_last$")
        rows = self.headline(self.run_script(*arguments, peers=peers))
        self.assertEqual([row[2] for row in rows], ["float32"] * 4)
        self.keys, self.paced = ["train.precision"], {"float32": STEPS, "mixed": {"training": 6.0, "inference": 9.0}}
        rows = self.headline(self.run_script(*arguments, peers=peers))
        self.assertEqual([(row[2], row[6].split()[0]) for row in rows],
                         [("float32", "2.00"), ("mixed", "6.00"), ("float32", "8.00"), ("mixed", "9.00")])

    def test_a_variant_that_cannot_run_is_named_once(self):
        text = self.run_script("compare_pytorch.py", "--rounds", "3", "--only", "float32", peers=[
            self.VERSION, {"task": "steps", "given": {"compile": True}, "skip": "no compiler here"},
            speed("steps", 1.0)])
        self.assertEqual(text.count("PyTorch, float32, compile: skipped: no compiler here"), 1)
        self.assertEqual(text.count("round 3"), 2)

    def test_no_peer_is_an_error(self):
        text = self.run_script("compare_pytorch.py", status=1, peers=[{"task": "versions", "skip": "No module 'torch'"}])
        self.assertIn("PyTorch: skipped: No module 'torch'", text)
        self.assertIn("no peer is installed", text)
        text = self.run_script("compare_epoch.py", status=1, peers=[{"task": "versions", "skip": "No module 'torch'"}])
        self.assertIn("No module 'torch'; --no-pytorch", text)

    def test_a_peer_that_fails_ends_the_script(self):
        text = self.run_script("compare_pytorch.py", status=1, peers=[self.VERSION,
                                                                      {"task": "steps", "fail": "out of memory"}])
        self.assertIn("out of memory", text)

    def test_bad_options(self):
        for options, words in ((["--rounds", "0"], "--rounds: at least 1"), (["--threads", "0"], "--threads: at least 1"),
                               (["--only", "("], "--only")):
            self.assertIn(words, self.run_script("compare_pytorch.py", *options, status=2, peers=[]))
        self.assertIn("matches nothing-at-all", self.run_script("compare_pytorch.py", "--only", "nothing-at-all",
                                                                status=1, peers=[self.VERSION]))


class Inference(Scripts):
    def test_both_runtimes_and_precisions(self):
        text = self.run_script("compare_inference.py", "--rounds", "1", "--threads", "2", peers=[
            version("onnxruntime_version", ORT="1"), version("openvino_version", OV="2"), speed("onnxruntime", 5.0),
            speed("openvino", 10.0, precision="bf16", streams=2), speed("openvino", 4.0)])
        self.assertEqual([(row[1], row[3], row[6].split()[0]) for row in self.headline(text)],
                         [("inference", "ONNX Runtime, float32, default", "1.60"),
                          ("inference", "OpenVINO, bfloat16, streams 2", "0.80")])
        given = [call["given"] for call in self.calls() if call["who"] == "openvino"]
        self.assertEqual([(g["precision"], g["streams"]) for g in given],
                         [("f32", 1), ("f32", 2), ("bf16", 1), ("bf16", 2)])
        self.assertTrue(all(g["model"].endswith("model.onnx") for g in given))

    def test_a_missing_runtime_leaves_the_other(self):
        text = self.run_script("compare_inference.py", "--rounds", "1", "--threads", "1", peers=[
            {"task": "onnxruntime_version", "skip": "No module 'onnxruntime'"}, version("openvino_version", OV="2"),
            speed("openvino", 4.0)])
        self.assertIn("ONNX Runtime: skipped: No module 'onnxruntime'", text)
        self.assertEqual([row[3] for row in self.headline(text)],
                         ["OpenVINO, float32, streams 1", "OpenVINO, bfloat16, streams 1"])


class Parts(unittest.TestCase):
    def test_the_best_variant_is_judged_by_ratios_of_its_own_turns(self):
        slow_hour, fast_hour = (comparison.Variant("P", name, "float32", {}) for name in ("slow hour", "fast hour"))
        turns = {slow_hour: [(1.0, 1.0)], fast_hour: [(4.0, 2.0)]}
        results = {variant: [{"training": tuple({"images_per_second": rate} for rate in pair)} for pair in pairs]
                   for variant, pairs in turns.items()}
        self.assertIs(comparison.best(results, "float32", "training"), slow_hour)
        self.assertIsNone(comparison.best(results, "bfloat16", "training"))

    def test_warm_up_does_not_count(self):
        now = [0.0]
        durations = [100.0] * peer.WARM_UP + [2.0] * peer.STEPS

        def step():
            now[0] += durations.pop(0)
        with mock.patch("peer.time.monotonic", lambda: now[0]):
            with mock.patch("peer.time.process_time", lambda: now[0] / 4):
                result = peer.time_steps(step, 4)
        self.assertEqual((result["images_per_second"], result["step_processor_seconds"]), (2.0, 0.5))
        self.assertEqual(durations, [])

    def test_a_busy_machine_is_named(self):
        for used, word in ((1.5, "BUSY"), (1.01, "idle")):
            with mock.patch.object(machine.Neighbours, "_now", side_effect=[(0, 0, 0), (2, used, 1)]):
                self.assertIn(word, machine.Neighbours().verdict())

    def test_a_python_without_the_peer_says_so(self):
        for script, task, name in (("pytorch.py", "versions", "PyTorch"), ("runtimes.py", "openvino_version", "openvino"),
                                   ("runtimes.py", "onnxruntime_version", "onnxruntime")):
            done = subprocess.run([sys.executable, "-S", "-B", HERE / script, task, "{}"], text=True, capture_output=True,
                                  env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"})
            self.assertEqual(done.returncode, SKIP, done.stderr)
            self.assertIn(name, done.stdout)
            self.assertIn("make_peers.py", done.stdout)

    def test_versions_are_pinned_and_documented(self):
        page = (HERE.parent.parent / "docs" / "comparing.md").read_text()
        lines = [line for line in (HERE / "peers.txt").read_text().splitlines() if not line.startswith("#")]
        self.assertEqual([line for line in lines if not re.fullmatch(r"[a-z-]+==[0-9.]+", line)], [])
        for line in lines[:3]:
            name, number = line.split("==")
            self.assertIn(f"| `{name}` | {number} |", page)


if __name__ == "__main__":
    unittest.main()
