"""Time and memory of one file grow with the pixels that it declares, as far as its bytes make them credible."""

from __future__ import annotations

import signal

import pytest

from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS, FILE_SECONDS
from cliqa.pipeline import file_budget
from cliqa.pipeline.file_budget import FileBudget

LARGE = 1 << 30  # bytes


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What was last set, in place of the limits of the process that runs the tests."""
    found: dict[str, float] = {}
    monkeypatch.setattr(file_budget, "_set_memory", lambda limit: found.update(bytes=limit))
    monkeypatch.setattr(FileBudget, "_set_timer", lambda self, seconds: found.update(seconds=seconds))
    return found


@pytest.mark.parametrize(
    ("pixels", "seconds"), [(0, 10), (1_000_000, 10), (12_000_000, 16), (DEFAULT_MAX_IMAGE_PIXELS, 99)]
)
def test_time_grows_with_what_the_header_declares(given: dict[str, float], pixels: int, seconds: int) -> None:
    FileBudget(FILE_SECONDS).allow(LARGE, pixels)
    assert round(given["seconds"]) == seconds


def test_memory_grows_with_what_the_header_declares(given: dict[str, float]) -> None:
    budget = FileBudget(FILE_SECONDS)
    budget.allow()
    assert given["bytes"] == 1 << 30
    budget.allow(LARGE, 40_000_000)
    assert given["bytes"] == 1 << 30
    budget.allow(LARGE, DEFAULT_MAX_IMAGE_PIXELS)
    assert 1 << 30 < given["bytes"] < 3 << 30


def test_few_bytes_make_few_pixels_credible(given: dict[str, float]) -> None:
    budget = FileBudget(FILE_SECONDS)
    budget.allow(4_000_000, 12_000_000)
    assert round(given["seconds"]) == 16
    budget.allow(2000, DEFAULT_MAX_IMAGE_PIXELS)
    assert round(given["seconds"]) == 10 and given["bytes"] == 1 << 30


def test_no_limit_of_time_is_none_whatever_is_declared(given: dict[str, float]) -> None:
    FileBudget(0).allow(LARGE, DEFAULT_MAX_IMAGE_PIXELS)
    assert given["seconds"] == 0


@pytest.mark.skipif(file_budget.TIMER_SIGNAL is None, reason="POSIX timers")
def test_the_timer_runs_until_the_end() -> None:
    budget = FileBudget(100.0)
    budget._set_timer(100.0)
    assert 99 < signal.getitimer(signal.ITIMER_PROF)[0] < 101
    budget.end()
    assert signal.getitimer(signal.ITIMER_PROF)[0] == 0
