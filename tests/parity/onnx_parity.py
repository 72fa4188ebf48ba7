#!/usr/bin/env python3
"""Reviews ONNX files: every network, folded and not, in ONNX Runtime against PyTorch and the program.

    onnx_parity.py [--paced build/paced] [--width 8] [--size 48]

Each file is checked by onnx.checker. ONNX Runtime's logits are compared with PyTorch's for several batches,
heights and widths, and with the program's for one image.
Exit status: 0 all pass, 1 something fails, 77 nothing tested (no PyTorch, onnx or onnxruntime here, or no OpenCL device).
"""
import os
import sys

from bench import SKIP, Bench, Image, Review, make_parser, np, random_network, reference, relative_error, run_review, \
    safetensors_io, torch
from reference import Training

try:
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"parity: skipped: {error}; install onnx and onnxruntime for {sys.executable} to run this test")
    sys.exit(SKIP)

BOUND = 1e-4
# Batch, height, width. At 45, 62 and 77 no level of UNet divides evenly, and DeepLabV3 resizes by fractional factors.
# LinkNet accepts multiples of 4, and crops if a quarter of the size is odd.
SIZES = {"unet": [(1, 48, 48), (2, 45, 62), (1, 200, 77), (3, 16, 100)],
         "linknet": [(1, 48, 48), (2, 44, 60), (1, 200, 76), (3, 16, 100)],
         "deeplabv3": [(1, 48, 48), (2, 45, 62), (1, 200, 77), (3, 17, 100)]}


def open_session(file):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def review_file(review, what, file, folded):
    loaded = onnx.load(file)
    try:
        onnx.checker.check_model(loaded, full_check=True)
        fault = ""
    except onnx.checker.ValidationError as error:
        fault = str(error)
    review.require(f"{what}: onnx.checker", not fault, fault)
    norms = sum(node.op_type == "BatchNormalization" for node in loaded.graph.node)
    review.require(f"{what}: batch normalisations", (norms == 0) == folded, f"{norms} of them")


def review_network(bench, review, arch, image):
    options = bench.options
    options.arch = arch
    model = random_network(arch, options.classes, options.width, options.seed)
    safetensors_io.save(bench.path("w.safetensors"), {k: v.numpy() for k, v in model.state_dict().items()})
    bench.write_config(arch, Training(), "none", "none")
    bench.run("predict", f"{arch}.ini", "--weights", "w.safetensors", "--output", arch, "--logits", "image.png")
    ours = bench.load(f"{arch}/image.safetensors")["logits"]
    for fold in ([], ["--no-fold"]):
        what, file = " ".join([arch, *fold]), bench.path(f"{arch}.onnx")
        bench.run("convert", "w.safetensors", file, *fold)
        review_file(review, what, file, folded=not fold)
        session = open_session(file)
        review.check(f"{what}: the program's logits, relative error",
                     relative_error(session.run(["logits"], {"image": image.numpy()})[0][0], ours), BOUND)
        for size in SIZES[arch]:
            x = torch.rand(size[0], 3, *size[1:])
            with torch.no_grad():
                exact = model(x).numpy()
            logits = session.run(["logits"], {"image": x.numpy()})[0]
            review.check(f"{what}: logits of {size}, relative error", relative_error(logits, exact), BOUND)


def review_all(options, directory):
    bench, review = Bench(options, directory), Review()
    pixels = np.random.default_rng(options.seed).integers(0, 256, (*options.size, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(os.path.join(directory, "image.png"))
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    for arch in reference.ARCHS:
        review_network(bench, review, arch, image)
    return review.failures


if __name__ == "__main__":
    run_review(make_parser("ONNX files against PyTorch and the program").parse_args(), review_all)
