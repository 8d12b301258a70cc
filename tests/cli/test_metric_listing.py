"""The options of `cliqa metrics`, apart from the metrics themselves: its help imports none of them."""

from __future__ import annotations

import pytest

from cliqa.cli.metric_listing import main, parser


def test_names_and_speed_are_optional() -> None:
    assert vars(parser().parse_args([])) == {"names": [], "no_speed": False}
    assert parser().parse_args(["sharpness", "--no-speed"]).names == ["sharpness"]


def test_one_metric_is_told_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-speed", "sharpness"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("sharpness: ") and "sharpness.blur" in out and "speed" not in out
