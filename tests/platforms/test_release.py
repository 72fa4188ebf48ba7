"""The first commands of the manual and the Debian packages, from nothing, on the release that the host does not run.

    test_release.py [--release 12|13]... [--cache FOLDER]

In a bare tree of the release (debootstrap, minbase) with a copy of the sources: the packages, built with what their
control file requires. In another one: `./bootstrap build`, the suites unit and kernel through `./bootstrap test`, and `./bootstrap demo`, whose table must be README's in every digit. (README's
comes from an x86-64 processor with AVX-512; another kind may round differently. The message shows both tables.)
FOLDER keeps the bare trees for the next run; PACED_TEST_RELEASES overrides it. Exit status 0 passed, 1 failed,
77 skipped: the test needs root, debootstrap, a Debian mirror in apt's sources, and a git checkout.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
CODENAMES = {"12": "bookworm", "13": "trixie"}
SOURCE = pathlib.Path(__file__).resolve().parents[2]
# The mounts and processes are in namespaces of their own and end with them, even if this script is killed.
NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
# sh -ec ENTER sh TREE COMMAND...
ENTER = """
mount -t proc proc "$1/proc"
mount --rbind /sys "$1/sys"
mount --rbind /dev "$1/dev"
exec chroot "$1" sh -c 'cd /paced && shift && exec "$@"' sh "$@"
"""
PACKAGE_STEPS = (["apt-get", "update", "-q"],
                 ["apt-get", "install", "-q", "-y", "--no-install-recommends", "dpkg-dev"],
                 ["cp", "-r", "packaging/debian", "debian"],
                 ["apt-get", "build-dep", "-q", "-y", "--no-install-recommends", "."],
                 ["dpkg-buildpackage", "-us", "-uc", "-b"])
STEPS = (["./bootstrap", "build"],
         ["./bootstrap", "test", "--suite", "unit", "--suite", "kernel"],
         ["./bootstrap", "demo"])


def skip(reason):
    print(f"skip: {reason}")
    sys.exit(SKIP)


def output_of(*command):
    """The command's stdout, or None if it fails or does not exist."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def host_release():
    """The VERSION_ID of a Debian host, else None."""
    found = dict(re.findall(r'^(\w+)="?(.*?)"?$', pathlib.Path("/etc/os-release").read_text(), re.MULTILINE))
    return found.get("VERSION_ID") if found.get("ID") == "debian" else None


def find_mirror():
    """The mirror of this machine's apt for one of the releases, else None. It has the other releases, too."""
    targets = output_of("apt-get", "indextargets", "--no-release-info", "--format",
                        "$(RELEASE) $(COMPONENT) $(REPO_URI)") or ""
    for line in targets.splitlines():
        release, component, uri = line.split(" ", 2)
        if release in CODENAMES.values() and component == "main":
            return uri
    return None


def check_needs(files, mirror):
    if os.geteuid() != 0:
        skip("needs root, for chroot")
    if not shutil.which("debootstrap"):
        skip("needs debootstrap")
    if not mirror:
        skip("apt's sources name no mirror of Debian 12 or 13")
    if not files:
        skip("the sources are not a git checkout")
    if output_of(*NAMESPACES, "true") is None:
        skip("mounting is not permitted (unshare)")


def make_bare(codename, mirror, cache):
    """The folder of the bare tree, made if it does not exist."""
    bare = cache / codename
    if bare.exists():
        return bare
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        tree = pathlib.Path(scratch) / codename
        print(f"debootstrap {codename}", flush=True)
        done = subprocess.run([*NAMESPACES, "debootstrap", "--variant=minbase", codename, tree, mirror],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            print(done.stdout[-2000:])
            skip(f"debootstrap {codename} failed; is there a network?")
        tree.rename(bare)
    return bare


def fill(tree, files):
    """Copies the sources to /paced, and this machine's way to the mirror: its resolver and apt's proxies."""
    for name in files:
        copy = tree / "paced" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(SOURCE / name, copy)
    shutil.copy("/etc/resolv.conf", tree / "etc/resolv.conf")
    settings = output_of("apt-config", "dump", "Acquire") or ""
    kept = [line for line in settings.splitlines() if re.match(r"Acquire::(https?|Check-)", line)]
    (tree / "etc/apt/apt.conf.d/99host").write_text("".join(line + "\n" for line in kept))


def clean_environment():
    """A login's environment with this machine's proxies."""
    kept = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    return {**kept, "HOME": "/root", "LANG": "C.UTF-8", "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def run_step(tree, command):
    """Runs the command in the tree. Returns the lines of its stdout, which are printed as they come."""
    print(f"--- {' '.join(command)}", flush=True)
    lines = []
    with subprocess.Popen([*NAMESPACES, "sh", "-ec", ENTER, "sh", tree, *command], env=clean_environment(), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as running:
        try:
            for line in running.stdout:
                print(line, end="", flush=True)
                lines.append(line.rstrip())
        except BaseException:
            running.kill()
            raise
    if running.returncode != 0:
        sys.exit(f"{' '.join(command)}: status {running.returncode}")
    return lines


def table_in(lines):
    """The demo's table: the headings and the two tests below them."""
    begin, = (i for i, line in enumerate(lines) if line.startswith("stage  "))
    return lines[begin:begin + 3]


def run_steps(bare, files, steps):
    """Runs the steps in a copy of the bare tree. Returns the output of the last one."""
    with tempfile.TemporaryDirectory(dir=bare.parent) as scratch:
        tree = pathlib.Path(scratch) / "tree"
        subprocess.run(["cp", "-a", "--reflink=auto", bare, tree], check=True)
        fill(tree, files)
        for command in steps:
            lines = run_step(tree, command)
    return lines


def try_release(bare, files):
    run_steps(bare, files, PACKAGE_STEPS)
    lines = run_steps(bare, files, STEPS)
    shown, promised = table_in(lines), table_in((SOURCE / "README.md").read_text().splitlines())
    if shown != promised:
        sys.exit("\n".join(["the demo's table", *shown, "differs from README's", *promised]))
    print(f"{bare.name}: packages built; built, tested, and the demo's table is README's")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", action="append", choices=CODENAMES, help="default: those that the host is not")
    parser.add_argument("--cache", default=SOURCE / "build/releases", help="default: %(default)s")
    arguments = parser.parse_args()
    listed, mirror = output_of("git", "-C", str(SOURCE), "ls-files", "-z"), find_mirror()
    files = [name for name in (listed or "").split("\0") if name]
    check_needs(files, mirror)
    cache = pathlib.Path(os.environ.get("PACED_TEST_RELEASES") or arguments.cache).resolve()
    for release in arguments.release or [name for name in CODENAMES if name != host_release()]:
        try_release(make_bare(CODENAMES[release], mirror, cache), files)


if __name__ == "__main__":
    main()
