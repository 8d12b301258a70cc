"""Frames: photographs as they are, and as a camera would have taken them with more or less light.

The faults of `cliqa.training.exposure.faults` are measured ones, of which clipped highlights alone are no excess of light. A real frame
that got too much of it is clipped, or pale below white, and bright at once. Only its brightness and its clipping are labelled.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.training.examples import Example
from cliqa.training.exposure import faults
from cliqa.training.exposure.camera_curves import expose_as_camera
from cliqa.training.exposure.examples import Sources, afterwards, crop, draw_original, statistics

AS_IT_IS, DEVELOPED, MORE_LIGHT = 0.35, 0.15, 0.30  # shares of the frames; the rest has less light
LITTLE = (-0.4, 0.3)  # EV of those that are only developed: no fault
LEAST_EV, MOST_EV = 0.8, 3.0
UNCERTAINTY = 0.35  # of a level, either way: photographs differ in what they had to spare
GOOD_SNAPSHOT = 0.6  # mean opinion, 0-1, from which a snapshot counts as well taken
# Luma (0-255) that the 99th percentile and the median of such a snapshot keep to: neither over- nor under-exposed by its own tones
NOT_WHITE, MIDDLING = 250, (45, 175)


def make_frame(sources: Sources, rng: np.random.Generator, index: int) -> Example:
    """One frame of a well-exposed photograph: `tones` and `severity` (6,), nan where nothing is known."""
    original = draw_original(rng, sources)
    return _frame(original, rng, known=True)


def make_snapshot_frame(folder: Path, rng: np.random.Generator, index: int) -> Example:
    """One frame of a snapshot that people rated well: phones, plain light, noise. As it is, only its brightness is known."""
    paths = good_snapshots(folder)
    image = Image.open(paths[rng.integers(len(paths))]).convert("RGB")
    return _frame(crop(rng, image, 0.5), rng, known=False)


def _frame(original: NDArray[np.uint8], rng: np.random.Generator, known: bool) -> Example:
    kind, pixels = rng.random(), original
    severity = np.full(6, 1.0 if known else np.nan)
    severity[faults.BRIGHT] = 1.0
    if kind >= AS_IT_IS:
        ev = float(rng.uniform(*LITTLE))
        if kind >= AS_IT_IS + DEVELOPED:
            ev = float(rng.uniform(LEAST_EV, MOST_EV)) * (1 if kind < AS_IT_IS + DEVELOPED + MORE_LIGHT else -1)
        picture = faults.start(original, rng, rng.random() < 0.5)
        expose_as_camera(picture, ev, rng)
        pixels = faults.finish(picture)
        severity[:] = np.nan
        severity[faults.BRIGHT] = faults.severity(faults.BRIGHT, max(ev, 0.0))
        severity[faults.DARK] = faults.severity(faults.DARK, max(-ev, 0.0))
        severity[faults.CLIPPED] = picture.severities[faults.CLIPPED]
    return {"tones": statistics(afterwards(rng, pixels)), "severity": severity.astype(np.float32)}


@lru_cache(maxsize=1)
def good_snapshots(folder: Path) -> list[Path]:
    """Snapshots of the rated set's first two subsets that people rated well, and whose tones reach neither end."""
    with open(folder / "Train (Images and MOS).csv", newline="", encoding="utf-8") as stream:
        rows = [row for row in list(csv.reader(stream))[1:] if row[0].startswith(("ss01", "ss02"))]
    found = []
    for name in sorted(row[0] for row in rows if float(row[1]) >= GOOD_SNAPSHOT):
        path = folder / "Images" / name
        if not path.is_file():
            continue
        with Image.open(path) as image:
            image.draft("L", (64, 64))
            median, high = np.percentile(np.asarray(image.convert("L")), [50, 99])
        if high < NOT_WHITE and MIDDLING[0] < median < MIDDLING[1]:
            found.append(path)
    return found
