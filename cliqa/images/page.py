"""The largest photograph in a page: a screen, a document, a slide, a wide border that is no frame of one colour.

A page has one or a few tones that fill a good part of it to the level, a codec's ringing aside. Text lets them show everywhere, a
photograph does not. So the photograph is the rectangle that holds the most cells in which they hardly occur.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.compiled.raster import thinned

Box = tuple[int, int, int, int]  # left, top, right, bottom

SAMPLES = 150_000
"""Pixels that are looked at: a cell has about a hundred."""
CELLS = 48
"""The longer side is looked at in so many cells at most."""
SMALLEST_CELL = 8  # samples a side
TONES = 3
"""A page, its margins and a bar or table of another tone."""
TONE_WIDTH = 2
"""Levels about a tone that count for it; noise and codecs blur it."""
TONE_SHARE, PAGE_SHARE = 0.1, 0.2
"""Of all pixels, that a tone fills, and that all tones do together: photographs have less in so few levels, but for what is clipped."""
NEAR = 8
"""Levels from a tone within which a codec leaves the ground between letters."""
PAPER = 0.35
"""Share of a cell near the tones that makes it a part of the page: text covers less than half of its ground."""
COST = 2.0
"""Cells of a photograph that one of the page must be worth to lie inside."""
MOST = 0.4
"""Of all such cells, that lie in the rectangle: a picture with flat parts has them everywhere."""
LEAST_SIDE, LEAST_SHARE = 96, 0.05
"""Pixels, and of the picture: what is smaller is an icon or a heading."""
MARGIN = 2
"""Pixels inside the edge, which a codec or antialiasing blurs."""


def photograph_box(image: Image.Image) -> Box | None:
    """Where the largest photograph lies in a picture (mode RGB) that is a page; None where it is none, or has no photograph."""
    step = max(1, int(np.ceil((image.width * image.height / SAMPLES) ** 0.5)))
    small = thinned(image, (max(1, image.width // step), max(1, image.height // step)))
    grey = Image.fromarray(small).convert("L")
    tones = page_tones(np.array(grey.histogram(), dtype=np.float64))
    if not tones:
        return None
    near = np.zeros(256, bool)
    for tone in tones:
        near[max(0, tone - NEAR) : tone + NEAR + 1] = True
    paper = near[np.asarray(grey)]
    cell = max(SMALLEST_CELL, -(-max(paper.shape) // CELLS))
    rows, columns = paper.shape[0] // cell, paper.shape[1] // cell
    if not rows or not columns:
        return None
    shares = paper[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell).mean(axis=(1, 3))
    content = shares < PAPER
    top, bottom, left, right = largest_rectangle(np.where(content, 1.0, -COST))
    if bottom == top or content[top:bottom, left:right].sum() < MOST * content.sum():
        return None
    pixels = cell * step
    box = _trimmed(image, (left * pixels, top * pixels, right * pixels, bottom * pixels), near, pixels)
    wide, high = box[2] - box[0], box[3] - box[1]
    if min(wide, high) < LEAST_SIDE or wide * high < LEAST_SHARE * image.width * image.height:
        return None
    return box


def page_tones(histogram: NDArray[np.float64]) -> list[int]:
    """Levels of the tones that fill a page, the commonest first; none where the picture is no page.

    Args:
        histogram: counts of the 256 grey levels.
    """
    left, found, total = histogram.copy(), [], 0.0
    for _ in range(TONES):
        around = np.convolve(left, np.ones(2 * TONE_WIDTH + 1), mode="same")
        tone = int(np.argmax(around))
        share = around[tone] / histogram.sum()
        if share < TONE_SHARE:
            break
        found.append(tone)
        total += share
        left[max(0, tone - NEAR) : tone + NEAR + 1] = 0
    return found if total >= PAGE_SHARE else []


def largest_rectangle(values: NDArray[np.float64]) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) of the rectangle of cells with the largest sum; empty where no cell is positive."""
    rows, columns = values.shape
    total = np.pad(np.cumsum(values, axis=0), ((1, 0), (0, 0)))
    tops, bottoms = np.triu_indices(rows + 1, 1)
    bands = total[bottoms] - total[tops]  # Kadane's algorithm along the columns, for all bands of rows at once
    best, now = np.zeros(len(tops)), np.zeros(len(tops))
    start, ends = np.zeros(len(tops), int), np.zeros((2, len(tops)), int)
    for column in range(columns):
        fresh = now <= 0
        now = np.where(fresh, 0.0, now) + bands[:, column]
        start = np.where(fresh, column, start)
        better = now > best
        best = np.where(better, now, best)
        ends[0, better], ends[1, better] = start[better], column + 1
    chosen = int(np.argmax(best))
    if best[chosen] <= 0:
        return 0, 0, 0, 0
    return int(tops[chosen]), int(bottoms[chosen]), int(ends[0, chosen]), int(ends[1, chosen])


def _trimmed(image: Image.Image, box: Box, near: NDArray[np.bool_], most: int) -> Box:
    """The box without lines of the page at its sides, at most `most` on each."""
    left, top, right, bottom = box
    paper = near[np.asarray(image.crop(box).convert("L"))]
    down, across = paper.mean(axis=1) > 0.5, paper.mean(axis=0) > 0.5
    before = [_last(lines[:most]) for lines in (across, down)]
    after = [_last(lines[::-1][:most]) for lines in (across, down)]
    return left + before[0] + MARGIN, top + before[1] + MARGIN, right - after[0] - MARGIN, bottom - after[1] - MARGIN


def _last(lines: NDArray[np.bool_]) -> int:
    """How many lines there are up to the last that is true."""
    places = np.flatnonzero(lines)
    return int(places[-1]) + 1 if len(places) else 0
