"""Which part of a picture a metric rates worst, when it is asked for single parts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from cliqa.errors import CliqaError, ImageIssue
from cliqa.images.loading import LoadedImage
from cliqa.images.patches import PATCH
from cliqa.metrics import Metric, View, load_metric, metric_class
from cliqa.view.boxes import Box, inside_origin, shifted

PARTS = 16  # parts that are scored alone: a tenth of a second for the metrics here
SIDE = 2 * PATCH  # of a part; a quarter of what most metrics look at, and still enough for a steady score


def worst_part(
    name: str, field: str, view: View, origins: Sequence[tuple[int, int]]
) -> tuple[Box | None, float | None]:
    """The part with the lowest value of a field among those that begin at `origins` (stored pixels), and that value.

    Parts that overlap one already looked at are left out. (None, None) where the metric isn't here or can tell nothing of a part.
    """
    metric = cached_metric(name)
    if metric is None:
        return None, None
    image = view.tiles.image
    limits = view.image.inside.size
    most = SIDE if min(image.size) >= 2 * SIDE else PATCH  # so that there is something to compare
    seen: list[Box] = []
    worst: tuple[float, Box] | None = None
    for x, y in origins:
        side = (min(most, image.width), min(most, image.height))
        x, y = min(x, (image.width - side[0]) // PATCH * PATCH), min(y, (image.height - side[1]) // PATCH * PATCH)
        box = (x, y, x + side[0], y + side[1])
        if any(_overlap(box, other) for other in seen):
            continue
        seen.append(box)
        try:
            value = metric.score_view(View(LoadedImage.from_pil(image.crop(box))))[field]
        except ImageIssue:
            continue
        if isinstance(value, (int, float)) and (worst is None or value < worst[0]):
            worst = float(value), box
        if len(seen) >= PARTS:
            break
    if worst is None:
        return None, None
    left, top, right, bottom = worst[1]
    return shifted((left, top, min(right, limits[0]), min(bottom, limits[1])), inside_origin(view.image)), worst[0]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@cache
def cached_metric(name: str) -> Metric | None:
    """A metric with the shipped weights; None where it isn't here, or runs a torch network, which would take seconds to begin."""
    try:
        return None if metric_class(name).uses_torch else load_metric(name)
    except CliqaError:
        return None
