"""Real camera noise: pairs of a noisy shot and the mean of many shots of the same scene.

    python benchmarks/real_noise.py --pairs FOLDER
    python benchmarks/real_noise.py --pairs CC_60NoisyImage --means CC_60MeanImage --noisy Noisy --clean Mean

The mean's file has the noisy shot's name with `--clean` in place of `--noisy`. The defaults fit the PolyU Real-World Noisy Images
Dataset (J. Xu, H. Li, Z. Liang, D. Zhang, L. Zhang, 2018: 100 crops of JPEGs of five cameras, saved as JPEG again); the second command
fits sixty of the crops, saved as PNG, of S. Nam, Y. Hwang, Y. Matsushita, S. J. Kim (CVPR 2016: three cameras).

What is measured between such files is not noise alone: the scene may have moved, and its brightness changed, between the shots.
Both are fitted to the whole crop, and what is then left is reported beside the plain PSNR.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliqa.images.loading import load_image
from cliqa.metrics import View, load_metric
from cliqa.signal.noise.psnr import grey, grey_psnr
from cliqa.training.ordinal_scores import spearman

BORDER = 8  # pixels left out where slopes are taken


def aligned(clean: NDArray[np.uint8], noisy: NDArray[np.uint8]) -> tuple[float, float]:
    """(PSNR in dB, pixels moved) after least squares of the difference over brightness, its square and the two slopes."""
    base, other = (grey(pixels).astype(np.float64) for pixels in (clean, noisy))
    down, right = (np.asarray(np.gradient(base, axis=axis)) for axis in (0, 1))
    inside = slice(BORDER, -BORDER)
    known = [np.ones_like(base), base, base * base / 255, down, right]
    columns = np.stack([values[inside, inside].ravel() for values in known], axis=1)
    difference = (other - base)[inside, inside].ravel()
    weights = np.asarray(np.linalg.lstsq(columns, difference, rcond=None)[0])
    left = float(np.mean(np.square(difference - columns @ weights)))
    return 10 * np.log10(255**2 / max(left, 1e-6)), float(np.hypot(*weights[3:]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--pairs", type=Path, required=True, help="folder of the noisy shots, and of the means if not apart"
    )
    parser.add_argument("--means", type=Path, help="folder of the means of many (default: that of --pairs)")
    parser.add_argument("--noisy", default="_real", help="text that marks the name of a noisy shot")
    parser.add_argument("--clean", default="_mean", help="text in its place in the name of the mean of many")
    given = parser.parse_args()
    metric = load_metric("grain_noise")
    rows = []
    for noisy in sorted(given.pairs.glob(f"*{given.noisy}*")):
        clean = (given.means or given.pairs) / noisy.name.replace(given.noisy, given.clean)
        if not clean.exists():
            print(f"{noisy}: there is no {clean}", file=sys.stderr)
            return 1
        images = [load_image(noisy), load_image(clean)]
        if images[0].pixels.shape != images[1].pixels.shape:
            print(f"{noisy} and {clean} are of different sizes", file=sys.stderr)
            return 1
        found = [float(metric.score_view(View(image))["psnr"] or 0) for image in images]
        truth = grey_psnr(images[1].pixels, images[0].pixels)
        rows.append((*found, truth, *aligned(images[1].pixels, images[0].pixels)))
    if not rows:
        print(f"no pairs in {given.pairs}", file=sys.stderr)
        return 1
    noisy_score, clean_score, truth, still, moved = np.array(rows).T
    print(
        f"{len(rows)} pairs, measured PSNR {truth.min():.1f}-{truth.max():.1f} dB, moved {np.median(moved):.2f} pixels (median)"
    )
    print(f"noisy below clean: {100 * np.mean(noisy_score < clean_score):.1f} % (bar: 95)")
    print(f"Spearman of the noisy shots with the measured PSNR: {spearman(noisy_score, truth):.3f} (bar: 0.6)")
    print(f"the same, movement and brightness fitted out: {spearman(noisy_score, still):.3f}")
    error, rest = noisy_score - truth, noisy_score - still
    print(
        f"noisy shots: mean absolute error {np.abs(error).mean():.2f} dB, mean error {error.mean():+.2f} ({rest.mean():+.2f} fitted)"
    )
    print(f"means of many: median {np.median(clean_score):.1f} dB, below 40 dB {100 * np.mean(clean_score < 40):.0f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
