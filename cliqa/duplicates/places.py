"""Where the members of a group lie in each other: one frame for all of them, from the links between pairs."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from cliqa.duplicates.grouping import Group
from cliqa.signal.copies.turns import TURNS

Box = tuple[float, float, float, float]
_UNIT: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Place:
    """What a member shows: `lacks`, the largest share of a side that another one shows beyond it, and `share`, of the sides of all."""

    lacks: float
    share: float


def places(group: Group) -> dict[int, Place]:
    """The place of each member. Boxes go from link to link, beginning at the member with the most of them, so errors don't add up."""
    all_boxes = boxes(group)
    left, top = min(box[0] for box in all_boxes.values()), min(box[1] for box in all_boxes.values())
    right, bottom = max(box[2] for box in all_boxes.values()), max(box[3] for box in all_boxes.values())
    wide, high = right - left, bottom - top
    found = {}
    for index, (x0, y0, x1, y1) in all_boxes.items():
        lacks = max((x0 - left) / wide, (y0 - top) / high, (right - x1) / wide, (bottom - y1) / high)
        found[index] = Place(lacks, ((x1 - x0) * (y1 - y0) / (wide * high)) ** 0.5)
    return found


def lights(group: Group, start: int) -> dict[int, float]:
    """How many EV each member is lighter than the one at `start`, from link to link."""
    near: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for link in group.links:
        near[link.first].append((link.second, link.light))
        near[link.second].append((link.first, -link.light))
    found = {start: 0.0}
    waiting = deque([start])
    while waiting:
        index = waiting.popleft()
        for other, light in near[index]:
            if other not in found:
                found[other] = found[index] + light
                waiting.append(other)
    return {index: found.get(index, 0.0) for index in group.members}


def boxes(group: Group) -> dict[int, Box]:
    """Left, top, right, bottom of each member in the frame of one of them."""
    near: dict[int, list[tuple[int, Box]]] = defaultdict(list)
    for first, second, box in _links(group):
        near[first].append((second, box))
        near[second].append((first, _inverse(box)))
    start = max(group.members, key=lambda index: len(near[index]))
    found = {start: _UNIT}
    waiting = deque([start])
    while waiting:
        index = waiting.popleft()
        for other, box in near[index]:
            if other not in found:
                found[other] = _within(found[index], box)
                waiting.append(other)
    return {index: found.get(index, _UNIT) for index in group.members}


def _links(group: Group) -> Iterator[tuple[int, int, Box]]:
    for link in group.links:
        # Of a copy that was turned by a quarter the sides have changed places; it is taken to show the whole.
        yield link.first, link.second, _UNIT if TURNS[link.turn][0] else link.box


def _within(frame: Box, box: Box) -> Box:
    """A box in shares of a frame -> in the frame's own coordinates."""
    wide, high = frame[2] - frame[0], frame[3] - frame[1]
    return frame[0] + box[0] * wide, frame[1] + box[1] * high, frame[0] + box[2] * wide, frame[1] + box[3] * high


def _inverse(box: Box) -> Box:
    """Where the first lies in the second, of where the second lies in the first."""
    wide, high = box[2] - box[0], box[3] - box[1]
    return -box[0] / wide, -box[1] / high, (1 - box[0]) / wide, (1 - box[1]) / high
