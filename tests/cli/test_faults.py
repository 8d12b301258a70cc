"""Faults are told by the filters' rules: at the threshold, beyond it, and where nothing is known."""

from __future__ import annotations

from importlib import import_module

import pytest

from cliqa import (
    filter_bad_exposure,
    filter_blurry_photo,
    filter_low_aesthetic,
    filter_low_perceptual_quality,
    filter_low_quality_compression,
    filter_low_quality_jpeg,
    filter_low_quality_resize,
    filter_noisy_photo,
)
from cliqa.cli.faults import FAULTS, faults_among
from cliqa.metrics import metric_class
from cliqa.signal.exposure.labels import LABELS


def shown(scores: dict[str, float | str | None]) -> list[str]:
    return [fault.words or fault.one for fault in FAULTS if fault.shown_by(scores)]


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ({"grain_noise.psnr": 39.9}, ["noisy"]),
        ({"grain_noise.psnr": 40.0}, []),
        ({"grain_noise.psnr": None}, []),
        ({"scale_factor.learned": 0.5}, ["enlarged by a network"]),
        ({"scale_factor.learned": 0.49}, []),
        ({"exposure.too_dark_level": 3}, ["too dark"]),
        ({"exposure.too_dark_level": 2}, []),
        ({"aesthetic.label": "rejected", "aesthetic.score": 0.7}, ["not worth keeping"]),
        ({"aesthetic.label": "pending", "aesthetic.score": 0.4}, ["is hardly worth keeping"]),
        ({}, []),
    ],
)
def test_a_score_shows_its_fault(scores: dict[str, float | str | None], words: list[str]) -> None:
    assert shown(scores) == words


def test_blur_is_a_fault_only_where_it_can_be_told() -> None:
    assert shown({"sharpness.blur": 3.0, "sharpness.confidence": 0.6}) == ["blurred"]
    assert shown({"sharpness.blur": 3.0, "sharpness.confidence": 0.4}) == []
    assert shown({"sharpness.blur": 3.0, "sharpness.confidence": None}) == []


def test_only_what_the_columns_can_tell_is_counted() -> None:
    assert [fault.column for fault in faults_among(["grain_noise.psnr", "sharpness.blur", "width"])] == [
        "grain_noise.psnr"
    ]
    assert len(faults_among(["sharpness.blur", "sharpness.confidence"])) == 1


def test_one_and_many_agree() -> None:
    verbs = {"is": "are", "was": "were", "has": "have", "would": "would", "lost": "lost"}
    for fault in FAULTS:
        if fault.one:
            assert verbs[fault.one.split()[0]] == fault.many.split()[0] and fault.short


def test_faults_are_what_the_filters_drop() -> None:
    options = {
        "jpeg_quality.quality": filter_low_quality_jpeg.THRESHOLD.default,
        "grepq.quality": filter_low_perceptual_quality.THRESHOLD.default,
        "grain_noise.psnr": filter_noisy_photo.COMMAND.parser().parse_args(["-i", "x"]).psnr,
        "scale_factor.quality": filter_low_quality_resize.COMMAND.parser().parse_args(["-i", "x"]).quality,
        "scale_factor.learned": filter_low_quality_resize.COMMAND.parser().parse_args(["-i", "x"]).learned,
        "compression.fidelity": filter_low_quality_compression.COMMAND.parser().parse_args(["-i", "x"]).fidelity,
    }
    options["sharpness.blur"] = filter_blurry_photo.BLUR
    assert next(fault.least for fault in FAULTS if fault.sure) == filter_blurry_photo.SURE
    level = filter_bad_exposure.COMMAND.parser().parse_args(["-i", "x"]).max_level
    options |= {f"exposure.{label}_level": level - 1 for label in LABELS}
    assert {fault.column: fault.value for fault in FAULTS if not fault.column.startswith("aesthetic.")} == options
    assert {fault.column[9:-6] for fault in FAULTS if fault.column.startswith("exposure.")} == set(LABELS)
    rejected = next(fault for fault in FAULTS if fault.column == "aesthetic.label")
    assert rejected.value not in filter_low_aesthetic.KEPT
    for fault in FAULTS:
        metric, _, field = fault.column.partition(".")
        assert field in {found.name for found in metric_class(metric).fields}
        assert import_module(f"cliqa.{fault.command}").COMMAND.metric == metric
