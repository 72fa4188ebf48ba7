#!/usr/bin/env python3
"""Environment of the peers: PyTorch, ONNX Runtime and OpenVINO in the versions of peers.txt.

    make_peers.py DIR

DIR becomes a virtual environment; an existing one is brought to these versions. The comparing scripts then take
--python DIR/bin/python. pip uses its own configuration, for example an index with PyTorch's builds for CPUs alone.
"""
import argparse
import importlib.util
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dir")
    directory = parser.parse_args().dir
    if not importlib.util.find_spec("ensurepip"):
        sys.exit(f"{sys.executable} has no ensurepip; install it (Debian: apt-get install python3-venv)")
    python = os.path.join(directory, "bin", "python")
    for command in ([sys.executable, "-m", "venv", directory],
                    [python, "-m", "pip", "install", "--requirement", os.path.join(HERE, "peers.txt")]):
        status = subprocess.run(command).returncode
        if status != 0:
            sys.exit(f"{' '.join(command)}: status {status}; the environment is not complete, run this script again")
    print(f"the peers are ready: --python {python}")


if __name__ == "__main__":
    main()
