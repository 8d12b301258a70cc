"""Which members of a group of copies are no safe removal beside the best one, and why: without EXIF a toned copy can't be told from
another exposure, nor always a copy from another shot."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Sequence

from cliqa.duplicates.grouping import COPIES, Group
from cliqa.duplicates.links import OTHER_EXPOSURE
from cliqa.duplicates.places import boxes, lights
from cliqa.signal.copies.light import OTHER_TONES

# Of a side that a member shows beyond the best one from which on it is kept. Boxes err by half as much; frames of panoramas show more
MORE = 0.025

Judged = tuple[Group, int, dict[int, str]]  # a group, its best member, and why of each


def superfluous(judged: Sequence[Judged], groups: Sequence[Group]) -> set[int]:
    """The copies that are not the best of their groups. Frames of brackets and bursts are none of each other.

    What is in doubt stays too, see `kept`.
    """
    copies = [(group, best) for group, best, _ in judged if group.kind in COPIES]
    rest = {index for group, best in copies for index in set(group.members) - {best} - set(kept(group, best))}
    exact = {
        index for group, best in copies if group.kind in ("exact", "pixels") for index in group.members if index != best
    }
    protected = {index for group in groups if group.kind in ("burst", "bracket") for index in group.members}
    return rest - (protected - exact)


def kept(group: Group, best: int) -> dict[int, str]:
    """The members that are not to be removed for the best one's sake, and why."""
    found: dict[int, str] = {}
    light, tones, shown = lights(group, best), _tones(group, best), boxes(group)
    for index in group.members:
        if index == best:
            continue
        if abs(light[index]) >= OTHER_EXPOSURE:
            found[index] = f"its light is {abs(light[index]):.1f} EV apart: kept, it could be another exposure"
        elif math.isinf(tones[index]):
            found[index] = "kept, it could be another shot"
        elif tones[index] >= OTHER_TONES:
            found[index] = "its tones are other ones: kept, it could be another exposure"
        elif _beyond(shown[best], shown[index]) > MORE:
            found[index] = "it shows more at a side: kept"
    return found


def _tones(group: Group, start: int) -> dict[int, float]:
    """How far each member's tones are from those of the one at `start` at most: the least sum over links.

    What is in doubt beside that one itself stays so.
    """
    near: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for link in group.links:
        near[link.first].append((link.second, link.tones))
        near[link.second].append((link.first, link.tones))
    found = {other: apart for other, apart in near[start] if math.isinf(apart)}
    waiting = [(0.0, start)]
    while waiting:
        apart, index = heapq.heappop(waiting)
        if index in found:
            continue
        found[index] = apart
        for other, more in near[index]:
            heapq.heappush(waiting, (apart + more, other))
    return {index: found.get(index, math.inf) for index in group.members}


def _beyond(best: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """How much the other one shows beyond the best one's border, in shares of its own sides."""
    wide, high = other[2] - other[0], other[3] - other[1]
    return max(
        (best[0] - other[0]) / wide,
        (best[1] - other[1]) / high,
        (other[2] - best[2]) / wide,
        (other[3] - best[3]) / high,
    )
