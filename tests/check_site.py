#!/usr/bin/env python3
"""Checks that mkdocs.yml builds a site from the documentation without a warning and has every page in its navigation.

The exit status is 77, a skip, where MkDocs is not installed.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    if not shutil.which("mkdocs"):
        print("skip: mkdocs is not installed (Debian: apt-get install mkdocs)")
        return 77
    with tempfile.TemporaryDirectory() as site:
        command = ["mkdocs", "build", "--strict", "--config-file", ROOT / "mkdocs.yml", "--site-dir", site]
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        built = len(list(pathlib.Path(site).rglob("index.html")))
    print(done.stdout.rstrip())
    faults = [f"mkdocs ends with status {done.returncode}"] * (done.returncode != 0)
    if "not included in the \"nav\"" in done.stdout:
        faults.append("mkdocs.yml: a page is missing in nav")
    for fault in faults:
        print(fault)
    print(f"{built} pages, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
