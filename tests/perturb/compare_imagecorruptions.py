#!/usr/bin/env python3
"""Compares the corruptions with those of the Python package `imagecorruptions`, per image or in distribution.

    compare_imagecorruptions.py CORRUPT [--only NAME] [--draws SHARE]       (CORRUPT: build/tests/corrupt)

Deterministic corruptions: mean absolute difference in grey levels, maximum over all images. Random corruptions, over
many draws: relative difference of the mean of the image, and of the variance and the radial power spectrum (maximum
over bands) of the change. Images: one greyscale and one colour image generated here, and, if PACED_TEST_DATA names the
folder, some of BUSI and CamVid; at 224 x 224 and 112 x 112.
The package (1.1.2) needs old versions: numpy 1.23, scikit-image 0.19, scipy 1.11, opencv-python-headless 4.8.
Exit status: 0 all within bounds, 1 out of bounds, 77 the package is not installed.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import warnings

warnings.simplefilter("ignore")  # deprecation warnings of the package
try:
    import imagecorruptions
    import numpy as np
    from PIL import Image
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

SIZES = (224, 112)
LEVELS_BOUND = 1.0     # grey levels; the package rounds pixelate twice, this program does not round
RELATIVE_BOUND = 0.05
CERTAIN = ("gaussian_blur", "defocus_blur", "zoom_blur", "brightness", "contrast", "saturate", "jpeg_compression",
           "pixelate")
DRAWS = {"gaussian_noise": 200, "shot_noise": 200, "impulse_noise": 200, "speckle_noise": 200, "motion_blur": 300,
         "fog": 1200, "spatter": 400, "elastic": 400}
THEIR_NAME = {"elastic": "elastic_transform"}  # names that differ
AT_ONCE = 50           # draws held in memory


# ---- images ---------------------------------------------------------------------------------------------------------
def clouds(size, rng):
    """[size][size] bytes: a smooth random field with a sharp step."""
    rough = Image.fromarray(rng.uniform(0, 255, (9, 9)).astype(np.float32)).resize((size, size), Image.BICUBIC)
    field = np.array(rough) + 40 * (np.add.outer(np.arange(size), np.arange(size)) % size > size // 2)
    return np.clip(field, 0, 255).astype(np.uint8)


def real_images(size):
    data = pathlib.Path(os.environ.get("PACED_TEST_DATA", "/nowhere"))
    paths = [data / "busi" / "benign" / "benign (1).png", data / "busi" / "malignant" / "malignant (7).png"]
    paths += sorted((data / "camvid" / "val").rglob("*.png"))[:1]
    for path in paths:
        if path.is_file():
            yield np.array(Image.open(path).convert("RGB").resize((size, size), Image.NEAREST))


def all_images(size):
    """uint8 [size][size][3]: greyscale first, then colour, then real images."""
    rng = np.random.default_rng(size)
    yield np.stack([clouds(size, rng)] * 3, axis=2)
    yield np.stack([clouds(size, rng) for _ in range(3)], axis=2)
    yield from real_images(size)


# ---- the two implementations ----------------------------------------------------------------------------------------
def theirs(image, name, severity, seed, count):
    np.random.seed(seed)
    for _ in range(count):
        yield imagecorruptions.corrupt(image, severity=severity, corruption_name=THEIR_NAME.get(name, name))


def ours(program, image, name, severity, seed, count):
    """Truncates to bytes like the package; rounding errors just below an integer count as that integer."""
    size = len(image)
    values = (image / np.float32(255)).astype(np.float32).tobytes()
    words = [program, name, str(severity), str(size), str(seed), str(count)]
    done = subprocess.run(words, input=values, stdout=subprocess.PIPE, check=True)
    for result in np.frombuffer(done.stdout, np.float32).reshape(count, size, size, 3):
        yield (result * 255 + 1e-3).astype(np.uint8)


# ---- statistics -----------------------------------------------------------------------------------------------------
class Statistics:
    def __init__(self, clean):
        self.clean = clean.astype(np.float64)
        size = len(clean)
        frequency = np.fft.fftfreq(size, 1 / size)
        radius = np.hypot(frequency[:, None], frequency[None, :size // 2 + 1])
        borders = [1, 6, 18, 54, 162]  # wide enough at low frequencies for a stable mean
        self.bands = [band for low, high in zip(borders, borders[1:])
                      if (band := (radius >= low) & (radius < high)).any()]
        self.count, self.sum, self.change, self.square, self.power = 0, 0, 0, 0, np.zeros(len(self.bands))

    def add(self, image):
        change = image - self.clean
        self.count += 1
        self.sum += image.mean()
        self.change += change.mean()
        self.square += (change ** 2).mean()
        power = np.abs(np.fft.rfft2(change.mean(axis=2))) ** 2
        self.power += [power[band].sum() for band in self.bands]

    def mean(self):
        return self.sum / self.count

    def variance(self):
        return self.square / self.count - (self.change / self.count) ** 2


def difference(one, other):
    return float(np.max(np.abs(one / other - 1)))


def compare_draws(program, image, name, severity, draws):
    mine, reference = Statistics(image), Statistics(image)
    for seed in range(0, draws, AT_ONCE):
        for result in ours(program, image, name, severity, seed, AT_ONCE):
            mine.add(result)
        for result in theirs(image, name, severity, seed, AT_ONCE):
            reference.add(result)
    return (difference(mine.mean(), reference.mean()), difference(mine.variance(), reference.variance()),
            difference(mine.power, reference.power))


# ---- the comparison -------------------------------------------------------------------------------------------------
def report(name, size, severity, count, figures, passed):
    print(f"{name:17} {size:4} {severity:8} {count:6}  {figures}  {'PASS' if passed else 'FAIL'}", flush=True)
    return passed


def check_certain(program, name, size, severity):
    images = list(all_images(size))
    levels = max(np.abs(next(ours(program, image, name, severity, 0, 1)).astype(float)
                        - next(theirs(image, name, severity, 0, 1))).mean() for image in images)
    return report(name, size, severity, len(images), f"{levels:.3f} grey levels", levels <= LEVELS_BOUND)


def check_random(program, name, size, severity, draws):
    image = list(all_images(size))[-1 if size == SIZES[0] else 0]  # one in colour, one in greyscale
    mean, variance, spectrum = compare_draws(program, image, name, severity, draws)
    return report(name, size, severity, draws, f"mean {mean:6.2%}  variance {variance:6.2%}  spectrum {spectrum:6.2%}",
                  max(mean, variance, spectrum) <= RELATIVE_BOUND)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="CORRUPT")
    parser.add_argument("--only", metavar="NAME", choices=[*CERTAIN, *DRAWS])
    parser.add_argument("--draws", metavar="SHARE", type=float, default=1.0, help="of the usual number of draws")
    options = parser.parse_args()
    print("corruption        size severity images/draws")
    passed = []
    for name in (options.only,) if options.only else (*CERTAIN, *DRAWS):
        draws = AT_ONCE * max(1, round(DRAWS.get(name, 1) * options.draws / AT_ONCE))
        for size in SIZES:
            for severity in range(1, 6):
                passed.append(check_certain(options.program, name, size, severity) if name in CERTAIN
                              else check_random(options.program, name, size, severity, draws))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
