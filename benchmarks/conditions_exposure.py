"""Conditions of the metric `exposure`. Faults are made here in floating point, by code of their own; the scale of levels is shared.

`levels` conditions draw one fault or none per image, its amount inside a level's interval, 10 % away from the boundaries. Clipping
is measured on the result whatever caused it (a picture that is 2 EV too bright is clipped too); where the measured share lies within
10 % of a boundary, that label is left out. The row `as drawn` counts every label but the drawn one as level 1 instead.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from conditions import Condition, Scored, Truth
from numpy.typing import NDArray
from PIL import Image

from cliqa.images.loading import LoadedImage
from cliqa.signal.colour import LUMA
from cliqa.signal.exposure.schema import LABELS
from cliqa.training.exposure.examples import is_drawing
from cliqa.training.ordinal_scores import area_under_roc, quadratic_kappa, spearman
from cliqa.training.photos import Photo

Pixels = NDArray[np.float64]

# Ends of the intervals of levels 2, 3 and 4.
INTERVALS: dict[str, tuple[tuple[float, float], ...]] = {
    "too_bright": ((0.7, 1.5), (1.5, 2.75), (2.75, 4.0)),
    "too_dark": ((0.7, 1.5), (1.5, 2.75), (2.75, 4.0)),
    "contrast_too_high": ((1.25, 1.6), (1.6, 2.2), (2.2, 3.0)),
    "contrast_too_low": ((0.75, 0.5), (0.5, 0.3), (0.3, 0.12)),
    "highlights_clipped": ((0.01, 0.05), (0.05, 0.15), (0.15, 0.35)),
    "highlights_over_suppressed": ((0.85, 0.70), (0.70, 0.55), (0.55, 0.45)),
}


def exposed(u: Pixels, ev: float) -> Pixels:
    """Linear light times 2^ev, clipped at white."""
    light = np.where(u > 0.04045, ((u + 0.055) / 1.055) ** 2.4, u / 12.92)
    light = np.clip(light * 2.0**ev, 0.0, 1.0)
    encoded: Pixels = np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)
    return encoded


def contrasted(u: Pixels, slope: float) -> Pixels:
    """Slope of u about the mean of luma."""
    mean = float((u @ LUMA).mean())
    return np.clip((u - mean) * slope + mean, 0.0, 1.0)


def _luma8(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(pixels).convert("L"))


def _rounded(u: Pixels) -> NDArray[np.uint8]:
    return np.rint(np.clip(u, 0.0, 1.0) * 255.0).astype(np.uint8)


def _further_share(pixels: NDArray[np.uint8], original: NDArray[np.uint8]) -> float:
    return float((_luma8(pixels) >= 254).mean() - (_luma8(original) >= 254).mean())


def clipped(u: Pixels, share: float, original: NDArray[np.uint8]) -> Pixels:
    """Highlights pushed up by a quadratic bump above the median of luma until the share is met (bisection on its height)."""
    start = float(np.median(u @ LUMA)) * 0.8
    low, high = 0.0, 8.0
    for _ in range(24):
        height = (low + high) / 2
        changed = u + height * np.square(np.maximum(u - start, 0.0))
        low, high = (height, high) if _further_share(_rounded(changed), original) < share else (low, height)
    return np.clip(u + high * np.square(np.maximum(u - start, 0.0)), 0.0, 1.0)


def suppressed(u: Pixels, target: float) -> Pixels | None:
    """A power-law shoulder above mid-grey that puts the 99.5th percentile of luma at `target`."""
    grey = 0.46
    top = float(np.percentile(u @ LUMA, 99.5))
    if top < 0.95:
        return None
    x = np.maximum(u - grey, 0.0) / (top - grey)
    bend = 0.8
    return np.where(u > grey, grey + (target - grey) * x**bend, u) if target - grey > 0.05 else np.minimum(u, target)


def _level(label: str, amount: float) -> int:
    edges = [interval[0] for interval in INTERVALS[label]]
    beyond = [amount >= edge if edges[0] < edges[-1] else amount <= edge for edge in edges]
    return 1 + sum(beyond)


def _near_boundary(share: float) -> bool:
    """Whether a clip share lies within 10 % of an interval from a boundary."""
    for low, high in INTERVALS["highlights_clipped"][:2]:
        if min(abs(share - low), abs(share - high)) < 0.1 * (high - low):
            return True
    return 0.006 < share < 0.01


def _make_fault(rng: np.random.Generator, photo: Photo, *, after: str = "", drawn_only: bool = False) -> (
    tuple[LoadedImage, Truth] | None
):  # fmt: skip
    original = photo.pixels()
    if is_drawing(original):
        return None
    kind = int(rng.integers(7))
    truth: Truth = dict.fromkeys(LABELS, 1.0)
    pixels = original
    if kind < 6:
        label, index = LABELS[kind], int(rng.integers(3))
        low, high = INTERVALS[label][index]
        amount = low + (high - low) * float(rng.uniform(0.1, 0.9))
        u = original / 255.0
        changed = _changed(u, label, amount, original)
        if changed is None:
            return None
        pixels = _rounded(changed)
        truth[label] = float(index + 2)
        share = _further_share(pixels, original)
        if not drawn_only and label != "highlights_clipped":
            truth["highlights_clipped"] = float("nan") if _near_boundary(share) else float(
                _level("highlights_clipped", share))  # fmt: skip
        elif label == "highlights_clipped" and _level(label, share) != index + 2:
            return None
        truth["fault"] = label
    else:
        truth["fault"] = "none"
    return LoadedImage.from_array(_afterwards(rng, pixels, after)), truth


def _changed(u: Pixels, label: str, amount: float, original: NDArray[np.uint8]) -> Pixels | None:
    if label == "too_bright":
        return exposed(u, amount)
    if label == "too_dark":
        return exposed(u, -amount)
    if label.startswith("contrast"):
        return contrasted(u, amount)
    return clipped(u, amount, original) if label == "highlights_clipped" else suppressed(u, amount)


def _afterwards(rng: np.random.Generator, pixels: NDArray[np.uint8], after: str) -> NDArray[np.uint8]:
    image = Image.fromarray(pixels)
    if "half" in after:
        image = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    if "jpeg" in after:
        return _as_jpeg(np.asarray(image), int(rng.integers(80, 96)))
    return np.asarray(image)


def _as_jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


def _summarise_levels(scored: Sequence[Scored]) -> dict[str, float]:
    accuracy, kappa, areas = [], [], []
    for label in LABELS:
        pairs = [(float(truth[label]), fields) for truth, fields in scored if not np.isnan(float(truth[label]))]
        level = np.array([pair[0] for pair in pairs]).astype(np.int64)
        predicted = np.array([pair[1][f"{label}_level"] for pair in pairs], dtype=np.int64)
        accuracy.append(float(((level >= 2) == (predicted >= 2)).mean()))
        kappa.append(quadratic_kappa(level, predicted))
        for k in (2, 3, 4):
            p = np.array([pair[1][f"{label}_p{k}"] for pair in pairs], dtype=np.float64)
            areas.append(area_under_roc(level >= k, p))
    figures = {"accuracy": float(np.mean(accuracy)), "kappa": float(np.nanmean(kappa)), "AUC": float(np.nanmean(areas))}
    figures |= {f"accuracy {label}": value for label, value in zip(LABELS, accuracy, strict=True)}
    figures |= {f"kappa {label}": value for label, value in zip(LABELS, kappa, strict=True)}
    return figures


def rolled_off(u: Pixels, ev: float) -> Pixels:
    """Linear light times 2^ev as a camera renders it: the last stop below white bends, and white is met at four times it."""
    light = np.where(u > 0.04045, ((u + 0.055) / 1.055) ** 2.4, u / 12.92) * 2.0**ev
    over = np.clip((light - 0.5) / 3.5, 0.0, 1.0)
    light = np.where(light > 0.5, 0.5 + 0.5 * (1.0 - (1.0 - over) ** 7), light)
    encoded: Pixels = np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)
    return encoded


def multiplied(u: Pixels, ev: float) -> Pixels:
    """Encoded values times a factor, as an editor's brightness slider does; the same at mid-grey as 2^ev under a gamma of 2.2."""
    changed: Pixels = np.clip(u * 2.0 ** (ev / 2.2), 0.0, 1.0)
    return changed


def _make_sweep(
    rng: np.random.Generator, photo: Photo, *, change: Callable[[Pixels, float], Pixels] = exposed, quality: int = 0,
    step: float = 0.0,
) -> tuple[LoadedImage, Truth] | None:  # fmt: skip
    """One exposure of the sweep: anywhere from -4 to 4 EV, or a multiple of `step`; saved as JPEG where a quality is given."""
    original = photo.pixels()
    if is_drawing(original):
        return None
    ev = (
        float(rng.uniform(-4.0, 4.0))
        if step == 0.0
        else step * float(rng.integers(-round(4 / step), round(4 / step) + 1))
    )
    pixels = _rounded(change(original / 255.0, ev))
    if quality:
        pixels = _as_jpeg(pixels, quality)
    return LoadedImage.from_array(pixels), {"ev": ev, "photo": str(photo.path)}


def _summarise_sweeps(scored: Sequence[Scored]) -> dict[str, float]:
    by_photo: dict[str, list[tuple[float, float, float]]] = {}
    for truth, fields in scored:
        row = (float(truth["ev"]), float(fields["too_dark_p2"] or 0), float(fields["too_bright_p2"] or 0))
        by_photo.setdefault(str(truth["photo"]), []).append(row)
    dark, bright = [], []
    for rows in by_photo.values():
        table = np.array(rows)
        low, high = table[table[:, 0] <= 0], table[table[:, 0] >= 0]
        dark.append(spearman(-low[:, 0], low[:, 1]))
        bright.append(spearman(high[:, 0], high[:, 2]))
    return {
        "photographs with P(dark) Spearman >= 0.95": float(np.mean(np.array(dark) >= 0.95)),
        "with P(bright) >= 0.95": float(np.mean(np.array(bright) >= 0.95)),
        "worst dark": float(np.min(dark)),
        "worst bright": float(np.min(bright)),
    }


def _make_untouched(rng: np.random.Generator, photo: Photo, *, after: str = "") -> tuple[LoadedImage, Truth] | None:
    pixels = photo.pixels()
    if is_drawing(pixels):
        return None
    return LoadedImage.from_array(_afterwards(rng, pixels, after)), {"photo": str(photo.path)}


def _summarise_untouched(scored: Sequence[Scored]) -> dict[str, float]:
    levels = np.array([[fields[f"{label}_level"] for label in LABELS] for _, fields in scored], dtype=np.int64)
    return {
        "share with any label >= 3": float((levels >= 3).any(axis=1).mean()),
        "any >= 2": float((levels >= 2).any(axis=1).mean()),
    } | {f"{label} >= 2": float((levels[:, j] >= 2).mean()) for j, label in enumerate(LABELS)}


_BAR = "accuracy >= 0.95, kappa >= 0.80, AUC >= 0.97"
_Make = Callable[[np.random.Generator, Photo], tuple[LoadedImage, Truth] | None]


def _levels(name: str, make: _Make) -> Condition:
    return Condition(name, _BAR, make, _summarise_levels, repeats=8, breakdown=("fault",))


def _sweep(name: str, bar: str, **how: Any) -> Condition:
    return Condition(name, bar, partial(_make_sweep, **how), _summarise_sweeps, repeats=20)


_SWEEP_BAR = "Spearman >= 0.95 for >= 0.95 of the photographs"
_FALSE_ALARM_BAR = "any label >= 3: <= 0.08"
_untouched_jpeg = partial(_make_untouched, after="jpeg")

CONDITIONS = [
    _levels("levels, one fault or none", _make_fault),
    _levels("levels, as drawn", partial(_make_fault, drawn_only=True)),
    _levels("levels, then JPEG 80-95", partial(_make_fault, after="jpeg")),
    _levels("levels, then half size and JPEG", partial(_make_fault, after="half jpeg")),
    _sweep("exposure sweep, any exposures", _SWEEP_BAR),
    _sweep("exposure sweep, steps of half an EV", _SWEEP_BAR, step=0.5),
    _sweep("exposure sweep, steps of an EV, then JPEG 90", _SWEEP_BAR, step=1.0, quality=90),
    _sweep("exposure sweep, highlights rolled off", "reported", change=rolled_off, step=0.5),
    _sweep("brightness sweep, encoded values multiplied", "reported", change=multiplied, step=0.5),
    Condition("untouched photographs", _FALSE_ALARM_BAR, _make_untouched, _summarise_untouched, repeats=1),
    Condition("untouched, then JPEG 80-95", _FALSE_ALARM_BAR, _untouched_jpeg, _summarise_untouched, repeats=1),
    Condition("untouched camera crops", "reported", _make_untouched, _summarise_untouched, ("camera",), repeats=1),
]
