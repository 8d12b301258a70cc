"""Which file of a group is the best copy, and why, in words.

Every copy loses something of its original, and each loss is counted in one unit: halvings of the number of pixels that tell.
A file's own size does not count, only the size at which the picture was ever resolved (`scale_factor`), less what codecs took (the
lowest JPEG quality in the history, `compression`), what was cropped off and what noise hides. Equal files are settled by what a
keeper of originals prefers: camera file before export, fewer saves, more metadata.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cliqa.copies.grouping import Group
from cliqa.copies.pictures import Picture

# Halvings that a JPEG history of such a lowest quality costs. Not measured: set so that 75 weighs as reducing to three quarters.
_QUALITIES = (5, 20, 40, 60, 75, 85, 92, 98, 100)
_LOSSES = (5.0, 3.0, 2.0, 1.4, 0.9, 0.5, 0.3, 0.08, 0.0)
ENLARGED = 1.1  # `scale_factor.scale` from which a file counts as enlarged, the default of `filter_low_quality_resize`
CLEAN = 45.0  # dB of `grain_noise.psnr`; better ones look alike
CUT = 0.012  # share of a side beyond which a copy counts as cropped: what the alignment of 32 pixels can tell


@dataclass(frozen=True)
class Verdict:
    """What a copy is worth: `worth` in halvings of pixels, and each loss in words, the heaviest first."""

    worth: float
    losses: tuple[tuple[float, str], ...]

    @property
    def reason(self) -> str:
        """The heaviest losses in words."""
        words = [text for cost, text in self.losses if cost >= 0.02]
        return " and ".join(words[:2]) or "the same picture"


def judge(group: Group, pictures: Sequence[Picture]) -> tuple[int, dict[int, str]]:
    """The best member of a group and, for every member, why it is or isn't."""
    extents = _extents(group)
    largest = max(_pixels(pictures[index]) for index in group.members)
    verdicts = {index: _verdict(pictures[index], extents[index], largest) for index in group.members}
    best = min(group.members, key=lambda index: (-verdicts[index].worth, *_plainness(pictures[index].path), index))
    reasons = {
        index: _against(verdicts[index], verdicts[best], pictures[index], pictures[best])
        for index in group.members
        if index != best
    }
    runner = max((index for index in group.members if index != best), key=lambda index: verdicts[index].worth)
    reasons[best] = f"best: {_praise(pictures[best], verdicts[best])}; the next one: {reasons[runner]}"
    return best, reasons


def _verdict(picture: Picture, extent: float, largest: float) -> Verdict:
    pixels = _pixels(picture)
    losses = []
    scale = picture.number("scale_factor.scale") or 1.0
    width, height = picture.sides
    if scale > ENLARGED:
        losses.append((2 * math.log2(scale) + 1.0, f"it was enlarged {scale:.1f} times"))
    smaller = math.log2(largest / pixels)
    if smaller > 0.01:
        losses.append((1.2 * smaller + 0.2, f"it has fewer pixels ({width}x{height})"))
    quality = picture.number("jpeg_quality.quality")
    saved = float(np.interp(quality, _QUALITIES, _LOSSES)) if quality is not None and quality < 97 else 0.0
    fidelity = picture.number("compression.fidelity")
    taken = max(0.0, (95.0 - fidelity) / 25.0) if fidelity is not None else 0.0  # 90: visually lossless, 50: as JPEG 40
    if saved or taken:
        text = f"it was a JPEG of {quality:.0f}" if saved and saved >= taken - 0.3 else "a codec took much of it"
        losses.append((max(saved, taken) + 0.05, text))
    if extent > CUT:
        losses.append((0.5 + 2 * extent, "it is cropped"))
    psnr = picture.number("grain_noise.psnr")
    if psnr is not None and psnr < CLEAN:
        losses.append(((CLEAN - psnr) / 40.0, f"it is noisier ({psnr:.0f} dB)"))
    header = picture.number("jpeg_quality.qf_header")
    if quality is not None and header is not None and header > quality + 3:
        losses.append((0.06, f"it was saved again at {header:.0f}"))
    elif quality is not None and quality < 97 and picture.values.get("format") != "JPEG":
        losses.append((0.05, f"it is a {picture.values.get('format')} made of a JPEG"))
    if not picture.values.get("camera"):
        losses.append((0.02, "it has lost what the camera wrote"))
    losses.sort(key=lambda loss: -loss[0])
    worth = math.log2(largest) - sum(cost for cost, _ in losses)
    return Verdict(worth, tuple(losses))


def _pixels(picture: Picture) -> float:
    width, height = picture.sides
    return float(max(1, width * height))


def _extents(group: Group) -> dict[int, float]:
    """How much of a side each member lacks at most, beside the member that shows most."""
    lacks = dict.fromkeys(group.members, 0.0)
    for link in group.links:
        left, top, right, bottom = link.box
        lacks[link.second] = max(lacks[link.second], left, top, 1 - right, 1 - bottom)
        lacks[link.first] = max(lacks[link.first], -left, -top, right - 1, bottom - 1)
    return lacks


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


def _praise(picture: Picture, verdict: Verdict) -> str:
    quality = picture.number("jpeg_quality.quality")
    width, height = picture.sides
    never = "never compressed" if quality is not None and quality >= 97 else ""
    if quality is not None and quality < 97:
        never = f"lowest JPEG quality {quality:.0f}"
    return ", ".join(word for word in (f"{width}x{height}", never) if word)
