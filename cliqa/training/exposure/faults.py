"""Faults of exposure and contrast made from well-exposed photographs, with the levels that they amount to.

Every fault is a tone curve on sRGB-encoded values *u* in 0-1, the same for the three channels, except local tone mapping and changes
that keep hue, which work on luma and carry the channels along. Severity is measured in the units of the scale:

* brightness in EV (linear light), contrast as the slope of *u* about its mean;
* clipping as the further share of pixels with luma at 254 or 255, measured on the 8-bit result, whatever caused it;
* suppression as the 99.5th percentile of luma that a roll-off above mid-grey leaves of one at 0.95 or more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cliqa.signal.colour import LUMA
from cliqa.signal.exposure.histogram_traces import linear_to_srgb, srgb_to_linear

BRIGHT, DARK, HIGH, LOW, CLIPPED, SUPPRESSED = range(6)

# Boundaries between levels 1|2, 2|3 and 3|4, and the outer ends that the generator draws to.
EV = (0.7, 1.5, 2.75)
EV_ENDS = (0.0, 4.2)
SLOPE_HIGH = (1.25, 1.6, 2.2)
SLOPE_HIGH_ENDS = (1.0, 3.2)
SLOPE_LOW = (0.75, 0.5, 0.3)
SLOPE_LOW_ENDS = (1.0, 0.1)
CLIP_SHARE = (0.01, 0.05, 0.15)
CLIP_SHARE_ENDS = (0.001, 0.40)
WHITE = (0.85, 0.70, 0.55)  # what is left of the 99.5th percentile
WHITE_ENDS = (0.95, 0.42)
MID_GREY = 0.4614  # 18 % reflectance, sRGB-encoded

_SCALES = {
    BRIGHT: (EV_ENDS[0], *EV, EV_ENDS[1]),
    DARK: (EV_ENDS[0], *EV, EV_ENDS[1]),
    HIGH: (SLOPE_HIGH_ENDS[0], *SLOPE_HIGH, SLOPE_HIGH_ENDS[1]),
    LOW: (SLOPE_LOW_ENDS[0], *SLOPE_LOW, SLOPE_LOW_ENDS[1]),
    CLIPPED: (CLIP_SHARE_ENDS[0], *CLIP_SHARE, CLIP_SHARE_ENDS[1]),
    SUPPRESSED: (WHITE_ENDS[0], *WHITE, WHITE_ENDS[1]),
}
_FULL = 65535  # 257 steps an 8-bit value, so that 8-bit sources go through a curve without a rounding of their own
_GRID = np.arange(_FULL + 1) / _FULL


def severity(label: int, amount: float) -> float:
    """Amount of a fault in its own unit -> position on the scale of levels: 1.0 none, 1.5 the boundary 1|2, ... 4.5 at the end.

    Linear between boundaries (clip shares: in their logarithm), so level = round(severity).
    """
    ends = np.array(_SCALES[label])
    value = amount
    if label == CLIPPED:
        ends, value = np.log(ends), float(np.log(max(amount, 1e-4)))
    if ends[0] > ends[-1]:
        ends, value = -ends, -value
    return float(np.interp(value, ends, [1.0, 1.5, 2.5, 3.5, 4.5]))


def amount_at(label: int, position: float) -> float:
    """The inverse of `severity`."""
    ends = np.array(_SCALES[label])
    if label == CLIPPED:
        return float(np.exp(np.interp(position, [1.0, 1.5, 2.5, 3.5, 4.5], np.log(ends))))
    return float(np.interp(position, [1.0, 1.5, 2.5, 3.5, 4.5], ends))


def luma(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """u of luma (BT.601) of RGB pixels, 0-1."""
    return np.asarray(Image.fromarray(pixels).convert("L")).astype(np.float64) / 255.0


def clipped_share(pixels: NDArray[np.uint8]) -> float:
    """Share of pixels with 8-bit luma at 254 or 255."""
    return float((np.asarray(Image.fromarray(pixels).convert("L")) >= 254).mean())


@dataclass
class Faulty:
    """A picture under change: 16-bit values, and the severities that are known so far."""

    values: NDArray[np.uint16]
    before: float  # clipped share of the original
    severities: NDArray[np.float64] = field(default_factory=lambda: np.ones(6))

    def curve(self, function: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> None:
        """Apply one tone curve to all channels."""
        table = np.rint(np.clip(function(_GRID), 0.0, 1.0) * _FULL).astype(np.uint16)
        self.values = table[self.values]

    def luma(self) -> NDArray[np.float64]:
        """u of luma, 0-1."""
        mixed: NDArray[np.float64] = self.values @ (LUMA / _FULL)
        return mixed

    def scale_by(self, ratio: NDArray[np.float64]) -> None:
        """Multiply each pixel's u by a number of its own, keeping the ratios of the channels."""
        self.values = np.clip(np.rint(self.values * ratio[..., None]), 0, _FULL).astype(np.uint16)


def start(pixels: NDArray[np.uint8], rng: np.random.Generator | None = None, dither: bool = False) -> Faulty:
    """Begin with 8-bit RGB pixels; `dither` spreads each value over its interval, as a source of more bits would."""
    values = pixels.astype(np.float64) / 255.0
    if dither and rng is not None:
        values = np.clip(values + (rng.random(values.shape) - 0.5) / 255.0, 0.0, 1.0)
    return Faulty(np.rint(values * _FULL).astype(np.uint16), clipped_share(pixels))


def expose(picture: Faulty, ev: float, style: str = "srgb") -> None:
    """Change the exposure by `ev` in linear light, clipping at white.

    `style`: "srgb" through the sRGB curve, "gamma" through a power of 2.2, "shoulder" with the last stop below white bent.
    """

    def change(u: NDArray[np.float64]) -> NDArray[np.float64]:
        if style == "gamma":
            powered: NDArray[np.float64] = np.minimum(np.power(u, 2.2) * 2.0**ev, 1.0) ** (1 / 2.2)
            return powered
        light = srgb_to_linear(u) * 2.0**ev
        if style == "shoulder":
            light = np.where(light > 0.7, 0.7 + 0.3 * np.tanh((light - 0.7) / 0.3), light)
        return linear_to_srgb(np.minimum(light, 1.0))

    picture.curve(change)
    label = BRIGHT if ev > 0 else DARK
    picture.severities[label] = severity(label, abs(ev))


def change_contrast(picture: Faulty, slope: float, style: str = "linear") -> None:
    """Scale u about its mean by `slope`.

    `style`: "linear" about the mean of all channels, "channel" about each channel's own, "luma" about the mean of luma, "sigmoid" an
    S-curve of that slope at the mean.
    """
    if style == "channel":
        for channel in range(3):
            part = Faulty(picture.values[..., channel], 0.0)
            mean = float(part.values.mean()) / _FULL
            part.curve(lambda u, mean=mean: mean + slope * (u - mean))  # type: ignore[misc]
            picture.values[..., channel] = part.values
    else:
        mean = float(picture.luma().mean()) if style == "luma" else float(picture.values.mean()) / _FULL
        if style == "sigmoid" and slope > 1:
            picture.curve(lambda u: _sigmoid(u, mean, slope))
        else:
            picture.curve(lambda u: mean + slope * (u - mean))
    label = HIGH if slope > 1 else LOW
    picture.severities[label] = severity(label, slope)


def _sigmoid(u: NDArray[np.float64], mean: float, slope: float) -> NDArray[np.float64]:
    """Slope `slope` at the mean, bending towards black and white without reaching them."""
    room = np.where(u < mean, mean, 1.0 - mean) + 1e-6
    return mean + room * np.tanh(slope * (u - mean) / room)


def clip_highlights(picture: Faulty, share: float, knee: float, style: str = "linear") -> None:
    """Stretch what lies above `knee` so that about a further `share` of the pixels reaches white.

    `style`: "linear" bends at the knee, "smooth" leaves it with slope 1, "light" is a gain in linear light that fades in from the knee,
    "luma" keeps hue until the channels clip.
    """
    brightness = picture.luma()
    white = float(np.quantile(brightness, max(0.0, 1.0 - picture.before - share)))
    white = max(white, 0.12)
    knee = min(knee, 0.85 * white)

    def stretch(u: NDArray[np.float64]) -> NDArray[np.float64]:
        t = np.clip((u - knee) / (white - knee), 0.0, None)
        if style == "smooth":
            gain = (1.0 - knee) / (white - knee)
            inside = np.minimum(t, 1.0)
            return np.where(u < knee, u, knee + (white - knee) * (inside + (gain - 1.0) * np.square(inside)))
        if style == "light":
            boost = np.log2(1.0 / max(float(srgb_to_linear(np.array(white))), 1e-3))
            fade = np.clip(t, 0.0, 1.0)
            return linear_to_srgb(np.minimum(srgb_to_linear(u) * 2.0 ** (boost * fade * fade * (3 - 2 * fade)), 1.0))
        return np.where(u < knee, u, knee + (1.0 - knee) * t)

    if style == "luma":
        picture.scale_by(stretch(brightness) / np.maximum(brightness, 1e-3))
        return
    picture.curve(stretch)


def suppress_highlights(picture: Faulty, target: float, style: str = "linear", knee: float = MID_GREY) -> bool:
    """Roll off above `knee` (mid-grey) until the 99.5th percentile of luma is `target`; False where it was below 0.95.

    `style`: "linear" one lower slope, "exponential" and "rational" bend ever more, "luma" the latter on luma alone, "local" compresses
    the blurred picture and keeps the detail.
    """
    brightness = picture.luma()
    top = float(np.quantile(brightness, 0.995))
    if top < 0.95:
        return False
    knee = min(knee, target - 0.04)

    def roll(u: NDArray[np.float64]) -> NDArray[np.float64]:
        x, reach, want = np.maximum(u - knee, 0.0), top - knee, target - knee
        ratio = want / reach
        if style in ("linear", "local"):
            return np.where(u < knee, u, knee + ratio * x)
        if style == "exponential":  # want = c (1 - exp(-reach / c)), slope 1 at the knee
            c = _solve(lambda c: c * (1.0 - np.exp(-reach / c)), want)
            return np.where(u < knee, u, knee + c * (1.0 - np.exp(-x / c)))
        c = reach * want / max(reach - want, 1e-6)  # want = reach / (1 + reach / c)
        return np.where(u < knee, u, knee + x / (1.0 + x / c))

    if style in ("local", "luma"):
        base = brightness
        if style == "local":
            radius = max(2.0, 0.04 * max(brightness.shape))
            blurred = Image.fromarray(np.rint(brightness * 255.0).astype(np.uint8)).filter(ImageFilter.BoxBlur(radius))
            base = np.asarray(blurred).astype(np.float64) / 255.0
        for _ in range(4):  # the blurred picture's percentile is not the picture's: close in on the target
            ratio = roll(np.maximum(base, 1e-3)) / np.maximum(base, 1e-3)
            got = float(np.quantile(brightness * ratio, 0.995))
            if abs(got - target) < 0.01 or style == "luma":
                break
            top = float(np.clip(top + (got - target), knee + 0.05, 1.6))
        picture.scale_by(ratio)
        target = got
    else:
        picture.curve(roll)
    picture.severities[SUPPRESSED] = severity(SUPPRESSED, target)
    return True


def _solve(function: Callable[[float], float], want: float) -> float:
    """c > 0 with function(c) = want, for an increasing function; bisection in the logarithm."""
    low, high = 1e-3, 1e3
    for _ in range(50):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if function(middle) < want else (low, middle)
    return low


def finish(picture: Faulty) -> NDArray[np.uint8]:
    """Round to 8 bits and measure the clipping. `picture.severities` is complete afterwards."""
    step = _FULL // 255
    pixels: NDArray[np.uint8] = ((picture.values.astype(np.uint32) + step // 2) // step).astype(np.uint8)
    picture.severities[CLIPPED] = severity(CLIPPED, clipped_share(pixels) - picture.before)
    return pixels
