"""Functions shared by the processes of the peers: a loop that times steps, and the entry point.

A peer's process runs one task and prints its result as JSON. It imports nothing but the peer and the standard library.
"""
import json
import statistics
import sys
import time

SKIP = 77
WARM_UP = 2  # steps before the timed ones; the first one compiles
STEPS = 5


def skip(reason):
    """Ends the process of a peer that cannot run here."""
    print(reason)
    sys.exit(SKIP)


def peak_mib():
    """Largest resident size of the process so far, MiB."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM:"))


def time_steps(step, batch):
    for _ in range(WARM_UP):
        step()
    seconds, processor = [], []
    for _ in range(STEPS):
        start, processor_start = time.monotonic(), time.process_time()
        step()
        seconds.append(time.monotonic() - start)
        processor.append(time.process_time() - processor_start)
    return {"images_per_second": batch / statistics.median(seconds),
            "step_processor_seconds": statistics.median(processor), "peak_mib": peak_mib()}


def main(tasks):
    """Runs `SCRIPT TASK ARGUMENTS`. ARGUMENTS: a JSON object, the keyword arguments of the task's function."""
    print(json.dumps(tasks[sys.argv[1]](**json.loads(sys.argv[2]))))
