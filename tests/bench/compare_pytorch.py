#!/usr/bin/env python3
"""Training and inference speed beside PyTorch's, on the same network and machine.

    compare_pytorch.py [--paced build/paced] [--arch unet] [--width 64] [--size 224] [--batch 4] [--rounds 3]

Machines are noisy, so absolute figures mean little: in every round `paced bench` and PyTorch (in a process of its own,
with all cores) run one after the other, and the ratio is taken round by round. Prints each round, the medians, and the
peak memory of both processes. A training step is forward, cross entropy, backward and Adam, with the loss read back.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = 5  # timed in each round, after a warm-up


def torch_round(options):
    """Images/s of PyTorch for training and inference, and the process's peak memory."""
    sys.path.insert(0, os.path.join(HERE, "..", "golden"))
    import torch
    import networks
    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(0)
    model = networks.ARCHS[options.arch](options.classes, options.width)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    images = torch.rand(options.batch, 3, options.size, options.size)
    labels = torch.randint(options.classes, (options.batch, options.size, options.size))

    def train():
        adam.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        adam.step()
        return loss.item()

    def infer():
        with torch.no_grad():
            return torch.nn.functional.cross_entropy(model(images), labels).item()

    rates = {}
    for name, step in (("training", train), ("inference", infer)):
        model.train(name == "training")
        step()
        seconds = []
        for _ in range(STEPS):
            start = time.monotonic()
            step()
            seconds.append(time.monotonic() - start)
        rates[name] = options.batch / statistics.median(seconds)
    rates["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return rates


def paced_round(options, config):
    output = subprocess.run([options.paced, "bench", config, "--json"], check=True, capture_output=True, text=True)
    result = json.loads(output.stdout)
    rates = {name: result[name]["images_per_second"] for name in ("training", "inference")}
    rates["peak_mib"] = result["peak_mib"]
    return rates


def own_process(arguments):
    output = subprocess.run([sys.executable, __file__, "--torch-round"] + arguments, check=True, capture_output=True,
                            text=True)
    return json.loads(output.stdout)


def write_config(options):
    path = f"/tmp/compare-{os.getpid()}.ini"
    with open(path, "w", encoding="ascii") as file:
        file.write(f"[data]\nsize = {options.size}\nclasses = {options.classes}\ndataset = folder\n"
                   f"[model]\narch = {options.arch}\nwidth = {options.width}\n[train]\nbatch = {options.batch}\n")
    return path


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paced", default=os.path.join(HERE, "..", "..", "build", "paced"))
    parser.add_argument("--arch", default="unet")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--classes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--torch-round", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = parse_options()
    if options.torch_round:
        print(json.dumps(torch_round(options)))
        return
    config = write_config(options)
    ours, theirs = [], []
    for k in range(options.rounds):
        ours.append(paced_round(options, config))
        theirs.append(own_process(sys.argv[1:]))
        for name in ("training", "inference"):
            print(f"round {k + 1}  {name:10} paced {ours[k][name]:7.3f}  PyTorch {theirs[k][name]:7.3f} images/s  "
                  f"ratio {ours[k][name] / theirs[k][name]:.2f}", flush=True)
    os.unlink(config)
    for name in ("training", "inference"):
        ratios = [a[name] / b[name] for a, b in zip(ours, theirs)]
        print(f"median   {name:10} ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"peak memory: paced {max(a['peak_mib'] for a in ours):.0f} MiB (training and inference in one process), "
          f"PyTorch {max(b['peak_mib'] for b in theirs):.0f} MiB")


if __name__ == "__main__":
    main()
