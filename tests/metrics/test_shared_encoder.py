"""One encoder and one pass for the metrics that read a picture."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from cliqa.metrics.aesthetic import Aesthetic
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
    original = both[0].network.encoder.branch.forward
    monkeypatch.setattr(both[0].network.encoder.branch, "forward", lambda x: passes.append(1) or original(x))
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
    assert len(encoder._memory) == REMEMBERED
    np.testing.assert_array_equal(encoder.rated(pictures[0]), first)  # seen anew, and no other picture's
