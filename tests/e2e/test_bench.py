"""paced bench: all values are present, and derived values are consistent. No value is compared with a bound, because it
depends on the machine."""
import re
import statistics

import program
from terminal import run_in_terminal

MODE = {"images_per_second", "images_per_second_least", "images_per_second_most", "step_seconds",
        "step_processor_seconds", "open_seconds", "first_step_seconds", "gflops", "peak_gflops", "share_of_peak", "least_gbytes_per_second",
        "share_of_bandwidth", "planned_bytes", "peak_mib", "kernels"}
TOP = {"device", "arch", "width", "size", "batch", "macs_per_image", "training", "inference", "device_open_seconds",
       "bandwidth_gbytes_per_second", "peak_mib"}
PASSES = {"training": 3, "inference": 1}
BATCH = 3


class BenchTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.write_ini(cls.path("tiny.ini"), data={"size": 32, "dataset": "folder"}, model={"width": 4},
                          train={"batch": BATCH})

    def assertClose(self, value, expected):
        self.assertLessEqual(abs(value - expected), 1e-9 * abs(expected))

    def test_json_has_its_fields_and_they_agree(self):
        done = self.run_program("bench", "tiny.ini", "--json")
        self.assertEqual(done.stderr, "")
        program.write_text(self.path("bench.json"), done.stdout)
        result = program.read_json(self.path("bench.json"))
        self.assertEqual(set(result), TOP)
        self.assertEqual([result[key] for key in ("arch", "width", "size", "batch")], ["unet", 4, 32, BATCH])
        for name, passes in PASSES.items():
            mode = result[name]
            self.assertEqual(set(mode), MODE)
            for key in MODE - {"step_seconds", "kernels"}:
                self.assertGreater(mode[key], 0, f"{name}.{key}")
            steps = mode["step_seconds"]
            self.assertGreaterEqual(len(steps), 5)
            rate = mode["images_per_second"]
            self.assertClose(rate, BATCH / statistics.median(steps))
            self.assertClose(mode["images_per_second_least"], BATCH / max(steps))
            self.assertClose(mode["images_per_second_most"], BATCH / min(steps))
            self.assertClose(mode["gflops"], 2e-9 * result["macs_per_image"] * passes * rate)
            self.assertClose(mode["share_of_peak"], mode["gflops"] / mode["peak_gflops"])
            self.assertClose(mode["share_of_bandwidth"],
                             mode["least_gbytes_per_second"] / result["bandwidth_gbytes_per_second"])
            kernels = mode["kernels"]
            self.assertIn("gemm", [kernel["name"] for kernel in kernels])
            self.assertEqual([k["ms"] for k in kernels], sorted((k["ms"] for k in kernels), reverse=True))
        self.assertLessEqual(result["training"]["peak_mib"], result["inference"]["peak_mib"])
        self.assertLessEqual(result["inference"]["peak_mib"], result["peak_mib"])

    def test_ctrl_c(self):
        for mode in PASSES:
            run_in_terminal(self, 80, "bench", "tiny.ini", status=130, stop_after=f"{mode}, step 2")

    def test_text_says_the_same_things(self):
        done = self.run_program("bench", "tiny.ini", "--set", "data.size=24x40")
        self.assertEqual(done.stderr, "")
        number = r"\d+(\.\d+)?"
        for pattern in (rf"^unet, width 4, size 24x40, batch {BATCH} on \S.*$",
                        rf"^training +{number} images/s \({number} to {number} over \d+ steps\), first step {number} s$",
                        rf"^inference +{number} images/s ",
                        rf"^    {number} GFLOP/s as direct convolutions: {number} % of the device's {number} ",
                        rf"^    at least {number} GB/s to and from memory: {number} % of the device's {number} ",
                        rf"^    planned {number} MiB on the device, the process so far up to {number} MiB$",
                        rf"^    gemm +{number} ms +{number} % +\d+ calls$",
                        rf"^peak memory of the process {number} MiB$"):
            self.assertRegex(done.stdout, re.compile(pattern, re.MULTILINE))


if __name__ == "__main__":
    program.main()
