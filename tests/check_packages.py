#!/usr/bin/env python3
"""Checks that every library of meson.build is installed by bootstrap and required by the Debian package.

    check_packages.py [ROOT]        (the repository; default: the one that contains this file)
"""
import pathlib
import re
import sys

# Debian's development packages of the dependencies in meson.build. System: part of the C library.
PACKAGES = {"OpenCL": "ocl-icd-opencl-dev", "clblast": "libclblast-dev", "libpng": "libpng-dev",
            "libjpeg": "libjpeg-dev", "libtiff-4": "libtiff-dev",
            "nifti2": "libnifti2-dev", "dcmdata": "libdcmtk-dev", "zlib": "zlib1g-dev", "libturbojpeg": "libturbojpeg0-dev", "inih": "libinih-dev",
            "jansson": "libjansson-dev", "libzip": "libzip-dev", "cairo": "libcairo2-dev", "cmocka": "libcmocka-dev"}
SYSTEM = {"threads", "dl", "m"}


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    named = set(re.findall(r"(?:dependency|find_library)\('([^']+)'", (root / "meson.build").read_text())) - SYSTEM
    bootstrap = re.split(r'[\s|"=]+', (root / "bootstrap").read_text())
    control = (root / "packaging" / "debian" / "control").read_text()
    required = re.findall(r"[a-z0-9][a-z0-9+.-]+", re.search(r"Build-Depends:(.*?)\n\S", control + "\nX", re.DOTALL).group(1))
    faults = [f"tests/check_packages.py: no package is known for the library {name}" for name in named - set(PACKAGES)]
    for package in (PACKAGES[name] for name in sorted(named & set(PACKAGES))):
        faults += [f"{place}: lacks {package}" for place, packages in
                   (("bootstrap", bootstrap), ("packaging/debian/control: Build-Depends", required)) if package not in packages]
    print("\n".join(faults) if faults else f"{len(named)} libraries, all of them in bootstrap and in the package")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
