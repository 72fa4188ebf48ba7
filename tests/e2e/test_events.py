"""The event file of a training run: its contents, and a single clean series after a kill and resume."""
import os
import re
import signal

import program
from events import Events, expected_scalars


class EventsTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls, count=20)
        cls.train("plain")
        cls.train("paced", *cls.PACED)

    PACED = ("distill.teacher=plain/best.safetensors", "distill.method=pcd", "pacing.mu=0.3", "pacing.mu_update=0.2",
             "pacing.mu_update_every=1")

    @classmethod
    def words(cls, *sets):
        return [word for key in ("log.tensorboard=yes", *sets) for word in ("--set", key)]

    @classmethod
    def train(cls, output, *sets, how="--overwrite"):
        return cls.run_program("train", "tiny.ini", "--output", output, how, *cls.words(*sets))

    def log(self, run):
        return self.path(run, "log.csv")

    def check(self, run):
        """One complete series of every scalar of the log."""
        found = Events(self.path(run))
        self.assertEqual(found.scalars, expected_scalars(self.log(run)))
        return found

    def test_off_unless_asked_for(self):
        self.run_program("train", "tiny.ini", "--output", "quiet", "--set", "train.epochs=1")
        self.assertEqual([name for name in os.listdir(self.path("quiet")) if "tfevents" in name], [])

    def test_scalars(self):
        plain, paced = self.check("plain"), self.check("paced")
        self.assertNotIn("ckd/mu", plain.scalars)
        self.assertEqual([step for step, _ in paced.scalars["ckd/mu"]], [1, 2])
        self.assertNotEqual(*(value for _, value in paced.scalars["ckd/mu"]))
        self.assertIn("spl/data_in_train", paced.scalars)

    def test_times(self):
        """The start of the run is in the file name; the seconds of the log are added to it."""
        found = self.check("plain")
        start = int(found.paths[0].split(".")[-2])
        self.assertLess(abs(start - os.stat(self.path("plain", "config.ini")).st_mtime), 60)
        seconds = {}
        for row in program.read_csv(self.log("plain"))[1]:
            seconds[int(row["epoch"])] = seconds.get(int(row["epoch"]), 0) + float(row["seconds"])
        (zero, begun), (one, first), (two, second), *_ = found.times
        self.assertEqual((zero, begun, one, two), (0, start, 1, 2))
        self.assertAlmostEqual(first, start + seconds[1], 5)
        self.assertAlmostEqual(second, start + seconds[1] + seconds[2], 5)

    def test_pictures(self):
        found, entropies = self.check("plain"), program.read_json(self.path("plain", "losses.json"))["val"]
        best = 1 + entropies.index(min(entropies))
        with_lesion = [image for image, mask in program.read_json(self.path("data", "val.json"))
                       if any(program.read_png(self.path("data", mask))[3])]
        self.assertEqual(sorted(found.images), sorted(f"overlays/{name}" for name in with_lesion[:4]))
        for step, width, height, png in found.images.values():
            program.write_bytes(self.path("picture.png"), png)
            self.assertEqual(program.read_png(self.path("picture.png"))[:3], (width, height, 3))
            self.assertEqual(step, best)

    def test_hyper_parameters(self):
        plain, paced = self.check("plain"), self.check("paced")
        self.assertEqual((plain.status, paced.status), (1, 1))
        self.assertEqual((plain.hparams["distill.method"], paced.hparams["distill.method"]), ("iid", "pcd"))
        settings = program.parse_ini(program.read_text(self.path("paced", "config.ini")))
        for name, value in paced.hparams.items():
            self.assertEqual(str(value) if isinstance(value, str) else value,
                             settings[name] if isinstance(value, str) else float(settings[name]), name)

    def kill_in_epoch(self, output, epoch, sign, *sets):
        child = self.start("train", "tiny.ini", "--output", output, "--resume", *self.words(*sets))
        with child.stderr:
            for line in child.stderr:
                if re.match(rf"paced: epoch {epoch}/", line):
                    break
            child.send_signal(sign)
            child.stderr.read()
        return child.wait(timeout=60)

    def test_killed_and_resumed(self):
        sets = ("train.epochs=6", "train.save_every=2", *self.PACED)
        self.assertEqual(self.kill_in_epoch("killed", 1, signal.SIGKILL, *sets), -signal.SIGKILL)
        name, = Events(self.path("killed")).paths
        self.assertIsNone(Events(self.path("killed")).status)
        with open(name, "ab") as file:
            file.write(b"\x20\0\0\0\0\0\0\0torn")
        self.kill_in_epoch("killed", 3, signal.SIGINT, *sets)
        self.kill_in_epoch("killed", 5, signal.SIGKILL, *sets)
        self.train("killed", *sets, how="--resume")
        found = self.check("killed")
        self.assertEqual([step for step, _ in found.scalars["logs/lr"]], list(range(1, 7)))
        self.assertEqual(found.paths, [name])
        self.assertEqual(found.status, 1)

    def test_finished_run_stays_and_goes_on(self):
        self.train("more")
        before = Events(self.path("more"))
        self.train("more", how="--resume")
        again = self.check("more")
        self.assertEqual((again.scalars, again.images, again.paths), (before.scalars, before.images, before.paths))
        self.train("more", "train.epochs=3", how="--resume")
        self.assertEqual([step for step, _ in self.check("more").scalars["logs/val_loss"]], [1, 2, 3])

    def test_switched_on_later(self):
        self.run_program("train", "tiny.ini", "--output", "later")
        self.train("later", "train.epochs=3", how="--resume")
        self.assertEqual(len(self.check("later").scalars["logs/lr"]), 3)

    def test_overwritten(self):
        self.train("new")
        stale = self.path("new", "events.out.tfevents.1000000000.paced")
        os.rename(Events(self.path("new")).paths[0], stale)
        program.write_text(stale + ".tmp.99999999", "half a fi")
        self.run_program("train", "tiny.ini", "--output", "new", "--overwrite", "--set", "train.epochs=1")
        self.assertEqual([name for name in os.listdir(self.path("new")) if "tfevents" in name], [])


if __name__ == "__main__":
    program.main()
