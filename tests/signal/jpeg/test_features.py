"""What the networks of `jpeg_quality` read."""

from __future__ import annotations

import numpy as np
import pytest

from cliqa.signal.jpeg.features import HYPOTHESES, chroma_inputs, features, gate_inputs, hypotheses, older_nats
from cliqa.signal.jpeg.history import History, read_history
from tests.jpeg_pictures import saved, textured, tiles


@pytest.fixture(scope="module")
def histories() -> list[History]:
    once = saved(textured(1), 70)
    return [read_history(tiles(pixels)) for pixels in (once, textured(2), np.full((128, 128, 3), 200, np.uint8))]


def test_vectors_are_finite_and_of_one_length(histories: list[History]):
    for read in (features, chroma_inputs):
        vectors = [read(history) for history in histories]
        assert len({vector.shape for vector in vectors}) == 1
        assert all(vector.dtype == np.float32 and np.isfinite(vector).all() for vector in vectors)


def test_proposals_are_qualities_in_the_order_of_their_names(histories: list[History]):
    for history in histories:
        found = hypotheses(history)
        assert found.shape == (len(HYPOTHESES),) and found[-1] == 100
        assert (found >= 0).all() and (found <= 100).all()
    assert dict(zip(HYPOTHESES, hypotheses(histories[0]), strict=True))["quality"] == 70


def test_the_gate_sees_which_proposals_agree():
    evidence, proposals = np.zeros(4, np.float32), np.array([70, 71, 90, 10, 10, 70, 30, 40, 100], np.float32)
    found = gate_inputs(evidence, proposals)
    first, second = np.triu_indices(8, 1)
    agreeing = {(a, b) for a, b, same in zip(first, second, found[-28:], strict=True) if same}
    assert agreeing == {(0, 1), (0, 5), (1, 5), (3, 4)}
    np.testing.assert_allclose(found[4:12], proposals[:-1] / 100)
    stacked = gate_inputs(np.stack([evidence] * 2), np.stack([proposals] * 2))
    np.testing.assert_array_equal(stacked, np.stack([found] * 2))


def test_the_nats_of_older_grids_are_read_back_from_the_vector(histories: list[History]):
    twice = read_history(tiles(saved(np.ascontiguousarray(saved(textured(3, 400), 55)[3:, 2:]), 90)))
    for history in (*histories, twice):
        expected = history.older.max(axis=(1, 2))
        np.testing.assert_allclose(older_nats(features(history)), expected, rtol=1e-3, atol=1e-3)
