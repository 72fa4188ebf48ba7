"""The report of one run and of several: a self-contained page with the values of the CSV files."""
import decimal
import os
import re

import program
from reports import Page

METRICS = ("dice", "iou", "precision", "recall", "f1")
NAME = "<b>&\"' it's"


class ReportTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=12, size=32)
        cls.run_program("train", "tiny.ini", "--output", "one", "--set", f"run.name={NAME}")
        cls.run_program("train", "tiny.ini", "--output", "two", "--set", "train.lr=0.01", "--set", "distill.method=pcd",
                        "--set", "distill.teacher=one/best.safetensors")
        for name in ("one", "two"):
            cls.run_program("test", f"{name}/config.ini")
        cls.run_program("robustness", "one/config.ini", "--set", "robustness.corruptions=brightness,fog", "--set",
                        "robustness.severities=1,3")
        cls.run_program("report", "one", "two", "--output", "both")
        cls.pages = {name: Page(cls.source(name)) for name in ("one", "two", "both")}

    @classmethod
    def source(cls, folder):
        return program.read_text(cls.path(folder, "report.html"))

    # ---- the page ----

    def test_stands_alone(self):
        for name, page in self.pages.items():
            source = self.source(name)
            self.assertNotRegex(source, r"(?i)https?://|file:|<script|<link|@import|url\(|javascript:|\son\w+=")
            for tag, attributes in page.tags:
                for key in ("src", "href"):
                    if key in attributes:
                        self.assertRegex(attributes[key], r"^#\w" if tag == "a" else r"^data:image/png;base64,iVBOR")

    def test_is_well_formed_and_accessible(self):
        for name, page in self.pages.items():
            self.assertEqual(len(page.ids), len(set(page.ids)), name)
            for tag, attributes in page.tags:
                for key in ("aria-labelledby", "aria-describedby"):
                    self.assertIn(attributes.get(key, page.ids[0]), page.ids)
                if tag == "a":
                    self.assertIn(attributes["href"][1:], page.ids)
                if tag == "img":
                    self.assertTrue(attributes["alt"])
            for rows in page.tables.values():
                for cell in (cell for row in rows for cell in row if cell["tag"] == "th"):
                    self.assertIn(cell["scope"], ("row", "col", "colgroup"))
            headings = [tag for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
            self.assertEqual(headings[0], "h1")
            self.assertEqual(headings.count("h1"), 1)

    def test_names_are_text(self):
        self.assertEqual(self.pages["one"].title, NAME)
        self.assertNotIn("<b>", self.source("one"))
        self.assertIn("&lt;b&gt;&amp;&quot;&#39; it&#39;s", self.source("one"))
        self.assertIn(NAME, [row[0]["text"] for row in self.pages["both"].tables["runs"]])

    # ---- values ----

    def check_summary(self, page, names):
        header, *rows = page.tables["summary"]
        columns = [cell["text"].split()[0] for cell in header]
        wanted = {}
        for folder, label in names.items():
            _, summary = program.read_csv(self.path(folder, "summary.csv"))
            _, intervals = program.read_csv(self.path(folder, "intervals.csv"))
            for row in summary:
                if row["class"] == "mean":
                    bounds = {i["metric"]: [i["low"], i["high"]] for i in intervals
                              if (i["set"], i["class"]) == (row["set"], "mean")}
                    wanted[label, row["set"]] = (row, bounds)
        self.assertEqual([(row[0]["text"], row[1]["text"]) for row in rows], list(wanted))
        for row in rows:
            summary, bounds = wanted[row[0]["text"], row[1]["text"]]
            self.assertEqual(row[2]["text"], summary["images"])
            self.assertEqual(columns[3:], [name for name in summary if name not in ("set", "class", "images")])
            for column, cell in zip(columns[3:], row[3:]):
                values = [summary[column], *bounds[column]]
                self.assertEqual(cell["values"], values)

    def test_shown_figures_are_rounded_ones(self):
        for page in self.pages.values():
            self.assertGreater(len(page.figures), 20)
            for value, shown in map(lambda pair: map(decimal.Decimal, pair), page.figures):
                unit = decimal.Decimal(1).scaleb(shown.as_tuple().exponent)
                self.assertLessEqual(abs(shown - value), unit / 2)

    def test_summary(self):
        self.check_summary(self.pages["one"], {"one": NAME})
        self.check_summary(self.pages["both"], {"one": NAME, "two": "tiny"})

    def test_differences(self):
        self.assertNotIn("paired", self.pages["one"].tables)
        header, *rows = self.pages["both"].tables["paired"]
        self.assertEqual([(row[0]["text"], row[1]["text"]) for row in rows], [("tiny", "all"), ("tiny", "non-empty")])
        column = [cell["text"].split()[0] for cell in header].index("dice")
        means = []
        for folder in ("one", "two"):
            _, images = program.read_csv(self.path(folder, "metrics.csv"))
            means.append(sum(float(row["dice"]) for row in images) / len(images))
        mean, low, high, p = map(float, rows[0][column]["values"])
        self.assertAlmostEqual(mean, means[1] - means[0], 7)
        self.assertTrue(low <= mean <= high and 0 <= p <= 1)

    def test_robustness_table(self):
        _, summary = program.read_csv(self.path("one", "robustness_summary.csv"))
        for name in ("one", "both"):
            for metric in METRICS:
                rows = self.pages[name].tables[f"robustness-{metric}-table"][2:]
                wanted = [[row["corruption"], row["clean"], row["mean"], row["drop"]] for row in summary
                          if row["metric"] == metric]
                found = [[row[0]["text"]] + [(cell["values"] or [""])[0] for cell in row[1:]] for row in rows]
                self.assertEqual(found, wanted)

    def test_reliability_table(self):
        _, bins = program.read_csv(self.path("two", "reliability.csv"))
        rows = self.pages["two"].tables["bins"][1:]
        self.assertEqual([[row[1]["text"], *row[2]["values"], *row[3]["values"], row[4]["text"]] for row in rows],
                         [[value for value in row.values() if value] for row in bins])

    # ---- curves ----

    def test_charts_name_their_axes_and_units(self):
        for page in self.pages.values():
            for chart in page.charts:
                self.assertTrue(chart["title"])
                self.assertEqual(len(chart["label"]), 2, chart)
                for label in chart["label"]:
                    self.assertRegex(label, r"^[\w ]+ \(.+\)$")
        names = [chart["label"][1].split(" (")[0] for chart in self.pages["two"].charts]
        self.assertEqual(names, ["objective", "cross entropy", "KLD", *METRICS, "learning rate", "mu", "admitted",
                                 "accuracy"])
        self.assertEqual(len(self.pages["one"].charts), 8 + 1 + 3 * len(METRICS))  # no KLD, mu, admitted

    def test_points_are_the_logs(self):
        _, log = program.read_csv(self.path("two", "log.csv"))
        points = re.findall(r"<title>(\w+), epoch (\d+): (\S+)</title>", self.source("two"))
        for phase, name in (("train", "training"), ("val", "validation")):
            for row in (row for row in log if row["phase"] == phase):
                for column in ("loss", "ce", "kld", *METRICS):
                    self.assertIn((name, row["epoch"], row[column]), points)

    def test_pictures(self):
        for folder, names in (("one", ("curves", "reliability")),
                              ("both", ("curves", "training_curves", "reliability", "robustness_dice"))):
            for name in names:
                width, height = program.svg_size(self.path(folder, name + ".svg"))
                self.assertTrue(width > 400 and height > 300)
                self.assertIn("accuracy (fraction of pixels)" if name == "reliability" else "dice (0 to 1)",
                              program.svg_texts(self.path(folder, name + ".svg")))

    # ---- configuration ----

    def test_configuration_shows_what_differs(self):
        rows = self.pages["both"].tables["keys"][1:]
        keys = {row[0]["text"]: [cell["text"] for cell in row[1:]] for row in rows}
        self.assertEqual(set(keys), {"run.name", "run.output", "train.lr", "distill.method", "distill.teacher"})
        self.assertEqual(keys["train.lr"], ["0.003", "0.01"])
        alone = {row[0]["text"]: [cell["text"] for cell in row[1:]] for row in self.pages["two"].tables["keys"][1:]}
        self.assertEqual(alone["train.lr"], ["0.01", "0.003"])
        self.assertNotIn("train.gamma", alone)
        self.assertIn("gamma = 0.1", "".join(self.pages["two"].text))

    # ---- replaced results ----

    def test_nothing_of_an_earlier_run_is_left(self):
        train = ["train", "tiny.ini", "--output", "old", "--set", "train.epochs=1"]
        self.assertIn("/old: 1 epoch, best in epoch 1 ", self.run_program(*train).stderr)
        files = sorted(os.listdir(self.path("old")))
        self.run_program("test", "old/config.ini", "--set", "test.overlays=0")
        self.run_program("robustness", "old/config.ini", "--set", "robustness.corruptions=fog", "--set",
                         "robustness.severities=1")
        self.assertGreater(len(os.listdir(self.path("old"))), len(files) + 10)
        self.run_program(*train, "--overwrite")
        self.assertEqual(sorted(os.listdir(self.path("old"))), files)

    def test_no_reliability_of_an_earlier_test(self):
        test = ["test", "one/config.ini", "--output", "tested"]
        self.run_program(*test)
        self.assertIn("bins", Page(self.source("tested")).tables)
        self.run_program(*test, "--set", "test.metrics=dice")
        self.assertNotIn("bins", Page(self.source("tested")).tables)
        self.assertEqual([name for name in os.listdir(self.path("tested")) if name.startswith("reliability")], [])

    # ---- the command ----

    def test_same_files_give_the_same_report(self):
        self.run_program("report", "one", "two", "--output", "again")
        for name in os.listdir(self.path("both")):
            self.assertEqual(program.read_bytes(self.path("both", name)), program.read_bytes(self.path("again", name)))

    def test_what_is_missing_is_left_out(self):
        os.makedirs(self.path("bare"))
        program.write_text(self.path("bare", "config.ini"), program.read_text(self.path("two", "config.ini")))
        self.run_program("report", "bare", "--output", "bare")
        page = Page(self.source("bare"))
        self.assertEqual(set(page.tables), {"runs", "keys"})
        self.assertEqual(page.charts, [])
        self.assertEqual(sorted(os.listdir(self.path("bare"))), ["config.ini", "report.html"])

    def test_nonsense_is_left_out(self):
        os.makedirs(self.path("odd"))
        program.write_text(self.path("odd", "config.ini"), program.read_text(self.path("two", "config.ini")))
        program.write_text(self.path("odd", "log.csv"), "epoch,phase,ce\n,val,0.5\nx,val,1\n1e300,val,0\n")
        program.write_text(self.path("odd", "reliability.csv"), "bin,confidence,accuracy,count\n0,1e17,0.5,1\n0,?,1,1\n")
        self.run_program("report", "odd", "--output", "odd")
        self.assertEqual([chart["lines"] for chart in Page(self.source("odd")).charts], [1])  # the diagonal only
        program.write_text(self.path("odd", "log.csv"), "epoch,phase,ce\n1,val,-1e308\n2,val,1e308\n3,val,0.5\n")
        self.run_program("report", "odd", "--output", "odd")
        self.assertNotIn("nan", self.source("odd"))

    def test_overlays(self):
        os.makedirs(self.path("shown", "overlays"))
        program.write_text(self.path("shown", "config.ini"), program.read_text(self.path("two", "config.ini")))
        program.write_png(self.path("shown", "overlays", "x.png"), 2, 2, 3, bytes(12))
        program.write_text(self.path("shown", "overlays", "overlays.csv"), "file,case,image,dice\n"
                           "x.png,worst,<i>.png,0.25\nx.png,best,b.png,0.987654321\ngone.png,median,c.png,0.5\n")
        self.run_program("report", "shown", "--output", "shown")
        source = self.source("shown")
        self.assertEqual([attributes["alt"].split()[0] for tag, attributes in Page(source).tags if tag == "img"],
                         ["best", "worst"])
        self.assertIn('value="0.987654321"', source)
        self.assertIn("&lt;i&gt;.png", source)

    def test_refuses_what_is_no_run(self):
        self.refuse("report", "one", "data", "--output", "nowhere", says=["data", "no config.ini"])
        self.refuse("report", "one", says=["--output"])


if __name__ == "__main__":
    program.main()
