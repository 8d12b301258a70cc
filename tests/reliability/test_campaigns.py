"""The campaigns in small: faults, kills, races and damaged files; `make soak` runs the same code with large counts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("fcntl")

from tests.reliability import mutated_results, races, real_runs
from tests.reliability.campaign import Campaign

pytestmark = pytest.mark.skipif(not hasattr(os, "fork") or sys.platform != "linux", reason="forks and Linux's /proc")


def test_after_any_fault_nothing_has_changed_and_the_resume_is_complete(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, seed=3)
    campaign.faults(40)
    assert campaign.tally.findings == []
    assert campaign.tally.count >= 40 and len(campaign.tally.injected) >= 5


def test_after_any_kill_nothing_has_changed_and_the_resume_is_complete(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, seed=4)
    campaign.kills(20)
    assert campaign.tally.findings == [] and campaign.tally.count >= 20


@pytest.mark.parametrize("kind", ["main", "workers"])
def test_a_shipped_filter_is_killed_and_resumed_to_the_same_scores(kind: str, tmp_path: Path) -> None:
    tally = real_runs.disturb(tmp_path, 1, kind, seed=5, results="r.db")
    assert tally.findings == [] and tally.count == 1


def test_two_runs_at_once_lose_nothing(tmp_path: Path) -> None:
    tally = races.race(tmp_path, 9)
    assert tally.findings == [] and tally.count == 9


def test_damaged_results_are_told_or_read(tmp_path: Path) -> None:
    tally = mutated_results.mutate_results(tmp_path, 60)
    assert tally.findings == [] and tally.count == 60
    assert tally.statuses["refused"] and tally.statuses["read"]


def test_damaged_weights_are_told_or_loaded(tmp_path: Path) -> None:
    tally = mutated_results.mutate_weights(tmp_path, 40)
    assert tally.findings == [] and tally.statuses["refused"]
