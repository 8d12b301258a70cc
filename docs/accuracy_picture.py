"""Where each metric stops seeing: the curves of `docs/accuracy.md`, measured on photographs and drawn.

    python docs/accuracy_picture.py --data photos/ --most 12

measures the curves of every panel on the folder's test photographs into `accuracy_picture.csv` beside this file, and draws them into
`accuracy.jpg`; without `--data` it draws what was measured before; `--only` measures some panels anew and leaves the others. A metric
adds its panel to PANELS: a title, the words on its axes, and a function that gives the share found (0-1) for each curve and place.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cliqa.images.loading import LoadedImage
from cliqa.metrics import Metric, View, load_metric
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
    """One picture: its title, the words on its two axes, and what measures it from photographs."""

    title: str
    axis: str
    share: str
    measure: Callable[[Sequence[Pixels]], Iterator[Point]]


def save(pixels: Pixels, quality: int) -> Pixels:
    """Saved as JPEG and decoded."""
    return codecs.decode(codecs.encode_jpeg(np.ascontiguousarray(pixels), quality))


@cache
def _metric(name: str) -> Metric:
    return load_metric(name)


def _read(metric: str, field: str, pixels: Pixels) -> float:
    """One field of a metric for a picture."""
    fields = _metric(metric).score_view(View(LoadedImage.from_array(np.ascontiguousarray(pixels))))
    return float(fields[field] or 0)


def _quality(pixels: Pixels) -> float:
    return _read("jpeg_quality", "quality", pixels)


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


def last_saves(photos: Sequence[Pixels]) -> Iterator[Point]:
    """Crops of a picture whose file is gone, anywhere on its grid: `jpeg_qf` within 1 of the quality."""
    for side in (128, 256, 512):
        for quality in (30, 50, 70, 80, 85, 90, 93, 95, 97, 98, 99, 100):
            found = []
            for number, pixels in enumerate(photos):
                top, left = (max(0, (length - side) // 2) + 1 + number % 7 for length in pixels.shape[:2])
                crop = save(pixels, quality)[top : top + side, left : left + side]
                found.append(abs(_read("jpeg_qf", "qf_final", crop) - quality) <= 1)
            yield f"{side} x {side} pixels", quality, float(np.mean(found))


CODECS: dict[str, Callable[[Pixels, int], Pixels]] = {
    "JPEG": save,
    "WebP": lambda pixels, quality: codecs.decode(codecs.encode_webp(pixels, quality)),
    "AVIF": lambda pixels, quality: codecs.decode(codecs.encode_avif(pixels, quality)),
}


def _through_codecs(makes: Iterable[Pixels], seen: Callable[[Pixels], bool]) -> Iterator[Point]:
    """Whether something is still seen behind each codec at each quality."""
    made = [np.ascontiguousarray(pixels) for pixels in makes]
    for name, codec in CODECS.items():
        for quality in (20, 30, 40, 50, 60, 70, 80, 90, 96):
            yield name, quality, float(np.mean([seen(codec(pixels, quality)) for pixels in made]))


def enlarged(pixels: Pixels, factor: float) -> Pixels:
    """A part of the picture, enlarged by bicubic interpolation to at most `MOST` pixels a side."""
    part = Image.fromarray(np.ascontiguousarray(pixels[: int(MOST / factor), : int(MOST / factor)]))
    return np.asarray(part.resize((round(part.width * factor), round(part.height * factor)), Image.Resampling.BICUBIC))


def enlargements(photos: Sequence[Pixels]) -> Iterator[Point]:
    """Enlarged by 1.25, then through a codec: dropped by the filter's own threshold."""
    made = (enlarged(pixels, 1.25) for pixels in photos)
    yield from _through_codecs(made, lambda pixels: _read("scale_factor", "quality", pixels) < 95)


def noises(photos: Sequence[Pixels]) -> Iterator[Point]:
    """White noise in the three channels, of 34 dB in grey, then through a codec: read below 40 dB."""
    rng = np.random.default_rng(0)
    strength = 255 * 10 ** (-34 / 20) * 3**0.5  # the mean of three channels has a third of their variance
    made = (
        np.clip(pixels + strength * rng.standard_normal(pixels.shape), 0, 255).round().astype(np.uint8)
        for pixels in (pixels[:MOST, :MOST] for pixels in photos)
    )
    yield from _through_codecs(made, lambda pixels: _read("grain_noise", "psnr", pixels) < 40)


def blurs(photos: Sequence[Pixels]) -> Iterator[Point]:
    """Blurred by a Gaussian, then through a codec: read within a quarter (or 0.3 pixels, if that is more)."""
    for name, store in STORES.items():
        for deviation in (0.6, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0):
            found = []
            for pixels in photos:
                picture = Image.fromarray(np.ascontiguousarray(pixels[:MOST, :MOST]))
                blurred = np.asarray(picture.filter(ImageFilter.GaussianBlur(deviation)))
                found.append(abs(_read("sharpness", "blur", store(blurred)) - deviation) <= max(0.3, deviation / 4))
            yield name, deviation, float(np.mean(found))


PANELS = {
    "second save": Panel("jpeg_quality: an older save on another grid", "quality of the second save", "within 3", second_saves),
    "resize": Panel("jpeg_quality: a save before a resize", "factor of the resize, then stored as", "within 3", resizes),
    "last save": Panel("jpeg_qf: the last save, by a crop's pixels", "quality of the save", "within 1", last_saves),
    "enlargement": Panel("scale_factor: enlarged by 1.25, then a codec", "quality of the codec", "caught", enlargements),
    "noise": Panel("grain_noise: noise of 34 dB, then a codec", "quality of the codec", "read below 40 dB", noises),
    "blur": Panel("sharpness: blurred, then stored", "deviation of the blur, pixels", "within a quarter", blurs),
}  # fmt: skip
ACROSS = 3  # panels in a row
CURVES, PICTURE = HERE / "accuracy_picture.csv", HERE / "accuracy.jpg"


def measure(data: str, most: int, only: Sequence[str]) -> None:
    """The panels' curves into `CURVES`; those of panels that are not measured stay."""
    earlier: list[list[str]] = []
    if only and CURVES.exists():
        with open(CURVES, newline="", encoding="utf-8") as stream:
            earlier = [row for row in csv.reader(stream) if row[0] in PANELS and row[0] not in only]
    kept = [photo for photo in read_photos(data, kinds=("lossless",)) if photo.split == "test"]
    photos = [photo.pixels() for photo in kept[:: max(1, len(kept) // most)][:most]]
    with open(CURVES, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["panel", "curve", "place", "share", "photographs"])
        writer.writerows(earlier)
        for name, panel in PANELS.items():
            if only and name not in only:
                continue
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
    down = -(-len(names) // ACROSS)
    figure, all_axes = pyplot.subplots(
        down, ACROSS, figsize=(4.6 * ACROSS, 3.2 * down), layout="constrained", squeeze=False
    )
    for axes in all_axes.flat[len(names) :]:
        axes.set_axis_off()
    for axes, name in zip(all_axes.flat, names, strict=False):
        mine = [row for row in rows if row["panel"] == name]
        for curve in dict.fromkeys(row["curve"] for row in mine):
            points = [(float(row["place"]), float(row["share"])) for row in mine if row["curve"] == curve]
            axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=curve)
        axes.set(
            title=PANELS[name].title, xlabel=PANELS[name].axis, ylabel=f"share {PANELS[name].share}", ylim=(-0.03, 1.03)
        )
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(PICTURE, dpi=110)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure where photographs are given, then draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of pristine photographs; without it, only draw")
    parser.add_argument("--most", type=int, default=12, help="photographs for each point")
    parser.add_argument("--only", nargs="+", default=[], choices=list(PANELS), help="panels to measure anew")
    given = parser.parse_args(arguments)
    if given.data:
        measure(given.data, given.most, given.only)
    draw()
    return 0


if __name__ == "__main__":
    sys.exit(main())
