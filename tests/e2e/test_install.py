"""A relocated installation works by itself: the program with its own kernels, and the library with a program that is
compiled against it by pkg-config and gives the masks of `paced predict`."""
import concurrent.futures
import ctypes
import glob
import os
import re
import shutil
import subprocess
import sys
import unittest

import program
from program import (Case, main, make_folder, read_png, read_tensors, read_text, write_ini, write_json, write_png,
                     write_tensors, write_text)
from pytorch import write_pth

BUILD = os.path.dirname(program.PROGRAM)
FUNCTION = re.compile(r"^PACED_API [^;]*?(\w+)\(", re.MULTILINE)


def output_of(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Install(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        output_of("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.path("stage"))
        placed, = (folder for folder, _, files in os.walk(cls.path("stage")) if folder.endswith("/bin") and files)
        cls.prefix = cls.path("moved")
        os.rename(os.path.dirname(placed), cls.prefix)
        program.PROGRAM = cls.prefix + "/bin/paced"
        cls.shared = cls.find(cls.prefix, "libpaced.so.0")
        cls.weights = cls.train()
        # A size other than the network's, not square and not greyscale.
        write_png(cls.path("wide.png"), 75, 50, 3, ((3 * x + 3 * y + 20 * c) % 256 for y in range(50)
                                                    for x in range(75) for c in range(3)))
        cls.example = cls.compile_example()

    @classmethod
    def train(cls):
        write_json(cls.path("split.json"), make_folder(cls, "data", 8, 32, 32, 2))
        write_ini(cls.path("tiny.ini"), data={"dataset": "folder", "root": "data", "train": "split.json",
                                              "val": "split.json", "size": 32},
                  model={"width": 4}, train={"epochs": 8, "batch": 4, "lr": 0.01})
        cls.run_program("train", "tiny.ini", "--output", "run")
        return cls.path("run", "best.safetensors")

    @staticmethod
    def find(prefix, name):
        found, = glob.glob(f"{prefix}/**/{name}", recursive=True)
        return found

    @classmethod
    def compile_example(cls):
        folder = os.path.dirname(cls.find(cls.prefix, "paced.pc"))
        flags = output_of("pkg-config", f"--define-variable=prefix={cls.prefix}", "--cflags", "--libs", "paced",
                          "libpng", env={**os.environ, "PKG_CONFIG_PATH": folder}).split()
        source = cls.find(cls.prefix, "segment.c")
        output_of("cc", "-Wall", "-Wextra", "-Wpedantic", "-Werror", source, "-o", cls.path("segment"), *flags)
        return cls.path("segment")

    def segment(self, *arguments, library=None):
        folder = os.path.dirname(library or self.shared)
        return subprocess.run([self.example, *arguments], cwd=self.dir, capture_output=True, text=True,
                              env={**os.environ, "LD_LIBRARY_PATH": folder})

    def test_masks_are_those_of_predict(self):
        masks = []
        for mode in "resize", "window":
            setting = f"predict.mode={mode}"
            self.run_program("predict", "tiny.ini", "--weights", self.weights, "--output", mode, "--set", setting,
                             "wide.png")
            done = self.segment(self.weights, "wide.png", "mask.png", setting)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
            masks.append(read_png(self.path("mask.png")))
            self.assertEqual(masks[-1], read_png(self.path(mode, "wide.png")))
            self.assertEqual(set(masks[-1][3]), {0, 255})
        self.assertNotEqual(*masks)

    def test_weights_without_metadata(self):
        """Weights as written by PyTorch: the settings name the network."""
        tensors = read_tensors(self.weights)[0]
        write_tensors(self.path("bare.safetensors"), tensors)
        write_pth(self.path("bare.pth"), tensors)
        settings = "model.width=4", "data.size=32"
        for weights, *settings in (self.weights,), ("bare.safetensors", *settings), ("bare.pth", *settings):
            done = self.segment(weights, "wide.png", weights + ".png", *settings)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(read_png(self.path(weights + ".png")), read_png(self.path(self.weights + ".png")))
        self.assertIn("bare.safetensors: ", self.segment("bare.safetensors", "wide.png", "never.png").stderr)

    def test_errors_are_the_callers(self):
        for arguments, words in ((["none.safetensors"], "none.safetensors: cannot open"),
                                 ([self.weights, "model.widht=3"], "did you mean model.width?"),
                                 ([self.weights, "model.width=8"], "best.safetensors: "),
                                 ([self.weights, "device.select=no such device"], "no usable OpenCL device")):
            done = self.segment(arguments[0], "wide.png", "never.png", *arguments[1:])
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1), done.stderr)
            self.assertTrue(done.stderr.startswith(f"segment: {arguments[0]}: "), done.stderr)
            self.assertIn(words, done.stderr)
        self.assertFalse(os.path.exists(self.path("never.png")))

    def test_host_with_a_decimal_comma(self):
        """The decimal comma of the host program's locale is kept; settings are read with a point."""
        write_text(self.path("ascii"), "<code_set_name> ASCII\n<escape_char> /\nCHARMAP\n" +
                   "".join(f"<U{i:04X}> /x{i:02x}\n" for i in range(128)) + "END CHARMAP\n")
        write_text(self.path("comma"), 'LC_NUMERIC\ndecimal_point "<U002C>"\nthousands_sep ""\ngrouping -1\n'
                                       "END LC_NUMERIC\n")
        os.mkdir(self.path("locales"))
        # Status 1: created, but most categories of the locale are missing.
        subprocess.run(["localedef", "-c", "-i", "comma", "-f", "./ascii", "./locales/comma"], cwd=self.dir,
                       capture_output=True)
        script = ("import ctypes, locale, sys\n"
                  "locale.setlocale(locale.LC_NUMERIC, 'comma')\n"
                  "lib, segmenter = ctypes.CDLL(sys.argv[1]), ctypes.c_void_p()\n"
                  "status = lib.paced_segmenter_open(ctypes.byref(segmenter), sys.argv[2].encode(), None)\n"
                  "print(status, locale.str(0.5))")
        said = output_of(sys.executable, "-c", script, self.shared, self.weights,
                         env={**os.environ, "LOCPATH": self.path("locales")})
        self.assertEqual(said, "0 0,5\n")

    def test_every_function(self):
        """Through ctypes: probabilities, errors, two segmenters at once."""
        lib = ctypes.CDLL(self.shared)
        lib.paced_last_error.restype = lib.paced_version.restype = ctypes.c_char_p
        self.assertEqual(self.run_program("--version").stdout, f"paced {lib.paced_version().decode()}\n")
        opened = []
        for settings in None, (ctypes.c_char_p * 2)(b"predict.mode=window", None):
            opened.append(ctypes.c_void_p())
            self.assertEqual(lib.paced_segmenter_open(ctypes.byref(opened[-1]), self.weights.encode(), settings), 0)
            self.assertEqual(lib.paced_segmenter_classes(opened[-1]), 2)
        self.assertEqual(lib.paced_segmenter_classes(None), 0)
        width, height, _, rgb = read_png(self.path("wide.png"))
        labels, likely = (ctypes.c_uint8 * (width * height))(), (ctypes.c_float * (width * height * 2))()
        for segmenter in opened:
            self.assertEqual(lib.paced_segmenter_run(segmenter, rgb, width, height, labels, likely), 0)
            self.assertEqual(lib.paced_last_error(), b"")
            for i, label in enumerate(labels):
                background, lesion = likely[2 * i], likely[2 * i + 1]
                self.assertAlmostEqual(background + lesion, 1, places=5)
                self.assertEqual(label, int(lesion > background))
        self.run_side_by_side(lib, opened, rgb, width, height)
        for arguments in (rgb, width, 0, labels, None), (rgb, 70000, 1, labels, None), (None, 1, 1, labels, None), \
                (rgb, 1, 1, None, None):
            self.assertEqual(lib.paced_segmenter_run(opened[0], *arguments), 2)
            self.assertNotEqual(lib.paced_last_error(), b"")
        lib.paced_segmenter_close(opened.pop())
        self.assertNotEqual(lib.paced_last_error(), b"")
        nothing = ctypes.c_void_p(1)
        self.assertEqual(lib.paced_segmenter_open(ctypes.byref(nothing), None, None), 2)
        self.assertIsNone(nothing.value)
        for segmenter in opened + [None]:
            lib.paced_segmenter_close(segmenter)

    def run_side_by_side(self, lib, segmenters, rgb, width, height):
        """Two threads with one segmenter each give the results of one thread."""
        def run(segmenter):
            labels = (ctypes.c_uint8 * (width * height))()
            self.assertEqual(lib.paced_segmenter_run(segmenter, rgb, width, height, labels, None), 0)
            return bytes(labels)

        alone = [run(segmenter) for segmenter in segmenters]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for _ in range(5):
                self.assertEqual(list(pool.map(run, segmenters)), alone)

    def test_only_public_symbols(self):
        names = {line.split()[-1] for line in output_of("nm", "-D", "--defined-only", self.shared).splitlines()}
        self.assertEqual(names, set(FUNCTION.findall(read_text(self.find(self.prefix, "paced.h")))))
        self.assertRegex(output_of("objdump", "-p", self.example), r"NEEDED\s+libpaced\.so\.0\n")

    @unittest.skipUnless(shutil.which("c++"), "no C++ compiler")
    def test_header_in_cpp(self):
        write_text(self.path("header.cc"), "#include <paced.h>\nint main() { return paced_version() == nullptr; }\n")
        output_of("c++", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", self.prefix + "/include", "header.cc",
                  self.shared, "-o", "header", "-Wl,--unresolved-symbols=ignore-in-shared-libs", cwd=self.dir)

    def test_files_are_its_own(self):
        """A fault in the moved kernels is reported: the kernels of the source folder or of another prefix are
        not used."""
        shutil.copytree(self.prefix, self.path("broken"), symlinks=True)
        common = self.path("broken", "share", "paced", "cl", "common.clh")
        write_text(common, read_text(common) + "#error of the broken prefix\n")
        program.PROGRAM = self.path("broken", "bin", "paced")
        try:
            done = self.run_program("predict", "tiny.ini", "--weights", self.weights, "--output", "x", "wide.png",
                                    "--set", "log.level=debug", status=3)
        finally:
            program.PROGRAM = self.prefix + "/bin/paced"
        self.assertIn("of the broken prefix", done.stderr)
        done = self.segment(self.weights, "wide.png", "x.png", library=self.find(self.path("broken"), "libpaced.so.0"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("its compiler fails", done.stderr)

    def test_configurations(self):
        for path in sorted(glob.glob(f"{self.prefix}/share/paced/configs/**/*.ini", recursive=True)):
            self.run_program("config", path)


if __name__ == "__main__":
    main()
