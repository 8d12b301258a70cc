"""Bars and frames around a picture: letterbox, a white or black border, a transparent margin, thin lines.

A bar is a band of one colour over a full side of the image that ends in a straight edge: along all of it the picture inside has other
colours. A night sky, snow or the white of a studio end somewhere else in every column, so they are part of the picture.

Of what is left, `plainness` tells whether it has colour, and whether it holds anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.compiled.raster import reader, thinned

Box = tuple[int, int, int, int]  # left, top, right, bottom

NEAR = 10
"""Levels by which a bar's pixels may differ from its colour: what JPEG 50 leaves of black and white away from the edge."""
ALIKE = 0.995  # of a line's pixels must be near the bar's colour; chosen by hand: leaves room for dust on a scan, not for a picture
FAR = 24
"""Levels from which a pixel has another colour than the bar; texture in shadows stays below. Chosen by hand, well above `NEAR`."""
STEEP = 12  # levels from one line to the next that an edge has and a gradient hasn't; chosen by hand
SOFT = 17  # lines that an edge may take: a block of JPEG with subsampled chroma, or a resize
MIN_CONTENT = 64  # pixels a side: what is left of a picture must be one
MIN_SHARE = 0.1  # of the area; chosen by hand: a smaller rest is rather a picture of a plain ground than a framed one
ROUNDS = 3  # of frames within frames; chosen by hand: bars around a border around a line
FAR_SHARE = 0.6
"""Of the pixels along a bar's edge; a photograph may have the colour of its frame in some places. Chosen by hand."""
STEEP_SHARE = 0.3
"""Of those pixels change at once, in some line; a blurred edge is spread over a few. Chosen by hand."""
LONE_SHARE, LONE_EXTREME, LONE_SPREAD = 0.95, 16, 2
"""A bar on one side alone is believed only where nearly all of its edge is far, it is black or white within so many levels, and its
outermost line differs by no more than the last: skies and floors with a straight edge are none of that. By hand."""
BLOCK = 8  # lines and pixels: JPEG blurs a line as far as its block goes
THIN = 4  # lines of a drawn frame; what is wider keeps its colour at the edge in JPEG, and is found as a bar. Chosen by hand
BLURRED, BLURRED_SHARE = 40, 0.9
"""Levels by which JPEG 50 changes most pixels of a black or white line of one pixel, and how many they are; by hand, on a few."""
SOME, SLACK = 8, 0.15
"""Of the outermost lines every so many pixels tell of most pictures that they have no such line; they may be so far off."""

SAMPLE = 64  # pixels a side, thinned out and not averaged; chosen by hand
COLOURLESS = 8  # grey values between the channels of a pixel: rounding in JPEG leaves up to that in grey pictures
EVEN = 10  # grey values around the median: what noise and JPEG make of one colour
MOST = 0.98  # of the pixels that must be so; chosen by hand: a stamp or a few lines of text are no colour or content


@dataclass(frozen=True)
class _Side:
    """One side's band: `depth` lines of one colour; `inside` is the line from which on the picture begins."""

    depth: int
    inside: int
    colour: NDArray[np.int16]
    spread: int  # most levels by which the outermost line differs from the colour
    far: float = 0.0


def content_box(image: Image.Image, alpha: Box | None = None) -> Box | None:
    """Where the picture lies within its bars and frames; None where there are none.

    Args:
        image: mode RGB.
        alpha: the box outside of which everything is transparent.
    """
    whole = (0, 0, image.width, image.height)
    box = alpha if alpha is not None and _is_enough(alpha, whole) else whole
    for _ in range(ROUNDS):
        inner = _inside_line(image, box) or _inside(image, box)
        if inner is None or not _is_enough(inner, whole):
            break
        box = inner
    return box if box != whole else None


def on_grid(box: Box) -> Box:
    """The largest box within `box` whose corners lie on the grid of 8 pixels from the image's corner."""
    left, top, right, bottom = box
    return -(-left // 8) * 8, -(-top // 8) * 8, right // 8 * 8, bottom // 8 * 8


def _is_enough(box: Box, whole: Box) -> bool:
    width, height = box[2] - box[0], box[3] - box[1]
    return min(width, height) >= MIN_CONTENT and width * height >= MIN_SHARE * whole[2] * whole[3]


def _inside(image: Image.Image, box: Box) -> Box | None:
    """The box within the outermost bars of `box`."""
    bands = {side: _band(image, box, side) for side in range(4)}
    found = {side: band for side, band in bands.items() if band is not None}
    if not found:
        return None
    depths = [found[side].inside if side in found else 0 for side in range(4)]
    if box[2] - box[0] - depths[0] - depths[2] < MIN_CONTENT or box[3] - box[1] - depths[1] - depths[3] < MIN_CONTENT:
        return None
    sides: dict[int, _Side] = {}
    for side, band in found.items():
        before, after = (1, 3) if side in (0, 2) else (0, 2)  # the sides where a line of this one begins and ends
        sides[side] = _with_edge(image, box, side, band, depths[before], depths[after])
    accepted = _accepted(sides)
    if not accepted:
        return None
    inset = [accepted.get(side, 0) for side in range(4)]
    return box[0] + inset[0], box[1] + inset[1], box[2] - inset[2], box[3] - inset[3]


def _inside_line(image: Image.Image, box: Box) -> Box | None:
    """The box within a thin line around all of `box` that a later JPEG has blurred, so that no line of pixels has one colour."""
    if min(box[2] - box[0], box[3] - box[1]) < MIN_CONTENT + 2 * BLOCK:
        return None
    some = [_lines(image, box, side, 0, 1, slice(BLOCK, -BLOCK, SOME))[0] for side in range(4)]
    colour = np.median(np.concatenate(some), axis=0)
    if any((np.abs(each - colour).max(axis=1) <= BLURRED).mean() < BLURRED_SHARE - SLACK for each in some):
        return None
    sides = [_lines(image, box, side, 0, BLOCK + 1)[:, BLOCK:-BLOCK] for side in range(4)]
    colour = np.median(np.concatenate([lines[0] for lines in sides]), axis=0)
    inset = []
    for lines in sides:
        away = np.abs(lines - colour).max(axis=2)
        beyond = away[BLOCK]  # of the picture, in the next block at the latest
        if (away[0] <= BLURRED).mean() < BLURRED_SHARE or ((beyond > FAR) & (2 * away[0] < beyond)).mean() < FAR_SHARE:
            return None
        drawn = (2 * away < beyond).mean(axis=1) >= 0.5
        depth = int(np.argmin(drawn))
        if depth > THIN:
            return None
        inset.append(depth)
    return box[0] + inset[0], box[1] + inset[1], box[2] - inset[2], box[3] - inset[3]


def _lines(
    image: Image.Image, box: Box, side: int, start: int, stop: int, some: slice = slice(None)
) -> NDArray[np.int16]:
    """Lines `start` to `stop` from a side (0 left, 1 top, 2 right, 3 bottom) inwards, or `some` pixels: int16 (lines, n, 3)."""
    left, top, right, bottom = box
    region = {
        0: (left + start, top, left + stop, bottom),
        1: (left, top + start, right, top + stop),
        2: (right - stop, top, right - start, bottom),
        3: (left, bottom - stop, right, bottom - start),
    }[side]
    pixels = reader(image)(region)
    values = (pixels.transpose(1, 0, 2) if side in (0, 2) else pixels)[:, some].astype(np.int16)
    return values[::-1] if side in (2, 3) else values


def _band(image: Image.Image, box: Box, side: int) -> _Side | None:
    """The lines of one colour along a side; None where already the outermost line has several."""
    length = box[3] - box[1] if side in (0, 2) else box[2] - box[0]
    some = _lines(image, box, side, 0, 1, slice(None, None, max(1, length // 64)))[0]  # enough to tell of most pictures
    if (np.abs(some - np.median(some, axis=0)).max(axis=1) <= NEAR).mean() < 0.9:
        return None
    edge = _lines(image, box, side, 0, 1)[0]
    colour = np.median(edge, axis=0).astype(np.int16)
    if not _alike(edge[None], colour)[0]:
        return None
    limit = (box[2] - box[0] if side in (0, 2) else box[3] - box[1]) - MIN_CONTENT
    depth, step = 1, 15
    while depth < limit:
        alike = _alike(_lines(image, box, side, depth, min(limit, depth + step)), colour)
        if not alike.all():
            depth += int(np.argmin(alike))
            return _Side(depth, depth, colour, int(np.abs(edge - colour).max()))
        depth += len(alike)
        step = min(4 * step, 512)
    return None  # one colour to the other side


def _farthest(differences: NDArray[np.int16]) -> NDArray[np.int16]:
    """The largest of three channels' differences (..., 3), signs apart: (...), a tenth of the time of a maximum along an axis."""
    away = np.abs(differences)
    largest: NDArray[np.int16] = np.maximum(np.maximum(away[..., 0], away[..., 1]), away[..., 2])
    return largest


def _alike(lines: NDArray[np.int16], colour: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Which lines are of one colour."""
    near = _farthest(lines - colour) <= NEAR
    found: NDArray[np.bool_] = near.mean(axis=1) >= ALIKE
    return found


def _with_edge(image: Image.Image, box: Box, side: int, band: _Side, before: int, after: int) -> _Side:
    """The band with the line where the picture begins, and the share of the pixels there that are far from the band's colour."""
    lines = _lines(image, box, side, band.depth - 1, band.depth + SOFT + 3)
    lines = lines[:, before : lines.shape[1] - after]
    steep = (_farthest(np.diff(lines, axis=0)) > STEEP).mean(axis=1)
    far = (_farthest(lines[1:] - band.colour) > FAR).mean(axis=1)
    # the share has to stay: a line that is drawn across a page is no edge of a picture
    stays = np.minimum(np.minimum(far[:-2], far[1:-1]), far[2:])
    best = float(stays.max(initial=0.0)) if steep.max(initial=0.0) >= STEEP_SHARE else 0.0
    first = int(np.argmax(stays >= 0.9 * best)) if best else 0
    return replace(band, inside=band.depth + first + (first > 0), far=best)


def _accepted(sides: dict[int, _Side]) -> dict[int, int]:
    """Side -> lines to take away; nothing where a band has no edge, unless two that lie opposite have."""
    if len(sides) == 1:
        ((side, band),) = sides.items()
        extreme = bool((band.colour <= LONE_EXTREME).all() or (band.colour >= 255 - LONE_EXTREME).all())
        return {side: band.inside} if extreme and band.spread <= LONE_SPREAD and band.far >= LONE_SHARE else {}
    clear = {side: band for side, band in sides.items() if band.far >= FAR_SHARE}
    result = {side: band.inside for side, band in clear.items()}
    # A dark sky under a black bar shows no edge: what is opposite tells how deep the bar is
    for side, band in sides.items():
        other = clear.get((side + 2) % 4)
        if side not in result and other is not None:
            alike = np.abs(other.colour - band.colour).max() <= NEAR
            if alike and band.depth >= other.depth - 1:
                result[side] = other.inside
    if len(result) == len(sides):
        return result
    pairs = [pair for pair in ((0, 2), (1, 3)) if all(side in result for side in pair)]
    return {side: result[side] for side in pairs[0]} if len(sides) == 3 and pairs else {}


def plainness(image: Image.Image) -> dict[str, int]:
    """Facts of a picture, mode RGB: `grey` and `flat`, 0 or 1.

    `grey`: it has no colour (a tint over all of it is one). `flat`: nearly all of it is one colour, so there is little information.
    """
    pixels = thinned(image, (min(SAMPLE, image.width), min(SAMPLE, image.height))).reshape(-1, 3)
    channels = np.ascontiguousarray(pixels.T).astype(np.int16)  # channel by channel: ten times as fast
    colour = channels.max(axis=0) - channels.min(axis=0)
    apart = np.abs(channels - np.median(channels, axis=1)[:, None]).max(axis=0)
    return {"grey": int(np.mean(colour <= COLOURLESS) >= MOST), "flat": int(np.mean(apart <= EVEN) >= MOST)}
