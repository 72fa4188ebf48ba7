#!/usr/bin/env python3
"""Installs Intel's OpenCL runtime for CPUs into a folder of its own: 280 MB to fetch from PyPI, 850 MB on disk.

    install_intel.py [BUILD]

BUILD is Meson's build folder (build). Nothing outside it changes: the ICD loader does not know the runtime, and
removing BUILD/platforms/intel removes it. Needs a network, an x86-64 processor and Python's module venv (Debian's
package python3-venv). Exit status 1, with the reason, where it cannot be had.
"""
import pathlib
import platform
import shutil
import subprocess
import sys

PACKAGES = ("intel-opencl-rt", "intel-cmplr-lib-rt")


def runtime(work):
    return work / "intel" / "lib" / "libintelocl.so"


def run(*command):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800)
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if line.strip()] or [f"status {done.returncode}"]
        raise RuntimeError(f"{pathlib.Path(command[0]).name} {' '.join(command[1:3])}: {lines[-1]}")


def install(work):
    """Leaves the runtime at runtime(work), whole or not at all; RuntimeError with the reason otherwise."""
    if runtime(work).exists():
        return
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise RuntimeError("it is made for Linux on x86-64 alone")
    # Packages are installed under another name first, so that an interrupted installation is not taken for a whole one.
    partial = work / "intel.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        run(sys.executable, "-m", "venv", str(partial))
        run(str(partial / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir",
            "--retries", "1", "--timeout", "20", *PACKAGES)
    except RuntimeError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise RuntimeError(f"{error} (it needs a network and Python's module venv)") from error
    # The packages bring an ICD loader, which would take the place of the system's.
    for loader in (partial / "lib").glob("libOpenCL.so*"):
        loader.unlink()
    shutil.rmtree(work / "intel", ignore_errors=True)
    partial.rename(work / "intel")


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    work = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve() / "platforms"
    try:
        install(work)
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        sys.exit(f"install_intel: Intel's runtime cannot be installed: {error}")
    print(f"install_intel: {runtime(work)}")


if __name__ == "__main__":
    main()
