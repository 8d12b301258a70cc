"""`python -m cliqa.training.grepq.distorted_versions PHOTOS -o VERSIONS`: the data that GRepQ's low-level encoder learns from.

One folder per photograph, in it `original.png` and the distorted versions, `<distortion>.png`. A folder made elsewhere in this
layout (any names; the one called `original`, or the first in alphabetical order, is taken for the original) is read alike.
Needs OpenCV.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from cliqa.errors import CliqaError, UsageError
from cliqa.images.loading import load_image
from cliqa.inputs.folders import IMAGE_SUFFIXES
from cliqa.training.photos import read_photos
from cliqa.training.severity import DISTORTIONS

LONG_SIDE = 512


def make_versions(
    photos: str | os.PathLike[str], out: str | os.PathLike[str], versions: int, seed: int, limit: int | None = None
) -> int:
    """Write a folder for every training photograph that has none yet; returns how many there are."""
    root, made = Path(out), 0
    chosen = read_photos(photos, "train", ("lossless", "camera"))
    order = np.random.default_rng(seed).permutation(len(chosen))[:limit]
    for number, photo in ((int(index), chosen[index]) for index in order):
        folder = root / f"{number:05d}-{photo.path.stem}"
        made += 1
        if folder.exists():
            continue
        rng = np.random.default_rng([seed, number])
        picture = Image.fromarray(photo.pixels())
        picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.BICUBIC)
        pixels = np.asarray(picture)
        part = folder.with_name(folder.name + ".part")
        part.mkdir(parents=True, exist_ok=True)
        picture.save(part / "original.png", compress_level=1)
        for name in rng.permutation(sorted(DISTORTIONS))[:versions]:
            damaged = DISTORTIONS[str(name)](pixels, float(rng.uniform(0.05, 1.0)), rng)
            Image.fromarray(damaged).save(part / f"{name}.png", compress_level=1)
        part.rename(folder)
    return made


def read_versions(folder: str | os.PathLike[str], fewest: int = 2) -> list[list[Path]]:
    """Per photograph, the paths of its versions, the original first; folders with `fewest` or more of them.

    Raises UsageError when there are none.
    """
    found = []
    for photograph in sorted(path for path in Path(folder).iterdir() if path.is_dir() and path.suffix != ".part"):
        files = sorted(path for path in photograph.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
        files.sort(key=lambda path: path.stem.lower() != "original")
        if len(files) >= fewest:
            found.append(files)
    if not found:
        raise UsageError(f"{folder} has no folders with an image and its distorted versions")
    return found


def fragments(
    pictures: Sequence[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]],
    rng: np.random.Generator,
    grid: int = 7,
    size: int = 32,
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A `grid` x `grid` mosaic of `size`-pixel fragments, one from each cell of the picture, at native resolution.

    All pictures (the versions of one photograph, equal in shape) are cut at the same places.

    Returns:
        uint8 (versions, grid * size, grid * size, 3).

    Raises:
        UsageError: the pictures differ in shape or are smaller than a fragment.
    """
    height, width = pictures[0].shape[:2]
    if any(picture.shape != pictures[0].shape for picture in pictures) or min(height, width) < size:
        raise UsageError(f"versions of one photograph must be equal in size and at least {size} pixels a side")
    out = np.empty((len(pictures), grid * size, grid * size, 3), dtype=np.uint8)
    for row in range(grid):
        for column in range(grid):
            y, x = (_place(rng, cell, grid, length, size) for cell, length in ((row, height), (column, width)))
            for version, picture in enumerate(pictures):
                target = out[version, row * size : (row + 1) * size, column * size : (column + 1) * size]
                target[...] = picture[y : y + size, x : x + size]
    return out


def _place(rng: np.random.Generator, cell: int, grid: int, length: int, size: int) -> int:
    """Where a fragment starts: anywhere in its cell, or as near as the picture allows."""
    first, last = cell * length // grid, (cell + 1) * length // grid - size
    return min(int(rng.integers(first, max(first, last) + 1)), length - size)


def load_versions(paths: Sequence[Path]) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """Decoded versions of one photograph."""
    return [load_image(path).pixels for path in paths]


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m cliqa.training.grepq.distorted_versions", description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )  # fmt: skip
    parser.add_argument("photos", help="folder of photographs")
    parser.add_argument("-o", "--output", required=True, help="folder for the folders of versions")
    parser.add_argument("--versions", type=int, default=8, help="distorted versions of each photograph")
    parser.add_argument("--limit", type=int, help="use this many photographs, chosen at random")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Make the data; returns the exit status."""
    given = build_parser().parse_args(arguments)
    try:
        made = make_versions(given.photos, given.output, given.versions, given.seed, given.limit)
    except CliqaError as error:
        print(f"distorted_versions: {error}", file=sys.stderr)
        return error.exit_status
    print(f"{made} photographs in {given.output}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
