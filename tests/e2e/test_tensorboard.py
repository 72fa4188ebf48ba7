"""TensorBoard itself reads the event file of a run. Skipped without the Python package `tensorboard`; with a virtual
environment: ENVIRONMENT/bin/python tests/e2e/test_tensorboard.py build/paced"""
import program
from events import Events, expected_scalars

try:
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.plugins.hparams import plugin_data_pb2
except ImportError:
    program.skip("the Python package tensorboard is not installed")


class TensorBoardTest(program.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program.make_breast(cls)
        for run, sets in (("plain", []), ("paced", ["distill.teacher=plain/best.safetensors", "distill.method=pcd"])):
            words = [word for key in ("log.tensorboard=yes", *sets) for word in ("--set", key)]
            cls.run_program("train", "tiny.ini", "--output", run, *words)

    def read(self, run):
        accumulator = event_accumulator.EventAccumulator(self.path(run), {"scalars": 0, "images": 0, "tensors": 0})
        return accumulator.Reload()

    def test_scalars(self):
        for run in ("plain", "paced"):
            board, expected = self.read(run), expected_scalars(self.path(run, "log.csv"))
            self.assertEqual(sorted(board.Tags()["scalars"]), sorted(expected))
            for tag, series in expected.items():
                self.assertEqual([(event.step, event.value) for event in board.Scalars(tag)], series, tag)

    def test_images(self):
        board, ours = self.read("plain"), Events(self.path("plain")).images
        self.assertEqual(sorted(board.Tags()["images"]), sorted(ours))
        for tag, (step, width, height, png) in ours.items():
            image, = board.Images(tag)
            self.assertEqual((image.step, image.width, image.height, image.encoded_image_string),
                             (step, width, height, png))

    def test_hyper_parameters(self):
        content = self.read("paced").PluginTagToContent("hparams")
        start, end = (plugin_data_pb2.HParamsPluginData.FromString(content[f"_hparams_/session_{part}_info"])
                      for part in ("start", "end"))
        self.assertEqual(start.session_start_info.hparams["distill.method"].string_value, "pcd")
        self.assertEqual(start.session_start_info.hparams["train.lr"].number_value, 0.003)
        self.assertEqual(set(start.session_start_info.hparams), set(Events(self.path("paced")).hparams))
        self.assertGreater(start.session_start_info.start_time_secs, 1e9)
        self.assertEqual(end.session_end_info.status, 1)
        self.assertGreaterEqual(end.session_end_info.end_time_secs, start.session_start_info.start_time_secs)


if __name__ == "__main__":
    program.main()
