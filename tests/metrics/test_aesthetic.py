"""Classes, their chances and the label."""

from __future__ import annotations

import numpy as np
import pytest

from cliqa.errors import CheckpointError
from cliqa.metrics.aesthetic import LABELS, Aesthetic, decide, probabilities
from tests.grepq_weights import small_tensors, view


@pytest.fixture(scope="module")
def tensors():
    return small_tensors()


def test_aesthetic_chances_sum_to_one_and_agree_with_label_and_score(tensors):
    metric = Aesthetic(tensors, {})
    fields = metric.score(metric.observe(view()))
    chances = [fields[f"p_{label}"] for label in LABELS]
    assert sum(chances) == pytest.approx(1.0)
    assert fields["label"] == "pending"
    assert fields["score"] == pytest.approx(chances[1] + 2 * chances[2])
    favoured = Aesthetic(tensors | {"decision": np.array([1.5, 0.0, 0.0])}, {})
    assert favoured.score(favoured.observe(view())) == fields | {"label": "rejected"}
    assert probabilities(np.array([1e4, 0, 0, 0, 0]), np.eye(3, 5), np.zeros(3)).tolist() == [1.0, 0.0, 0.0]


def test_in_close_cases_the_rarer_label_is_chosen():
    chances = np.array([[0.3, 0.4, 0.3], [0.05, 0.9, 0.05]])
    assert decide(chances, np.zeros(3)).tolist() == [1, 1]
    assert decide(chances, np.log([1.5, 1.0, 1.4])).tolist() == [0, 1]


def test_missing_tensors_are_told(tensors):
    fewer = {name: value for name, value in tensors.items() if name != "rated.head.out.weight"}
    with pytest.raises(CheckpointError, match="lack a tensor"):
        Aesthetic(fewer, {}).prepare()
