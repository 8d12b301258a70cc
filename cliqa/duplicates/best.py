"""Which file of a group is the best copy, and why, in words.

Every copy loses something of its original, and each loss is counted in one unit: halvings of the number of pixels that tell.
A file's own size does not count, only how finely the picture was ever resolved (`scale_factor`, and where the copies lie in each
other), less what codecs took (the lowest JPEG quality in the history, `compression`), what was cropped off and what noise hides.
A resize hides what codecs did, so a resized copy is taken to have lost what the file that it can come from has lost.
Equal files are settled by what a keeper of originals prefers: camera file before export, fewer saves, more metadata.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cliqa.duplicates.grouping import Group
from cliqa.duplicates.keeping import kept
from cliqa.duplicates.pictures import Picture
from cliqa.duplicates.places import Place, places

# Halvings that a JPEG history of such a lowest quality costs. Not measured: set so that 75 weighs as reducing to three quarters.
_QUALITIES = (5, 20, 40, 60, 75, 85, 92, 98, 100)
_LOSSES = (5.0, 3.0, 2.0, 1.4, 0.9, 0.5, 0.3, 0.08, 0.0)
UNCOMPRESSED = 97.0  # `jpeg_quality.quality` from which no trace of a save was found
ENLARGED = 1.1  # `scale_factor.scale` from which a file counts as enlarged, the default of `filter_low_quality_resize`
# An enlargement by more than CLEARLY that JPEG's traces tell of has to be seen by `scale_factor` too, at UNSCALED at least
CLEARLY, UNSCALED = 1.3, 1.05
NEARLY = 0.7  # of a resolution: what `scale_factor` errs by where an enlargement is weak
BY_NETWORK = 0.6  # `scale_factor.learned` from which it does, where a smaller copy is there; originals read up to 0.2
NETWORK_SCALE = 2.0  # what such networks mostly do
AS_FINE = 0.9  # of the resolution of a file that a resized one can come from: what the two scales err by
HIDDEN = 1.0  # halvings that a reduction can hide at most: a JPEG of 40 is still seen in half its size
# Halvings that `compression` may find too many in a JPEG: those that nothing preceded reach 1.2, ones made of an AVIF or WebP 1.4
BEFORE = 1.0
AGAIN = 0.1  # halvings that another save costs beside what was lost before: more than a PNG made of a JPEG
FINER = 15.0  # units of JPEG quality by which a file's steps must be finer than its source's to tell which came first: see `descent`
CLEAN = 45.0  # dB of `grain_noise.psnr`; better ones look alike
COLOUR = 1.0  # halvings that a copy without colours has lost; set by hand: two thirds of what there was to see
CUT = 0.012  # share of a side beyond which a copy counts as cropped: what the alignment of 32 pixels can tell
FRAMED = 0.97  # share of its pixels that a picture with bars has for itself at most


@dataclass(frozen=True)
class Verdict:
    """What a copy is worth: `worth` in halvings of pixels, and each loss in words, the heaviest first."""

    worth: float
    losses: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class _Known:
    """What is known of a member before it is compared with others: `fine` is pixels along a side of what the whole group shows."""

    picture: Picture
    place: Place
    scale: float
    fine: float
    codec: float
    codec_words: str


@dataclass(frozen=True)
class _Peers:
    """What a member is measured by: the finest, and how fine its file looks, the largest share of pixels within bars, whether any has
    colour, and `sources`, those never enlarged.

    `sources` are pairs (fine, codec), ever finer and with more lost: no other one is both finer and less lossy.
    """

    finest: float
    looks: float
    shown: float
    coloured: bool
    sources: tuple[tuple[float, float], ...]


def judge(group: Group, pictures: Sequence[Picture]) -> tuple[int, dict[int, str]]:
    """The best member of a group and, for every member, why it is or isn't."""
    found = places(group)
    known = {index: _known(pictures[index], found[index]) for index in group.members}
    smallest = min(one.fine for one in known.values())
    known = {index: _by_network(one, smallest) for index, one in known.items()}
    never = [one.fine for one in known.values() if one.scale == 1.0]
    known = {index: _from_its_source(one, never) for index, one in known.items()}
    known = _inherited(group, known)
    peers = _peers(list(known.values()))
    verdicts = {index: _verdict(one, peers) for index, one in known.items()}
    best = min(group.members, key=lambda index: (-verdicts[index].worth, *_plainness(pictures[index].path), index))
    reasons = {
        index: _against(verdicts[index], verdicts[best], pictures[index], pictures[best])
        for index in group.members
        if index != best
    }
    for index, why in kept(group, best).items():
        reasons[index] += f"; {why}"
    runner = max((index for index in group.members if index != best), key=lambda index: verdicts[index].worth)
    reasons[best] = f"best: {_praise(pictures[best])}; the next one: {reasons[runner]}"
    return best, reasons


def _known(picture: Picture, place: Place) -> _Known:
    scale = picture.number("scale_factor.scale") or 1.0
    resized = picture.number("jpeg_quality.resized") or 1.0
    if _saved_at(picture) is not None and not (resized > CLEARLY and scale < UNSCALED):
        scale = max(scale, resized)
    scale = scale if scale > ENLARGED else 1.0
    codec, words = _codec(picture, min(1.0, resized))
    return _Known(picture, place, scale, _side(picture) / place.share / scale, codec, words)


def _peers(members: Sequence[_Known]) -> _Peers:
    sources: list[tuple[float, float]] = []
    for fine, codec in sorted(
        {(one.fine, one.codec) for one in members if one.scale == 1.0}, key=lambda one: (-one[0], one[1])
    ):
        if not sources or codec < sources[-1][1]:
            sources.append((fine, codec))
    shown, coloured = max(one.picture.shown for one in members), any(not _grey(one.picture) for one in members)
    finest = max(members, key=lambda one: one.fine)
    return _Peers(finest.fine, finest.fine * finest.scale, shown, coloured, tuple(reversed(sources)))


def _by_network(one: _Known, smallest: float) -> _Known:
    """An enlargement that only a network's traces tell, and a smaller copy bears out."""
    learned = one.picture.number("scale_factor.learned") or 0.0
    if one.scale > 1.0 or learned < BY_NETWORK or smallest > 0.8 * one.fine:
        return one
    return replace(one, scale=NETWORK_SCALE, fine=one.fine / NETWORK_SCALE)


def _from_its_source(one: _Known, never_enlarged: Sequence[float]) -> _Known:
    """An enlarged file is no finer than a smaller one of nearly its resolution that never was: it came from that."""
    sources = [fine for fine in never_enlarged if NEARLY * one.fine <= fine < one.fine * one.scale]
    if one.scale == 1.0 or not sources or max(sources) >= one.fine:
        return one
    return replace(one, scale=one.scale * one.fine / max(sources), fine=max(sources))


def _inherited(group: Group, known: dict[int, _Known]) -> dict[int, _Known]:
    """A JPEG that was made of another member has lost what that one shows to have lost, though the save may hide it."""
    found = dict(known)
    own = {index: one.picture.number("jpeg_quality.qf_header") or 0.0 for index, one in known.items()}
    # Coarse ones first: a child may be the parent of a finer one, which inherits from both
    for link in sorted((link for link in group.links if link.child >= 0), key=lambda link: own[link.child]):
        child, parent = found[link.child], found[link.first if link.child == link.second else link.second]
        if own[link.child] < (_saved_at(parent.picture) or 0.0) + FINER:
            continue  # the nearer their steps, the less tells which of both came first
        if parent.codec >= child.codec:
            child = replace(
                child, codec=parent.codec + AGAIN, codec_words=f"a JPEG of {own[link.child]:.0f} made of the other one"
            )
        if parent.scale > child.scale:
            child = replace(child, scale=parent.scale, fine=min(child.fine, parent.fine))
        found[link.child] = child
    return found


def _saved_at(picture: Picture) -> float | None:
    """The lowest JPEG quality in the history, None where no save has left a trace."""
    quality = picture.number("jpeg_quality.quality")
    return quality if quality is not None and quality < UNCOMPRESSED else None


def _codec(picture: Picture, reduced: float) -> tuple[float, str]:
    """What codecs took, in halvings, and in words. Of a picture that was reduced after its JPEG save less is left to see."""
    quality = _saved_at(picture)
    saved = float(np.interp(quality, _QUALITIES, _LOSSES)) * reduced if quality is not None else 0.0
    fidelity = picture.number("compression.fidelity")
    taken = max(0.0, (95.0 - fidelity) / 25.0) if fidelity is not None else 0.0  # 90: visually lossless, 50: as JPEG 40
    if quality is not None and picture.values.get("compression.codec") in ("jpeg", None):
        # The tables tell more exactly what JPEG took than the picture does; what is beyond that, another codec took before
        taken = min(taken, max(saved, taken - BEFORE))
    if quality is not None and saved >= taken - 0.3:
        return max(saved, taken), f"it was a JPEG of {quality:.0f}"
    return taken, "a codec took much of it"


def _verdict(one: _Known, peers: _Peers) -> Verdict:
    picture, place = one.picture, one.place
    losses = []
    width, height = picture.sides
    if one.scale > 1.0:
        losses.append((2 * math.log2(one.scale) + 1.0, f"it was enlarged {one.scale:.1f} times"))
    smaller = 2 * math.log2(peers.finest / one.fine)
    if smaller > 4 * CUT:
        fewer = one.fine * one.scale < 0.98 * peers.looks  # sides are whole pixels, and places are measured
        words = f"it has fewer pixels ({width}x{height})" if fewer else "it was never as fine"
        losses.append((1.2 * smaller + 0.2, words))
    codec, words = one.codec, one.codec_words
    hidden = _hidden(one, peers)
    if hidden > codec:
        codec, words = hidden, "a resize hides what codecs took"
    if codec:
        losses.append((codec + 0.05, words))
    if place.lacks > CUT:
        losses.append((0.5 + 2 * place.lacks, "it is cropped"))
    psnr = picture.number("grain_noise.psnr")
    if psnr is not None and psnr < CLEAN:
        losses.append(((CLEAN - psnr) / 40.0, f"it is noisier ({psnr:.0f} dB)"))
    quality, header = picture.number("jpeg_quality.quality"), picture.number("jpeg_quality.qf_header")
    if quality is not None and header is not None and header > quality + 3:
        losses.append((0.06, f"it was saved again at {header:.0f}"))
    elif _saved_at(picture) is not None and picture.values.get("format") != "JPEG":
        losses.append((0.05, f"it is a {picture.values.get('format')} made of a JPEG"))
    if _grey(picture) and peers.coloured:
        losses.append((COLOUR, "it has lost its colours"))
    if picture.shown < FRAMED < peers.shown:
        losses.append((0.1, "it has bars or a frame"))
    if not picture.values.get("camera"):
        losses.append((0.02, "it has lost what the camera wrote"))
    losses.sort(key=lambda loss: -loss[0])
    return Verdict(-sum(cost for cost, _ in losses), tuple(losses))


def _hidden(one: _Known, peers: _Peers) -> float:
    """What codecs took at least of the file that a resized one was made of: the least lossy of those that are fine enough."""
    enlarged = one.scale > 1.0
    least = AS_FINE * one.fine if enlarged else one.fine / AS_FINE
    taken = min((codec for fine, codec in peers.sources if fine > least), default=0.0)
    return taken if enlarged else min(HIDDEN, taken)


def _grey(picture: Picture) -> bool:
    return bool(picture.number("grey"))


def _side(picture: Picture) -> float:
    """Pixels along a side of what is shown within bars: the geometric mean of both sides."""
    width, height = picture.sides
    return math.sqrt(max(1, width * height) * picture.shown)


def _plainness(path: str) -> tuple[int, str]:
    """Of equal files the one with the shortest name: copies are called `a (1).jpg`, `a copy.jpg`."""
    return len(path), path


def _against(mine: Verdict, best: Verdict, picture: Picture, other: Picture) -> str:
    """Why a copy is not the best: the losses that the best one has less of."""
    theirs = {text.split("(")[0]: cost for cost, text in best.losses}
    more = [(cost - theirs.get(text.split("(")[0], 0.0), text) for cost, text in mine.losses]
    heavy = [text for extra, text in sorted(more, key=lambda loss: -loss[0]) if extra >= 0.02]
    if heavy:
        return " and ".join(heavy[:2])
    if picture.values.get("sha256") and picture.values.get("sha256") == other.values.get("sha256"):
        return "the same file under another name"
    return "nothing tells them apart"


def _praise(picture: Picture) -> str:
    quality = picture.number("jpeg_quality.quality")
    width, height = picture.sides
    never = "never compressed" if quality is not None and quality >= UNCOMPRESSED else ""
    if quality is not None and quality < UNCOMPRESSED:
        never = f"lowest JPEG quality {quality:.0f}"
    return ", ".join(word for word in (f"{width}x{height}", never) if word)
