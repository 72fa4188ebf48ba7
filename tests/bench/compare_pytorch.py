#!/usr/bin/env python3
"""Training and inference speed against PyTorch in all its variants, with the same network and machine.

    compare_pytorch.py [--paced build/paced] [--python PYTHON] [--arch unet] [--width 64] [--size 224]
                       [--batch 1,4,16] [--rounds 3] [--threads N] [--only EXPRESSION]

For each batch, round and variant, a PyTorch process that only trains, one that only infers, and `paced bench` run one
after another. A training step is forward, cross entropy, backward and Adam; the loss of every step is read back. The
first steps, in which torch.compile compiles, do not count. Variants in bfloat16 are compared with mixed precision if
`paced` has it, else with float32.
Prints each turn and two Markdown tables: the best variant of each precision, and all variants with the peak memory
(VmHWM) of a process that trains, which `paced bench` reads before inference.
"""
from comparison import Peer, Variant, compare, parse, threads
from common import Folder

LAST, COMPILE = {"channels_last": True}, {"compile": True}
FROZEN, BFLOAT16 = {**LAST, **COMPILE, "frozen": True}, {**LAST, "bfloat16": True}
VARIANTS = [
    Variant("PyTorch", "eager", "float32", {}),
    Variant("PyTorch", "channels_last", "float32", LAST),
    Variant("PyTorch", "compile", "float32", COMPILE),
    Variant("PyTorch", "channels_last, compile", "float32", {**LAST, **COMPILE}),
    Variant("PyTorch", "channels_last, compile, frozen", "float32", FROZEN, ("inference",)),
    Variant("PyTorch", "autocast, channels_last", "bfloat16", BFLOAT16),
    Variant("PyTorch", "autocast, channels_last, compile", "bfloat16", {**BFLOAT16, **COMPILE}),
    Variant("PyTorch", "autocast, channels_last, compile, frozen", "bfloat16", {**BFLOAT16, **FROZEN}, ("inference",)),
]


def main():
    options = parse(__doc__)
    network = {key: getattr(options, key) for key in ("arch", "classes", "width", "size")}
    with Folder(options) as folder:
        def run(variant, mode, batch):
            return folder.run_peer("pytorch.py", "steps", training=mode == "training", batch=batch,
                                   threads=threads(options), **network, **variant.settings)
        compare(folder, options, [Peer("PyTorch", "pytorch.py", "versions", VARIANTS)], run)


if __name__ == "__main__":
    main()
