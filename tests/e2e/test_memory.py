"""device.memory_limit_mb: a run that does not fit is rejected with the minimum that it needs, and runs with that
minimum."""
import re

import program


class MemoryTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=14)

    def train(self, output, limit, status=0):
        return self.run_program("train", "tiny.ini", "--output", output, "--set", "train.batch=4", "--set", "data.size=80",
                                "--set", "model.width=16", "--set", "train.epochs=1", "--set",
                                f"device.memory_limit_mb={limit}", status=status)

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


if __name__ == "__main__":
    program.main()
