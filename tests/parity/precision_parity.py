#!/usr/bin/env python3
"""Reviews mixed precision against float64 PyTorch; PyTorch's own bfloat16 autocast sets the bounds.

    precision_parity.py [--paced build/paced] [--arch unet] [--width 16] [--size 96|45x61] [--classes 2] [--quick]

From the same initial weights and batches, `paced train` takes one step of SGD, whose movement of the weights is the
gradient, and `paced predict` computes logits; both with precision = mixed. Channels in multiples of 16 take products of
bfloat16 where the device has them; other widths review the storage alone. Exit status: 0 all pass, 1 something fails,
77 nothing tested (no PyTorch here, or no OpenCL device).
"""
import statistics

from bench import Bench, Review, make_parser, np, reference, relative_error, run_review, torch
from reference import Training

FACTOR = 2             # times the error of PyTorch's autocast
LOGITS_BOUND = 2e-2    # relative L2
GRADIENT_LR = 32.0     # large compared with w / dw, so that w0 - w1 keeps the gradient's digits; a power of two
MIXED = {"train": {"precision": "mixed"}, "predict": {"precision": "mixed"}}


def gradient(model, samples, names, autocast):
    dtype = next(model.parameters()).dtype
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        logits = model.train()(samples[0].to(dtype))
    torch.nn.functional.cross_entropy(logits.to(dtype), samples[1]).backward()
    parameters = dict(model.named_parameters())
    return np.concatenate([parameters[name].grad.double().numpy().ravel() for name in names])


def logits(model, images, autocast):
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        return model.eval()(images.to(next(model.parameters()).dtype)).double().numpy()


def review_gradient(review, bench, rng, inputs, count=4):
    sgd = Training(epochs=1, batch=count, schedule="constant", optimizer="sgd", lr=GRADIENT_LR)
    ours, own = [], []
    for k in range(inputs):
        init = bench.write_init(seed=100 + k)
        exact, single = (bench.network("init.safetensors", dtype) for dtype in (torch.float64, torch.float32))
        names = [n for n, _ in exact.named_parameters() if n not in reference.biases_before_norm(exact)]
        _, samples = bench.write_split(f"batch{k}", rng, [bench.options.size[::-1]] * count)
        bench.train(f"gradient{k}", sgd, f"batch{k}", f"batch{k}", MIXED)
        after = bench.load(f"runs/gradient{k}/last.safetensors")
        measured = np.concatenate([((init[n].astype(np.float64) - after[n]) / sgd.lr).ravel() for n in names])
        goal = gradient(exact, samples, names, autocast=False)
        ours.append(relative_error(measured, goal))
        own.append(relative_error(gradient(single, samples, names, autocast=True), goal))
    floor = statistics.median(own)
    review.check(f"whole gradient, relative L2, median of {inputs}", statistics.median(ours), FACTOR * floor,
                 f"PyTorch's autocast {floor:.1e}; worst {max(ours):.1e}, autocast's {max(own):.1e}")


def review_logits(review, bench, rng, count=4):
    """Of weights after a short training in mixed precision."""
    training = Training(epochs=3, batch=4, optimizer="adam", lr=3e-3)
    bench.write_init(seed=1)
    pairs, samples = bench.write_split("some", rng, [bench.options.size[::-1]] * count)
    bench.train("short", training, "some", "some", MIXED)
    weights, images = "runs/short/last.safetensors", [f"data/{image}" for image, _ in pairs]
    bench.run("predict", "short.ini", "--weights", weights, "--output", "predicted", "--logits", *images)
    names = [image.rsplit("/", 1)[1].replace(".png", ".safetensors") for image in images]
    measured = np.stack([bench.load(f"predicted/{name}")["logits"] for name in names])
    goal = logits(bench.network(weights, torch.float64), samples[0], autocast=False)
    own = relative_error(logits(bench.network(weights, torch.float32), samples[0], autocast=True), goal)
    review.check("logits, relative L2", relative_error(measured, goal), LOGITS_BOUND, f"PyTorch's autocast {own:.1e}")


def review_all(options, directory):
    bench, review = Bench(options, directory), Review()
    rng = np.random.default_rng(options.seed)
    review_gradient(review, bench, rng, 3 if options.quick else 9)
    review_logits(review, bench, rng)
    return review.failures


if __name__ == "__main__":
    parser = make_parser(__doc__.splitlines()[0])
    parser.set_defaults(width=16, size="96")
    run_review(parser.parse_args(), review_all)
