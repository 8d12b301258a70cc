"""Pictures with a known history of lossy saves, and the SSIMULACRA 2 that the history left of them.

The picture starts uncompressed; whatever happens besides saving (a crop, a resize, sharpening, a tone curve, a turn) happens to
its uncompressed twin too, and the target is the fidelity between the two at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from cliqa.images.patches import PATCH, Tiles
from cliqa.signal.compression.codecs import CODECS
from cliqa.training.compression.encoders import Save, draw_save
from cliqa.training.compression.fidelity import fidelity
from cliqa.training.compression.screens import drawing, screen_source
from cliqa.training.examples import Example
from cliqa.training.jpeg.histories import edit, source
from cliqa.training.photos import Split

Pixels = NDArray[np.uint8]
Change = Callable[[Pixels], Pixels]
Source = Callable[[np.random.Generator, Path, Split, int], Pixels]

SCENARIOS = {"none": 0.18, "plain": 0.36, "resaved": 0.26, "resized": 0.14, "changed": 0.06}
SCREEN_SCENARIOS = {"none": 0.6, "plain": 0.25, "resaved": 0.08, "resized": 0.05, "changed": 0.02}
SIDES = {520: 0.15, 456: 0.15, 400: 0.5, 272: 0.15, 150: 0.05}
TILES = 8
HEAD = 8192  # bytes of a file that are kept, for its header
SMALLEST = 96  # pixels a side that a resize leaves


@dataclass(frozen=True)
class History:
    """`now` is the picture at the end, `target` its fidelity 0-100, `codec` the one that took most, `file` the last save's bytes."""

    scenario: str
    now: Pixels
    target: float
    codec: str
    encoder: str
    quality: float
    file: bytes


def draw_history(
    rng: np.random.Generator, folder: Path, split: Split, shares: dict[str, float], pictures: Source
) -> History:
    """One picture of a random scenario; `shares` says how often each is, `pictures` where the uncompressed ones come from."""
    scenario = str(rng.choice(list(shares), p=list(shares.values())))
    side = int(rng.choice(list(SIDES), p=list(SIDES.values())))
    original = pictures(rng, folder, split, side)
    if rng.random() < (0.35 if scenario == "none" else 0.2):
        original = edit(rng, original)
    if scenario == "none":
        for draw in (draw_resize, draw_change):
            if rng.random() < 0.3:
                original = draw(rng)(original)
        return History(scenario, original, 100.0, "none", "", 0.0, b"")
    first = draw_save(rng, original)
    original = _cut(original, first.pixels)
    if scenario == "plain":
        return _history(scenario, original, [(first, original)], first.pixels, first.data)
    change = (
        draw_resize(rng) if scenario == "resized" else draw_change(rng) if scenario == "changed" else draw_crop(rng)
    )
    if scenario == "resaved" and rng.random() < 0.5:
        change = _same
    twin, now = change(original), change(first.pixels)
    if scenario == "resaved" or rng.random() < 0.3:
        low = 0.0 if scenario == "resaved" and rng.random() < 0.35 else 0.6
        again = draw_save(
            rng, now, codec="jpeg" if rng.random() < 0.4 else "", low=low
        )  # most files are saved again as JPEG
        twin, now = _cut(twin, again.pixels), _cut(now, again.pixels)
        return _history(scenario, twin, [(first, original), (again, now)], again.pixels, again.data)
    return _history(scenario, twin, [(first, original)], now, b"")


def _history(scenario: str, twin: Pixels, saves: list[tuple[Save, Pixels]], now: Pixels, file: bytes) -> History:
    """`saves` holds each save and the pixels that it was given: the one that changed them most names the codec."""
    target = fidelity(twin, now)
    strongest = max(saves, key=lambda pair: _squared_error(pair[1], pair[0].pixels))[0]
    return History(
        scenario, now, float(np.clip(target, 0, 100)), strongest.codec, strongest.encoder, strongest.quality, file
    )


def _squared_error(first: Pixels, second: Pixels) -> float:
    return float(np.square(first.astype(np.float32) - second).mean())


def _cut(pixels: Pixels, like: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[: like.shape[0], : like.shape[1]])


def _same(pixels: Pixels) -> Pixels:
    return pixels


def draw_crop(rng: np.random.Generator) -> Change:
    """Cuts up to 63 pixels off the left and the top, mostly few."""
    x, y = (int(value) for value in (rng.integers(0, 16, 2) if rng.random() < 0.7 else rng.integers(0, 64, 2)))
    return lambda pixels: np.ascontiguousarray(pixels[min(y, len(pixels) // 3) :, min(x, pixels.shape[1] // 3) :])


def draw_resize(rng: np.random.Generator) -> Change:
    """A resize by up to a third, smaller (more often) or larger, by the kernels of Pillow and OpenCV."""
    factor = float(rng.uniform(0.667, 1.0) if rng.random() < 0.65 else rng.uniform(1.0, 1.334))
    kernel = int(rng.integers(8))

    def resized(pixels: Pixels) -> Pixels:
        width, height = (max(SMALLEST, round(length * factor)) for length in (pixels.shape[1], pixels.shape[0]))
        if kernel < 5:
            names = ("LANCZOS", "BICUBIC", "BILINEAR", "BOX", "HAMMING")
            found = Image.fromarray(pixels).resize((width, height), Image.Resampling[names[kernel]])
            return np.asarray(found)
        import cv2

        flag = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)[kernel - 5]
        return np.asarray(cv2.resize(pixels, (width, height), interpolation=flag), dtype=np.uint8)

    return resized


def draw_change(rng: np.random.Generator) -> Change:
    """What editors do to every picture: sharpen, another tone curve, more or less colour, mirrored, turned by 90 degrees."""
    kind, amount = int(rng.integers(6)), float(rng.uniform())

    def changed(pixels: Pixels) -> Pixels:
        image = Image.fromarray(pixels)
        if kind == 0:
            return np.asarray(image.filter(ImageFilter.UnsharpMask(0.7 + amount, 40 + int(120 * amount), 0)))
        if kind == 1:
            table = np.clip(np.rint(255 * (np.arange(256) / 255) ** (0.65 + 0.9 * amount)), 0, 255).astype(np.uint8)
            found: Pixels = table[pixels]
            return found
        if kind == 2:
            return np.asarray(ImageEnhance.Contrast(image).enhance(0.75 + 0.6 * amount))
        if kind == 3:
            return np.asarray(ImageEnhance.Color(image).enhance(0.3 + 1.2 * amount))
        if kind == 4:
            return np.ascontiguousarray(pixels[:, ::-1] if amount < 0.6 else pixels[::-1])
        return np.ascontiguousarray(np.rot90(pixels, 1 if amount < 0.5 else 3))

    return changed


def make_example(folder: Path, split: Split, rng: np.random.Generator, index: int) -> Example:
    """Tiles of one history, as it is and cropped off its grid, with the truth.

    `tiles` is uint8 (2, 8, 3, 128, 128) and `counts` says how many of each eight there are; `head` holds the first bytes of the
    file, `sizes` its length and the picture's height and width (zeros where there is no file).
    """
    return _example(rng, draw_history(rng, folder, split, SCENARIOS, source))


def make_screen_example(folder: Path, split: Split, rng: np.random.Generator, index: int) -> Example:
    """As `make_example`, of a screen or a drawing, mostly never saved: what flat colour and thin lines are without a codec."""
    return _example(rng, draw_history(rng, folder, split, SCREEN_SCENARIOS, _screen_or_drawing))


def _screen_or_drawing(rng: np.random.Generator, folder: Path, split: Split, side: int) -> Pixels:
    return screen_source(rng, folder, split, side) if rng.random() < 0.6 else drawing(rng, folder, split, side)


def _example(rng: np.random.Generator, history: History) -> Example:
    tiles = np.zeros((2, TILES, 3, PATCH, PATCH), np.uint8)
    counts = np.zeros(2, np.int8)
    for number, pixels in enumerate((history.now, draw_crop(rng)(history.now))):
        found = Tiles(Image.fromarray(pixels)).spread(TILES)
        tiles[number, : len(found)], counts[number] = found, len(found)
    head = np.zeros(HEAD, np.uint8)
    start = np.frombuffer(history.file[:HEAD], np.uint8)
    head[: len(start)] = start
    return {
        "tiles": tiles,
        "counts": counts,
        "head": head,
        "sizes": np.array([len(history.file), *history.now.shape[:2]], np.int64),
        "target": np.float32(history.target)[None],
        "codec": np.array(CODECS.index(history.codec), np.int8),
        "quality": np.array(history.quality, np.float32),
        "scenario": np.array(history.scenario, "U8"),
        "encoder": np.array(history.encoder[:32], "U32"),
    }
