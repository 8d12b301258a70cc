"""How far two pictures of one scene are apart in light and in tones: what tells exposures from copies where EXIF doesn't."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_LINEAR = 2.2  # from levels to light, nearly sRGB's curve
_DARK, _LIGHT = 8.0, 247.0  # levels beyond which light has been clipped
_SHARES = np.linspace(0.02, 0.98, 49)  # of pixels that are darker; of an over-exposed picture few tell anything
_CLIPPING = 6.0  # levels beyond the bounds that a copy differs by at most
_ENOUGH = 3  # shares that tell of light
IN_DOUBT = 0.5  # EV; more than what counts as another exposure


# Chosen on 60 training photographs: copies by codecs, scales, palettes and sharpening against exposures by four cameras' curves
TONES = 96  # pixels a side that tones are compared on: what codecs, sharpening and scales change is fine
PARTS = 24  # of the pixels, from dark to light; it divides their number
# Of a level, by which tones are put in order: sums of two fit in 16 bits, which sort in a fifth of the time
_STEPS = 128
FEW = 2  # parts that codecs may bend: the very dark and light ones
OTHER_TONES = 2.5  # levels from which tones are not the same

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]
Box = tuple[float, float, float, float]


def light_apart(first: Grey, second: Grey) -> float:
    """How much more light the second picture has than the first, in EV: the median over their shares of lighter pixels.

    Both show the same part of the scene. No pixel is compared with another, so they need not be aligned. Where most of what could tell
    was clipped in one picture alone, the light is as far apart as that says, and IN_DOUBT at least. 0 where both are black or white.
    """
    a, b = (np.clip(_levels_of(each), _DARK, _LIGHT) for each in (first, second))
    apart = _LINEAR * np.log2(b / a)
    clear = (np.minimum(a, b) > _DARK) & (np.maximum(a, b) < _LIGHT)
    lost = ~clear & (np.abs(a - b) > _CLIPPING)  # one clipped, the other not, by more than codecs do
    if lost.sum() > clear.sum():
        by = float(np.median(apart[lost]))
        return float(np.copysign(max(abs(by), IN_DOUBT), by))
    if clear.sum() < _ENOUGH:
        return 0.0 if not clear.any() else float(np.median(apart[clear]))
    # Of a bright picture most shares are squeezed against white: the darker ones tell
    return float(np.median(apart[np.flatnonzero(clear)[: len(_SHARES) // 2]]))


def _levels_of(picture: Grey) -> NDArray[np.float64]:
    """The level that each of _SHARES of the pixels does not exceed."""
    counts = np.bincount(picture.ravel(), minlength=256).cumsum()
    return np.asarray(np.searchsorted(counts, _SHARES * counts[-1]), np.float64)


def parts_of(first: Grey, second: Grey, box: Box) -> tuple[Grey, Grey]:
    """What both show, to a pixel, each on its own grid; `box` is where the second lies in the first."""
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    return _part(first, box), _part(second, (-left / wide, -top / high, (1 - left) / wide, (1 - top) / high))


def _part(picture: Grey, box: Box) -> Grey:
    height, width = picture.shape
    left, right = (int(np.clip(share, 0, 1) * width) for share in box[::2])
    top, bottom = (int(np.clip(share, 0, 1) * height) for share in box[1::2])
    return picture[top : max(bottom, top + 1), left : max(right, left + 1)]


def tones_apart(first: Grey | Floats, second: Grey | Floats) -> float:
    """How far apart the tones of two pictures are that lie on each other, in levels: those of all but FEW parts, or twice the mean.

    Codecs, sizes and sharpening leave the mean light of a place as it was. A third of an EV moves most tones by 5 levels and more; the
    few that clipping leaves tell of it too.

    Args:
        first, second: (height, width), 0-255, of any sizes, both of the same part of the scene.
    """
    one, two = (
        np.asarray(Image.fromarray(each.astype(np.float32)).resize((TONES, TONES), Image.Resampling.BOX)).ravel()
        for each in (first, second)
    )
    # In the order of both together: in that of one alone its noise would look like light
    levels = np.clip((one + two) * _STEPS, 0, np.iinfo(np.uint16).max).astype(np.uint16)
    order = np.argsort(levels, kind="stable")
    apart = np.abs(np.median((two - one)[order].reshape(PARTS, -1), axis=1))
    return float(max(np.sort(apart)[-1 - FEW], 2 * apart.mean()))
