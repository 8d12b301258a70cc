"""Where each metric stops seeing: the curves of `docs/accuracy.md`, measured on photographs and drawn.

    python docs/accuracy_picture.py --data photos/ --most 12

measures the curves of every panel on the folder's test photographs into `accuracy_picture.csv` beside this file, and draws them into
`accuracy.jpg`; without `--data` it draws what was measured before. A metric adds its panel to PANELS: a title, the words on
its axis, and a function that gives the share found (0-1) for each curve and place.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.images.loading import LoadedImage
from cliqa.metrics import View, load_metric
from cliqa.training import codecs
from cliqa.training.photos import read_photos

HERE = Path(__file__).parent
Pixels = NDArray[np.uint8]
Point = tuple[str, float, float]
"""Name of a curve, place on the axis, share found there."""
MOST = 800
"""Largest side after an enlargement."""


@dataclass(frozen=True)
class Panel:
    """One picture: its title, the words on its axis, and what measures it from photographs."""

    title: str
    axis: str
    measure: Callable[[Sequence[Pixels]], Iterator[Point]]


def save(pixels: Pixels, quality: int) -> Pixels:
    """Saved as JPEG and decoded."""
    return codecs.decode(codecs.encode_jpeg(np.ascontiguousarray(pixels), quality))


def _quality(pixels: Pixels) -> float:
    fields = load_metric("jpeg_quality").score_view(View(LoadedImage.from_array(np.ascontiguousarray(pixels))))
    return float(fields["quality"] or 0)


def second_saves(photos: Sequence[Pixels]) -> Iterator[Point]:
    """A first save at 50 or 75, moved by a crop, and a second one at a quality: read within 3 of the first."""
    for first in (50, 75):
        for second in range(first + 5, 100, 5):
            found = []
            for number, pixels in enumerate(photos):
                moved = save(pixels, first)[1 + number % 7 :, 2 + number % 5 :]
                found.append(abs(_quality(save(moved, second)) - first) <= 3)
            yield f"first save at {first}", second, float(np.mean(found))


STORES: dict[str, Callable[[Pixels], Pixels]] = {
    "PNG": lambda pixels: pixels,
    "JPEG 92": lambda pixels: save(pixels, 92),
    "WebP 90": lambda pixels: codecs.decode(codecs.encode_webp(pixels, 90)),
}


def resizes(photos: Sequence[Pixels]) -> Iterator[Point]:
    """Saves at 40-75, resized by one factor by bicubic, then stored: read within 3."""
    for factor in (0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.15, 1.5, 1.9):
        found: dict[str, list[bool]] = {name: [] for name in STORES}
        for number, pixels in enumerate(photos):
            first, limit = 40 + 35 * number // max(1, len(photos) - 1), int(MOST / max(factor, 1))
            saved = Image.fromarray(save(pixels[:limit, :limit], first))
            size = (round(saved.width * factor), round(saved.height * factor))
            resized = np.asarray(saved.resize(size, Image.Resampling.BICUBIC))
            for name, store in STORES.items():
                found[name].append(abs(_quality(store(resized)) - first) <= 3)
        for name, hits in found.items():
            yield name, factor, float(np.mean(hits))


PANELS = {
    "second save": Panel("jpeg_quality: an older save on another grid", "quality of the second save", second_saves),
    "resize": Panel("jpeg_quality: a save before a resize", "factor of the resize, then stored as", resizes),
}
CURVES, PICTURE = HERE / "accuracy_picture.csv", HERE / "accuracy.jpg"


def measure(data: str, most: int) -> None:
    """Every panel's curves into `CURVES`."""
    kept = [photo for photo in read_photos(data, kinds=("lossless",)) if photo.split == "test"]
    photos = [photo.pixels() for photo in kept[:: max(1, len(kept) // most)][:most]]
    with open(CURVES, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["panel", "curve", "place", "share", "photographs"])
        for name, panel in PANELS.items():
            for curve, place, share in panel.measure(photos):
                writer.writerow([name, curve, place, round(share, 3), len(photos)])
                stream.flush()


def draw() -> None:
    """The picture of what `CURVES` holds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with open(CURVES, newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    names = [name for name in PANELS if any(row["panel"] == name for row in rows)]
    figure, all_axes = pyplot.subplots(
        1, len(names), figsize=(5 * len(names), 3.4), layout="constrained", squeeze=False
    )
    for axes, name in zip(all_axes[0], names, strict=True):
        mine = [row for row in rows if row["panel"] == name]
        for curve in dict.fromkeys(row["curve"] for row in mine):
            points = [(float(row["place"]), float(row["share"])) for row in mine if row["curve"] == curve]
            axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=curve)
        axes.set(title=PANELS[name].title, xlabel=PANELS[name].axis, ylabel="share within 3", ylim=(-0.03, 1.03))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(PICTURE, dpi=110)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure where photographs are given, then draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of pristine photographs; without it, only draw")
    parser.add_argument("--most", type=int, default=12, help="photographs for each point")
    given = parser.parse_args(arguments)
    if given.data:
        measure(given.data, given.most)
    draw()
    return 0


if __name__ == "__main__":
    sys.exit(main())
