"""The place in a picture that decided a score, and a sentence that says why, found when the picture is opened.

A metric that has a map of the picture (`Metric.map`) is asked for it. Others are asked for their score of one part alone, for the parts
that they looked at: the worst of these is the place. Metrics of the whole picture have no place.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.cli.faults import FAULTS
from cliqa.images.loading import LoadedImage, load_image
from cliqa.inputs.members import image_bytes
from cliqa.metrics import View
from cliqa.metrics.scale_factor import detailed_window
from cliqa.report.words import title_of
from cliqa.signal.exposure.labels import LABELS
from cliqa.view.boxes import Box, in_stored, inside_origin, ordered, shifted, turned_map, turned_point, turned_size
from cliqa.view.parts import PARTS, cached_metric, worst_part

CELLS = 8  # a side, of the grid on which the tones are compared
WHITE, BLACK = 250, 8  # levels that are seen as pure
BLURRED = 2.0  # pixels: sharp photographs enlarged twice have 0.6 to 1.1, blurred ones from here on read as enlarged
REMEMBERED = 64  # pictures
AT_ONCE = 1  # pictures: each is decoded whole


@dataclass(frozen=True)
class Reason:
    """Why a picture has a score.

    `box` is in pixels of the upright picture, None where the whole of it decided. `cells` are rows of the blur in pixels of its parts,
    None where a part tells nothing.
    """

    column: str
    title: str
    fault: bool
    sentence: str
    box: Box | None = None
    cells: list[list[float | None]] | None = None


class Reasons:
    """Finds reasons and remembers the last ones; may be called from any thread."""

    def __init__(self) -> None:
        self._remembered: OrderedDict[Any, dict[str, Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._decoding = threading.BoundedSemaphore(AT_ONCE)

    def of(self, path: str, scores: Mapping[str, Any]) -> dict[str, Any]:
        """`width`, `height` (upright) and `reasons`, those of faults first. Raises ImageIssue where the picture can't be read."""
        key = (path, scores.get("mtime_ns"), scores.get("weights"))
        with self._lock:
            if key in self._remembered:
                self._remembered.move_to_end(key)
                return self._remembered[key]
        with self._decoding:
            image = load_image(image_bytes(path))
            found = sorted(reasons(image, scores), key=lambda reason: not reason.fault)
        size = turned_size(image)
        told = {"width": size[0], "height": size[1], "reasons": [vars(reason) for reason in found]}
        with self._lock:
            self._remembered[key] = told
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return told


def reasons(image: LoadedImage, scores: Mapping[str, Any]) -> list[Reason]:
    """A reason for each main score that the picture has."""
    view = View(image)
    finders = (_jpeg, _noise, _scale, _sharpness, _tones, _whole)
    return [_upright(reason, image) for finder in finders for reason in finder(view, scores)]


def _jpeg(view: View, scores: Mapping[str, Any]) -> Iterator[Reason]:
    column = "jpeg_quality.quality"
    if (quality := _value(scores, column)) is None:
        return
    if quality >= 97:
        yield _reason(column, scores, "No trace of a JPEG save with visible loss was found.")
        return
    box, lowest = worst_part("jpeg_quality", "quality", view, view.tiles.origins[: 4 * PARTS])
    here = f"; this part alone reads {lowest:.0f}" if lowest is not None and box is not None else ""
    said = f"Its pixels were once saved as a JPEG of quality {quality:.0f}. The 8×8 blocks of that save are plainest here{here}."
    yield _reason(column, scores, said, box)


def _noise(view: View, scores: Mapping[str, Any]) -> Iterator[Reason]:
    column = "grain_noise.psnr"
    if (psnr := _value(scores, column)) is None:
        return
    if psnr >= 48:
        yield _reason(column, scores, "No noise to speak of was found.")
        return
    origins = view.tiles.photographic
    places = np.unique(np.linspace(0, len(origins) - 1, min(PARTS, len(origins))).astype(int))
    box, lowest = worst_part("grain_noise", "psnr", view, [origins[place] for place in places])
    here = f" ({lowest:.0f} dB)" if lowest is not None and box is not None else ""
    verdict = "40 and more looks clean" if psnr >= 40 else "below 40 it is seen"
    said = f"Its noise leaves {psnr:.0f} dB; {verdict}. This is the noisiest of the parts that were compared{here}."
    yield _reason(column, scores, said, box)


def _scale(view: View, scores: Mapping[str, Any]) -> Iterator[Reason]:
    if (scale := _value(scores, "scale_factor.scale")) is None:
        return
    box = shifted(detailed_window(view.image.inside, view.num_patches), inside_origin(view.image))
    learned = _value(scores, "scale_factor.learned")
    column = "scale_factor.quality"
    if learned is not None and learned > 0.5:
        column = "scale_factor.learned"
        said = f"An upscaling network has probably made it ({learned:.0%}): this part, the most detailed, has its kind of edges."
    elif scale < 1.05:
        said = "Not enlarged: this part, the most detailed, has detail down to single pixels and no trace of interpolation."
    elif (blur := _value(scores, "sharpness.blur") or 0.0) > BLURRED:
        said = f"Enlarged about {scale:.2f} times, or only blurred: edges as soft as its own ({blur:.1f} pixels) read alike."
    else:
        said = f"Enlarged about {scale:.2f} times: in this part, the most detailed, interpolation has left its pattern."
    yield _reason(column, scores, said, box)


def _sharpness(view: View, scores: Mapping[str, Any]) -> list[Reason]:
    blur = _value(scores, "sharpness.blur")
    if blur is None:
        return []
    if (_value(scores, "sharpness.confidence") or 0.0) < 0.5:
        return [_reason("sharpness.blur", scores, "There is too little detail to tell how sharp it is.")]
    metric = cached_metric("sharpness")
    values = metric.map(view) if metric is not None and hasattr(metric, "map") else None
    box = _mapped(values, view)
    motion = _value(scores, "sharpness.motion") or 0.0
    kind = f", with a motion of {motion:.0f} pixels" if motion >= 3 else ""
    text = f"Where it is sharpest, here, its edges are blurred by {blur:.1f} pixels{kind}."
    reason = _reason("sharpness.blur", scores, text, box)
    if values is None:
        return [reason]
    upright = turned_map(np.asarray(values), view.image.header.orientation)
    cells = [[round(float(value), 1) if np.isfinite(value) else None for value in row] for row in upright]
    return [replace(reason, cells=cells)]


def _mapped(values: Any, view: View) -> Box | None:
    """The cell of a map (of the picture within bars) with the lowest value, as a box of the stored picture; None: it tells nothing."""
    if values is None or not np.isfinite(values).any():
        return None
    rows, columns = values.shape
    row, column = np.unravel_index(int(np.nanargmin(np.where(np.isfinite(values), values, np.inf))), values.shape)
    width, height = view.image.inside.size
    left, top = int(column * width / columns), int(row * height / rows)
    box = (left, top, min(width, left + max(64, width // columns)), min(height, top + max(64, height // rows)))
    return shifted(box, inside_origin(view.image))


_TONES: dict[str, tuple[str, Callable[[NDArray[np.float64]], float], str]] = {
    "too_bright": ("bright", lambda cell: float(cell.mean()), "This is its brightest part: {share:.0%} of it is pure white."),
    "too_dark": ("dark", lambda cell: -float(cell.mean()), "This is its darkest part: {dark:.0%} of it is pure black."),
    "highlights_clipped": (
        "clipped", lambda cell: float((cell >= WHITE).mean()), "Here {share:.0%} is pure white, without any detail.",
    ),
}  # fmt: skip
_WHOLE_TONES = {
    "contrast_too_high": "It has {too} high contrast: a twentieth is darker than {low:.0f}, another brighter than {high:.0f} of 255.",
    "contrast_too_low": "It has {too} low contrast: nine tenths of it lie between {low:.0f} and {high:.0f} of 255.",
    "highlights_over_suppressed": "Its lights are {how}greyed: the brightest hundredth reaches no more than {top:.0f} of 255.",
}
_TOO = {2: "rather", 3: "too", 4: "far too"}  # by level; from 3 on the filter drops
_HOW = {2: "a little ", 3: "", 4: "badly "}


def _tones(view: View, scores: Mapping[str, Any]) -> Iterator[Reason]:
    levels = {label: _value(scores, f"exposure.{label}_level") for label in LABELS}
    if all(level is None for level in levels.values()):
        return
    grey = np.asarray(view.image.sample(400_000).convert("L"), dtype=np.float64)
    low, high, top = np.percentile(grey, (5, 95, 99))
    shown = {label: int(level) for label, level in levels.items() if level is not None and level >= 2}
    for label, level in shown.items():
        box = None
        if label in _WHOLE_TONES:
            said = _WHOLE_TONES[label].format(low=low, high=high, top=top, too=_TOO[level], how=_HOW[level])
        else:
            words, strength, text = _TONES[label]
            cell, place = _strongest(grey, strength)
            box = in_stored(place, (grey.shape[1], grey.shape[0]), view.image)
            lights = label == "highlights_clipped"
            begun = f"Its lights are {_HOW[level]}{words}. " if lights else f"It is {_TOO[level]} {words}. "
            said = begun + text.format(share=(cell >= WHITE).mean(), dark=(cell <= BLACK).mean())
        yield _reason(f"exposure.{label}_level", scores, said, box)
    if not shown:
        said = "Neither exposure nor contrast has a fault that is seen."
        yield _reason("exposure.too_dark_level", scores, said, title="Exposure")


def _strongest(
    grey: NDArray[np.float64], strength: Callable[[NDArray[np.float64]], float]
) -> tuple[NDArray[np.float64], Box]:
    """The cell of the grid in which `strength` is largest, with its box in the thinned-out picture."""
    height, width = grey.shape
    best: tuple[float, NDArray[np.float64], Box] | None = None
    for row in range(CELLS):
        for column in range(CELLS):
            left, right = (place * width // CELLS for place in (column, column + 1))
            top, bottom = (place * height // CELLS for place in (row, row + 1))
            box = (left, top, right, bottom)
            cell = grey[box[1] : box[3], box[0] : box[2]]
            if cell.size and (best is None or strength(cell) > best[0]):
                best = strength(cell), cell, box
    assert best is not None
    return best[1], best[2]


_WHOLE = {
    "grepq.quality": "People would rate it about {:.0f} of 100; the whole picture was looked at.",
    "aesthetic.score": "Judged as a picture it would be {label}; the whole of it was looked at.",
    "compression.fidelity": "Compression has left {:.0f} of 100; 90 is without visible loss.",
}


def _whole(_: View, scores: Mapping[str, Any]) -> Iterator[Reason]:
    for column, said in _WHOLE.items():
        if (value := _value(scores, column)) is not None:
            yield _reason(column, scores, said.format(value, label=scores.get("aesthetic.label") or ""))


def _reason(column: str, scores: Mapping[str, Any], sentence: str, box: Box | None = None, title: str = "") -> Reason:
    fault = next((one for one in FAULTS if one.column == column), None)
    return Reason(column, title or title_of(column), fault is not None and fault.shown_by(scores), sentence, box)


def _value(scores: Mapping[str, Any], column: str) -> float | None:
    value = scores.get(column)
    return float(value) if isinstance(value, (int, float)) else None


def _upright(reason: Reason, image: LoadedImage) -> Reason:
    """The same with its box where a person sees it."""
    if reason.box is None:
        return reason
    width, height = image.stored.size
    corners = [turned_point(x, y, width, height, image.header.orientation) for x, y in (reason.box[:2], reason.box[2:])]
    return replace(reason, box=ordered(corners))
