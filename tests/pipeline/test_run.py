"""The stream of records: order, sameness whatever the workers and batches, bounded memory."""

from __future__ import annotations

import itertools
import math
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from cliqa.metrics import Metric
from cliqa.pipeline.pool import DEPTH, WorkerPool
from cliqa.pipeline.run import PipelineSettings, run
from cliqa.records import Issue, Record, Source
from tests.conftest import encode, make_pixels
from tests.toy_metric import Beside, Brightness, Noisy, Process


def metric(cls: type[Metric] = Brightness) -> Metric:
    return cls({}, {})


def sources(root: Path) -> list[Source]:
    return [Source(str(path)) for path in sorted(root.iterdir())]


def test_one_record_or_issue_for_each_source_in_order(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"0.png": 90, "1.png": b"text", "2.png": 0, "3.png": 200, "4.png": b""})
    given = [*sources(root), Issue(Source("listed"), "error", "from the listing"), Source(str(root / "gone.png"))]
    for workers in (0, 2):
        found = list(run(given, [metric()], PipelineSettings(workers)))
        assert [item.path for item in found] == [item.path for item in given]
        assert [type(item) for item in found] == [Record, Issue, Issue, Record, Issue, Issue, Issue]
        first = found[0]
        assert isinstance(first, Record)
        assert first.values == {"brightness.mean": 90.0, "brightness.label": "dark"}
        assert first.fields("brightness") == {"mean": 90.0, "label": "dark"}
        assert (first.facts["format"], first.facts["width"], first.facts["frames"]) == ("PNG", 40, 1)
        assert (first.facts["grey"], first.facts["flat"]) == (1, 1)


def test_scores_do_not_depend_on_workers_or_batches(make_folder: Callable[..., Path]) -> None:
    files: dict[str, int | bytes] = {f"{n:02d}.jpg": encode(make_pixels(150, 140, n), "JPEG") for n in range(11)}
    root = make_folder(files)
    expected = [item.values for item in run(sources(root), [metric()], PipelineSettings(0)) if isinstance(item, Record)]
    assert len(expected) == 11
    for workers, batch_size in ((1, 1), (3, 4)):
        found = run(sources(root), [metric()], PipelineSettings(workers, batch_size))
        for item, values in zip(found, expected, strict=True):
            assert isinstance(item, Record)
            assert math.isclose(
                float(item.values["brightness.mean"] or 0), float(values["brightness.mean"] or 0), abs_tol=1e-4
            )


@pytest.mark.parametrize("cls", [Process, Beside])
def test_a_metric_scores_here_or_beside_the_decoder_and_numbers_are_plain(
    cls: type[Metric], make_folder: Callable[..., Path]
) -> None:
    root = make_folder({f"{n:02d}.png": 100 + n for n in range(5)})
    for workers, here in ((0, True), (1, cls is Process)):
        found = list(run(sources(root), [metric(cls)], PipelineSettings(workers, 2)))
        assert len(found) == 5
        for number, item in enumerate(found):
            assert isinstance(item, Record)
            mean, pid = (item.values[f"{cls.name}.{name}"] for name in ("mean", "pid"))
            assert (type(mean), mean) == (float, 100.0 + number) and type(pid) is int
            assert (pid == os.getpid()) == here


def test_what_fails_beside_the_decoder_is_an_issue(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"0.png": 85, "1.png": 86, "2.png": 87})
    for workers in (0, 1):
        skipped, broken, sound = run(sources(root), [metric(Beside)], PipelineSettings(workers))
        assert isinstance(skipped, Issue) and (skipped.kind, skipped.message) == ("skipped", "a picture of 85")
        assert isinstance(broken, Issue) and (broken.kind, broken.message) == ("error", "ZeroDivisionError: at 86")
        assert isinstance(sound, Record) and sound.values["beside.mean"] == 87.0
        both, _, _ = run(sources(root), [metric(), metric(Beside)], PipelineSettings(workers))
        assert isinstance(both, Record) and both.values["brightness.mean"] == 85.0
        assert both.values["beside.mean"] is None and both.notes == ["beside: a picture of 85"]


def test_what_is_settled_passes_in_its_place(make_folder: Callable[..., Path]) -> None:
    root = make_folder({"0.png": 90, "1.png": 91})
    first, second = sources(root)
    settled = Record(Source("known"), {}, {"brightness.mean": 1.0})
    for workers in (0, 2):
        found = list(run([first, settled, second], [metric()], PipelineSettings(workers)))
        assert [item.path for item in found] == [first.path, "known", second.path] and found[1] is settled


def test_devices_share_the_files(make_folder: Callable[..., Path]) -> None:
    root = make_folder({f"{n}.png": 100 + n for n in range(7)})
    found = list(run(sources(root), [[metric()], [metric()]], PipelineSettings(1, 1)))
    assert [item.values["brightness.mean"] for item in found if isinstance(item, Record)] == [
        100.0 + n for n in range(7)
    ]


def test_one_metric_may_fail_where_another_scores(make_folder: Callable[..., Path]) -> None:
    from PIL import Image

    root = make_folder({"0.png": 85, "1.png": encode(Image.new("RGB", (40, 40), (255, 0, 0)), "PNG"), "2.png": 0})
    nan, broken, black = run(sources(root), [metric(), metric(Noisy)], PipelineSettings(0))
    assert isinstance(nan, Record) and nan.values["brightness.mean"] == 85.0 and nan.values["noisy.mean"] is None
    assert nan.notes == ["noisy: noisy gave no finite mean"]
    assert (
        isinstance(broken, Issue) and broken.message == "ZeroDivisionError: red"
    )  # a fault, not a verdict on the image
    assert isinstance(black, Issue) and black.kind == "skipped"
    (alone,) = run([sources(root)[0]], [metric(Noisy)], PipelineSettings(0))
    assert isinstance(alone, Issue) and alone.message == "noisy gave no finite mean"


def test_an_ignored_profile_is_noted(make_folder: Callable[..., Path]) -> None:
    class Seen(Brightness):
        @classmethod
        def observe(cls, view: object) -> dict[str, np.ndarray]:
            return {"mean": np.array(view.thumbnail(20).mean())}  # type: ignore[attr-defined]

    root = make_folder({"0.png": encode(make_pixels(), "PNG", icc_profile=b"no profile at all" * 10)})
    (record,) = run(sources(root), [metric(Seen)], PipelineSettings(0))
    assert isinstance(record, Record) and "profile" in record.notes[0]


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
        for item in run(endless(), [metric()], PipelineSettings(workers=2, batch_size=8)):
            assert item.path == str(done)
            done += 1
            if done == 500:
                break
    assert most <= 2 * (2 * DEPTH + 8)


def test_what_is_under_way_is_finished_while_the_input_waits(make_folder: Callable[..., Path]) -> None:
    """A slow producer upstream: its first file is answered before it gives the second."""
    root = make_folder({"0.png": 10, "1.png": 20})
    first, second = sources(root)
    answered = threading.Event()

    def slow() -> Iterator[Source]:
        yield first
        assert answered.is_set()
        yield second

    found = run(slow(), [metric()], PipelineSettings(2), ready=lambda: False)
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
        found = run(sources(root), [metric()], PipelineSettings(2))
        next(found)
        processes = [worker.process for worker in pools[0]._workers]
        assert all(process.is_alive() for process in processes)
        found.close()  # type: ignore[attr-defined]
    assert pools[0]._workers == []
    assert not any(process.is_alive() for process in processes)


@pytest.mark.parametrize("workers", [0, 1])
def test_nothing_in_nothing_out(workers: int) -> None:
    assert list(run([], [metric()], PipelineSettings(workers))) == []
