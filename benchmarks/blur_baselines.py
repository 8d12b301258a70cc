"""Blurred photographs against sharp ones and ones with a soft background: `sharpness` beside what others take.

    python benchmarks/blur_baselines.py --data photos/

Prints the AUC, and how much of each kind every score keeps where it drops 96 % of the blurred ones. Blurred: the whole picture by a
Gaussian of 2-6 pixels, a lens, a movement or a shaking hand of that size; sharp: as it is or half the size; soft background: a third
is sharp; all with light noise. The variance of the Laplacian, the re-blur ratio (Crete et al. 2007) and, where it is installed, what
cleanvision says.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent))

from blur_sources import (
    Generator,
    Pixels,
    blurred,
    composed,
    gaussian_blurred,
    lens_aperture,
    noise_added,
    shaken_path,
    straight_path,
)

from cliqa.images.loading import LoadedImage
from cliqa.metrics import View, load_metric
from cliqa.training.ordinal_scores import auc
from cliqa.training.photos import read_photos

KINDS = ("sharp", "soft background", "blurred")


def make(rng: Generator, pixels: Pixels, kind: str) -> Pixels:
    """A picture of a kind, with light noise."""
    sigma = float(rng.uniform(2, 6))
    spreads: list[Callable[[], Pixels]] = [
        lambda: gaussian_blurred(pixels, sigma),
        lambda: blurred(pixels, lens_aperture(rng, 2.2 * sigma)),
        lambda: blurred(pixels, straight_path(5 * sigma, float(rng.uniform(0, 180)))),
        lambda: blurred(pixels, shaken_path(rng, 6 * sigma)),
    ]
    if kind == "blurred":
        pixels = spreads[int(rng.integers(len(spreads)))]()
    elif kind == "soft background":
        pixels = composed(rng, pixels, spreads[int(rng.integers(2))](), 0.33)
    elif rng.random() < 0.33:
        pixels = np.asarray(Image.fromarray(pixels).reduce(2))
    return noise_added(rng, pixels, float(rng.uniform(0, 3)))


def laplacian(pixels: Pixels) -> float:
    """The variance of the Laplacian of the grey picture: higher is sharper."""
    return float(ndimage.laplace(np.asarray(Image.fromarray(pixels).convert("L"), np.float32)).var())


def reblur(pixels: Pixels) -> float:
    """The share of the variation that a blur of nine pixels takes, the lesser of both axes: higher is sharper."""
    grey = np.asarray(Image.fromarray(pixels).convert("L"), np.float32)
    found = []
    for axis in (0, 1):
        before = np.abs(np.diff(grey, axis=axis))
        after = np.abs(np.diff(ndimage.uniform_filter1d(grey, 9, axis=axis), axis=axis))
        found.append(float(np.maximum(before - after, 0).sum() / max(float(before.sum()), 1e-6)))
    return min(found)


def cleanvision_scores(pictures: list[Pixels]) -> list[float] | None:
    """What cleanvision says, higher is sharper; None where it is not installed."""
    try:
        from cleanvision import Imagelab
    except ImportError:
        return None
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{number:05d}.png") for number in range(len(pictures))]
        for path, pixels in zip(paths, pictures, strict=True):
            Image.fromarray(pixels).save(path, compress_level=1)
        lab = Imagelab(filepaths=paths)
        lab.find_issues({"blurry": {}}, n_jobs=1, verbose=False)
        return [float(lab.issues.loc[path, "blurry_score"]) for path in paths]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of pristine photographs")
    parser.add_argument("--split", choices=("train", "val", "test", "all"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=4321)
    given = parser.parse_args(arguments)
    split: str = given.split or ("test" if (Path(given.data) / "manifest.csv").is_file() else "all")
    photos = [photo for photo in read_photos(given.data, kinds=("lossless",)) if split in ("all", photo.split)]
    metric = load_metric("sharpness")
    pictures: list[Pixels] = []
    kinds: list[str] = []
    scores: dict[str, list[float]] = {"sharpness": [], "Laplacian variance": [], "re-blur ratio": []}
    for number, photo in enumerate(tqdm(photos, unit="photo", leave=False)):
        for repeat in range(given.repeats):
            for index, kind in enumerate(KINDS):
                pixels = make(np.random.default_rng([given.seed, number, repeat, index]), photo.pixels(), kind)
                pictures.append(pixels)
                kinds.append(kind)
                fields = metric.score_view(View(LoadedImage.from_array(pixels)))
                sure = float(fields["confidence"] or 0) >= 0.5  # what can't be told counts as sharp, as in the filter
                scores["sharpness"].append(-float(fields["blur"] or 0) if sure else 0.0)
                scores["Laplacian variance"].append(laplacian(pixels))
                scores["re-blur ratio"].append(reblur(pixels))
    told = cleanvision_scores(pictures)
    if told is not None:
        scores["cleanvision"] = told
    names = np.array(kinds)
    print(f"{len(photos)} photographs ({split}), {len(kinds)} pictures\n")
    print("| score | AUC | sharp kept | soft background kept |\n|---|---|---|---|")
    for name, found in scores.items():
        values = np.array(found)
        blurry = values[names == "blurred"]
        limit = np.quantile(blurry, 0.96)
        shares = [100 * float(np.mean(values[names == kind] > limit)) for kind in KINDS[:2]]
        print(f"| {name} | {auc(values[names != 'blurred'], blurry):.3f} | {shares[0]:.0f} % | {shares[1]:.0f} % |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
