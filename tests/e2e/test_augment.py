"""Augmentation: independent of the number of loader threads and of a kill and resume; only in training; the teacher
sees the images of the student, with and without the cache of its logits; malformed lists."""
import signal
import time

import program

EVERYTHING = ("hflip, vflip, rotate(15), scale(0.9, 1.1), translate(0.1), elastic(30), brightness(0.2), contrast(0.2), "
              "gamma(0.2), noise(0.05)")
WEIGHTS = ("best.safetensors", "last.safetensors")


class AugmentTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=30)
        cls.train("plain")

    @classmethod
    def train(cls, output, *sets, command=("--output",)):
        options = [word for key in ("train.batch=3", *sets) for word in ("--set", key)]
        return cls.run_program("train", "tiny.ini", *command, output, *options).stderr

    def rows(self, output, phase=None):
        return [row for row in program.read_log(self.path(output, "log.csv")) if phase in (None, row["phase"])]

    def assert_same_run(self, a, b, files=(*WEIGHTS, "state.safetensors")):
        self.assertEqual(self.rows(a), self.rows(b))
        for name in files:
            self.assertEqual(program.read_bytes(self.path(a, name)), program.read_bytes(self.path(b, name)), name)

    def assert_other_run(self, a, b):
        self.assertNotEqual(program.read_bytes(self.path(a, "last.safetensors")),
                            program.read_bytes(self.path(b, "last.safetensors")))

    # ---- training

    def test_workers_change_nothing(self):
        self.train("one", f"data.augment={EVERYTHING}", "data.workers=1")
        self.train("three", f"data.augment={EVERYTHING}", "data.workers=3")
        self.assert_same_run("one", "three")
        self.assert_other_run("plain", "one")

    def test_none_and_nothing_are_the_default(self):
        self.train("none", "data.augment=none")
        self.train("nothing", "data.augment=")
        self.assert_same_run("plain", "none")
        self.assert_same_run("plain", "nothing")
        for output in ("plain", "none", "nothing"):
            config = program.parse_ini(program.read_text(self.path(output, "config.ini")))
            self.assertEqual(config["data.augment"], "none")

    def test_seed_changes_the_draws(self):
        """With the same weights and order, another seed changes only the augmentation."""
        sets = ("train.shuffle=no", f"model.init={self.path('plain', 'last.safetensors')}", "data.augment=noise(0.1)")
        self.train("seed", *sets)
        self.train("other_seed", *sets, "run.seed=54321")
        self.assert_other_run("seed", "other_seed")

    def test_validation_is_not_augmented(self):
        """With constant weights, validation metrics are the same in every epoch, and the same as without
        augmentation."""
        sets = ("train.lr=1e-30", "train.epochs=1", "train.shuffle=no",
                f"model.init={self.path('plain', 'last.safetensors')}")
        self.train("still", *sets)
        self.train("still_augmented", *sets, "data.augment=vflip, brightness(0.9)")
        a, b = (self.rows(output, "train")[0] for output in ("still", "still_augmented"))
        self.assertNotEqual(a["ce"], b["ce"])
        # The running statistics of batch norm follow the training images, so validation metrics are those of the
        # written weights.
        tested = self.run_program("test", "tiny.ini", "--set", f"run.output={self.path('still_augmented')}").stdout
        again = self.run_program("test", "tiny.ini", "--set", f"run.output={self.path('still_augmented')}", "--set",
                                 "data.augment=none").stdout
        self.assertEqual(tested, again)
        _, summary = program.read_csv(self.path("still_augmented", "summary.csv"))
        self.assertEqual(summary[0]["dice"], self.rows("still_augmented", "val")[0]["dice"])

    def test_killed_and_resumed(self):
        sets = (f"data.augment={EVERYTHING}", "train.epochs=4", "data.workers=2")
        self.train("whole", *sets)
        for sign, epochs in ((signal.SIGKILL, 1), (signal.SIGINT, 1), (signal.SIGKILL, 1)):
            self.interrupt("killed", sign, epochs, *sets)
        self.train("killed", *sets, command=("--resume", "--output"))
        self.assert_same_run("whole", "killed")

    def interrupt(self, output, sign, epochs, *sets):
        """Sends the signal shortly after this many finished epochs."""
        options = [word for key in ("train.batch=3", *sets) for word in ("--set", key)]
        child = self.start("train", "tiny.ini", "--resume", "--output", output, *options)
        with child.stderr:
            for line in child.stderr:
                epochs -= line.startswith("paced: epoch ")
                if epochs <= 0:
                    break
            time.sleep(0.02)
            child.send_signal(sign)
            child.stderr.read()
        self.assertIn(child.wait(timeout=60), (0, 130, -signal.SIGKILL))

    # ---- with a teacher

    def distil(self, output, *sets):
        """Distils from `plain`, whose predictions depend on the orientation of the image."""
        return self.train(output, f"distill.teacher={self.path('plain', 'best.safetensors')}", "distill.method=pcd",
                          "pacing.mu=0.3", *sets)

    def test_flips_from_memory_are_those_computed(self):
        for name, flips in (("h", "hflip"), ("v", "vflip"), ("hv", "hflip, vflip")):
            said = self.distil(f"kept_{name}", f"data.augment={flips}")
            self.assertNotIn("every batch", said)
            said = self.distil(f"anew_{name}", f"data.augment={flips}", "distill.cache_mb=0")
            self.assertEqual(said.count("exceed distill.cache_mb"), 2)  # training and validation images
            self.assert_same_run(f"kept_{name}", f"anew_{name}")
        self.distil("kept")
        self.assert_other_run("kept", "kept_h")
        self.assert_other_run("kept_h", "kept_hv")

    def test_versions_count_against_the_memory(self):
        """24 images of 32 x 32 and two classes: 192 KiB of logits, 768 KiB in four versions; at 64 x 64, 3 MiB."""
        sets = ("data.size=64", "train.epochs=1", "distill.cache_mb=2")
        self.assertNotIn("exceed", self.distil("fits", *sets, "data.augment=hflip"))
        said = self.distil("exceeds", *sets, "data.augment=hflip, vflip")
        self.assertEqual(said.count("the teacher's logits (3 MiB) exceed distill.cache_mb = 2"), 1)

    def test_labels_count_where_they_are_kept(self):
        """Two images of 256 x 256 and two classes take exactly 1 MiB; for validation images the labels are cached as
        well."""
        program.write_json(self.path("two.json"), program.read_json(self.path("data", "train.json"))[:2])
        said = self.distil("two", "data.train=two.json", "data.val=two.json", "data.size=256", "train.epochs=1",
                           "distill.cache_mb=1")
        self.assertEqual(said.count("the teacher's logits (2 MiB) exceed distill.cache_mb = 1"), 1, said)

    def test_teacher_sees_what_is_augmented_otherwise(self):
        """One line says that the logits are not cached; the run is the same with and without the cache."""
        for name, words in (("mixed", "hflip, rotate(30)"), ("looks", "noise(0.2)")):
            said = self.distil(name, f"data.augment={words}")
            self.assertEqual(said.count(f"data.augment = {words} does more than flip"), 1, said)
            self.distil(f"{name}_anew", f"data.augment={words}", "distill.cache_mb=0", "data.workers=3")
            self.assert_same_run(name, f"{name}_anew")

    def test_quantiles_are_those_of_the_images_as_they_are(self):
        """The threshold of the first epoch does not depend on the augmentation."""
        sets = ("pacing.function=quantile", "train.epochs=1")
        for name in ("none", "hflip", "rotate(90)"):
            self.distil(f"quantile {name}", *sets, f"data.augment={name}")
        mu = {self.rows(f"quantile {name}", "train")[0]["mu"] for name in ("none", "hflip", "rotate(90)")}
        self.assertEqual(len(mu), 1, mu)

    # ---- lists

    def test_bad_lists(self):
        cases = (("hfilp", ("'hfilp'", "did you mean hflip?")), ("rotate", ("rotate takes 1 argument", "rotate(15)")),
                 ("scale(0.9)", ("scale takes 2 arguments",)), ("rotate(200)", ("'200' is out of range", "0 to 180")),
                 ("hflip, hflip", ("twice",)), ("none, hflip", ("none cannot be combined",)))
        for text, says in cases:
            program.write_text(self.path("bad.ini"), f"base = tiny.ini\n[data]\nsize = 32\naugment = {text}\n")
            self.refuse("train", "bad.ini", "--output", "out", says=("bad.ini:4: data.augment: ", *says))
            self.refuse("config", "bad.ini", says=("bad.ini:4: data.augment: ", *says))
            self.refuse("train", "tiny.ini", "--output", "out", "--set", f"data.augment={text}",
                        says=("--set data.augment", *says))

    def test_bad_list_of_a_later_stage(self):
        """The error is reported before the first stage starts."""
        program.write_text(self.path("stages.ini"), "base = tiny.ini\n[stage first]\ncommand = train\n[stage second]\n"
                           "command = train\ndata.augment = hflip, roll(3)\n")
        self.refuse("experiment", "stages.ini", says=("stages.ini:6: ", "data.augment", "'roll'"))


if __name__ == "__main__":
    program.main()
