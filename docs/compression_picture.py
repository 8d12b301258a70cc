"""Draws `docs/compression.jpg` and prints the table of `docs/compression.md`.

    python docs/compression_picture.py --picture photos/lossless/budgie-backgrounds-355.webp
    python docs/compression_picture.py --table photos/

The picture is a crop at a fidelity of 90, 70, 50 and 30 by JPEG, WebP and AVIF; the table says which qualities of the codecs leave the
same SSIMULACRA 2, as the mean over the test photographs of a data folder. Needs the extra `train`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliqa.images.loading import load_image
from cliqa.metrics import View, load_metric
from cliqa.training import codecs
from cliqa.training.compression.fidelity import fidelity
from cliqa.training.photos import read_photos

Pixels = NDArray[np.uint8]
LEVELS = (90, 70, 50, 30)
ENCODERS: dict[str, Callable[[Pixels, int], bytes]] = {
    "JPEG": lambda pixels, quality: codecs.encode_jpeg(pixels, quality),
    "WebP": lambda pixels, quality: codecs.encode_webp(pixels, quality),
    "AVIF": lambda pixels, quality: codecs.encode_avif(pixels, quality, speed=6, max_threads=1),
    "HEIC": lambda pixels, quality: codecs.encode_heic(pixels, quality),
}
ASKED = (30, 40, 50, 60, 70, 75, 80, 85, 90, 95)
PHOTOGRAPHS = 12  # of the test photographs, for the table
SIDE = 150  # of the crop that is shown, in pixels


def at_level(pixels: Pixels, encode: Callable[[Pixels, int], bytes], level: float) -> tuple[int, bytes]:
    """The lowest quality whose fidelity reaches the level, and its file; quality 100 where none does."""
    low, high = 1, 100
    while low < high:
        middle = (low + high) // 2
        if fidelity(pixels, codecs.decode(encode(pixels, middle))) < level:
            low = middle + 1
        else:
            high = middle
    return low, encode(pixels, low)


def draw(photograph: Path, out: Path, corner: tuple[int, int]) -> None:
    """The picture: a column a level, a row a codec."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pixels, metric = load_image(photograph).pixels, load_metric("compression")
    left, top = corner
    rows = list(ENCODERS)[:3]
    figure, grid = pyplot.subplots(len(rows), len(LEVELS) + 1, figsize=(12, 8), layout="constrained")
    for row, name in enumerate(rows):
        for column, level in enumerate((100, *LEVELS)):
            axes = grid[row][column]
            if column == 0:
                shown, text = pixels, "never compressed"
                score = metric.score_view(View(load_image(photograph)))
                truth = 100.0
            else:
                quality, data = at_level(pixels, ENCODERS[name], level)
                image = load_image(data)
                shown, score = image.pixels, metric.score_view(View(image))
                truth = fidelity(pixels, shown)
                size = 8 * len(data) / (pixels.shape[0] * pixels.shape[1])
                text = f"quality {quality}, {size:.2f} bits a pixel"
            axes.imshow(shown[top : top + SIDE, left : left + SIDE], interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.set_xlabel(f"{text}\nSSIMULACRA 2 {truth:.0f}, estimated {score['fidelity']:.0f}", fontsize=8)
            if column == 0:
                axes.set_ylabel(name)
            if row == 0:
                axes.set_title("original" if column == 0 else f"fidelity {level}")
    figure.savefig(out, dpi=100, pil_kwargs={"quality": 93, "subsampling": 0})


def table(data: Path) -> str:
    """Markdown: for each quality of a codec the mean fidelity, and the JPEG quality that leaves the same."""
    photos = [photo.pixels() for photo in read_photos(data, "test", ("lossless",))[:PHOTOGRAPHS]]
    curves: dict[str, list[float]] = {}
    for name, encode in ENCODERS.items():
        curves[name] = [
            float(np.mean([fidelity(pixels, codecs.decode(encode(pixels, quality))) for pixels in photos]))
            for quality in ASKED
        ]
    everywhere = range(5, 101, 5)
    jpeg = [
        np.mean([fidelity(pixels, codecs.decode(codecs.encode_jpeg(pixels, quality))) for pixels in photos])
        for quality in everywhere
    ]
    lines = ["| quality | " + " | ".join(curves) + " |", "|---" * (len(curves) + 1) + "|"]
    for index, quality in enumerate(ASKED):
        cells = [f"{curves['JPEG'][index]:.0f}"]
        for name in list(curves)[1:]:
            same = float(np.interp(curves[name][index], jpeg, everywhere))
            bound = "> " if curves[name][index] > max(jpeg) else ""
            cells.append(f"{curves[name][index]:.0f} (JPEG {bound}{same:.0f})")
        lines.append(f"| {quality} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Draw the picture, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path, help="draw the picture, of this photograph")
    parser.add_argument("--table", type=Path, help="print the table, over the test photographs of this folder")
    parser.add_argument("--corner", type=int, nargs=2, default=(200, 150), help="left and top of the crop")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "compression.jpg")
    given = parser.parse_args()
    if given.picture:
        draw(given.picture, given.out, (given.corner[0], given.corner[1]))
    if given.table:
        print(table(given.table))


if __name__ == "__main__":
    main()
