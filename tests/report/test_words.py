"""Scores in plain words, and the conditions that a page begins with."""

from __future__ import annotations

from cliqa.cli.faults import FAULTS
from cliqa.metrics import Field
from cliqa.report.words import TITLES, page_faults, starting_conditions, title_of, told_column, told_faults


def test_fields_have_titles_and_unknown_ones_their_own_name() -> None:
    assert title_of("grain_noise.psnr") == "Freedom from noise"
    assert title_of("exposure.too_dark_p3") == "Too dark: chance of level 3 or more"
    assert title_of("their_metric.odd_field") == "Odd field"
    assert len(set(TITLES.values())) == len(TITLES), "two columns would look the same"


def test_a_page_begins_with_the_conditions_of_pictures_without_faults() -> None:
    found = starting_conditions(
        ["grain_noise.psnr", "scale_factor.learned", "exposure.too_dark_level", "grepq.quality"]
    )
    assert found == [
        {"name": "grain_noise.psnr", "operator": ">=", "value": 40},
        {"name": "scale_factor.learned", "operator": "<", "value": 0.5},
        {"name": "exposure.too_dark_level", "operator": "<=", "value": 2},
    ]


def test_what_a_filter_drops_is_a_condition_but_for_taste() -> None:
    columns = {fault.column for fault in FAULTS} | {"sharpness.confidence"}
    begun = {one["name"] for one in starting_conditions(columns)}
    taste = {one["column"] for one in told_faults(columns) if one["taste"]}
    assert taste == {"grepq.quality", "aesthetic.score"}
    assert begun == {one["column"] for one in told_faults(columns)} - taste
    assert "sharpness.blur" in begun and not starting_conditions(["sharpness.blur"])


def test_a_column_is_told_with_what_its_filter_decides_by() -> None:
    told = told_column("sharpness.blur", Field("blur", "in pixels", 0, 8, better="lower"))
    assert (
        told["main"] and told["begins"] == ["<=", 2] and (told["sure"], told["least"]) == ("sharpness.confidence", 0.5)
    )
    assert told_column("grepq.quality", Field("quality", "of 100", 0, 100))["begins"] == [">=", 50]
    for name in ("grepq.q", "scale_factor.scale", "width"):
        told = told_column(name, Field(name, ""))
        assert not told["main"] and told["begins"] is None and told["sure"] == ""


def test_a_page_names_faults_of_numbers_alone() -> None:
    columns = {fault.column for fault in FAULTS} | {"sharpness.confidence"}
    assert columns - {fault.column for fault in page_faults(columns)} == {"aesthetic.label", "sharpness.confidence"}
