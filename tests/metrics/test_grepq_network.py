"""The encoders of a picture and of its patches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cliqa.metrics.encoder import POOLED_WIDTH, Branch, Trunk, load_module, pool, standardise
from cliqa.metrics.encoder_layout import EARLY_WIDTH
from cliqa.metrics.grepq_network import GrepqNetwork
from tests.grepq_weights import small_tensors, view


@pytest.fixture(scope="module")
def network():
    return GrepqNetwork(small_tensors())


def test_the_embedding_is_that_of_balanced_clipped_features(network):
    picture = view().thumbnail(384)
    pooled, embedding = network.embed(picture)
    with torch.inference_mode():
        shared = load_module(Trunk(), small_tensors(), "trunk.")(standardise(torch.from_numpy(picture.copy()[None])))
        plain = pool(shared + load_module(Branch(), small_tensors(), "free.")(shared[-1]))[0].numpy()
    assert pooled.shape == (POOLED_WIDTH,)
    for other in (picture, picture.copy()):  # of one that was seen, and of a new one
        np.testing.assert_allclose(network.early(other), pooled[:EARLY_WIDTH], rtol=1e-3, atol=1e-4)
    small = np.abs(plain) < 6
    np.testing.assert_array_equal(np.sign(pooled[small]), np.sign(plain[small]))  # mean 0, scale 1: only balanced
    weight = small_tensors()["high.weight"].astype(np.float32)
    np.testing.assert_allclose(embedding, weight @ pooled + [0.0, 12.0], rtol=1e-3, atol=1e-3)
    assert [list(prototype) for prototype in network.prototypes] == [[1.0, 0.0], [-1.0, 0.0]]


@pytest.mark.parametrize(("height", "width", "windows"), [(96, 96, 1), (64, 80, 1), (144, 192, 2 * 3)])
def test_patches_are_windows_of_96_pixels_every_48(network, height, width, windows):
    detail = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    found = network.patches(detail)
    assert found.shape == (windows, 128) and np.isfinite(found).all()
    np.testing.assert_array_equal(found, network.patches(detail))


def test_a_tensor_that_is_missing_is_an_error():
    with pytest.raises(KeyError, match=r"high\.good"):
        GrepqNetwork({name: value for name, value in small_tensors().items() if name != "high.good"})
