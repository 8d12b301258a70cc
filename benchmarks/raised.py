"""What enlarging by networks and smoothing do to the perceptual scores, which neither may raise: `python benchmarks/raised.py`.

    python benchmarks/raised.py --data photos/ --outputs runs/grepq/outputs [--split test]

`outputs` is the folder that the recipes of `grepq` and `learned` fill. Of each output the picture that the network was given is made
again; both are scored, and so is that picture enlarged as far by Pillow's bicubic kernel. Then photographs of the split, never
compressed, whole against smoothed by several filters. Prints the share of pairs whose second is scored higher than the first.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cliqa.images.loading import LoadedImage
from cliqa.metrics import View, load_metric
from cliqa.training.learned.outputs import read_outputs
from cliqa.training.learned.scenes import make_scene
from cliqa.training.photos import read_photos

Pixels = NDArray[np.uint8]
SCORES = ("quality", "q")
LONG_SIDE = 768


def _median(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.MedianFilter(3)))


def _bilateral(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.bilateralFilter(pixels, 7, 25, 2.5), np.uint8)


def _nonlocal(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.fastNlMeansDenoisingColored(pixels, None, 5, 5, 7, 21), np.uint8)


def _guided(pixels: Pixels) -> Pixels:
    """He, Sun and Tang's guided filter by itself (2010), radius 4, epsilon 0.002."""
    x = pixels.astype(np.float32) / 255
    mean, square = cv2.blur(x, (9, 9)), cv2.blur(x * x, (9, 9))
    variance = square - mean * mean
    slope = variance / (variance + 0.002)
    found = cv2.blur(slope, (9, 9)) * x + cv2.blur(mean - slope * mean, (9, 9))
    return np.clip(np.rint(255 * found), 0, 255).astype(np.uint8)


def _detail_kept(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.edgePreservingFilter(pixels, flags=1, sigma_s=10, sigma_r=0.15), np.uint8)


SMOOTHERS: dict[str, Callable[[Pixels], Pixels]] = {
    "median of 3x3": _median, "bilateral": _bilateral, "non-local means": _nonlocal, "guided": _guided,
    "edge-preserving": _detail_kept,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--outputs", type=Path, help="folder of what networks made")
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--most", type=int, default=200, help="outputs, and photographs a filter")
    parser.add_argument("--checkpoint", help="other weights of grepq")
    given = parser.parse_args(arguments)
    metric = load_metric("grepq", given.checkpoint)

    def scored(pixels: Pixels) -> list[float]:
        fields = metric.score_view(View(LoadedImage.from_array(np.ascontiguousarray(pixels))))
        return [float(fields[name] or 0) for name in SCORES]

    print(f"share scored higher: {', '.join(SCORES)}")
    if given.outputs:
        made = [each for each in read_outputs(given.outputs) if each.split == given.split and each.scale > 1]
        rows, families = [], []
        for each in made[:: max(1, len(made) // given.most)]:
            rng = np.random.default_rng(each.seed)
            small = make_scene(rng, str(given.data), each.split, len(each.pixels), each.scale, 0).small
            size = (each.pixels.shape[1], each.pixels.shape[0])
            plain = np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BICUBIC))
            rows.append([scored(small), scored(each.pixels), scored(plain)])
            families.append(each.family)
        found = np.array(rows)
        _line("enlarged by networks, against what they were given", found[:, 0], found[:, 1])
        for family in sorted(set(families)):
            mine = np.array(families) == family
            _line(f"  {family}", found[mine, 0], found[mine, 1])
        _line("enlarged by networks, against the bicubic kernel", found[:, 2], found[:, 1])
        _line("enlarged by the bicubic kernel, against what was given", found[:, 0], found[:, 2])
    photos = read_photos(given.data, given.split, ("lossless",))[: given.most]
    whole: list[list[float]] = []
    smooth: dict[str, list[list[float]]] = {name: [] for name in SMOOTHERS}
    for photo in photos:
        picture = Image.fromarray(photo.pixels())
        picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.BICUBIC)
        pixels = np.asarray(picture)
        whole.append(scored(pixels))
        for name, smoother in SMOOTHERS.items():
            smooth[name].append(scored(smoother(pixels)))
    for name, smoothed in smooth.items():
        _line(f"smoothed, {name}", np.array(whole), np.array(smoothed))
    _line(
        "smoothed, all",
        np.concatenate([np.array(whole)] * len(smooth)),
        np.concatenate([*map(np.array, smooth.values())]),
    )


def _line(title: str, first: NDArray[np.float64], second: NDArray[np.float64]) -> None:
    shares = "  ".join(f"{100 * value:3.0f} %" for value in (second > first).mean(axis=0))
    print(f"{title:58s} {len(first):4d}  {shares}", flush=True)


if __name__ == "__main__":
    main()
