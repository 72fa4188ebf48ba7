"""Comparison of `paced` with variants of its peers: interleaved rounds, the best variant of each precision, tables."""
import argparse
from dataclasses import dataclass
import os
import re
import statistics
import sys

import machine
from common import Missing, make_parser, numbers, print_table, spread

MODES = ("training", "inference")
PRECISIONS = ("float32", "bfloat16")


@dataclass(eq=False)
class Variant:
    """One way to run a peer. settings: the arguments of its task."""
    peer: str
    name: str
    precision: str
    settings: dict
    modes: tuple = MODES

    def __str__(self):
        return f"{self.peer}, {self.precision}, {self.name}"


@dataclass(eq=False)
class Peer:
    """A program to compare with. script and versions: its file, and the task of it that returns {program: version}."""
    name: str
    script: str
    versions: str
    variants: list


def expression(text):
    """Type of an option."""
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from error


def parse(doc):
    parser = make_parser(doc)
    parser.add_argument("--batch", type=numbers, default=[4], help="one or more, such as 1,4,16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="of `paced` and of the peers; default: all cores")
    parser.add_argument("--only", type=expression,
                        help="the variants in whose description this regular expression is found")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    if options.threads is not None and options.threads < 1:
        parser.error("--threads: at least 1")
    return options


def threads(options):
    return options.threads or os.cpu_count()


# ---- what there is to compare ----------------------------------------------------------------------------------------


def own_precisions(folder):
    """{precision of a peer: (name and keys of the precision of `paced` that is compared with it)}."""
    plain = ("float32", {})
    mixed = "train.precision" in folder.run("config", "--keys")[0]
    keys = {"train.precision": "mixed", "predict.precision": "mixed"}
    return {"float32": plain, "bfloat16": ("mixed", keys) if mixed else plain}


def present(folder, peers, only):
    """Returns the variants of the peers that are installed, and prints the versions and the missing peers."""
    found = []
    for peer in peers:
        try:
            versions = folder.run_peer(peer.script, peer.versions)
        except Missing as reason:
            print(f"{peer.name}: skipped: {reason}")
            continue
        print(", ".join(f"{name} {version}" for name, version in versions.items()))
        found += [variant for variant in peer.variants if not only or only.search(str(variant))]
    if not found:
        sys.exit("there is nothing to compare with: " +
                 (f"no variant that is installed matches {only.pattern}" if only else "no peer is installed"))
    return found


# ---- measuring ------------------------------------------------------------------------------------------------------


def turn(folder, options, variant, own_keys, batch, run):
    """Returns {mode: (result of `paced`, result of the peer)}. The processes run one after another."""
    theirs = {mode: run(variant, mode, batch) for mode in variant.modes}
    keys = {"train.batch": batch, **own_keys, **({"device.threads": options.threads} if options.threads else {})}
    ours = folder.bench("bench.ini", keys)
    return {mode: (ours[mode], theirs[mode]) for mode in variant.modes}


def measure(folder, options, variants, batch, run):
    """Returns {variant: [turn of each round]}. A variant that cannot run is named, and left out from then on.

    run: function of variant, mode and batch, which returns the peer's result or raises Missing.
    """
    precisions, results = own_precisions(folder), {variant: [] for variant in variants}
    for k in range(options.rounds):
        for variant in list(results):
            name, keys = precisions[variant.precision]
            try:
                pair = turn(folder, options, variant, keys, batch, run)
            except Missing as reason:
                print(f"{variant}: skipped: {reason}")
                del results[variant]
                continue
            results[variant].append(pair)
            print(f"batch {batch}, round {k + 1}, {variant}: " + ", ".join(
                f"{mode} {theirs['images_per_second']:.3f} images/s, paced ({name}) {ours['images_per_second']:.3f}, "
                f"ratio {ours['images_per_second'] / theirs['images_per_second']:.2f}, by processor time "
                f"{theirs['step_processor_seconds'] / ours['step_processor_seconds']:.2f}"
                for mode, (ours, theirs) in pair.items()) + f"; {machine.load()}", flush=True)
    return results


# ---- report ---------------------------------------------------------------------------------------------------------


def rates(rounds, mode):
    """Images/s of `paced` and of the peer, and their ratios, of all rounds."""
    ours, theirs = zip(*(tuple(side["images_per_second"] for side in pair[mode]) for pair in rounds))
    return ours, theirs, [a / b for a, b in zip(ours, theirs)]


def processor_ratios(rounds, mode):
    """Processor time of the peer over that of `paced`, for a step, of all rounds. Other processes hardly change it."""
    return [theirs["step_processor_seconds"] / ours["step_processor_seconds"]
            for ours, theirs in (pair[mode] for pair in rounds)]


def best(results, precision, mode):
    """The variant of a precision that is fastest relative to `paced` in the same turn, as speeds drift. None: there is
    no variant."""
    variants = [variant for variant in results if variant.precision == precision and mode in variant.modes]
    return min(variants, key=lambda variant: statistics.median(rates(results[variant], mode)[2]), default=None)


def headline_rows(batch, results, precisions):
    for mode in MODES:
        for precision in PRECISIONS:
            variant = best(results, precision, mode)
            if variant:
                ours, theirs, ratios = rates(results[variant], mode)
                yield [batch, mode, precisions[precision][0], str(variant), spread(ours), spread(theirs), spread(ratios),
                       spread(processor_ratios(results[variant], mode))]


def variant_rows(batch, results):
    for variant, rounds in results.items():
        for mode in variant.modes:
            _, theirs, ratios = rates(rounds, mode)
            # A median, because the first round compiles, which needs more memory.
            ours_mib, theirs_mib = (statistics.median(pair[mode][side]["peak_mib"] for pair in rounds) for side in (0, 1))
            memory = [f"{theirs_mib:.0f}", f"{ours_mib / theirs_mib:.2f}"] if mode == "training" else ["", ""]
            yield [batch, str(variant), mode, spread(theirs), spread(ratios), spread(processor_ratios(rounds, mode)),
                   *memory]


def report(options, results, precisions, neighbours):
    print(f"\n{options.arch}, width {options.width}, size {options.size}, {threads(options)} threads, {options.rounds} "
          f"rounds: median (minimum to maximum); ratio: paced over the peer in the same turn\n{neighbours.verdict()}\n")
    print_table(["batch", "mode", "paced", "best variant", "paced, images/s", "peer, images/s", "ratio",
                 "by processor time"],
                [row for batch, found in results.items() for row in headline_rows(batch, found, precisions)])
    print("\nAll variants:\n")
    print_table(["batch", "variant", "mode", "images/s", "ratio", "by processor time", "training, MiB",
                 "paced over it"],
                [row for batch, found in results.items() for row in variant_rows(batch, found)])


def compare(folder, options, peers, run):
    """Measures and prints everything. run: see measure()."""
    print(f"{folder.run('--version')[0].strip()}\n{machine.processor()}, {machine.load()} before the start")
    variants = present(folder, peers, options.only)
    folder.write_config("bench")
    neighbours = machine.Neighbours()
    results = {batch: measure(folder, options, variants, batch, run) for batch in options.batch}
    if not any(results.values()):
        sys.exit("no variant ran")
    report(options, results, own_precisions(folder), neighbours)
