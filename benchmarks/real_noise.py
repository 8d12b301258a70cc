"""Real camera noise: pairs of a noisy shot and the mean of many shots of the same scene.

    python benchmarks/real_noise.py --pairs FOLDER

A pair is `<name><NOISY><suffix>` and `<name><CLEAN><suffix>`; the defaults fit the PolyU Real-World Noisy Images Dataset
(J. Xu, H. Li, Z. Liang, D. Zhang, L. Zhang, 2018: 100 crops of JPEGs of five cameras).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from cliqa.images import load_image
from cliqa.metrics import View, load_metric
from cliqa.signal.psnr import grey_psnr
from cliqa.training.ordinal_scores import spearman


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True, help="folder of pairs")
    parser.add_argument("--noisy", default="_real", help="what ends the name of a noisy shot")
    parser.add_argument("--clean", default="_mean", help="what ends the name of the mean of many")
    given = parser.parse_args()
    metric = load_metric("grain_noise")
    rows = []
    for noisy in sorted(given.pairs.glob(f"*{given.noisy}.*")):
        clean = noisy.with_name(noisy.stem.removesuffix(given.noisy) + given.clean + noisy.suffix)
        images = [load_image(noisy), load_image(clean)]
        found = [float(metric.score_view(View(image))["psnr"] or 0) for image in images]
        rows.append((*found, grey_psnr(images[1].pixels, images[0].pixels)))
    if not rows:
        print(f"no pairs in {given.pairs}", file=sys.stderr)
        return 1
    noisy_score, clean_score, truth = np.array(rows).T
    print(f"{len(rows)} pairs, measured PSNR {truth.min():.1f}-{truth.max():.1f} dB")
    print(f"noisy below clean: {100 * np.mean(noisy_score < clean_score):.1f} % (bar: 95)")
    print(f"Spearman of the noisy shots with the measured PSNR: {spearman(noisy_score, truth):.3f} (bar: 0.6)")
    print(f"mean absolute error of the noisy shots: {np.abs(noisy_score - truth).mean():.2f} dB")
    print(f"means of many: median {np.median(clean_score):.1f} dB, below 40 dB {100 * np.mean(clean_score < 40):.0f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
