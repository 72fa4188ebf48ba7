"""`paced robustness`: the tables are recomputed from the rows of the images."""
import os
import signal

import program

SIZE = 32
CORRUPTIONS, SEVERITIES = ("gaussian_noise", "motion_blur", "brightness"), (1, 3, 5)
METRICS = ("dice", "iou", "precision", "recall", "f1")
RESULTS = {"robustness.csv", "robustness_summary.csv", "robustness.txt", "contact_sheet.png",
           *(f"robustness_{metric}.svg" for metric in METRICS)}
FILES = RESULTS | {"config.ini", "report.html"}  # files that also describe how the results were made
BOTH = "one/best.safetensors,two/best.safetensors"


def mean(values):
    values = list(values)
    return sum(values) / len(values)


class RobustnessTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=25, size=SIZE)
        cls.run_program("train", "tiny.ini", "--output", "one", "--set", "train.epochs=8")
        cls.run_program("train", "tiny.ini", "--output", "two", "--set", "train.epochs=8", "--set", "model.width=8")
        program.write_ini(cls.path("hard.ini"), base="tiny.ini", robustness={
            "weights": BOTH.replace(",", " ,\n  "), "corruptions": ", ".join(CORRUPTIONS),
            "severities": ",".join(map(str, SEVERITIES))})
        cls.done = cls.run_program("robustness", "hard.ini", "--output", "results")
        cls.header, cls.rows = program.read_csv(cls.path("results", "robustness.csv"))
        cls.summary_header, cls.summary = program.read_csv(cls.path("results", "robustness_summary.csv"))

    def results(self, folder, name="robustness.csv"):
        return program.read_bytes(self.path(folder, name))

    def set_mean(self, weights, corruption, severity, metric):
        """As in the summary, f1 is computed from the mean precision and recall."""
        rows = [row for row in self.rows if (row["weights"], row["corruption"], row["severity"]) ==
                (weights, corruption, str(severity))]
        if metric != "f1":
            return mean(float(row[metric]) for row in rows)
        precision, recall = (mean(float(row[name]) for row in rows) for name in ("precision", "recall"))
        return 2 * precision * recall / (precision + recall) if precision + recall else 0

    # ---- files ----

    def test_files(self):
        self.assertEqual(set(os.listdir(self.path("results"))), FILES)

    def test_rows_of_images(self):
        self.assertEqual(self.header, ["weights", "image", "corruption", "severity", "class", *METRICS])
        images = [pair[0] for pair in program.read_json(self.path("data", "val.json"))]
        conditions = [("clean", 0)] + [(c, s) for c in CORRUPTIONS for s in SEVERITIES]
        wanted = [(w, i, c, str(s), "mean") for w in ("one", "two") for c, s in conditions for i in images]
        found = [tuple(row[name] for name in self.header[:5]) for row in self.rows]
        self.assertCountEqual(found, wanted)
        self.assertEqual(len(set(found)), len(found))

    def test_summary_adds_up(self):
        self.assertEqual(self.summary_header, ["weights", "corruption", "metric", "clean",
                                               *(f"severity_{s}" for s in SEVERITIES), "mean", "drop"])
        self.assertEqual(len(self.summary), 2 * (len(CORRUPTIONS) + 1) * len(METRICS))
        for row in self.summary:
            of_all = row["corruption"] == "mean"
            corruptions = CORRUPTIONS if of_all else (row["corruption"],)
            clean = self.set_mean(row["weights"], "clean", 0, row["metric"])
            wanted = [mean(self.set_mean(row["weights"], c, s, row["metric"]) for c in corruptions)
                      for s in SEVERITIES]
            self.assertAlmostEqual(float(row["clean"]), clean, 7)
            for severity, value in zip(SEVERITIES, wanted):
                self.assertAlmostEqual(float(row[f"severity_{severity}"]), value, 7)
            self.assertAlmostEqual(float(row["mean"]), mean(wanted), 7)
            if clean >= 1e-4:
                self.assertAlmostEqual(float(row["drop"]), (clean - mean(wanted)) / clean, 7)
            else:
                self.assertEqual(row["drop"], "")

    def test_corruptions_change_something(self):
        for weights in ("one", "two"):
            for corruption in CORRUPTIONS:
                means = {self.set_mean(weights, corruption, s, "iou") for s in SEVERITIES}
                self.assertGreater(len(means | {self.set_mean(weights, "clean", 0, "iou")}), 1,
                                   (weights, corruption))

    def test_clean_rows_are_those_of_test(self):
        for weights, width in (("one", 4), ("two", 8)):
            self.run_program("test", "tiny.ini", "--weights", f"{weights}/best.safetensors", "--set",
                             f"model.width={width}", "--output", f"test-{weights}")
            tested = program.read_csv(self.path(f"test-{weights}", "summary.csv"))[1][0]
            for row in self.summary:
                if row["weights"] == weights:
                    self.assertEqual(row["clean"], tested[row["metric"]])

    def test_table(self):
        self.assertEqual(self.done.stdout, program.read_text(self.path("results", "robustness.txt")))
        lines = [line.split() for line in self.done.stdout.splitlines()]
        self.assertEqual(lines[0], ["corruption", "one", "two"])
        self.assertEqual([line[0] for line in lines[1:]], ["clean", *CORRUPTIONS, "mean"])
        for line in lines[2:]:
            for weights, value, drop in (("one", *line[1:3]), ("two", *line[3:5])):
                row, = (row for row in self.summary if (row["weights"], row["corruption"], row["metric"]) ==
                        (weights, line[0], "dice"))
                self.assertAlmostEqual(float(value), float(row["mean"]), delta=5.1e-5)
                self.assertAlmostEqual(float(drop.rstrip("%")), -100 * float(row["drop"]), delta=0.051)

    def test_pictures(self):
        for name in FILES:
            if name.endswith(".png"):
                width, height, channels, pixels = program.read_png(self.path("results", name))
                self.assertEqual(channels, 3)
                self.assertGreater(min(width, height), 200, name)
                self.assertGreater(len({pixels[i:i + 3] for i in range(0, len(pixels), 3)}), 20, name)
        for metric in METRICS:
            texts = program.svg_texts(self.path("results", f"robustness_{metric}.svg"))
            self.assertIn(f"{metric} (0 to 1)", texts)
            self.assertLessEqual({"gaussian_noise", "mean", "severity (level, 0: clean)"}, set(texts))

    # ---- dependence of the results on settings ----

    def test_workers_and_batch_change_nothing(self):
        self.run_program("robustness", "hard.ini", "--output", "workers", "--set", "data.workers=3", "--set",
                         "train.batch=2")
        for name in RESULTS:
            self.assertEqual(self.results("workers", name), self.results("results", name), name)

    def test_part_is_part_of_the_whole(self):
        self.run_program("robustness", "tiny.ini", "--weights", "two/best.safetensors", "--output", "part", "--set",
                         "robustness.corruptions=gaussian_noise", "--set", "robustness.severities=3")
        _, part = program.read_csv(self.path("part", "robustness.csv"))
        whole = [row for row in self.rows if row["weights"] == "two" and
                 (row["corruption"], row["severity"]) in (("clean", "0"), ("gaussian_noise", "3"))]
        self.assertEqual(part, whole)

    def test_seed(self):
        self.run_program("robustness", "hard.ini", "--output", "seed", "--set", "run.seed=7")
        self.assertNotEqual(self.results("seed", "contact_sheet.png"), self.results("results", "contact_sheet.png"))

    def test_geometric(self):
        self.run_program("robustness", "hard.ini", "--weights", "one/best.safetensors", "--output", "geometric", "--set",
                         "robustness.corruptions=elastic, geometric", "--set", "robustness.severities=5")
        _, rows = program.read_csv(self.path("geometric", "robustness.csv"))
        self.assertEqual({row["corruption"] for row in rows},
                         {"clean", "elastic", "rotate", "translate", "scale", "hflip"})

    def test_all(self):
        self.run_program("robustness", "hard.ini", "--weights", "one/best.safetensors", "--output", "all", "--set",
                         "robustness.corruptions=all", "--set", "robustness.severities=5")
        _, summary = program.read_csv(self.path("all", "robustness_summary.csv"))
        self.assertGreaterEqual({row["corruption"] for row in summary}, set(CORRUPTIONS))

    def test_names_of_weights(self):
        for place in ("a/run", "b/run"):
            program.write_bytes(self.path(place, "best.safetensors"), self.results("one", "best.safetensors"))
        program.write_bytes(self.path("plain.safetensors"), self.results("one", "best.safetensors"))
        done = self.run_program("robustness", "hard.ini", "--weights",
                                "a/run/best.safetensors,b/run/best.safetensors,plain.safetensors,one/last.safetensors",
                                "--output", "names", "--set", "robustness.corruptions=brightness", "--set",
                                "robustness.severities=1")
        self.assertEqual(done.stdout.splitlines()[0].split(),
                         ["corruption", "a/run/best", "b/run/best", "plain", "one"])

    # ---- interruption, errors, stages ----

    def test_stop_leaves_results_as_they_were(self):
        before = program.snapshot(self.path("results"))
        running = self.start("robustness", "hard.ini", "--output", "results", "--set", "run.seed=9")
        for line in running.stderr:
            if "one, clean" in line:
                running.send_signal(signal.SIGINT)
                break
        running.stderr.read()
        self.assertEqual(running.wait(), 130)
        running.stderr.close()
        self.assertEqual(program.snapshot(self.path("results")), before)

    def test_errors(self):
        def refuse(*args, says):
            self.refuse("robustness", "hard.ini", "--output", "bad", *args, says=says)

        refuse("--set", "robustness.corruptions=all, gausian_noise",
               says=("--set robustness.corruptions=", "gausian_noise", "gaussian_noise?"))
        refuse("--set", "robustness.corruptions=,", says=("robustness.corruptions",))
        refuse("--set", "robustness.corruption=all", says=("robustness.corruption:", "robustness.corruptions?"))
        for wrong in ("0", "6", "1,two", "1;2"):
            refuse("--set", f"robustness.severities={wrong}", says=("robustness.severities", "1 to 5"))
        refuse("--weights", "one/best.safetensors,gone.safetensors", says=("gone.safetensors: no such file",))
        refuse("--weights", "one/best.safetensors,one/best.safetensors", says=("listed twice",))
        refuse("--weights", "one/best.safetensors,,", says=("--weights: ", "missing beside a comma"))
        refuse("--weights", '"tiny.ini"s', says=('--weights: "tiny.ini"s: ',))
        refuse("--weights", "one/best.safetensors,tiny.ini", says=("tiny.ini",))  # before the first weights are tested
        refuse("--weights", "tiny.ini", says=("tiny.ini",))
        tensors, metadata = program.read_tensors(self.path("one", "best.safetensors"))
        for width in ("0", "4294967300", "four"):  # 2^32 + 4
            program.write_tensors(self.path("odd.safetensors"), tensors, {**metadata, "width": width})
            refuse("--weights", "odd.safetensors", says=("odd.safetensors", f"'{width}'"))

    def test_stages(self):
        program.write_text(self.path("stages.ini"), "base = hard.ini\n[run]\noutput = stages\n"
                           "[stage a]\ncommand = train\n[stage b]\ncommand = train\nmodel.width = 8\n"
                           "[stage both]\ncommand = robustness\n"
                           "robustness.weights = %(a)/best.safetensors,\n  %(b)/best.safetensors\n")
        done = self.run_program("experiment", "stages.ini")
        self.assertEqual(set(os.listdir(self.path("stages", "both"))), FILES)
        table = program.read_text(self.path("stages", "both", "robustness.txt"))
        self.assertEqual(done.stdout, f"\nboth\n{table}")
        self.assertEqual(table.splitlines()[0].split(), ["corruption", "a", "b"])
        again = self.run_program("experiment", "stages.ini")
        self.assertEqual(again.stdout, done.stdout)
        self.assertIn("stage both: done already", again.stderr)


if __name__ == "__main__":
    program.main()
