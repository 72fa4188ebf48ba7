"""device.memory_limit_mb: a run that does not fit is rejected with the minimum that it needs, and runs with that
minimum. A device that reports no memory has unknown memory. `python3 test_memory.py PROGRAM NO_MEMORY`: the preloaded
library of tests/platforms hides the memory."""
import os
import re
import sys

import program

NO_MEMORY = os.path.abspath(sys.argv.pop(2)) if len(sys.argv) > 2 else None

class MemoryTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=14)

    def train(self, output, limit, status=0, env=None):
        return self.run_program("train", "tiny.ini", "--output", output, "--set", "train.batch=4", "--set", "data.size=80",
                                "--set", "model.width=16", "--set", "train.epochs=1", "--set",
                                f"device.memory_limit_mb={limit}", status=status, env=env)

    def least(self):
        message = self.train("refused", 4, status=1).stderr
        self.assertEqual(len(message.strip().splitlines()), 1, message)
        self.assertIn("device.memory_limit_mb", message)
        return int(re.search(r"needs at least (\d+) MiB", message).group(1))

    def test_the_least_that_is_named_is_enough(self):
        least = self.least()
        self.train("refused", least - 1, status=1)
        self.train("least", least)
        self.train("plenty", 0)
        rows = [program.read_log(self.path(name, "log.csv")) for name in ("least", "plenty")]
        for a, b in zip(*rows):
            self.assertAlmostEqual(float(a["ce"]), float(b["ce"]), delta=1e-3 * float(b["ce"]))
            # Less memory means smaller chunks, whose gradients are summed in another order and differ in the last bits.
        self.assertNotEqual(rows[0][0]["ce"], "")

    def test_unknown_memory(self):
        """It plans as for plenty of memory; the limit of the configuration counts."""
        if not NO_MEMORY:
            self.skipTest("needs the library that hides the memory")
        self.train("known", 0)
        for hidden, texts in (("both", ["memory unknown", "one buffer up to unknown"]), ("global", ["memory unknown"]),
                              ("buffer", ["one buffer up to unknown"])):
            env = {"LD_PRELOAD": NO_MEMORY, "NO_MEMORY": hidden}
            listed = self.run_program("devices", env=env).stdout
            for text in texts:
                self.assertIn(text, listed)
            self.train(f"unknown {hidden}", 0, env=env)
            self.assertEqual(program.read_log(self.path(f"unknown {hidden}", "log.csv")),
                             program.read_log(self.path("known", "log.csv")))
            self.assertIn("device.memory_limit_mb", self.train("refused", 4, status=1, env=env).stderr)


if __name__ == "__main__":
    program.main()
