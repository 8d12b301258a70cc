"""Whether two pictures that look alike are one photograph or two shots of one scene, told by their pixels.

As `motion`, at four times its size: a turn of a twentieth of a degree is seen there, and leaves that the wind has moved. What a subject
leaves behind is told from a watermark by where its content is now. A watermark covers some of one picture with what is nowhere in the
other; a subject that moved is found elsewhere in the other one, as a whole or bent.

A camera that stood still before a scene in which nothing moved takes two pictures that differ in their noise alone, see `grain`. Codecs
take weak noise away, so shots without any are taken for copies. How far apart in light two pictures are is told by `light`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.signal.copies.elsewhere import content_elsewhere
from cliqa.signal.copies.grain import noise_apart
from cliqa.signal.copies.light import tones_apart
from cliqa.signal.copies.motion import SIDE as START_SIDE
from cliqa.signal.copies.motion import motion
from cliqa.signal.copies.placement import BLOCKS, Placement, placed, summed

# Pixels of a picture's longer side from which more tell nothing new: subjects are larger, turns are seen
LONG_SIDE = 1024
SIDES = (384, 336, 288, 240, 192, 144)  # pixels of the squares that are compared, the largest that both pictures have

# Chosen on 26 training photographs: two simulators of bursts, each copied in 15 ways, from a clean file and from a camera's.
TURNED = 0.0003  # of a side; copies reach 0.00026, frames 0.05 degrees apart 0.0003
TURN_SURE = 8.0  # standard errors; copies reach 7.5, those frames begin at 13
LESS_SURE = 15.0  # standard errors more for each share of the details that differs: watermarks bend what is measured
LOST = 0.6  # share of the details that differs beyond which codecs or noise have taken them: smaller pictures tell more
BEYOND = 0.0004  # of a side that each shows beyond the other; copies reach 0.0002
BEYOND_SURE = 12.0  # standard errors; copies reach 8
GRID = 0.6  # pixels of the smaller picture by which an ill resize shifts it
SWAYED = 0.001  # of a side by which parts are off their place; copies reach 0.0008, leaves in the wind begin at 0.0012
SWAYED_SURE = 5.0  # standard errors; watermarks reach 3
PARTS = 6  # blocks a side within each of BLOCKS; of these every other one is taken for either of two measurements

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Shots:
    """What tells that a camera took two pictures: it `turned`, each shows something `beyond` the other, parts `swayed` or `moved`, or
    each has noise of its `own`.

    `tones`: how far apart those are, see `light.tones_apart`. `box`: where the second lies in the first, as closely as was found.
    """

    turned: bool
    beyond: bool
    swayed: bool
    moved: bool
    own: bool = False
    tones: float = 0.0
    box: Box = (0.0, 0.0, 1.0, 1.0)

    @property
    def two(self) -> bool:
        """Whether anything does."""
        return self.turned or self.beyond or self.swayed or self.moved or self.own


def compare(first: Grey, second: Grey, box: Box) -> Shots:
    """Compare two pictures in pixels.

    Args:
        first, second: uint8 (height, width), of any sizes, each with the picture alone, without bars.
        box: where the second lies in the first, as `alignment.Alignment.box`.
    """
    smallest = min(*first.shape, *second.shape)
    side = next((side for side in SIDES if side <= smallest), START_SIDE)
    found = _placed(first, second, side, box)
    if float(found.rest[0]) > LOST:  # what has changed may have misled who aligned them: most copies show the whole
        found = min(found, _placed(first, second, side, (0.0, 0.0, 1.0, 1.0)), key=lambda each: float(each.rest[0]))
    if float(found.rest[0]) > LOST:
        small = motion(_square(first, START_SIDE), _square(second, START_SIDE), np.array([box], np.float32))
        one, two = _overlap(first, second, found.place[0])
        tones = tones_apart(one, two) if one.size else np.inf
        own = min(one.shape) >= START_SIDE and noise_apart(one, two)
        return Shots(bool(small.turned[0]), bool(small.beyond[0]), False, bool(small.moved[0]), own, tones, box)
    less_sure = LESS_SURE * float(found.rest[0])
    turned = float(found.turn[0]) >= TURNED and float(found.turn_sure[0]) >= TURN_SURE + less_sure
    enough = BEYOND if first.shape == second.shape else max(BEYOND, GRID / smallest)
    by, error = float(found.beyond[0]), float(found.beyond_error[0])
    beyond = by >= enough and by >= (BEYOND_SURE + less_sure) * error
    swayed = False
    if side % (BLOCKS * PARTS) == 0 and not turned:
        amount, sure = _sway(found, side)
        swayed = amount >= SWAYED and sure >= SWAYED_SURE
    moved = own = False
    tones = np.inf
    if not (turned or beyond or swayed):
        one, two = _overlap(first, second, found.place[0])
        moved = min(one.shape) >= START_SIDE and content_elsewhere(one, two)
        own = not moved and min(one.shape) >= START_SIDE and noise_apart(one, two)
        tones = tones_apart(one, two) if one.size else np.inf
    wide, left, high, top = (float(number) for number in found.place[0])
    return Shots(turned, beyond, swayed, moved, own, tones, (left, top, left + wide, top + high))


def _placed(first: Grey, second: Grey, side: int, box: Box) -> Placement:
    start = np.array([[box[2] - box[0], box[0], box[3] - box[1], box[1]]], np.float32)
    start = placed(_square(first, START_SIDE), _square(second, START_SIDE), start).place
    return placed(_square(first, side), _square(second, side), start)


def _square(picture: Grey, side: int) -> Grey:
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC))[None]


def _sway(found: Placement, side: int) -> tuple[float, float]:
    """How far parts are off their place, as a share of a side, and in standard errors.

    Each part is measured twice, on blocks that the other measurement doesn't see: what both agree on is no noise, whatever that was.
    """
    count = BLOCKS * PARTS
    xx, xy, yy, x, y = (summed(each, count)[0] for each in found.products[:5])
    centre = (np.arange(count, dtype=np.float32) + 0.5) / count
    bend = found.bend[0]
    right = bend[0] * centre[None] + bend[1] + bend[4] * (centre[:, None] - 0.5)
    down = bend[2] * centre[:, None] + bend[3] + bend[5] * (centre[None] - 0.5)
    x, y = x - (xx * right + xy * down), y - (xy * right + yy * down)
    every_other = (np.add.outer(np.arange(count), np.arange(count)) % 2).astype(bool)
    steps, weights = [], []
    for mask in (every_other, ~every_other):
        a, b, d, u, v = (summed((each * mask)[None], BLOCKS)[0] for each in (xx, xy, yy, x, y))
        ridge = 0.02 * (a + d) + 1
        area = (a + ridge) * (d + ridge) - b * b
        steps.append(np.clip([((d + ridge) * u - b * v) / area, ((a + ridge) * v - b * u) / area], -1, 1))
        weights.append(a + d)
    weight = np.minimum(*weights)
    weight = weight / (weight + np.median(weight) + 1e-6)
    agreed = (steps[0] * steps[1]).sum(0)
    mean = float((weight * agreed).sum() / max(float(weight.sum()), 1e-6))
    error = float(np.sqrt((weight**2 * (agreed - mean) ** 2).sum()) / max(float(weight.sum()), 1e-6))
    return float(np.sqrt(max(0.0, mean))) / side, mean / max(error, 1e-9)


def _overlap(first: Grey, second: Grey, place: Floats) -> tuple[Floats, Floats]:
    """What both show, on the grid of the coarser one: the first and the second, of one shape.

    Args:
        first, second: uint8 (height, width), of any sizes.
        place: (4,), where the second lies in the first, as `placement.Placement.place`.
    """
    wide, left, high, top = (float(number) for number in place)
    (height_1, width_1), (height_2, width_2) = first.shape, second.shape
    if height_2 * width_2 > height_1 * width_1 * wide * high * 1.001:
        two, one = _overlap(second, first, np.array([1 / wide, -left / wide, 1 / high, -top / high], np.float32))
        return one, two
    near = 0.01  # of a pixel beyond the border
    x0, x1 = (max(0.0, -left / wide) * width_2, min(1.0, (1 - left) / wide) * width_2)
    y0, y1 = (max(0.0, -top / high) * height_2, min(1.0, (1 - top) / high) * height_2)
    x0, y0, x1, y1 = int(np.ceil(x0 - near)), int(np.ceil(y0 - near)), int(x1 + near), int(y1 + near)
    two = second[y0:y1, x0:x1].astype(np.float32)
    if min(two.shape) < 1:
        return two, two
    box = (
        wide * x0 / width_2 + left,
        high * y0 / height_2 + top,
        wide * x1 / width_2 + left,
        high * y1 / height_2 + top,
    )
    at = [min(max(share, 0.0), 1.0) * size for share, size in zip(box, (width_1, height_1) * 2, strict=True)]
    if two.shape == first.shape and np.abs(np.subtract(at, (0, 0, width_1, height_1))).max() < 0.03:
        return first.astype(np.float32), two
    resized = Image.fromarray(first.astype(np.float32)).resize(two.shape[::-1], Image.Resampling.BICUBIC, box=tuple(at))
    return np.asarray(resized), two
