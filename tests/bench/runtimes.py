#!/usr/bin/env python3
"""Part of ONNX Runtime and OpenVINO in the speed scripts: runs one task in this process, prints its result as JSON.

    runtimes.py TASK ARGUMENTS       (ARGUMENTS: a JSON object, the keyword arguments of the task's function)

A step takes a batch of random images in host memory to its logits in host memory.
"""
import peer

IMAGE = "image"


def load(name):
    """Imports a runtime, and numpy, which both need."""
    try:
        return __import__(name), __import__("numpy")
    except ImportError as error:
        peer.skip(f"{error}; give --python a Python with {name} and numpy (make_peers.py installs them)")


def onnxruntime(model, batch, size, threads):
    ort, np = load("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    images = np.random.default_rng(0).random((batch, 3, size, size), dtype=np.float32)
    return peer.time_steps(lambda: session.run(None, {IMAGE: images}), batch)


def openvino(model, batch, size, threads, precision, streams):
    """streams: parts of the batch that run side by side, each on its part of the threads."""
    ov, np = load("openvino")
    core = ov.Core()
    if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        peer.skip("OpenVINO has no bfloat16 on this processor")
    if batch % streams != 0:
        peer.skip(f"a batch of {batch} has no {streams} equal parts")
    network = core.read_model(model)
    network.reshape([batch // streams, 3, size, size])
    ready = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": streams,
                                                "INFERENCE_NUM_THREADS": threads})
    requests = ov.AsyncInferQueue(ready, streams)
    images = np.random.default_rng(0).random((batch, 3, size, size), dtype=np.float32)
    parts = np.split(images, streams)

    def step():
        for part in parts:
            requests.start_async({0: part})
        requests.wait_all()
    return peer.time_steps(step, batch)


def version_of(name, title):
    return lambda: {title: load(name)[0].__version__}


if __name__ == "__main__":
    peer.main({"onnxruntime": onnxruntime, "onnxruntime_version": version_of("onnxruntime", "ONNX Runtime"),
               "openvino": openvino, "openvino_version": version_of("openvino", "OpenVINO")})
