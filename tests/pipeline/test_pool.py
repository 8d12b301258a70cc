"""Workers that die, hang, can't start or can't answer; and what they inherit."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from cliqa.errors import RunError
from cliqa.pipeline import pool as workers
from cliqa.pipeline.observe import Observed
from cliqa.pipeline.pool import WorkerPool
from cliqa.pipeline.settings import PipelineSettings
from cliqa.records import Issue, Source
from tests.conftest import encode
from tests.toy_metric import Brightness, Deadly, Endless, Greedy, Slow, Unpicklable, Unsendable

TOY = "tests.toy_metric:"


needs_signals = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def picture(colour: tuple[int, int, int]) -> bytes:
    from PIL import Image

    return encode(Image.new("RGB", (40, 40), colour), "PNG")


RED, GREEN, GREY = picture((255, 0, 0)), picture((0, 255, 0)), picture((90, 90, 90))


def drain(pool: WorkerPool, paths: list[Path]) -> dict[int, Observed | Issue]:
    """Hand out all files as room allows; results by number."""
    answers: dict[int, Observed | Issue] = {}
    waiting = list(enumerate(paths))
    while waiting or pool.busy:
        while waiting and pool.room() > 0:
            number, path = waiting.pop(0)
            pool.submit(number, Source(str(path)))
        answers.update(pool.results())
    return answers


@needs_signals
def test_a_file_that_kills_is_tried_once_more_and_its_neighbours_are_scored(make_folder: Callable[..., Path]) -> None:
    root = make_folder({f"{n}.png": RED if n == 2 else GREY for n in range(6)})
    with WorkerPool([Deadly({}, {})], PipelineSettings(1)) as pool:
        answers = drain(pool, sorted(root.iterdir()))
    assert sorted(answers) == list(range(6))
    assert [number for number, answer in answers.items() if isinstance(answer, Issue)] == [2]
    issue = answers[2]
    assert isinstance(issue, Issue) and issue.kind == "error" and "died on this file, twice" in issue.message


@needs_signals
def test_a_worker_killed_from_outside_loses_nothing(make_folder: Callable[..., Path]) -> None:
    root = make_folder({f"{n:02d}.png": GREY for n in range(20)})
    with WorkerPool([Brightness({}, {})], PipelineSettings(1)) as pool:
        killed = False
        answers: dict[int, Observed | Issue] = {}
        waiting = list(enumerate(sorted(root.iterdir())))
        while waiting or pool.busy:
            while waiting and pool.room() > 0:
                number, path = waiting.pop(0)
                pool.submit(number, Source(str(path)))
            answers.update(pool.results())
            if answers and not killed:
                os.kill(pool._workers[0].process.pid or 0, signal.SIGKILL)
                killed = True
    assert len(answers) == 20 and all(isinstance(answer, Observed) for answer in answers.values())


def test_a_worker_that_hangs_is_replaced(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"0.png": GREY, "1.png": RED, "2.png": GREY})
    with mock.patch.object(workers, "STALL_SECONDS", 1.0), WorkerPool([Slow({}, {})], PipelineSettings(1)) as pool:
        answers = drain(pool, sorted(root.iterdir()))
    assert isinstance(answers[0], Observed) and isinstance(answers[2], Observed)
    assert isinstance(answers[1], Issue) and "longer than 1 seconds, twice" in answers[1].message


@needs_signals
def test_a_file_that_burns_its_processor_time_is_given_up_at_once(make_folder: Callable[..., Path]) -> None:
    root = make_folder({f"{n}.png": RED if n == 1 else GREY for n in range(4)})
    started = time.monotonic()
    with WorkerPool([Endless({}, {})], PipelineSettings(1, file_seconds=0.2)) as pool:
        answers = drain(pool, sorted(root.iterdir()))
    assert [number for number, answer in sorted(answers.items()) if isinstance(answer, Issue)] == [1]
    issue = answers[1]
    assert isinstance(issue, Issue) and issue.message == "its decoding took too much processor time"
    assert time.monotonic() - started < 30  # the metric would take minutes, and no timer but the processor's runs here


@needs_signals
def test_no_workers_with_a_limit_on_time_decode_where_it_holds(
    make_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cliqa.score import main

    root = make_folder({f"{n}.png": RED if n == 1 else GREY for n in range(3)})
    monkeypatch.chdir(root.parent)
    given = ["-i", str(root), "--metrics", TOY + "Endless", "-g", "-1", "--workers", "0", "--file-seconds", "0.2"]
    assert main([*given, "--results", "r.jsonl"]) == 0  # the metric would take minutes in this process
    assert "its decoding took too much processor time" in capsys.readouterr().err
    assert len(Path("r.jsonl").read_text().splitlines()) == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits a process's data")
def test_a_file_that_takes_too_much_memory_is_an_issue(make_folder: Callable[..., Path]) -> None:
    root = make_folder({f"{n}.png": RED if n == 1 else GREY for n in range(4)})
    with WorkerPool([Greedy({}, {})], PipelineSettings(1)) as pool:
        answers = drain(pool, sorted(root.iterdir()))
        first = pool._workers[0].process.pid
    assert [number for number, answer in sorted(answers.items()) if isinstance(answer, Issue)] == [1]
    assert isinstance(answers[1], Issue) and answers[1].message == "not enough memory" and first


def test_answers_that_cannot_be_sent_are_issues(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"0.png": RED, "1.png": GREEN, "2.png": GREY})
    with WorkerPool([Unsendable({}, {})], PipelineSettings(1)) as pool:
        answers = drain(pool, sorted(root.iterdir()))
    for number in (0, 1):
        answer = answers[number]
        assert isinstance(answer, Issue), answer
    assert isinstance(answers[0], Issue) and "can't be sent between processes" in answers[0].message
    assert isinstance(answers[2], Observed)


def test_workers_that_cannot_start_end_the_run(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"0.png": GREY})
    with (
        mock.patch.object(Brightness, "target", "no.such.module:Metric"),
        pytest.raises(RunError, match="do not start"),
        WorkerPool([Brightness({}, {})], PipelineSettings(1)) as pool,
    ):
        drain(pool, [root / "0.png"])
    with (
        mock.patch(
            "multiprocessing.process.BaseProcess.start", side_effect=OSError(11, "Resource temporarily unavailable")
        ),
        pytest.raises(RunError, match="can't be started: Resource"),
        WorkerPool([], PipelineSettings(2)),
    ):
        pass


def test_a_metric_that_cannot_be_sent_ends_the_run() -> None:
    with pytest.raises(RunError, match="a metric can't be sent to a decode worker: TypeError"):
        WorkerPool([Unpicklable({}, {})], PipelineSettings(1)).__enter__()


def test_an_interrupt_while_starting_leaves_no_worker() -> None:
    pool = WorkerPool([Brightness({}, {})], PipelineSettings(3))
    real, calls = pool._start, []

    def start() -> None:
        if calls:
            raise KeyboardInterrupt
        calls.append(1)
        real()

    with mock.patch.object(pool, "_start", start), pytest.raises(KeyboardInterrupt):
        pool.__enter__()
    assert pool._workers == []
