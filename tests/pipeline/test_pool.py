"""Workers that die, hang, can't start or can't answer; how much is under way, and when it ends."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from cliqa.errors import RunError
from cliqa.pipeline import pool as workers
from cliqa.pipeline.pool import DEPTH, WorkerPool
from cliqa.pipeline.run import run
from cliqa.pipeline.settings import PipelineSettings
from cliqa.pipeline.worker import Observed
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


def test_a_worker_that_dies_before_it_reads_holds_nobody_up() -> None:
    code = (
        "import os\nfrom unittest import mock\nfrom cliqa.errors import RunError\nfrom cliqa.pipeline.pool import WorkerPool\n"
        "from cliqa.pipeline.settings import PipelineSettings\nfrom cliqa.records import Source\nfrom tests.toy_metric import Beside\n"
        "metric = Beside({}, {})\nmetric.tables = bytes(1 << 20)  # more than a pipe holds\n"
        "with mock.patch.dict(os.environ, PYTHONHOME='/nowhere'):  # the interpreter ends at once\n"
        "    try:\n"
        "        with WorkerPool([metric], PipelineSettings(1)) as pool:\n"
        "            pool.submit(0, Source('a.png'))\n            list(pool.results(30))\n"
        "    except RunError as error:\n        print(error)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=100)
    assert "do not start" in done.stdout, done.stderr


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


class FakePool(WorkerPool):
    """Answers at once, the first file only after all others; counts what is under way."""

    most = 0

    def __enter__(self) -> WorkerPool:
        self.here: list[tuple[int, Source]] = []
        return self

    def __exit__(self, *_: object) -> None:
        return

    def room(self) -> int:
        return self._size * DEPTH - len(self.here)

    @property
    def busy(self) -> bool:
        return bool(self.here)

    def submit(self, number: int, source: Source) -> None:
        self.here.append((number, source))

    def results(self, timeout: float | None = None) -> Iterator[tuple[int, Issue]]:
        if not self.here:
            return
        number, source = self.here.pop(0 if len(self.here) == 1 else 1)
        yield number, Issue(source, "error", "fake")


def test_never_more_files_under_way_than_the_window() -> None:
    issued = done = most = 0

    def endless() -> Iterator[Source]:
        nonlocal issued, most
        for number in itertools.count():
            issued += 1
            most = max(most, issued - done)
            yield Source(str(number))

    with mock.patch("cliqa.pipeline.run.WorkerPool", FakePool):
        for item in run(endless(), [Brightness({}, {})], PipelineSettings(workers=2, batch_size=8)):
            assert item.path == str(done)
            done += 1
            if done == 500:
                break
    assert most <= 2 * (2 * DEPTH + 8)


def test_what_is_under_way_is_finished_while_the_input_waits(make_folder: Callable[..., Path]) -> None:
    """A slow producer upstream: its first file is answered before it gives the second."""
    root = make_folder({"0.png": 10, "1.png": 20})
    first, second = (Source(str(path)) for path in sorted(root.iterdir()))
    answered = threading.Event()

    def slow() -> Iterator[Source]:
        yield first
        assert answered.is_set()
        yield second

    found = run(slow(), [Brightness({}, {})], PipelineSettings(2), ready=lambda: False)
    assert next(found).path == first.path
    answered.set()
    assert [item.path for item in found] == [second.path]


def test_closing_the_stream_early_ends_the_workers(make_folder: Callable[..., Path]) -> None:
    root = make_folder({f"{n}.png": 10 for n in range(8)})
    pools: list[WorkerPool] = []
    real = WorkerPool.__enter__

    def enter(self: WorkerPool) -> WorkerPool:
        pools.append(self)
        return real(self)

    with mock.patch.object(WorkerPool, "__enter__", enter):
        found = run([Source(str(path)) for path in sorted(root.iterdir())], [Brightness({}, {})], PipelineSettings(2))
        next(found)
        processes = [worker.process for worker in pools[0]._workers]
        assert all(process.is_alive() for process in processes)
        found.close()  # type: ignore[attr-defined]
    assert pools[0]._workers == []
    assert not any(process.is_alive() for process in processes)
