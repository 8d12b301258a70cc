"""The sum behind `q`, and the regression that keeps it in order where pictures are damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")  # the extra [train]

from PIL import Image

from cliqa.grepq.rated_sets import RatedImage
from cliqa.metrics.encoder_layout import POOLED_WIDTH
from cliqa.metrics.grepq_zero_shot import NUMBERS, ZeroShotSum
from cliqa.signal.quality.trace_statistics import WIDTH
from cliqa.training.grepq import zero_shot


def rows(count: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    pooled = np.zeros((count, POOLED_WIDTH), np.float16)
    pooled[:, :4] = rng.normal(size=(count, 4))
    return {
        "pooled": pooled,
        "statistics": rng.normal(size=(count, WIDTH)).astype(np.float32),
        "numbers": rng.normal(3.0, 2.0, (count, len(NUMBERS))),
    }


def ladders() -> dict[str, np.ndarray]:
    """Pictures, and each damaged: every number rises as if it were a better one; one statistic of the pixels tells."""
    made = rows(120, 1)
    made |= {"photo": np.repeat(np.arange(60), 2), "kind": np.tile([-1, 0], 60), "strength": np.tile([0.0, 0.5], 60)}
    for name in ("pooled", "statistics", "numbers"):
        made[name][1::2] = made[name][::2]
    made["numbers"][1::2, 0] += 1.0
    made["statistics"][1::2, 0] += 6.0
    return made


def no_traces(statistics: np.ndarray) -> np.ndarray:
    return np.zeros((len(statistics), 2))


def told(tensors: dict[str, np.ndarray], seen: dict[str, np.ndarray]) -> np.ndarray:
    whole = ZeroShotSum(tensors)
    parts = zip(seen["numbers"], seen["pooled"].astype(np.float32), seen["statistics"], strict=True)
    return np.array([whole(numbers, pooled, statistics, np.zeros(2)) for numbers, pooled, statistics in parts])


def test_damage_that_raises_the_sum_lowers_q_of_pictures_not_seen_whose_order_stays():
    unlabelled = rows(300, 0)
    tensors = zero_shot.fit_zero_shot(unlabelled, ladders(), {}, no_traces, 0)
    usual = told(tensors, unlabelled)
    assert usual.mean() == pytest.approx(zero_shot.LEVEL, abs=1e-3)
    assert usual.std() == pytest.approx(zero_shot.SPREAD, rel=1e-3)
    fresh = rows(60, 2)
    worse = fresh | {"numbers": fresh["numbers"].copy(), "statistics": fresh["statistics"].copy()}
    worse["numbers"][:, 0] += 1.0
    worse["statistics"][:, 0] += 6.0
    assert (told(tensors, worse) < told(tensors, fresh)).mean() > 0.95
    weights = np.array([zero_shot.SUM[name] for name in NUMBERS]) / 2.0
    assert np.corrcoef(told(tensors, fresh), fresh["numbers"] @ weights)[0, 1] > 0.8


def test_without_pairs_that_fall_short_q_is_the_sum(monkeypatch):
    monkeypatch.setattr(zero_shot, "MARGIN", -100.0)
    monkeypatch.setattr(zero_shot, "LEAST", -100.0)
    tensors = zero_shot.fit_zero_shot(rows(300, 0), ladders(), {}, no_traces, 0)
    assert not tensors["blend.free"].any()
    fresh = rows(40, 3)
    expected = fresh["numbers"] @ tensors["blend"][:-1] + tensors["blend"][-1]
    assert told(tensors, fresh) == pytest.approx(expected, abs=1e-4)


def test_what_networks_made_of_pictures_does_not_raise_q_even_if_no_ladder_tells():
    plain = ladders()
    for name in ("numbers", "statistics"):
        plain[name][1::2] = plain[name][::2]
    enlarged = {name: ladders()[name] for name in ("pooled", "statistics", "numbers")}
    fresh = rows(60, 2)
    larger = fresh | {"numbers": fresh["numbers"].copy(), "statistics": fresh["statistics"].copy()}
    larger["numbers"][:, 0] += 1.0
    larger["statistics"][:, 0] += 6.0
    raised = []
    for enlargements in ({}, enlarged):
        tensors = zero_shot.fit_zero_shot(rows(300, 0), plain, enlargements, no_traces, 0)
        raised.append((told(tensors, larger) > told(tensors, fresh)).mean())
    assert raised[0] > 0.9
    assert raised[1] < 0.1


def test_of_rated_pictures_only_the_pictures_are_read(tmp_path: Path):
    images = []
    for number in range(3):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (40, 36), (number, 0, 0)).save(path)
        images.append(RatedImage(path=path, score=float("nan"), split="train", source="", label=None, margin=0.0))
    seen = zero_shot.observe_unlabelled(images, 2, lambda view: {"red": view.pixels[0, 0, 0]}, tmp_path / "work", 0)
    assert sorted(seen) == ["red"]
    assert len(set(seen["red"].tolist())) == 2
