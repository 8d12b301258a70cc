"""Low light for the exposure metric: pictures as if taken in too little light, and snapshots that were.

Low light is no darkened photograph: lamps, windows and skies stay bright, the camera's curve lifts part of the loss, colours follow
the lamps, and the sensor's noise shows. What is labelled is the loss at the typical pixel; how much of it a viewer would call a fault
is not exact, so the label is a range.
"""

from __future__ import annotations

import csv
import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.signal.exposure.histogram_traces import linear_to_srgb, srgb_to_linear
from cliqa.training.examples import Example
from cliqa.training.exposure import faults
from cliqa.training.exposure.examples import Sources, draw_original, statistics

LEAST_LOSS, MOST_LOSS = 1.2, 4.5  # EV
LAMPS = 0.4  # share of pictures that light sources are added to
UNCERTAINTY = 0.35  # of a level, either way
FLOOR = 5e-4  # linear light below which a loss is not seen
DARK_MEDIAN, DARK_HIGHLIGHTS = 45, 120  # luma 0-255: a snapshot is dark below this median and this 95th percentile

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # BT.709
Pixels = NDArray[np.float64]


def _loss(rng: np.random.Generator, brightness: Pixels) -> Pixels:
    """EV lost by each pixel of a luminance (height, width): everywhere, less in bright parts, or more away from a spot."""
    ev = rng.uniform(LEAST_LOSS, MOST_LOSS)
    style = rng.choice(["power", "spared", "spot", "plain"])
    if style == "power":
        typical = float(np.clip(np.median(brightness), 0.02, 0.9))
        depth = np.log2(np.maximum(brightness, 1e-3)) / np.log2(typical)
        return np.asarray(ev * np.clip(depth, 0.0, 2.0))
    if style == "spared":
        edge = float(np.quantile(brightness, 1.0 - rng.uniform(0.003, 0.2)))
        near = np.clip((brightness - 0.8 * edge) / (0.25 * edge + 1e-3), 0.0, 1.0)
        return np.asarray(ev * (1.0 - near * rng.uniform(0.6, 1.0)))
    if style == "spot":
        rows, columns = _positions(brightness.shape)
        centre, reach = rng.uniform(0.1, 0.9, 2), rng.uniform(0.12, 0.35)
        distance = np.hypot(rows - centre[0], columns - centre[1])
        return np.asarray(ev * 1.2 * (1.0 - np.exp(-np.square(distance / reach) / 2.0)))
    return np.full_like(brightness, ev)


def _positions(shape: tuple[int, ...]) -> tuple[Pixels, Pixels]:
    """Rows (height, 1) and columns (1, width), 0-1."""
    rows, columns = (np.linspace(0.0, 1.0, extent, dtype=np.float64) for extent in shape[:2])
    return np.expand_dims(rows, 1), np.expand_dims(columns, 0)


def _add_lamps(rng: np.random.Generator, light: Pixels) -> Pixels:
    """One to eight light sources with their halos, added in linear light (height, width, 3)."""
    rows, columns = _positions(light.shape)
    result: Pixels = light.copy()
    for _ in range(int(rng.integers(1, 9))):
        row, column = rng.uniform(-0.05, 1.05, 2)
        square = np.square(rows - row) + np.square(columns - column)
        size, reach = rng.uniform(0.004, 0.04), rng.uniform(0.04, 0.25)
        colour = 2.0 ** (rng.uniform(-0.3, 1.2) * np.array([0.6, 0.0, -1.0]))
        core = rng.uniform(1.0, 6.0) * np.exp(-square / size**2)
        halo = rng.uniform(0.0, 0.08) * np.exp(-square / reach**2)
        result += (core + halo)[..., None] * colour
    return result


def low_light(rng: np.random.Generator, original: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """A picture as if taken in too little light, uint8 (height, width, 3), and its loss of light in EV at the median pixel.

    Lamps and the camera's curve (a power of u between 0.75 and 1.1) give some of it back; the loss counts what is left. Warm or cold
    light, shot and read noise, and a mosaic's lower resolution come with it.
    """
    light = srgb_to_linear(original / 255.0)
    loss = _loss(rng, light @ _LUMINANCE)
    tint = 2.0 ** (rng.normal(0.0, 0.25 if rng.random() < 0.7 else 0.8) * np.array([1.0, 0.0, -1.0]))
    dim = light * 2.0 ** -loss[..., None] * tint
    if rng.random() < LAMPS:
        dim = _add_lamps(rng, dim)
    dim = np.minimum(dim, 1.0)
    dim = dim + rng.normal(0.0, 1.0, dim.shape) * np.sqrt(dim * rng.uniform(0.0, 2e-3) + rng.uniform(0.0, 3e-3) ** 2)
    u = linear_to_srgb(np.clip(dim, 0.0, 1.0)) ** (rng.uniform(0.75, 1.1) if rng.random() < 0.5 else 1.0)
    left = srgb_to_linear(u) @ _LUMINANCE
    ev = float(np.median(np.log2((light @ _LUMINANCE + FLOOR) / (left + FLOOR))))
    image = Image.fromarray(np.rint(u * 255.0).astype(np.uint8))
    factor = rng.uniform(0.6, 1.0)
    image = image.resize((int(image.width * factor), int(image.height * factor)), Image.Resampling.BICUBIC)
    return np.asarray(_saved(rng, image)), ev


def _saved(rng: np.random.Generator, image: Image.Image) -> Image.Image:
    """As JPEG of quality 70-97, in seven of ten cases."""
    if rng.random() >= 0.7:
        return image
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=int(rng.integers(70, 98)))
    return Image.open(stream).convert("RGB")


def make_low_light(sources: Sources, rng: np.random.Generator, index: int) -> Example:
    """One picture in too little light; only its brightness is labelled, the other severities are nan."""
    pixels, ev = low_light(rng, draw_original(rng, sources))
    severity = np.full(6, np.nan, dtype=np.float32)
    severity[faults.BRIGHT], severity[faults.DARK] = 1.0, faults.severity(faults.DARK, max(ev, 0.0))
    return {"tones": statistics(pixels), "severity": severity}


@lru_cache(maxsize=1)
def dark_snapshots(folder: Path) -> list[Path]:
    """Snapshots of the rated set's first two subsets that are dark all over, by their own tones; no rating is read.

    A median of luma below `DARK_MEDIAN` and a 95th percentile below `DARK_HIGHLIGHTS`: no black background with a well-lit subject.
    """
    with open(folder / "Train (Images and MOS).csv", newline="", encoding="utf-8") as stream:
        names = sorted(row[0] for row in list(csv.reader(stream))[1:] if row[0].startswith(("ss01", "ss02")))
    found = []
    for name in names:
        path = folder / "Images" / name
        if not path.is_file():
            continue
        with Image.open(path) as image:
            image.draft("L", (64, 64))
            median, high = np.percentile(np.asarray(image.convert("L")), [50, 95])
        if median < DARK_MEDIAN and high < DARK_HIGHLIGHTS:
            found.append(path)
    return found


def make_dark_snapshot(folder: Path, rng: np.random.Generator, index: int) -> Example:
    """One dark snapshot, cropped, scaled and saved anew; how dark is not known, so its severity is nan but "not too bright"."""
    paths = dark_snapshots(folder)
    image = Image.open(paths[rng.integers(len(paths))]).convert("RGB")
    width, height = image.size
    part = rng.uniform(0.7, 1.0, 2)
    left, top = rng.uniform(0.0, 1.0, 2) * (1.0 - part) * (width, height)
    scale = rng.uniform(0.4, 1.0)
    image = image.resize(
        (max(96, int(width * part[0] * scale)), max(96, int(height * part[1] * scale))),
        Image.Resampling.BICUBIC, box=(left, top, left + part[0] * width, top + part[1] * height),
    )  # fmt: skip
    picture = faults.start(np.asarray(image))
    if rng.random() < 0.5:
        faults.expose(picture, float(rng.uniform(-1.0, 0.25)))
    image = Image.fromarray(faults.finish(picture))
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    severity = np.full(6, np.nan, dtype=np.float32)
    severity[faults.BRIGHT] = 1.0
    return {"tones": statistics(np.asarray(_saved(rng, image))), "severity": severity}
