"""The OpenCL implementations of this machine, each alone.

The ICD loader reads a folder of .icd files, each with the name of a driver's library. A folder with one of them, named
by OCL_ICD_VENDORS, isolates that implementation. Oclgrind brings itself in front of the loader.
"""
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

import install_intel

TESTS = pathlib.Path(__file__).resolve().parent.parent
SYSTEM_VENDORS = "/etc/OpenCL/vendors"

# Implementations for CPUs that every machine can have: name, a word in its .icd file, how to get it.
KNOWN = (
    ("PoCL", "pocl", "Debian's package pocl-opencl-icd"),
    ("Intel's runtime for CPUs", "intelocl", "python3 tests/platforms/install_intel.py"),
    ("rusticl on llvmpipe", "rusticl", "Debian's package mesa-opencl-icd"),
    ("Oclgrind", "oclgrind", "Debian's package oclgrind (not in Debian 13)"),
)


@dataclasses.dataclass
class Implementation:
    """One implementation: `folder` holds its caches and logs, `env` isolates it. A simulator has a command of its own
    before a program, and runs the kernel suite alone."""
    name: str
    folder: pathlib.Path
    env: dict
    simulator: bool = False

    def environment(self, **more):
        """The environment of a program. Variables that would select another device are left out."""
        left_out = ("PACED_DEVICE", "PACED_VARIANT", "OCL_ICD_FILENAMES")
        caches = {name: str(self.folder / name.lower())
                  for name in ("PACED_CACHE_DIR", "POCL_CACHE_DIR", "XDG_CACHE_HOME")}
        for path in caches.values():
            os.makedirs(path, exist_ok=True)
        return {**{k: v for k, v in os.environ.items() if k not in left_out}, **caches, **self.env, **more}

    def command(self, program):
        return [str(TESTS / "oclgrind.sh"), str(program)] if self.simulator else [str(program)]

    def devices(self, paced):
        """Usable devices, one of each kind, as `paced devices --json` describes them; RuntimeError on failure."""
        command = ["oclgrind"] * self.simulator + [str(paced), "devices", "--json"]
        try:
            done = subprocess.run(command, env=self.environment(), text=True, capture_output=True, timeout=300)
        except subprocess.TimeoutExpired as error:
            raise RuntimeError("`paced devices` does not end") from error
        if done.returncode not in (0, 3):  # 3: no usable device
            raise RuntimeError(f"`paced devices` ends with {done.returncode}: {done.stderr.strip()[-300:]}")
        kinds = {}
        for device in json.loads(done.stdout):
            if device["usable"]:
                kinds.setdefault((device["name"], device["version"], device["driver"]), device)
        return list(kinds.values())


def isolated(name, icd, work, **env):
    """An implementation behind a folder that holds a copy of its .icd file alone."""
    folder = work / name
    vendors = folder / "vendors"
    shutil.rmtree(vendors, ignore_errors=True)
    vendors.mkdir(parents=True)
    (vendors / f"{name}.icd").write_text(icd)
    return Implementation(name, folder, {"OCL_ICD_VENDORS": str(vendors), **env})


def system_icds():
    """{stem: text} of the machine's .icd files. OCL_ICD_VENDORS may also name one file."""
    place = pathlib.Path(os.environ.get("OCL_ICD_VENDORS") or SYSTEM_VENDORS)
    files = sorted(place.glob("*.icd")) if place.is_dir() else [place] if place.suffix == ".icd" else []
    return {file.stem: file.read_text() for file in files}


def find_system(work):
    """The implementations that the system's ICD loader knows. rusticl shows no device unless told which driver."""
    driver = os.environ.get("RUSTICL_ENABLE") or "llvmpipe"
    return [isolated(stem, icd, work, **({"RUSTICL_ENABLE": driver} if "rusticl" in icd.lower() else {}))
            for stem, icd in system_icds().items() if "oclgrind" not in icd]


def find_others(work):
    """Those that the loader does not know: Intel's runtime below the build folder, and the simulator."""
    found = []
    library = install_intel.runtime(work)
    if library.exists():
        found.append(isolated("intel-runtime", str(library) + "\n", work, LD_LIBRARY_PATH=str(library.parent)))
    if shutil.which("oclgrind"):
        found.append(Implementation("oclgrind", work / "oclgrind", {}, simulator=True))
    return found


def missing(found):
    """(name, how to get it) of each known implementation that was not found."""
    def text(implementation):
        vendors = implementation.env.get("OCL_ICD_VENDORS")
        icds = [path.read_text() for path in pathlib.Path(vendors).glob("*.icd")] if vendors else []
        return " ".join([implementation.name, *icds]).lower()

    texts = " ".join(text(implementation) for implementation in found)
    return [(name, remedy) for name, word, remedy in KNOWN if word not in texts]
