"""The regression behind `quality`: it keeps pairs in order, and its tensors say what it says."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")  # the extra [train]

from cliqa.metrics.encoder_layout import EARLY_WIDTH, POOLED_WIDTH
from cliqa.signal.networks.dense import Dense
from cliqa.signal.quality.trace_statistics import WIDTH
from cliqa.training.grepq import opinion
from cliqa.training.grepq.worse_pictures import DAMAGES, _ladder, kept, ladder_pairs

BRANCH = opinion.Branch(1.0, 0.0, lambda statistics: np.zeros((len(statistics), 2)))


def rows(count: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    pooled = np.zeros((count, POOLED_WIDTH), np.float16)
    pooled[:, :4] = rng.normal(size=(count, 4))
    return {
        "pooled": pooled,
        "statistics": rng.normal(size=(count, WIDTH)).astype(np.float32),
        "outputs": rng.normal(0.5, 0.1, (count, 5)).astype(np.float32),
    }


def example() -> tuple[dict, dict, dict]:
    """Ratings that the second feature makes, and pictures damaged so that only the first statistic of the pixels tells of it."""
    rated = rows(300, 0)
    rated["score"] = 0.5 + 0.1 * rated["pooled"][:, 1].astype(np.float64)
    rated["source"] = np.array(["one", "other"] * 150)
    ladders = rows(80, 1)
    ladders |= {"photo": np.repeat(np.arange(40), 2), "kind": np.tile([-1, 0], 40), "strength": np.tile([0.0, 0.5], 40)}
    for name in ("pooled", "statistics", "outputs"):
        ladders[name][1::2] = ladders[name][::2]
    ladders["statistics"][1::2, 0] -= 2.0
    enlargements = {name: ladders[name].copy() for name in ("pooled", "statistics", "outputs")}
    enlargements["statistics"] = enlargements["statistics"].copy()
    return rated, ladders, enlargements


def score(tensors: dict[str, np.ndarray], seen: dict[str, np.ndarray]) -> np.ndarray:
    weighted = seen["outputs"].astype(float) @ tensors["quality.weight"] + tensors["quality.bias"]
    pixels = Dense(tensors, "quality.pixels.")(seen["statistics"])[:, 0]
    return np.asarray(weighted + seen["pooled"][:, :EARLY_WIDTH].astype(float) @ tensors["quality.free"] + pixels)


def test_a_damage_that_only_the_pixels_tell_of_lowers_the_score_of_pictures_not_seen():
    rated, ladders, enlargements = example()
    tensors = opinion.fit_opinion(BRANCH, rated, ladders, enlargements, 0)
    fresh = rows(50, 2)
    worse = fresh | {"statistics": fresh["statistics"].copy()}
    worse["statistics"][:, 0] -= 2.0
    assert np.mean(score(tensors, worse) < score(tensors, fresh)) > 0.95


def test_without_enlargements_and_pairs_that_lack_nothing_it_is_a_ridge_on_ratings(monkeypatch):
    monkeypatch.setattr(opinion, "PAIRS", 0.0)
    rated, ladders, _ = example()
    tensors = opinion.fit_opinion(BRANCH, rated, ladders, {}, 0)
    only = rows(50, 3)
    only["outputs"][:] = 0.0
    assert np.corrcoef(score(tensors, only), only["pooled"][:, 1])[0, 1] > 0.9


def test_a_ladder_is_whole_then_damaged_by_growing_strength():
    pixels = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    steps = list(_ladder(pixels, np.random.default_rng(1)))
    assert steps[0][:2] == (-1, 0.0)
    assert all(0 <= kind < len(DAMAGES) and 0 < strength <= 1 for kind, strength, _ in steps[1:])
    assert all(not np.array_equal(steps[0][2], damaged) for _, _, damaged in steps[1:])
    named = {
        "photo": np.zeros(len(steps), int),
        "kind": np.array([s[0] for s in steps]),
        "strength": np.array([s[1] for s in steps]),
    }
    better, worse, stronger, kinds = ladder_pairs(named)
    assert len(better) == len(steps) - 1
    assert (stronger > 0).all()
    assert (named["kind"][worse] == kinds).all()
    assert ((named["kind"][better] == kinds) | (better == 0)).all()


def test_rows_are_made_once_and_read_back(tmp_path):
    made = []

    def row(number: int) -> list[dict]:
        made.append(number)
        return [{"value": np.array([number])}] * 2

    first = kept("some", 41, row, tmp_path)
    assert np.array_equal(kept("some", 41, row, tmp_path)["value"], first["value"])
    assert made == list(range(41))
    assert first["value"].shape == (82, 1)
    assert kept("none", 0, row, tmp_path) == {}
