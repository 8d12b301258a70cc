"""The features that a model of one's own is fitted on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cliqa.metrics.encoder import POOLED_WIDTH, Branch, Trunk, pool
from cliqa.metrics.grepq import GRepQ
from cliqa.metrics.grepq_features import FEATURE_PARTS, KINDS, LABEL_FREE_WIDTH, of_kind, zero_shot_columns
from tests.grepq_weights import small_tensors, view


@pytest.fixture(scope="module")
def tensors():
    return small_tensors()


def test_pooling_has_the_stated_width_and_its_scores_come_back_from_the_features(tensors):
    with torch.no_grad():
        shared = Trunk()(torch.zeros(2, 3, 64, 96))
        assert pool(shared + Branch()(shared[-1])).shape == (2, POOLED_WIDTH)
    metric = GRepQ(tensors, {})
    observed = metric.observe(view())
    features, fields = metric.features(observed), metric.score(observed)
    for column, name in zip(zero_shot_columns(features[None]), ("q_low", "q_high", "q"), strict=True):
        assert column[0] == pytest.approx(fields[name], abs=1e-4)
    assert FEATURE_PARTS["combined"][-1] == LABEL_FREE_WIDTH - 1
    kinds = {kind: metric.features(observed, kind) for kind in KINDS}
    assert len(kinds["label-free"]) == LABEL_FREE_WIDTH
    assert np.array_equal(np.concatenate([kinds["label-free"], kinds["rated"]]), kinds["all"])


def test_features_of_all_kinds_serve_every_kind():
    features = np.arange(2 * (LABEL_FREE_WIDTH + 3)).reshape(2, -1)
    assert of_kind(features, "all", "label-free").shape == (2, LABEL_FREE_WIDTH)
    assert of_kind(features, "all", "rated").tolist() == features[:, -3:].tolist()
    assert of_kind(features, "all", "all") is features
    with pytest.raises(ValueError, match="rated features, not all"):
        of_kind(features, "rated", "all")
