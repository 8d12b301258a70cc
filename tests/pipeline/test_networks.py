"""Lanes of the scorer: networks on the CPU, image by image, several at once, and the same numbers as ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pytest
import torch

from cliqa.metrics import Metric, Observation, Value
from cliqa.pipeline.networks import Scorer
from cliqa.pipeline.observe import Observed
from cliqa.records import Issue, Record, Source
from tests.toy_metric import Brightness


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
