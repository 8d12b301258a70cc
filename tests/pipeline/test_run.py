"""The stream of records: order, sameness whatever the workers and batches; networks on the CPU, several images at once."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from cliqa.metrics import Metric, Observation, Value
from cliqa.pipeline.run import PipelineSettings, Scorer, run
from cliqa.pipeline.worker import Observed
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


@pytest.mark.parametrize("workers", [0, 1])
def test_nothing_in_nothing_out(workers: int) -> None:
    assert list(run([], [metric()], PipelineSettings(workers))) == []


class Network(Brightness):
    """A convolution on the CPU; notes how many threads torch has, and waits for its neighbour in the other lane."""

    uses_torch: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__({}, {})
        self.threads: set[int] = set()
        self.meeting: threading.Barrier | None = None

    def score(self, observation: Observation) -> dict[str, Value]:
        self.threads.add(torch.get_num_threads())
        if self.meeting is not None:
            self.meeting.wait(20)
        x = torch.from_numpy(observation["picture"]).float()[None, None]
        value = torch.nn.functional.conv2d(x, torch.ones(1, 1, 3, 3)).mean()
        return {"mean": float(value), "label": "light"}


def observed(count: int) -> list[Observed]:
    rng = np.random.default_rng(0)
    return [
        Observed(Source(str(n)), {}, {"brightness": {"picture": rng.integers(0, 9, (64, 64))}}) for n in range(count)
    ]


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
def test_beside_workers_an_image_is_scored_on_one_thread_and_several_at_once() -> None:
    alone, beside = Network(), Network()
    apart = Scorer([[alone]], workers=0)
    expected = apart(list(observed(6)))
    apart.close()
    assert alone.threads == {3}
    beside.meeting = threading.Barrier(2)  # breaks, and fails the test, unless two images are under way at once
    issue = Issue(Source("x"), "error", "y")
    scorer = Scorer([[beside]], workers=2)
    found = scorer([*observed(6)[:3], issue, *observed(6)[3:]])
    scorer.close()
    assert (beside.threads, torch.get_num_threads()) == ({1}, 3)
    assert found.pop(3) is issue
    for one, other in zip(expected, found, strict=True):
        assert isinstance(one, Record) and isinstance(other, Record)
        assert (one.path, one.values) == (other.path, other.values)


@pytest.mark.usefixtures("three_threads")
def test_metrics_without_a_network_leave_torch_alone() -> None:
    plain: Metric = Brightness({}, {})
    scorer = Scorer([[plain]], workers=2)
    assert scorer([Issue(Source("x"), "error", "y")])
    assert torch.get_num_threads() == 3 and scorer.pool is None
    scorer.close()


def test_networks_are_built_for_the_first_image_and_not_before() -> None:
    prepared = []

    class Lazy(Network):
        def prepare(self) -> None:
            prepared.append(threading.current_thread() is threading.main_thread())

    scorer = Scorer([[Lazy()]], workers=2)
    issue = Issue(Source("x"), "error", "y")
    assert scorer([issue]) == [issue] and prepared == []
    scorer(list(observed(3)))
    scorer(list(observed(2)))
    scorer.close()
    assert prepared == [True]
