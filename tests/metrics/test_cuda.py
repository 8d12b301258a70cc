"""On a GPU the learned metrics score as on the CPU; skipped where there is none."""

from __future__ import annotations

import pytest

from cliqa.cli.devices import has_cuda_driver
from cliqa.metrics import load_metric
from tests.grepq_weights import view

pytestmark = pytest.mark.skipif(not has_cuda_driver(), reason="no CUDA device")

TOLERANCE = 1e-2  # of a score in 0-1, and of `quality` as a share of 100: sums in another order, and TF32


@pytest.mark.parametrize("name", ["grepq", "aesthetic"])
@pytest.mark.parametrize("at_once", [False, True])
def test_scores_are_those_of_the_cpu(name, at_once):
    on_cpu, on_gpu = load_metric(name), load_metric(name, device="cuda:0")
    assert not on_gpu.in_worker
    views = [view(384, 288, seed) for seed in range(3)] + [view(200, 200)]
    observations = [on_gpu.observe(each) for each in views]
    if at_once:
        on_gpu.foresee(observations)
    for seen, each in zip(observations, views, strict=True):
        found, right = on_gpu.score(seen), on_cpu.score(on_cpu.observe(each))
        for field in on_cpu.fields:
            if field.kind == "float":
                assert found[field.name] == pytest.approx(right[field.name], abs=TOLERANCE * field.high)
