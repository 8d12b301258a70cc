"""Pictures -> groups of copies, bursts and brackets.

Copies are files with the same bytes (`exact`), the same pixels (`pixels`) or the same picture (`near`: resized, compressed, toned,
lightly cropped, watermarked). Frames of one scene are no copies: `burst` seconds apart, `bracket` at other exposures. Where EXIF tells
no time apart, what moved between two pictures tells frames from copies: in the files' pixels where they are at hand, else in what
fingerprints keep of them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from cliqa.duplicates.links import OTHER_EXPOSURE, Kind, Link
from cliqa.duplicates.looking import Look, looked_at
from cliqa.duplicates.pictures import Picture, Prints, decoded
from cliqa.errors import RunError
from cliqa.pipeline.worker import clean_start
from cliqa.signal.copies.alignment import align
from cliqa.signal.copies.light import light_apart, parts_of, tones_apart
from cliqa.signal.copies.motion import BATCH, motion
from cliqa.signal.copies.neighbours import THREADS, alike
from cliqa.signal.copies.turns import TURNS, turned_hashes, turned_thumbnails

COPIES: tuple[Kind, ...] = ("exact", "pixels", "near")

SAME = 0.7  # correlation; 2,000 nearest pairs of different photographs reach 0.57, crops of 8 % 0.83, watermarks 0.78 in 99 %
MOST_CUT = 0.14  # of a side that a crop may lack: 8 % are to be found, and the alignment errs by a few; a panorama's frames lack 50 %
SAME_FRAME = 0.97  # correlation of two files with one EXIF time and one size; JPEG of 30 leaves 0.989
# Levels between a closer picture's darkest and lightest pixels: stretched ones have 160, and what JPEG adds
UNSTRETCHED = 170

_AT_ONCE = 1 << 15  # pairs whose thumbnails are gathered: 64 MiB
MANY = 4000  # pairs from which processes pay: they start in a second, threads compare some 800 a second
_CLOSER_AT_ONCE = 1 << 12  # pairs whose closer pictures' texts are gathered: 28 MiB

# Where `second` is looked for in `first` at the start, for each way in which their hashes met.
_STARTS = np.array([[0, 0, 1, 1], [0.04, 0.04, 0.96, 0.96], [-0.04, -0.04, 1.04, 1.04]], np.float32)


@dataclass(frozen=True)
class Group:
    """Pictures by index, at least two, and what holds them together; `links` are those among them."""

    kind: Kind
    members: tuple[int, ...]
    links: tuple[Link, ...]


def find_groups(
    pictures: Sequence[Picture],
    prints: Prints,
    burst_seconds: float = 10.0,
    turned: bool = False,
    loosest: Kind = "near",
    look: Look | None = None,
    most: int | None = None,
) -> list[Group]:
    """All groups, in the order of their first members. A picture may be in one group of copies, one burst and one bracket.

    Args:
        pictures: what is known of each.
        prints: their fingerprints, in the same order.
        burst_seconds: how far apart frames of a burst or bracket are at most.
        turned: whether copies turned by quarters or mirrored are looked for too (eight times the work).
        loosest: the loosest kind of copies that joins a group: with `exact`, files of the same bytes alone do.
        look: reads the files, see `decoding.Decoded`; None where there are none.
        most: how many pairs are compared in the files at most; None for all.
    """
    links = [*_same(pictures, "exact", [str(p.values.get("sha256") or "") for p in pictures])]
    links += _same(pictures, "pixels", prints.pixels)
    chosen = _representatives(prints.pixels)
    found = _look_alikes(pictures, prints, chosen, burst_seconds, turned)
    near = [link for link in found if link.kind == "near"]
    links += [link for link in found if link.kind != "near"]
    decided, near = looked_at(near, pictures, look, most) if look is not None else ([], near)
    links += [*decided, *_looked_at_closer(near, prints)]
    frames = {(link.first, link.second) for link in links if link.kind in ("burst", "bracket")}
    joining = COPIES[: COPIES.index(loosest) + 1]
    groups = _joined([link for link in links if link.kind in joining], frames)
    for kind in ("burst", "bracket"):
        groups += _joined([link for link in links if link.kind == kind])
    return sorted(groups, key=lambda group: (group.members[0], group.kind))


def _same(pictures: Sequence[Picture], kind: Kind, marks: Sequence[str]) -> list[Link]:
    first: dict[str, int] = {}
    links = []
    for index, mark in enumerate(marks):
        if mark and first.setdefault(mark, index) != index:
            links.append(Link(first[mark], index, kind))
    return links


def _representatives(marks: Sequence[str]) -> NDArray[np.int64]:
    """The first picture of each run of equal pixels: a thousand equal files are compared once."""
    first: dict[str, int] = {}
    return np.array([i for i, mark in enumerate(marks) if not mark or first.setdefault(mark, i) == i], np.int64)


def _look_alikes(
    pictures: Sequence[Picture], prints: Prints, chosen: NDArray[np.int64], burst_seconds: float, turned: bool
) -> list[Link]:
    whole, inside = prints.whole[chosen], prints.inside[chosen]
    place_of = np.full(len(prints.whole), -1)
    place_of[chosen] = np.arange(len(chosen))
    known = place_of[prints.framed_of] >= 0
    framed, framed_of = prints.framed[known], place_of[prints.framed_of[known]]
    links: dict[tuple[int, int], Link] = {}
    for turn in range(len(TURNS) if turned else 1):
        if turn == 0:
            pairs, ways = alike(whole, inside, framed, framed_of)
        else:
            pairs, ways = _turned_pairs(whole, inside, turn)
        for start in range(0, len(pairs), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            some = chosen[pairs[part]]
            others = turned_thumbnails(prints.thumbnails[some[:, 1]], turn)
            found = align(prints.thumbnails[some[:, 0]], others, _starts(pictures, some, ways[part]))
            for (first, second), correlation, box in zip(some.tolist(), found.correlation, found.box, strict=True):
                kind = _kind(pictures[first], pictures[second], float(correlation), box, burst_seconds)
                if kind is not None and (first, second) not in links:
                    links[first, second] = Link(first, second, kind, (*map(float, box),), turn, tones=math.inf)  # type: ignore[arg-type]
    return list(links.values())


def _looked_at_closer(near: Sequence[Link], prints: Prints) -> Iterator[Link]:
    """Links of copies without pairs between which something moved. Where the camera turned they are frames of a burst."""
    with _comparers(len(near)) as comparers:
        for start in range(0, len(near), _CLOSER_AT_ONCE):
            some = near[start : start + _CLOSER_AT_ONCE]
            texts = prints.closer(sorted({index for link in some for index in (link.first, link.second)}))
            batches = [some[place : place + BATCH] for place in range(0, len(some), BATCH)]
            theirs = [
                {index: texts[index] for link in batch for index in (link.first, link.second) if index in texts}
                for batch in batches
            ]
            for links in comparers.map(_compared, batches, theirs, chunksize=4):
                yield from links


@contextmanager
def _comparers(pairs: int) -> Iterator[Executor]:
    """Threads, or processes for many pairs: of a pair much is small steps, for which threads wait for the interpreter's lock."""
    if pairs < MANY:
        with ThreadPoolExecutor(THREADS) as threads:
            yield threads
        return
    with clean_start():
        processes = ProcessPoolExecutor(THREADS, mp_context=get_context("spawn"))
        list(processes.map(str, range(THREADS)))  # they start with the first calls
    try:
        with processes:
            yield processes
    except BrokenProcessPool:
        raise RunError("a process that compared pictures was ended by the system, perhaps for want of memory") from None


def _compared(links: Sequence[Link], texts: Mapping[int, str]) -> list[Link]:
    """Some of these links, see `_looked_at_closer`."""
    indices = {index for link in links for index in (link.first, link.second)}
    closer = {index: picture for index in indices if (picture := decoded(texts.get(index, ""))) is not None}
    known = [link for link in links if link.first in closer and link.second in closer]
    found = [link for link in links if link.first not in closer or link.second not in closer]
    if not known:
        return found
    first = np.stack([closer[link.first] for link in known])
    second = np.stack([turned_thumbnails(closer[link.second][None], link.turn)[0] for link in known])
    seen = motion(first, second, np.array([link.box for link in known], np.float32))
    for link, one, two, turned, apart in zip(known, first, second, seen.turned, seen.beyond | seen.moved, strict=True):
        if turned:
            found.append(replace(link, kind="burst"))
        elif not apart:
            found.append(_lit(link, one, two))
    return found


def _lit(link: Link, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Link:
    """A link with the light of its closer pictures; as it is where weak contrast was stretched: that takes the light away."""
    if min(np.ptp(first), np.ptp(second)) <= UNSTRETCHED:
        return link
    parts = parts_of(first, second, link.box)
    return replace(link, light=light_apart(*parts), tones=tones_apart(*parts))


def _starts(pictures: Sequence[Picture], pairs: NDArray[np.int64], ways: NDArray[np.int64]) -> NDArray[np.float32]:
    """Where each second picture is looked for in the first at the start."""
    starts = _STARTS[np.minimum(ways, 2)]
    for place in np.flatnonzero(ways > 2):
        framed = pictures[pairs[place, int(ways[place]) - 3]]
        left, top, right, bottom = framed.content if int(framed.values.get("orientation") or 1) == 1 else (0, 0, 1, 1)
        wide, high = right - left, bottom - top
        # The framed one's frame, seen from its picture
        whole = (-left / wide, -top / high, (1 - left) / wide, (1 - top) / high)
        starts[place] = whole if ways[place] == 3 else (left, top, right, bottom)
    return starts


def _turned_pairs(
    whole: NDArray[np.uint8], inside: NDArray[np.uint8], turn: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of a picture and another one turned, as `alike` gives them."""
    n = len(whole)
    pairs, ways = alike(
        np.concatenate([whole, turned_hashes(whole, turn)]), np.concatenate([inside, turned_hashes(inside, turn)])
    )
    across = (pairs[:, 0] < n) & (pairs[:, 1] >= n) & (pairs[:, 0] < pairs[:, 1] - n)
    return np.stack([pairs[across, 0], pairs[across, 1] - n], 1), ways[across]


def _kind(
    first: Picture, second: Picture, correlation: float, box: NDArray[np.float32], burst_seconds: float
) -> Kind | None:
    if correlation < SAME:
        return None
    one, two = first.taken, second.taken
    cameras = {first.values.get("camera"), second.values.get("camera")} - {None, ""}
    if one is not None and two is not None:
        if len(cameras) > 1:
            return None
        apart = abs((one - two).total_seconds())
        exposures = first.number("exposure_value"), second.number("exposure_value")
        apart_in_light = abs((exposures[0] or 0.0) - (exposures[1] or 0.0)) if None not in exposures else 0.0
        if apart <= burst_seconds and apart_in_light >= OTHER_EXPOSURE:
            return "bracket"
        if apart > 0:
            return "burst" if apart <= burst_seconds else None
        if first.sides == second.sides and correlation < SAME_FRAME:
            return "burst"
    cut = np.concatenate([box[:2], 1 - box[2:]])
    return "near" if float(np.abs(cut).max()) <= MOST_CUT else None


def _joined(links: Iterable[Link], apart: Collection[tuple[int, int]] = ()) -> list[Group]:
    """Groups of all that links connect; a link that would bring two of a pair in `apart` into one group is left out.

    So a copy that has lost its EXIF joins one frame of a bracket, never two.
    """
    parent: dict[int, int] = {}
    never: dict[int, set[int]] = defaultdict(set)
    for one, two in apart:
        never[one].add(two)
        never[two].add(one)
    within: dict[int, set[int]] = {}

    def root(index: int) -> int:
        while parent.setdefault(index, index) != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    kept = []
    for link in links:
        one, two = sorted((root(link.first), root(link.second)))
        first, second = within.setdefault(one, {one}), within.setdefault(two, {two})
        if one != two and link.kind == "near" and any(never[index] & second for index in first):
            continue
        kept.append(link)
        if one != two:
            parent[two] = one
            first |= within.pop(two)
    members: dict[int, list[int]] = defaultdict(list)
    for index in sorted(parent):
        members[root(index)].append(index)
    inside: dict[int, list[Link]] = defaultdict(list)
    for link in kept:
        inside[root(link.first)].append(link)
    order: list[Kind] = ["exact", "pixels", "near", "burst", "bracket"]
    return [
        Group(max((link.kind for link in inside[top]), key=order.index), tuple(found), tuple(inside[top]))
        for top, found in members.items()
        if len(found) > 1
    ]
