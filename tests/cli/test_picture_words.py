"""What each metric says of a picture, in words."""

from __future__ import annotations

from typing import Any

import pytest

from cliqa.cli import picture_words
from cliqa.cli.picture_words import in_words
from cliqa.filter_low_quality_resize import COMMAND as RESIZE
from cliqa.metrics import list_metrics, load_metric
from cliqa.records import Record, Source

QF = {"qf": 3.0, "qf_final": 3, "grid_x": 0, "grid_y": 0, "previous_qf": None, "qf_header": None}


def said(name: str, **fields: Any) -> str:
    """The metric's line, without its name."""
    metric = load_metric(name)
    values = {f"{name}.{field}": value for field, value in fields.items()}
    _, line = in_words(Record(Source("a.png"), {}, values), [metric]).splitlines()
    return line.removeprefix(f"  {name}  ")


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("jpeg_qf", QF | {"confidence": 0.02}, "can't tell: no clear trace of a JPEG save"),
        ("jpeg_qf", QF | {"confidence": 0.99}, "last saved as a JPEG of quality 3 of 100"),
        ("jpeg_qf", QF | {"confidence": 0.99, "previous_qf": 60}, "last saved as a JPEG of quality 3 of 100, before that of 60"),
        ("sharpness", {"blur": 5.9, "confidence": 0.01}, "can't tell: no edges to tell by"),
        ("sharpness", {"blur": 5.92, "confidence": 0.9, "motion": 4.0},
         "blur of 5.9 pixels where it is sharpest, motion blur of 4.0 pixels; filter_blurry_photo drops it"),
        ("jpeg_quality", {"quality": 100.0, "confidence": 0.9, "qf_header": None}, "no trace of a JPEG save"),
        ("jpeg_quality", {"quality": 90.2, "confidence": 0.3},
         "can't tell for sure; perhaps lowest JPEG quality that it was ever saved at: 90 of 100"),
        ("exposure", {"too_dark_level": 3, "contrast_too_low_level": 2, "too_bright_level": 1},
         "too dark (severe), contrast too low (moderate); filter_bad_exposure drops it"),
        ("scale_factor", {"scale": 1.5, "quality": 50.0, "learned": 0.1},
         "enlarged 1.50 times; chance that an upscaling network made it 10 %; filter_low_quality_resize drops it"),
        ("compression", {"fidelity": 99.7, "p_lossy": 0.1}, "no loss to a codec found (fidelity 100 of 100)"),
    ],
)  # fmt: skip
def test_a_line_tells_the_main_numbers_and_what_can_not_be_told(name: str, fields: dict[str, Any], words: str) -> None:
    assert said(name, **fields) == words


def test_why_a_metric_can_not_tell_is_in_its_line_alone() -> None:
    record = Record(
        Source("a.png"), {}, dict.fromkeys([f"jpeg_qf.{name}" for name in QF]), ["jpeg_qf: too flat", "a note"]
    )
    assert in_words(record, [load_metric("jpeg_qf")]).splitlines()[1:] == [
        "  jpeg_qf  can't tell (too flat)", "  note: a note",
    ]  # fmt: skip


def test_every_metric_that_is_listed_has_words_and_the_thresholds_are_the_filters() -> None:
    assert set(list_metrics()) <= picture_words._WORDS.keys()
    assert RESIZE.parser().parse_args(["-i", "x"]).quality == pytest.approx(100 - 100 * (picture_words.ENLARGED - 1))
