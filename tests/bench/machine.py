"""The machine under measurement: its processor, and the share of it that other processes take meanwhile."""
import os
import platform
import re

BUSY = 0.05  # share of all cores


def processor():
    """Model, number of cores, and the instructions for bfloat16 that Linux reports."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        text = ""
    model = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    units = [unit for unit in ("avx512_bf16", "amx_bf16", "bf16") if re.search(rf"\b{unit}\b", text)]
    return f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores, bfloat16 instructions: " + \
        (", ".join(units) or "none")


def load():
    return "load average " + " ".join(f"{value:.1f}" for value in os.getloadavg())


class Neighbours:
    """Share of the cores' time that other processes, and other guests of the host, take from its creation on."""

    def __init__(self):
        self.start = self._now()

    @staticmethod
    def _now():
        """Time of all cores, time of them in use, time of this process and its ended children, seconds."""
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, idle, wait, *rest = (int(word) for word in file.readline().split()[1:9])
        ticks, own = os.sysconf("SC_CLK_TCK"), os.times()
        used = user + nice + system + sum(rest)
        return (used + idle + wait) / ticks, used / ticks, sum(own[:4])

    def share(self):
        whole, used, own = (b - a for a, b in zip(self.start, self._now()))
        return max(0.0, (used - own) / whole) if whole > 0 else 0.0

    def verdict(self):
        share = self.share()
        return f"other processes took {100 * share:.0f} % of the cores: " + \
            ("a BUSY machine, repeat the comparison on an idle one" if share > BUSY else "an idle machine")
