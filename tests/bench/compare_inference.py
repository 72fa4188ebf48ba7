#!/usr/bin/env python3
"""Inference speed against ONNX Runtime and OpenVINO on the model that `paced convert` writes.

    compare_inference.py [--paced build/paced] [--python PYTHON] [--arch unet] [--width 64] [--size 224]
                         [--batch 1,4,16] [--rounds 3] [--threads N] [--only EXPRESSION]

For each batch, round and variant, a process of the runtime and `paced bench` run one after another. A step of `paced`
reads back the loss, one of a runtime its logits. ONNX Runtime has no convolutions in bfloat16 on x86 processors and
therefore no variant in it. Variants in bfloat16 are compared with mixed precision if `paced` has it, else with float32.
Prints each turn and two Markdown tables: the best variant of each precision, and all variants.
"""
from comparison import Peer, Variant, compare, parse, threads
from common import Folder

INFERENCE = ("inference",)
TRAINING_SIZE = 64  # of the step that makes weights; an exported network takes every size


def openvino_variants(cores):
    """Streams: one with all threads and, with several threads, one for each."""
    return [Variant("OpenVINO", f"streams {streams}", precision, {"precision": hint, "streams": streams}, INFERENCE)
            for precision, hint in (("float32", "f32"), ("bfloat16", "bf16")) for streams in sorted({1, cores})]


def make_peers(options):
    return [Peer("ONNX Runtime", "runtimes.py", "onnxruntime_version",
                 [Variant("ONNX Runtime", "default", "float32", {}, INFERENCE)]),
            Peer("OpenVINO", "runtimes.py", "openvino_version", openvino_variants(threads(options)))]


def write_model(folder):
    """Weights after one training step; their values do not affect the speed. Returns the path of the ONNX file."""
    folder.run("synth", "breast", "--count", "5", "--size", str(TRAINING_SIZE), "--output", "data")
    folder.write_config("model", run={"output": "run"}, train={"epochs": 1, "batch": 4},
                        data={"dataset": "bus", "root": "data", "train": "data/train.json", "val": "data/val.json",
                              "size": TRAINING_SIZE})
    folder.run("train", "model.ini")
    folder.run("convert", "run/best.safetensors", "model.onnx")
    return folder.file("model.onnx")


def main():
    options = parse(__doc__)
    tasks = {"ONNX Runtime": "onnxruntime", "OpenVINO": "openvino"}
    with Folder(options) as folder:
        model = write_model(folder)

        def run(variant, mode, batch):
            return folder.run_peer("runtimes.py", tasks[variant.peer], model=model, batch=batch, size=options.size,
                                   threads=threads(options), **variant.settings)
        compare(folder, options, make_peers(options), run)


if __name__ == "__main__":
    main()
