"""The one run loop: what is new is scored, what was saved is taken from there, and nothing is asked of a store that is new."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from cliqa.cli.console import Console
from cliqa.cli.scoring import metric_names
from cliqa.cli.scoring_run import ScoringRun
from cliqa.cli.setup import open_listing, open_metrics
from cliqa.errors import UsageError
from cliqa.results.live import Results
from tests.toy_filter import COMMAND


def run(*words: str) -> ScoringRun:
    options: argparse.Namespace = COMMAND.parser().parse_args(["-g", "-1", "--workers", "0", *words])
    made = ScoringRun(options, Console("toy", quiet=True), open_listing(options))
    status = made(open_metrics([COMMAND.metric], options, made.console))
    assert status == (3 if options.strict and made.issues else 0)
    return made


def test_every_file_is_scored_known_or_an_issue(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    root = make_folder({"a.png": 200, "b.png": 10, "c.png": b"none"})
    words = ["-i", str(root), "--results", str(tmp_path / "s.csv"), "--strict"]
    first = run(*words)
    assert (first.scored, first.known, first.issues) == (2, 0, 1)
    again = run(*words, "--resume")
    assert (again.scored, again.known, again.issues) == (0, 2, 1)
    assert again.counts() == ["0 images scored", "2 unchanged since an earlier run"]


def test_a_new_store_is_asked_for_nothing(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    root = make_folder({"a.png": 200, "b.png": 10})
    with mock.patch.object(Results, "find", side_effect=AssertionError("asked")):
        assert run("-i", str(root), "--results", str(tmp_path / "s.db")).scored == 2


def test_names_of_metrics_are_checked_and_counted_once() -> None:
    assert metric_names(["grain_noise,sharpness", "sharpness"]) == ["grain_noise", "sharpness"]
    assert set(metric_names(["grain_noise"])) < set(metric_names(["all"]))
    with pytest.raises(UsageError):
        metric_names([","])
    with pytest.raises(UsageError, match="grain_nois"):
        metric_names(["grain_nois"])
