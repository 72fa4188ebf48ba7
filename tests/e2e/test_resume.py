"""A run that is killed or stopped at any moment and resumed equals an uninterrupted run, bit for bit."""
import os
import random
import re
import shutil
import signal
import time

import program
from terminal import run_in_terminal

EPOCHS = 5
WEIGHTS = ("best.safetensors", "last.safetensors", "state.safetensors")


class ResumeTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.random = random.Random(1)
        program.make_breast(cls, count=50)
        train, val = (program.read_json(cls.path("data", f"{name}.json")) for name in ("train", "val"))
        program.write_json(cls.path("long_val.json"), train)
        program.write_json(cls.path("short_train.json"), val[:2])
        cls.batches = -(-len(train) // 2)
        cls.run_program("train", "tiny.ini", "--output", "whole", *cls.sets())
        cls.epoch_s = cls.epoch_seconds("whole")

    @classmethod
    def epoch_seconds(cls, output):
        """Duration of an epoch, without the first one, which builds the kernels."""
        _, rows = program.read_csv(cls.path(output, "log.csv"))
        return 2 * sum(float(row["seconds"]) for row in rows[2:]) / len(rows[2:])

    @staticmethod
    def sets(*more):
        keys = (f"train.epochs={EPOCHS}", "train.batch=2", *more)
        return [word for key in keys for word in ("--set", key)]

    def assert_ends_as(self, whole, output):
        self.assertEqual(program.read_log(self.path(whole, "log.csv")), program.read_log(self.path(output, "log.csv")))
        for name in ("losses.json", *WEIGHTS):
            self.assertEqual(program.read_bytes(self.path(whole, name)), program.read_bytes(self.path(output, name)),
                             name)

    def interrupt(self, output, sign, *sets, after_epoch=True, within_s=None):
        """Starts or resumes, and sends the signal at a random moment of an epoch or the start; returns the exit status.

        Status 0 means that the run ended before the signal."""
        child = self.start("train", "tiny.ini", "--output", output, "--resume", *self.sets(*sets))
        self.said = ""
        with child.stderr:
            if after_epoch:
                for line in child.stderr:
                    self.said += line
                    if re.match(r"paced: epoch \d+/", line):
                        break
                time.sleep(self.random.uniform(0, within_s or self.epoch_s))
            else:
                time.sleep(self.random.uniform(0, 0.3))
            child.send_signal(sign)
            self.said += child.stderr.read()
        status = child.wait(timeout=60)
        self.assertIn(status, (0, 130 if sign == signal.SIGINT else -sign), self.said)
        return status

    def finish(self, output, *sets):
        self.run_program("train", "tiny.ini", "--output", output, "--resume", *self.sets(*sets))

    def place(self, output):
        """(finished epochs, finished batches of the next one) in the state."""
        tensors, _ = program.read_tensors(self.path(output, "state.safetensors"))
        return tensors["run.epoch"][2][0], tensors["run.counts"][2][1]

    def test_killed_again_and_again(self):
        killed = [self.interrupt("killed", signal.SIGKILL, after_epoch=i > 0) for i in range(4)]
        self.assertIn(-signal.SIGKILL, killed)
        self.finish("killed")
        self.assert_ends_as("whole", "killed")

    def test_killed_between_saves(self):
        for _ in range(2):
            self.interrupt("killed_2", signal.SIGKILL, "train.save_every=2")
        self.finish("killed_2", "train.save_every=2")
        self.assert_ends_as("whole", "killed_2")

    def stop_within(self, output, batches, *sets):
        """Repeats Ctrl-C until a stop came when `batches` (a predicate) of the training batches of the epoch were done.

        A run that ended before the signal (the machine is faster than when the epoch was timed) is started again."""
        within_s = self.epoch_s
        for _ in range(20):
            if self.interrupt(output, signal.SIGINT, *sets, within_s=within_s) == 0:
                shutil.rmtree(self.path(output))
                within_s /= 2
                continue
            self.assertIn("stopped in epoch", self.said)
            if batches(self.place(output)[1]):
                return
        self.fail("no stop of twenty came where it should")

    def within_training(self, batches):
        return 0 < batches < self.batches

    def test_stopped_within_an_epoch(self):
        self.stop_within("stopped", self.within_training)
        for other in ("train.batch=3", "train.shuffle=no", "data.train=short_train.json"):
            self.refuse("train", "tiny.ini", "--output", "stopped", "--resume", *self.sets(other),
                        says=("state.safetensors", "data.train, train.batch and train.shuffle", "--overwrite"))
        self.finish("stopped")
        self.assert_ends_as("whole", "stopped")

    def test_stopped_within_an_epoch_between_saves(self):
        self.stop_within("stopped_2", self.within_training, "train.save_every=2")
        self.finish("stopped_2", "train.save_every=2")
        self.assert_ends_as("whole", "stopped_2")

    def test_stopped_after_the_training_part_of_an_epoch(self):
        sets = ("data.train=short_train.json", "data.val=long_val.json", "train.epochs=10")
        self.run_program("train", "tiny.ini", "--output", "val_whole", *self.sets(*sets))
        self.epoch_s = self.epoch_seconds("val_whole")
        self.stop_within("val_stopped", lambda batches: batches == 1, *sets)
        self.finish("val_stopped", *sets)
        self.assert_ends_as("val_whole", "val_stopped")

    def test_distilled_run_killed(self):
        sets = ("distill.teacher=whole/best.safetensors", "distill.teacher_arch=unet", "distill.teacher_width=4",
                "distill.method=pcd", "pacing.mu=0.1", "pacing.mu_update_every=1", "train.save_every=2")
        self.run_program("train", "tiny.ini", "--output", "pcd_whole", *self.sets(*sets))
        self.assertEqual(len({row["mu"] for row in program.read_log(self.path("pcd_whole", "log.csv"))}), EPOCHS)
        for sign in (signal.SIGKILL, signal.SIGINT):
            self.interrupt("pcd", sign, *sets)
        self.finish("pcd", *sets)
        self.assert_ends_as("pcd_whole", "pcd")

    def teach_slowly(self, teacher, output, *more):
        """Arguments of a distillation whose teacher needs about a second for all images; 2 of them are for
        validation."""
        train, val = (program.read_json(self.path("data", f"{name}.json")) for name in ("train", "val"))
        program.write_json(self.path("few.json"), val[:2])
        program.write_json(self.path("many.json"), 2 * train)
        return ["train", "tiny.ini", "--output", output, "--resume",
                *self.sets(f"distill.teacher={teacher}/best.safetensors", "distill.teacher_width=32", "train.epochs=2",
                           "distill.method=pcd", "pacing.function=quantile", "uncertainty.sigma_decay=0.9",
                           "data.train=many.json", "data.val=few.json", "train.batch=1", *more)]

    def last_seen(self, label, seen):
        """Number of images counted by the progress bar with this label."""
        return int(re.findall(rf"{label}[^\r\n]* (\d+)/\d+", seen)[-1])

    def test_stopped_while_the_teacher_is_measured(self):
        """Ctrl-C ends these passes half-way; the resumed run has the same result."""
        self.run_program("train", "tiny.ini", "--output", "wide", *self.sets("train.epochs=1", "model.width=32"))
        slow = self.teach_slowly("wide", "slow", "distill.cache_mb=0")
        for stop_after in ("uncertainty", "epoch 1/2.*uncertainty"):
            seen = run_in_terminal(self, 80, *slow, stop_after=stop_after, status=130)
            self.assertLess(self.last_seen("uncertainty", seen), 60, seen)
            self.assertIn("after 0 batches", seen)
        self.run_program(*slow)
        self.run_program(*self.teach_slowly("wide", "slow_whole", "distill.cache_mb=0"))
        self.assert_ends_as("slow_whole", "slow")
        seen = run_in_terminal(self, 80, *self.teach_slowly("wide", "none"), stop_after="teacher, train", status=130)
        self.assertLess(self.last_seen("teacher, train", seen), 60, seen)
        self.assertFalse(os.path.exists(self.path("none")), "nothing is written before training begins")

    def test_early_stopped_run_killed(self):
        """Early stopping; a run killed before it stops at the same epoch."""
        sets = ("train.select=dice", "train.patience=2", "train.epochs=30", "train.lr=0.03", "train.optimizer=adamw",
                "train.weight_decay=0.01", "train.schedule=cosine", "train.clip_norm=1", "train.save_every=2")
        self.run_program("train", "tiny.ini", "--output", "dice_whole", *self.sets(*sets))
        dice = [float(row["dice"]) for row in program.read_log(self.path("dice_whole", "log.csv"))[1::2]]
        self.assertLess(len(dice), 30, "it is to stop early")
        self.assertEqual(len(dice), dice.index(max(dice)) + 1 + 2)
        for sign in (signal.SIGKILL, signal.SIGINT):
            self.interrupt("dice", sign, *sets)
        self.finish("dice", *sets)
        self.assert_ends_as("dice_whole", "dice")

    def test_early_stopped_run_is_finished_and_can_go_on(self):
        sets = ("train.patience=1", "train.epochs=30", "train.lr=0.03")
        self.run_program("train", "tiny.ini", "--output", "early", *self.sets(*sets))
        log = program.read_bytes(self.path("early", "log.csv"))
        epochs = len(program.read_log(self.path("early", "log.csv"))) // 2
        self.assertLess(epochs, 30)
        done = self.run_program("train", "tiny.ini", "--output", "early", "--resume", *self.sets(*sets))
        self.assertIn("train.patience", done.stderr)
        self.assertNotIn("other settings", done.stderr)
        config = program.read_bytes(self.path("early", "config.ini"))
        self.finish("early", *sets, "train.lr=0.02")
        self.assertEqual(program.read_bytes(self.path("early", "config.ini")), config, "nothing was trained with them")
        self.assertEqual(program.read_bytes(self.path("early", "log.csv")), log)
        more = ("train.patience=0", f"train.epochs={epochs + 1}", "train.lr=0.03")
        done = self.run_program("train", "tiny.ini", "--output", "early", "--resume", *self.sets(*more))
        self.assertIn(f"resumed with other settings: train.epochs = {epochs + 1} (was 30), train.patience = 0 (was 1)\n",
                      done.stderr)
        self.run_program("train", "tiny.ini", "--output", "later", *self.sets(*more))
        self.assert_ends_as("later", "early")

    def test_settings_that_cannot_be_read_are_no_error(self):
        self.run_program("train", "tiny.ini", "--output", "odd", "--set", "train.epochs=1")
        program.write_text(self.path("odd", "config.ini"), "[train]\nepoch = 1\n")
        done = self.run_program("train", "tiny.ini", "--output", "odd", "--resume", "--set", "train.epochs=2")
        self.assertNotIn("config.ini", done.stderr)
        self.assertNotIn("other settings", done.stderr)

    def test_best_chosen_by_something_else_is_refused(self):
        self.run_program("train", "tiny.ini", "--output", "chosen", "--set", "train.epochs=1")
        self.refuse("train", "tiny.ini", "--output", "chosen", "--resume", "--set", "train.select=dice",
                    says=("state.safetensors", "train.select = dice", "--overwrite"))

    def start_changed(self, output, *sets):
        """A run of one epoch that is to go on with something changed."""
        self.run_program("train", "tiny.ini", "--output", output, "--set", "train.epochs=1", *self.words(sets))

    @staticmethod
    def words(sets):
        return [word for key in sets for word in ("--set", key)]

    def refuse_resume(self, output, *sets, says):
        self.refuse("train", "tiny.ini", "--output", output, "--resume", *self.words(("train.epochs=2", *sets)),
                    says=(f"{output}/state.safetensors", *says, "--overwrite"))

    def test_other_teacher_is_refused(self):
        kd = ("distill.method=kd", "distill.teacher=teach.safetensors")
        shutil.copy(self.path("whole", "last.safetensors"), self.path("teach.safetensors"))
        self.start_changed("taught", *kd)
        self.run_program("train", "tiny.ini", "--output", "other", "--set", "run.seed=3", "--set", "train.epochs=1")
        shutil.copy(self.path("other", "best.safetensors"), self.path("teach.safetensors"))
        self.refuse_resume("taught", *kd, says=("distill.teacher", "teach.safetensors"))
        tensors, metadata = program.read_tensors(self.path("whole", "last.safetensors"))
        metadata["note"] = "the same weights"
        program.write_tensors(self.path("moved.safetensors"), tensors, metadata)
        self.run_program("train", "tiny.ini", "--output", "taught", "--resume",
                         *self.words(("train.epochs=2", kd[0], "distill.teacher=moved.safetensors")))

    def test_other_images_are_refused(self):
        shutil.copy(self.path("data", "val.json"), self.path("list.json"))
        for key in ("train", "val"):
            program.write_json(self.path("list.json"), program.read_json(self.path("data", f"{key}.json"))[:6])
            self.start_changed(f"of_{key}", f"data.{key}=list.json")
            self.refuse_resume(f"of_{key}", says=(f"data.{key}", f"data/{key}.json"))
            pairs = program.read_json(self.path("list.json"))
            pairs[0][1] = pairs[1][1]
            program.write_json(self.path("list.json"), pairs)
            self.refuse_resume(f"of_{key}", f"data.{key}=list.json", says=(f"data.{key}", "list.json"))

    def test_other_label_table_is_refused(self):
        pairs = program.make_folder(self, "bands", 4, 16, 16, 3)
        program.write_json(self.path("bands.json"), pairs)
        table = [{"name": name, "classid": i, "color": [i, i, i]} for i, name in enumerate("abc")]
        program.write_json(self.path("labels.json"), table)
        sets = ("data.dataset=folder", "data.root=bands", "data.classes=3", "data.size=16", "data.train=bands.json",
                "data.val=bands.json", "data.labels=labels.json")
        self.start_changed("labelled", *sets)
        table[1]["color"], table[2]["color"] = table[2]["color"], table[1]["color"]
        program.write_json(self.path("labels.json"), table)
        self.refuse_resume("labelled", *sets, says=("data.labels", "labels.json"))

    def test_other_optimiser_is_refused(self):
        self.start_changed("moments")
        self.refuse_resume("moments", "train.optimizer=sgd", says=("optimizer than sgd",))

    def test_jump_of_the_learning_rate_is_told(self):
        def resume(*sets, epochs=2):
            return self.run_program("train", "tiny.ini", "--output", "rate", "--resume",
                                    *self.words((f"train.epochs={epochs}", *sets))).stderr

        self.start_changed("rate")
        self.assertNotIn("learning rate", resume("train.patience=5"))
        said = resume("train.lr=0.01", epochs=3)
        self.assertRegex(said, r"warning: .*rate: the learning rate of epoch 3 jumps to 0\.01; it was to be 0\.003 ")
        said = resume("train.lr=0.01", "train.schedule=step", "train.step=1", epochs=4)
        self.assertRegex(said, r"epoch 4 jumps to 1e-05; it was to be 0\.01 ")
        self.assertNotIn("learning rate", resume("train.lr=0.02", epochs=4), "nothing is trained")
        cosine = ("train.schedule=cosine", "train.lr=0.01")
        self.run_program("train", "tiny.ini", "--output", "rate", "--overwrite", *self.words((*cosine, "train.epochs=1")))
        self.assertRegex(resume(*cosine), r"epoch 2 jumps to 0\.005; it was to be 0 ")

    def test_state_of_an_older_version(self):
        """Without the hashes nothing is compared."""
        self.start_changed("older")
        state = self.path("older", "state.safetensors")
        tensors, metadata = program.read_tensors(state)
        del tensors["run.inputs"], tensors["run.lr"]
        program.write_tensors(state, tensors, metadata)
        done = self.run_program("train", "tiny.ini", "--output", "older", "--resume",
                                *self.words(("train.epochs=2", "train.lr=0.01", "data.val=long_val.json")))
        self.assertNotIn("warning", done.stderr)
        self.refuse_resume("older", "train.epochs=3", says=("data.val",))

    def test_best_weights_that_were_deleted_are_refused(self):
        self.run_program("train", "tiny.ini", "--output", "lost", "--set", "train.epochs=1")
        os.remove(self.path("lost", "best.safetensors"))
        before = program.read_bytes(self.path("lost", "log.csv"))
        self.refuse("train", "tiny.ini", "--output", "lost", "--resume", "--set", "train.epochs=2",
                    says=("lost/best.safetensors", "is missing", "epoch 1", "--overwrite"))
        self.assertEqual(program.read_bytes(self.path("lost", "log.csv")), before)

    def test_teacher_that_is_not_needed_is_not_loaded(self):
        sets = self.sets("train.epochs=1", "distill.method=iid")
        self.run_program("train", "tiny.ini", "--output", "alone", *sets)
        done = self.run_program("train", "tiny.ini", "--output", "unused", *sets, "--set", "distill.teacher=nowhere.pth")
        self.assertIn("warning: distill.teacher is not used: distill.method = iid", done.stderr)
        self.assert_ends_as("alone", "unused")

    def test_left_overs_of_a_killed_run_are_removed(self):
        self.run_program("train", "tiny.ini", "--output", "messy", "--set", "train.epochs=1")
        keep, left_over = self.path("messy", "notes.tmp.txt"), self.path("messy", "state.safetensors.tmp.99999999")
        program.write_text(keep, "mine")
        program.write_text(left_over, "half a fi")
        self.run_program("train", "tiny.ini", "--output", "messy", "--resume")
        self.assertTrue(os.path.exists(keep))
        self.assertFalse(os.path.exists(left_over))

    def test_run_in_the_way_is_refused_unless_told(self):
        self.run_program("train", "tiny.ini", "--output", "there")
        says = (self.path("there"), "--resume", "--overwrite")
        self.refuse("train", "tiny.ini", "--output", "there", says=says)
        self.refuse("train", "tiny.ini", "--output", "there", "--resume", "--overwrite", says=("--resume",))
        self.run_program("test", "tiny.ini", "--set", "run.output=there")
        self.run_program("train", "tiny.ini", "--output", "there", "--overwrite", "--set", "train.epochs=1", "--set",
                         "run.seed=1")
        self.assertEqual(len(program.read_log(self.path("there", "log.csv"))), 2)
        self.assertEqual(program.parse_ini(program.read_text(self.path("there", "config.ini")))["run.seed"], "1")
        self.assertFalse(os.path.exists(self.path("there", "summary.csv")), "results of the replaced run are left")

    def test_resume_of_a_finished_run_does_nothing(self):
        before = {name: program.read_bytes(self.path("whole", name)) for name in os.listdir(self.path("whole"))}
        self.finish("whole")
        after = {name: program.read_bytes(self.path("whole", name)) for name in os.listdir(self.path("whole"))}
        self.assertEqual(before, after)

    def test_resume_where_nothing_is_starts(self):
        done = self.run_program("train", "tiny.ini", "--output", "new", "--resume", "--set", "train.epochs=1")
        self.assertIn(f"paced: {self.path('new')}: holds nothing to resume; the training starts from scratch\n", done.stderr)
        done = self.run_program("train", "tiny.ini", "--output", "new", "--resume", "--set", "train.epochs=2")
        self.assertNotIn("from scratch", done.stderr)
        self.assertEqual(len(program.read_log(self.path("new", "log.csv"))), 4)

    def test_finished_run_goes_on_for_more_epochs(self):
        self.run_program("train", "tiny.ini", "--output", "longer", *self.sets("train.epochs=2"))
        self.finish("longer")
        self.assert_ends_as("whole", "longer")


if __name__ == "__main__":
    program.main()
