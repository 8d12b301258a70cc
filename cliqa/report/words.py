"""Scores in plain words: what a page calls a field, and with which conditions and faults it begins."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from cliqa.cli.faults import FAULTS, Fault, faults_among
from cliqa.metrics import Field
from cliqa.results.store import Store
from cliqa.text import display

TITLES = {
    "jpeg_quality.quality": "JPEG quality in its past",
    "jpeg_quality.subsampling_420": "Colour was halved (4:2:0)",
    "jpeg_quality.qf_header": "JPEG quality, says the file",
    "grain_noise.psnr": "Freedom from noise",
    "scale_factor.scale": "Enlargement",
    "scale_factor.quality": "Not enlarged",
    "scale_factor.learned": "Enlarged by a network",
    "scale_factor.scale_x": "Enlargement in width",
    "scale_factor.scale_y": "Enlargement in height",
    "jpeg_qf.qf": "Quality of the last JPEG save",
    "jpeg_qf.qf_final": "Quality of the last JPEG save, whole",
    "jpeg_qf.confidence": "Sureness of that quality",
    "jpeg_qf.previous_qf": "Quality of the save before",
    "exposure.too_bright_level": "Too bright",
    "exposure.too_dark_level": "Too dark",
    "exposure.contrast_too_high_level": "Contrast too high",
    "exposure.contrast_too_low_level": "Contrast too low",
    "exposure.highlights_clipped_level": "Highlights clipped",
    "exposure.highlights_over_suppressed_level": "Highlights greyed",
    "aesthetic.score": "Worth as a picture",
    "aesthetic.label": "Verdict on the picture",
    "grepq.quality": "Quality as people rate it",
    "grepq.q": "Quality, untrained",
    "sharpness.blur": "Blur where it is sharpest",
    "sharpness.motion": "Motion blur",
    "sharpness.sharp_share": "Share that is sharp",
    "sharpness.relative": "Blur for its size",
    "sharpness.confidence": "Sureness of the sharpness",
    "compression.fidelity": "What compression left",
    "compression.codec": "Codec with the strongest traces",
    "compression.file_codec": "Codec of the file",
    "compression.file_quality": "Quality, says the codec",
    "width": "Width",
    "height": "Height",
    "size": "Size of the file",
    "format": "Format",
    "mode": "Colours",
    "camera": "Camera",
    "taken": "Taken",
    "mtime_ns": "Changed",
    "exposure_value": "Light of the scene",
    "bits": "Bits per channel",
    "frames": "Pictures in the file",
}
TASTE = ("grepq", "aesthetic")  # metrics of what people like: no page begins with a condition on them

_KEPT = {"<": ">=", ">": "<=", ">=": "<"}


def title_of(name: str) -> str:
    """A column's name in plain words; the field's own, without underscores, where there are none."""
    if name in TITLES:
        return TITLES[name]
    metric, _, field = name.rpartition(".")
    if metric == "exposure" and field[-3:-1] == "_p":
        return f"{field[:-3].replace('_', ' ').capitalize()}: chance of level {field[-1]} or more"
    return field.replace("_", " ").capitalize()


def told_column(name: str, field: Field) -> dict[str, Any]:
    """What a page is told of a column, but for its values.

    `main`: a filter decides by it. `begins`: the operator and value that its filter keeps by, None where it has none. `sure`, `least`:
    where that other column is less, the column can't be told, and its filter keeps the picture.
    """
    metric, _, short = name.rpartition(".")
    facts = {fact: getattr(field, fact) for fact in ("meaning", "low", "high", "unit", "better")}
    called = {"name": name, "title": title_of(name), "metric": metric or "file", "field": short}
    fault = next((one for one in FAULTS if one.column == name), None)
    by_number = fault is not None and fault.many
    filtered = {
        "main": fault is not None,
        "begins": [_KEPT[fault.operator], fault.value] if fault and by_number else None,
        "sure": fault.sure if fault else "",
        "least": fault.least if fault else 0.0,
    }
    return called | facts | filtered | {"whole": field.kind == "int"}


def title_of_store(store: Store, path: str) -> str:
    """What was scored, else the name of the store at `path`."""
    names = [os.path.basename(os.path.abspath(store.locate(path))) for path in store.inputs]
    return display(", ".join(names) or os.path.basename(path))


def page_faults(names: Iterable[str]) -> list[Fault]:
    """The faults that a page can name by these columns."""
    return [fault for fault in faults_among(names) if fault.many]


def is_taste(fault: Fault) -> bool:
    """Whether it is a matter of taste, which no page drops by unasked."""
    return fault.column.partition(".")[0] in TASTE


def told_faults(names: Iterable[str]) -> list[dict[str, object]]:
    """The faults that a page can name by these columns, as it is told of them."""
    return [vars(fault) | {"taste": is_taste(fault)} for fault in page_faults(names)]


def starting_conditions(names: Iterable[str]) -> list[dict[str, object]]:
    """The filters' own thresholds for these columns: what a page begins with. A picture with a fault is dropped, but for taste."""
    return [
        {"name": fault.column, "operator": _KEPT[fault.operator], "value": fault.value}
        for fault in page_faults(names)
        if not is_taste(fault)
    ]
