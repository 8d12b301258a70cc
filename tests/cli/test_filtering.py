"""A filter is its options, a keep rule and a prefix; mostly those of one threshold."""

from __future__ import annotations

import argparse

import pytest

from cliqa.cli.filtering import Filter, Threshold
from cliqa.cli.options import bounded

QUALITY = Threshold("quality", 90, bounded(0, 100), "quality threshold")
FILTER = Filter("filter_toy", "toy", "Keep good pictures.", QUALITY.add_option, QUALITY.keep, QUALITY.prefix)


@pytest.mark.parametrize(("quality", "kept"), [(89.9, False), (90, True), (100, True)])
def test_a_field_that_reaches_the_option_is_kept(quality: float, kept: bool) -> None:
    options = argparse.Namespace(quality=90.0)
    assert FILTER.keep(options, {"quality": quality}) is kept


def test_names_with_the_prefix_sort_like_scores() -> None:
    assert [FILTER.prefix({"quality": value}) for value in (7.4, 93.6, 100)] == ["007", "094", "100"]


def test_the_threshold_comes_first_and_is_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    parser = FILTER.parser()
    assert parser.parse_args(["-i", "x", "--quality", "70"]).quality == 70
    with pytest.raises(SystemExit):
        parser.parse_args(["-i", "x", "--quality", "101"])
    assert "101" in capsys.readouterr().err


def test_a_run_without_an_outcome_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        FILTER.main(["-i", "x"])
    assert ended.value.code == 2 and "nothing to do" in capsys.readouterr().err
