"""The metric contract, over all that are registered: fields in range, and the same bits wherever `score` runs."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from cliqa.images.loading import LoadedImage
from cliqa.metrics import Metric, View, list_metrics, load_metric, metric_class
from tests.conftest import make_pixels

IN_WORKER = [name for name in list_metrics() if metric_class(name).in_worker]


def view(seed: int) -> View:
    return View(LoadedImage.from_array(np.array(make_pixels(300, 260, seed))))


@pytest.mark.parametrize("name", list_metrics())
def test_fields_are_those_declared_and_in_range(name: str) -> None:
    metric = load_metric(name)
    fields = metric.score_view(view(3))
    assert list(fields) == [field.name for field in metric.fields]
    for field in metric.fields:
        value = fields[field.name]
        if isinstance(value, (int, float)):
            assert field.low <= value <= field.high
        else:
            assert field.optional if value is None else field.kind == "str" and isinstance(value, str)


@pytest.mark.parametrize("name", IN_WORKER)
def test_what_may_score_in_a_worker_gives_the_same_bits_there(name: str) -> None:
    here = load_metric(name)
    there = pickle.loads(pickle.dumps(here))
    assert isinstance(there, Metric) and not there.uses_torch
    seen = [here.observe(view(seed)) for seed in range(3)]
    assert [there.score(one) for one in seen[::-1]] == [here.score(one) for one in seen][::-1]


def test_metrics_that_run_torch_stay_with_the_main_process() -> None:
    assert not any(metric_class(name).uses_torch for name in IN_WORKER) and len(IN_WORKER) >= 5
