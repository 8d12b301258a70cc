"""Pictures with a known history of lossy saves, and the SSIMULACRA 2 that the history left of them.

The picture starts uncompressed; whatever happens besides saving (a crop, a resize, sharpening, a tone curve, a turn) happens to
its lossless twin too, and the target is the fidelity between the two at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from cliqa.images.patches import PATCH, Tiles
from cliqa.signal.compression.codecs import CODECS
from cliqa.training.compression.fidelity import fidelity
from cliqa.training.compression.screens import drawing, screen_source
from cliqa.training.examples import Example
from cliqa.training.histories.draws import pick
from cliqa.training.histories.encoders import any_save
from cliqa.training.histories.filters import edited, retouched
from cliqa.training.histories.geometry import rescaled, trimmed
from cliqa.training.histories.graph import Step, in_order, one_of, sometimes
from cliqa.training.histories.picture import Picture, Pixels, Rng, Save
from cliqa.training.jpeg.sources import source
from cliqa.training.photos import Split

Source = Callable[[Rng, Path, Split, int], Pixels]

SCENARIOS = {"none": 0.18, "plain": 0.36, "resaved": 0.26, "resized": 0.14, "changed": 0.06}
SCREEN_SCENARIOS = {"none": 0.6, "plain": 0.25, "resaved": 0.08, "resized": 0.05, "changed": 0.02}
SIDES = {520: 0.15, 456: 0.15, 400: 0.5, 272: 0.15, 150: 0.05}
TILES = 8
HEAD = 8192  # bytes of a file that are kept, for its header


def _again(low: float) -> Step:
    return one_of({any_save("jpeg", low): 0.4, any_save("", low): 0.6})  # most files are saved again as JPEG


def _perhaps_trimmed(rng: Rng, picture: Picture) -> Picture:
    cut = trimmed(rng, picture)
    return picture if rng.random() < 0.5 else cut


HISTORIES = {
    "none": in_order(sometimes(0.3, rescaled), sometimes(0.3, retouched)),
    "plain": any_save(),
    "resaved": in_order(any_save(), _perhaps_trimmed, sometimes(0.35, _again(0.0), _again(0.6))),
    "resized": in_order(any_save(), rescaled, sometimes(0.3, _again(0.6))),
    "changed": in_order(any_save(), retouched, sometimes(0.3, _again(0.6))),
}


def draw_history(
    rng: Rng, folder: Path, split: Split, shares: dict[str, float], pictures: Source
) -> tuple[str, Picture]:
    """A random scenario and a picture of it; `shares` says how often each is, `pictures` where the uncompressed ones come from."""
    scenario = pick(rng, shares)
    picture = Picture(pictures(rng, folder, split, pick(rng, SIDES)))
    picture = sometimes(0.35 if scenario == "none" else 0.2, edited)(rng, picture)
    return scenario, HISTORIES[scenario](rng, replace(picture, lossless=picture.pixels))


def target_of(picture: Picture) -> float:
    """Fidelity 0-100 to its lossless twin."""
    if picture.lossless is None or not picture.saves:
        return 100.0
    return float(np.clip(fidelity(picture.lossless, picture.pixels), 0, 100))


def make_example(folder: Path, split: Split, rng: Rng, index: int) -> Example:
    """Tiles of one history, as it is and cropped off its grid, with the truth.

    `tiles` is uint8 (2, 8, 3, 128, 128) and `counts` says how many of each eight there are; `head` holds the first bytes of the
    file, `sizes` its length and the picture's height and width (zeros where there is no file).
    """
    return _example(rng, *draw_history(rng, folder, split, SCENARIOS, source))


def make_screen_example(folder: Path, split: Split, rng: Rng, index: int) -> Example:
    """As `make_example`, of a screen or a drawing, mostly never saved: what flat colour and thin lines are without a codec."""
    return _example(rng, *draw_history(rng, folder, split, SCREEN_SCENARIOS, _screen_or_drawing))


def _screen_or_drawing(rng: Rng, folder: Path, split: Split, side: int) -> Pixels:
    return screen_source(rng, folder, split, side) if rng.random() < 0.6 else drawing(rng, folder, split, side)


def _example(rng: Rng, scenario: str, picture: Picture) -> Example:
    tiles = np.zeros((2, TILES, 3, PATCH, PATCH), np.uint8)
    counts = np.zeros(2, np.int8)
    strongest = picture.strongest or Save("none", 0.0)
    for number, each in enumerate((picture, trimmed(rng, picture))):
        found = Tiles(Image.fromarray(each.pixels)).spread(TILES)
        tiles[number, : len(found)], counts[number] = found, len(found)
    head = np.zeros(HEAD, np.uint8)
    start = np.frombuffer(picture.file[:HEAD], np.uint8)
    head[: len(start)] = start
    return {
        "tiles": tiles,
        "counts": counts,
        "head": head,
        "sizes": np.array([len(picture.file), *picture.pixels.shape[:2]], np.int64),
        "target": np.float32(target_of(picture))[None],
        "codec": np.array(CODECS.index(strongest.codec), np.int8),
        "quality": np.array(strongest.quality, np.float32),
        "scenario": np.array(scenario, "U8"),
        "encoder": np.array(strongest.encoder[:32], "U32"),
    }
