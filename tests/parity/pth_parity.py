#!/usr/bin/env python3
"""Reviews reading of PyTorch's files: every network is saved by torch.save, read by the program, and converted.

    pth_parity.py [--paced build/paced] [--width 8] [--size 48]

A file contains the state dictionary alone, that of a parallel module (names start with "module."), or either among
other data, as in training scripts. The program's logits are compared with PyTorch's; converted tensors must equal the
saved ones bit for bit.
Exit status: 0 all pass, 1 something fails, 77 nothing tested (no PyTorch here, or no OpenCL device).
"""
import os

from bench import Bench, Image, Review, make_parser, np, random_network, reference, relative_error, run_review, \
    safetensors_io, torch
from reference import Training

BOUND = 1e-4


def forms(model):
    """Saved objects by name of the file."""
    state, parallel = model.state_dict(), torch.nn.DataParallel(model).state_dict()
    return {"alone": state, "parallel": parallel, "kept": {"epoch": 3, "state_dict": parallel, "best": 0.5},
            "double": {"model": {name: value.double() if value.is_floating_point() else value
                                 for name, value in state.items()}}}


def same(file, model, arch, options):
    tensors, metadata = safetensors_io.load(file)
    state = {name: value.numpy() for name, value in model.state_dict().items()}
    return (list(tensors) == list(state) and all(np.array_equal(tensors[name], state[name]) for name in state)
            and (metadata["arch"], metadata["width"], metadata["classes"])
            == (arch, str(options.width), str(options.classes)))


def review_network(bench, review, arch, pixels):
    options = bench.options
    options.arch = arch
    model = random_network(arch, options.classes, options.width, options.seed)
    with torch.no_grad():
        exact = model(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255)[0].numpy()
    bench.write_config(arch, Training(), "none", "none")
    for form, content in forms(model).items():
        file = f"{arch}_{form}.pth"
        torch.save(content, bench.path(file))
        bench.run("predict", f"{arch}.ini", "--weights", file, "--output", form, "--logits", "image.png")
        logits = bench.load(f"{form}/image.safetensors")["logits"]
        review.check(f"{file}: logits, relative error", relative_error(logits, exact), BOUND)
        bench.run("convert", file, "out.safetensors")
        review.require(f"{file}: tensors converted", same(bench.path("out.safetensors"), model, arch, options))


def review_all(options, directory):
    bench, review = Bench(options, directory), Review()
    pixels = np.random.default_rng(options.seed).integers(0, 256, (*options.size, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(os.path.join(directory, "image.png"))
    for arch in reference.ARCHS:
        review_network(bench, review, arch, pixels)
    return review.failures


if __name__ == "__main__":
    run_review(make_parser("reading of PyTorch's files by the program").parse_args(), review_all)
