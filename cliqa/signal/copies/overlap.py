"""What two pictures both show, pixel on pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]


def overlap(first: Grey, second: Grey, place: Floats) -> tuple[Floats, Floats]:
    """What both show, on the grid of the coarser one: the first and the second, of one shape.

    Args:
        first, second: uint8 (height, width), of any sizes.
        place: (4,), where the second lies in the first, as `placement.Placement.place`.
    """
    wide, left, high, top = (float(number) for number in place)
    (height_1, width_1), (height_2, width_2) = first.shape, second.shape
    if height_2 * width_2 > height_1 * width_1 * wide * high * 1.001:
        two, one = overlap(second, first, np.array([1 / wide, -left / wide, 1 / high, -top / high], np.float32))
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
