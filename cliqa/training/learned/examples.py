"""Rows of traces for the fit, and whole pictures under known conditions for measuring, from the outputs and from photographs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.images.patches import PATCH, Tiles
from cliqa.metrics.scale_factor import LEARNED_TILES, READ_TILES
from cliqa.signal.resampling.network_traces import WIDTH, network_traces
from cliqa.training.examples import Example
from cliqa.training.histories.picture import Picture, Pixels, Rng
from cliqa.training.learned.outputs import Output, read_outputs
from cliqa.training.learned.scenes import CONDITIONS, OTHERWISE, finished, make_scene, under
from cliqa.training.photos import Split

COPIES = 2  # finishes of a picture that no network enlarged: making it is the dear part
BY_NETWORK = OTHERWISE.index("denoised by a network")


@lru_cache(maxsize=2)
def _outputs(folder: str) -> dict[Split, list[Output]]:
    found: dict[Split, list[Output]] = {}
    for each in read_outputs(Path(folder)):
        found.setdefault(each.split, []).append(each)
    return found


@lru_cache(maxsize=8)
def enlarged_by(folder: str, split: Split) -> dict[str, list[Output]]:
    """Outputs of upscalers, by family."""
    found: dict[str, list[Output]] = {}
    for each in _outputs(folder).get(split, []):
        if each.scale > 1:
            found.setdefault(each.family, []).append(each)
    return found


@lru_cache(maxsize=8)
def denoised_by(folder: str, split: Split) -> list[Output]:
    """Outputs of networks that only denoise."""
    return [each for each in _outputs(folder).get(split, []) if each.scale == 1]


def make_example(
    rng: Rng, index: int, *, photos: str, outputs: str, split: Split, seed: int, reduced: bool = False
) -> Example:
    """Traces of one tile, with the pattern of some of its picture's tiles; even numbers are pictures that a network enlarged.

    `family` is its place among the sorted names, or -1. With `reduced` all of them are reduced afterwards.
    """
    families = enlarged_by(outputs, split)
    if index % 2 == 0:
        number = int(rng.integers(len(families)))
        members = families[sorted(families)[number]]
        pixels, family = members[int(rng.integers(len(members)))].pixels, number
    else:
        pixels, family = _other(photos, outputs, split, seed, index // 2 // COPIES), -1
    turned = np.rot90(pixels, int(rng.integers(4))) if rng.random() < 0.5 else pixels
    picture = finished(rng, Picture(np.ascontiguousarray(turned)), PATCH, reduced).pixels
    tiles = Tiles(Image.fromarray(picture)).with_corner(LEARNED_TILES)
    seen = rng.permutation(len(tiles))[: int(rng.integers(1, len(tiles) + 1))]
    return {
        "traces": network_traces(tiles[seen], read=1)[0],
        "label": np.array(family >= 0, np.float32),
        "family": np.array(family),
    }


@lru_cache(maxsize=1)
def _other(photos: str, outputs: str, split: Split, seed: int, number: int) -> Pixels:
    rng = np.random.default_rng([seed, 0x0E4, number])
    return other_picture(rng, photos, outputs, split, int(rng.choice((192, 256))), "")[0]


def other_picture(rng: Rng, photos: str, outputs: str, split: Split, side: int, how: str) -> tuple[Pixels, str]:
    """A picture that no network enlarged, of kind `how` (by its share where empty), and its kind."""
    (pixels, found), *_ = make_scene(rng, photos, split, side, int(rng.choice((2, 3, 4))), 1, how).others
    denoised = denoised_by(outputs, split)
    if found == OTHERWISE[BY_NETWORK] and denoised:
        pixels = denoised[int(rng.integers(len(denoised)))].pixels
    return pixels, found


def picture_traces(pixels: Pixels) -> tuple[NDArray[np.float32], int]:
    """Traces as the metric reads them, filled up to their greatest number of rows, and how many rows there are."""
    tiles = Tiles(Image.fromarray(pixels)).with_corner(LEARNED_TILES)
    rows = network_traces(tiles, READ_TILES)
    found = np.zeros((READ_TILES, WIDTH), np.float32)
    found[: len(rows)] = rows
    return found, len(rows)


def make_picture(rng: Rng, index: int, *, photos: str, outputs: str, split: Split, seed: int, pairs: int) -> Example:
    """One whole picture under every condition. The first 2 * `pairs` are outputs, each beside another picture of its scene and save.

    `name` is the output's place among `outputs_of`, -1 where no network enlarged; `how` the place in `OTHERWISE`, or -1.
    """
    made = outputs_of(outputs, split)
    scene, name, how = index // 2, -1, ""
    if index < 2 * pairs and index % 2 == 0:
        pixels, name = made[scene].pixels, scene
    elif index < 2 * pairs:  # the same photograph, and the same history before it was enlarged
        how = OTHERWISE[scene % len(OTHERWISE)]
        own = np.random.default_rng(made[scene].seed)
        side = len(made[scene].pixels)
        pixels = make_scene(own, photos, split, side, made[scene].scale, 1, how).others[0][0]
        denoised = denoised_by(outputs, split)
        if how == OTHERWISE[BY_NETWORK] and denoised:
            pixels = denoised[scene % len(denoised)].pixels
    else:
        pixels, how = other_picture(rng, photos, outputs, split, 256, OTHERWISE[index % len(OTHERWISE)])
    traces = np.zeros((len(CONDITIONS), READ_TILES, WIDTH), np.float32)
    counts = np.zeros(len(CONDITIONS), np.int32)
    for place, condition in enumerate(CONDITIONS):
        save = np.random.default_rng([seed, scene, place])  # alike for both of a pair
        traces[place], counts[place] = picture_traces(under(condition, save, pixels))
    kind = OTHERWISE.index(how) if how else -1
    return {"traces": traces, "counts": counts, "name": np.array(name), "how": np.array(kind)}


def outputs_of(folder: str, split: Split) -> list[Output]:
    """All outputs of upscalers of a split, in order."""
    return [each for members in enlarged_by(folder, split).values() for each in members]
