"""One encoder and one pass for the metrics that read a picture."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from cliqa.metrics import shared_encoder
from cliqa.metrics.aesthetic import Aesthetic
from cliqa.metrics.encoder_torch import TorchTrunk
from cliqa.metrics.grepq import GRepQ
from cliqa.metrics.shared_encoder import REMEMBERED, rated_encoder
from tests.grepq_weights import small_tensors, view


@pytest.fixture(scope="module")
def tensors():
    return small_tensors()


def test_both_metrics_share_one_encoder_and_one_pass(tensors, monkeypatch):
    both = GRepQ(tensors, {}), Aesthetic(tensors, {})
    assert both[0].network.encoder is both[1].encoder
    passes = []
    encoder = both[0].network.encoder
    original = encoder.branch
    monkeypatch.setattr(encoder, "branch", lambda x: passes.append(1) or original(x))
    seen = view()
    # As one worker process sends what all metrics observed of a file.
    observations = pickle.loads(pickle.dumps([metric.observe(seen) for metric in both]))
    assert observations[0]["picture"] is observations[1]["picture"]
    both[0].score(observations[0])
    both[1].score(observations[1])
    assert len(passes) == 1
    both[1].score(Aesthetic.observe(view(seed=9)))
    assert len(passes) == 2


def test_other_weights_get_another_encoder(tensors):
    changed = tensors | {"rated.head.out.bias": np.ones(5, dtype=np.float32)}
    assert Aesthetic(tensors, {}).encoder is not Aesthetic(changed, {}).encoder


def test_the_memory_of_pictures_is_bounded(tensors):
    encoder = rated_encoder(tensors)
    pictures = [np.full((32, 32, 3), number, np.uint8) for number in range(REMEMBERED + 3)]
    first = encoder.rated(pictures[0])
    for picture in pictures:
        encoder.rated(picture)
    assert len(encoder.memory) == REMEMBERED
    np.testing.assert_array_equal(encoder.rated(pictures[0]), first)  # seen anew, and no other picture's


def test_a_copy_for_a_worker_scores_alike_and_holds_neither_pictures_nor_sessions(tensors):
    both = [GRepQ(tensors, {}), Aesthetic(tensors, {})]
    seen = view(seed=3)
    scores = [metric.score_view(seen) for metric in both]
    sent = pickle.dumps(both)
    again = pickle.loads(sent)
    assert again[0].network.encoder is again[1].encoder and not len(again[1].encoder.memory)
    assert len(sent) < 1.2 * sum(value.nbytes for value in tensors.values())  # the shared weights once
    assert [metric.score_view(seen) for metric in again] == scores


def test_without_onnx_runtime_the_metrics_score_in_the_main_process(tensors, monkeypatch):
    monkeypatch.setattr(shared_encoder, "has_onnx", lambda: False)
    metric = Aesthetic(tensors | {"decision": np.full(3, 0.5)}, {})
    assert not metric.in_worker and isinstance(metric.encoder.trunk, TorchTrunk)


@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_pictures_seen_at_once_score_as_they_do_alone(tensors, monkeypatch, backend):
    monkeypatch.setattr(shared_encoder, "has_onnx", lambda: backend == "onnx")
    both = GRepQ(tensors, {}), Aesthetic(tensors, {})
    views = [view(seed=seed) for seed in range(3)] + [view(64, 64)]
    for metric in both:
        observations = [metric.observe(each) for each in views]
        alone = [metric.score(metric.observe(each)) for each in views]
        metric.foresee(observations)
        encoder = metric.network.encoder if metric is both[0] else metric.encoder
        trunk, branch = encoder.trunk, encoder.branch
        encoder.trunk = encoder.branch = None  # all of it was foreseen: neither is asked again
        together = [metric.score(observation) for observation in observations]
        encoder.trunk, encoder.branch = trunk, branch
        for found, right in zip(together, alone, strict=True):
            numbers = [name for name, value in right.items() if isinstance(value, float)]
            assert [found[name] for name in numbers] == pytest.approx([right[name] for name in numbers], abs=1e-4)
