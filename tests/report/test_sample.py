"""The rows that a large store is shown by."""

from __future__ import annotations

import numpy as np

from cliqa.report.sample import stratified_sample


def test_the_sample_covers_every_score_at_every_size() -> None:
    rng = np.random.default_rng(0)
    columns = [rng.beta(8, 2, 20_000), rng.exponential(1, 20_000), np.where(rng.random(20_000) < 0.9, np.nan, 5.0)]
    order = stratified_sample(columns, 20_000, 800)
    assert len(order) == len(set(order)) == 800
    assert order[:200] != stratified_sample(columns, 20_000, 200)[::-1]
    for size in (100, 800):
        for column in columns[:2]:
            chosen = np.sort(column[order[:size]])
            ranks = np.searchsorted(np.sort(column), chosen) / len(column)
            assert np.max(np.diff(np.concatenate([[0], ranks, [1]]))) < 8 / size, "no wide gap in ranks"
    assert stratified_sample(columns, 5, 10) == [0, 1, 2, 3, 4]
