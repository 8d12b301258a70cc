"""Boxes in a picture: of the stored one, of the one within bars, of the one that a person sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from cliqa.images.frame import on_grid
from cliqa.images.loading import LoadedImage

Box = tuple[int, int, int, int]  # left, top, right, bottom, pixels


def turned_size(image: LoadedImage) -> tuple[int, int]:
    """Width and height of the upright picture."""
    width, height = image.stored.size
    return (height, width) if image.header.orientation >= 5 else (width, height)


def inside_origin(image: LoadedImage) -> tuple[int, int]:
    """Where the picture within bars and frames begins in the stored one, as the metrics of the pixel grid take it."""
    return (0, 0) if image.content_box is None else on_grid(image.content_box)[:2]


def shifted(box: Box, by: tuple[int, int]) -> Box:
    """A box, moved."""
    return box[0] + by[0], box[1] + by[1], box[2] + by[0], box[3] + by[1]


def in_stored(place: Box, size: tuple[int, int], image: LoadedImage) -> Box:
    """A box of the upright sample of `size`, which is without bars and frames, in the stored picture."""
    left, top, right, bottom = image.content_box or (0, 0, *image.stored.size)
    turned = image.header.orientation >= 5
    width, height = (bottom - top, right - left) if turned else (right - left, bottom - top)
    x0, y0, x1, y1 = place
    corners = [(round(x * width / size[0]), round(y * height / size[1])) for x, y in ((x0, y0), (x1, y1))]
    inverse = {6: 8, 8: 6}.get(image.header.orientation, image.header.orientation)  # the others are their own inverse
    return shifted(ordered([turned_point(x, y, width, height, inverse) for x, y in corners]), (left, top))


def ordered(corners: Sequence[tuple[int, int]]) -> Box:
    """The box between two corners, whichever they are."""
    (left, right), (top, bottom) = (sorted(side) for side in zip(*corners, strict=True))
    return left, top, right, bottom


def turned_point(x: int, y: int, width: int, height: int, orientation: int) -> tuple[int, int]:
    """Where a point of a stored picture lies when EXIF's orientation is applied."""
    return {
        2: (width - x, y), 3: (width - x, height - y), 4: (x, height - y), 5: (y, x), 6: (height - y, x),
        7: (height - y, width - x), 8: (y, width - x),
    }.get(orientation, (x, y))  # fmt: skip


def turned_map(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Cells (rows, columns) of a stored picture as they lie when EXIF's orientation is applied."""
    if orientation >= 5:
        values = values.T
    across, down = orientation in (2, 3, 6, 7), orientation in (3, 4, 7, 8)
    return values[:: -1 if down else 1, :: -1 if across else 1]
