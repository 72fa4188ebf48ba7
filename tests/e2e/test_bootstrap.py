"""./bootstrap on simulated systems: small scripts replace apt, sudo, Meson and Ninja. The suite platforms runs it on
real ones."""
import os
import pathlib
import shutil
import subprocess
import unittest

from program import Case, main, read_text, write_text

BOOTSTRAP = pathlib.Path(__file__).resolve().parents[2] / "bootstrap"
TOOLS = ["awk", "cat", "dirname", "env", "grep", "sh", "tr", "touch"]
BUILD = ["meson", "ninja-build", "pkgconf", "gcc", "libc6-dev", "ocl-icd-opencl-dev", "pocl-opencl-icd",
         "libclblast-dev", "libpng-dev", "libjpeg-dev", "libturbojpeg0-dev", "libtiff-dev", "libnifti2-dev", "libinih-dev",
         "libjansson-dev", "libzip-dev", "zlib1g-dev", "libcairo2-dev", "fonts-dejavu-core"]
TEST = ["libcmocka-dev", "python3"]
OPTIONAL = ["g++", "libdcmtk-dev"]
# $STATE is a folder of files with one name per line: `archive` (packages of the mirror), `lists`, `installed`, `log`
# and others.
SCRIPTS = {
    "apt-get": 'cd $STATE; echo apt-get $DEBIAN_FRONTEND "$@" >>log\n'
               '[ ! -s locks ] || { echo "E: Could not get lock /var/lib/x"; : >locks; exit 100; }\n'
               'case "$1" in\n'
               'update) [ -f archive ] || { echo "E: no network"; exit 100; }; cat archive >lists ;;\n'
               'install) shift 3; for name; do grep -qx $name archive || { echo "E: 404"; exit 100; }; done\n'
               '         for name; do echo $name >>installed; done ;;\n'
               'esac',
    "apt-cache": 'cd $STATE; shift; for name; do ! grep -qx $name lists || '
                 'printf "%s:\\n  Installed: (none)\\n  Candidate: 1.0\\n" $name; done\n'
                 'printf "libturbojpeg-dev:\\n  Installed: (none)\\n  Candidate: (none)\\n"',
    "dpkg-query": 'for name; do :; done; ! grep -qx $name $STATE/installed || echo installed',
    "sudo": 'echo sudo >>$STATE/log; exec "$@"',
    "id": "cat $STATE/uid",
    "sleep": "echo sleep >>$STATE/log",
    "meson": 'echo meson "$@" >>$STATE/log; mkdir -p build; : >build/build.ninja',
    "ninja": "echo ninja >>$STATE/log",
    "cc": "", "python3": "", "pkg-config": "[ $2 != libzip ] || [ ! -f $STATE/no-libzip ]", "mkdir": 'exec /bin/mkdir "$@"',
}


class Bootstrap(Case):
    def setUp(self):
        self.state, self.bin = self.path(self.id(), "state"), self.path(self.id(), "bin")
        os.makedirs(self.bin)
        shutil.copy(BOOTSTRAP, self.path(self.id(), "bootstrap"))
        for name in TOOLS:
            os.symlink(shutil.which(name), os.path.join(self.bin, name))
        for name, text in SCRIPTS.items():
            write_text(os.path.join(self.bin, name), f"#!/bin/sh\n{text}\n")
            os.chmod(os.path.join(self.bin, name), 0o755)
        self.set(archive=BUILD + TEST + OPTIONAL + ["oclgrind"], lists=[], installed=[], locks=[], log=[], uid=["0"])

    def set(self, **lists):
        for name, lines in lists.items():
            write_text(os.path.join(self.state, name), "".join(line + "\n" for line in lines))

    def remove(self, *names):
        for name in names:
            os.remove(os.path.join(self.bin, name))

    def bootstrap(self, *arguments, status=0):
        """The commands that it ran, and the lines that it printed."""
        self.set(log=[])
        done = subprocess.run([self.path(self.id(), "bootstrap"), *arguments], cwd="/", capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env={"PATH": self.bin, "STATE": self.state})
        self.assertEqual(done.returncode, status, done.stderr)
        return read_text(os.path.join(self.state, "log")).splitlines(), done.stderr.splitlines()

    @staticmethod
    def installed_by(log):
        return [line.split()[5:] for line in log if line.startswith("apt-get noninteractive install ")]

    def test_fresh_system(self):
        log, said = self.bootstrap("build")
        self.assertEqual(self.installed_by(log), [BUILD, *([name] for name in OPTIONAL)])
        self.assertEqual(log[-2:], ["meson setup build", "ninja"])
        self.assertEqual(said, [f"bootstrap: installing {names}" for names in (" ".join(BUILD), *OPTIONAL)])
        log, said = self.bootstrap("test", "--suite", "unit")
        self.assertEqual(self.installed_by(log), [TEST, ["oclgrind"]])
        self.assertEqual(log[-3:], ["meson setup --reconfigure build -Dtests=enabled", "ninja",
                                    "meson test -C build --print-errorlogs --suite unit"])
        os.remove(os.path.join(self.state, "archive"))
        self.assertEqual(self.bootstrap("build"), (["ninja"], []))
        self.assertEqual(self.installed_by(self.bootstrap("test")[0]), [])

    def test_package_only_for_a_suite(self):
        self.set(archive=BUILD + TEST + OPTIONAL)
        log, said = self.bootstrap("test")
        self.assertEqual(self.installed_by(log), [BUILD + TEST, *([name] for name in OPTIONAL)])
        self.assertEqual(said[3:], ["bootstrap: oclgrind is not in the package lists: the suite oclgrind is left out"])
        self.set(lists=["oclgrind"])
        self.assertEqual(self.bootstrap("test")[1], ["bootstrap: installing oclgrind",
                                                     "bootstrap: that failed: the suite oclgrind is left out"])

    def test_no_dicom(self):
        self.set(archive=BUILD)
        log, said = self.bootstrap("build")
        self.assertEqual(self.installed_by(log), [BUILD])
        self.assertEqual(said[1:], [f"bootstrap: {name} is not in the package lists: reading DICOM files is left out"
                                    for name in OPTIONAL])

    def test_other_name(self):
        names = ["pkg-config" if name == "pkgconf" else name for name in BUILD]
        self.set(archive=names)
        self.assertEqual(self.installed_by(self.bootstrap("build")[0]), [names])
        self.assertEqual(self.installed_by(self.bootstrap("build")[0]), [])

    def test_package_that_does_not_exist(self):
        self.set(archive=[name for name in BUILD if name not in ("libturbojpeg0-dev", "gcc")])
        log, said = self.bootstrap("build", status=1)
        self.assertEqual(self.installed_by(log), [])
        self.assertEqual(len(said), 1)
        self.assertIn("not in the package lists: gcc libturbojpeg0-dev|libturbojpeg-dev; ", said[0])

    def test_no_network(self):
        os.remove(os.path.join(self.state, "archive"))
        said = self.bootstrap("build", status=1)[1]
        self.assertEqual(said[0], "E: no network")
        self.assertIn("is there a network?", said[1])

    def test_old_lists(self):
        self.set(archive=BUILD[1:], lists=BUILD)
        log, said = self.bootstrap("build", status=1)
        self.assertEqual([line.split()[2] for line in log], ["install", "update", "install"])
        self.assertEqual(said[1:], ["E: 404", "bootstrap: installing failed"])

    def test_another_apt_is_waited_for(self):
        for lists in [], BUILD:
            self.set(lists=lists, locks=["held"], installed=[])
            log, said = self.bootstrap("build")
            self.assertEqual(log.count("sleep"), 1)
            self.assertIn(BUILD, self.installed_by(log))
            self.assertIn("bootstrap: waiting for another apt to end", said)

    def test_users(self):
        self.set(uid=["1000"])
        self.assertEqual(self.bootstrap("build")[0].count("sudo"), 2 + len(OPTIONAL))
        self.remove("sudo")
        self.assertEqual(self.bootstrap("build"), (["ninja"], []))
        self.set(installed=[])
        log, said = self.bootstrap("build", status=1)
        self.assertEqual(log, [])
        self.assertIn("needs root or sudo", said[-1])

    def test_no_apt(self):
        self.remove("apt-get")
        self.assertEqual(self.bootstrap("build"), (["meson setup build", "ninja"], []))
        write_text(os.path.join(self.state, "no-libzip"), "")
        self.remove("ninja")
        said = self.bootstrap("build", status=1)[1]
        self.assertIn("Missing here: ninja libzip", said[0])
        self.assertIn("untested", said[1])
        self.assertTrue(any("dnf install" in line for line in said) and any("pacman -S" in line for line in said))


if __name__ == "__main__":
    main(needs_device=False)
