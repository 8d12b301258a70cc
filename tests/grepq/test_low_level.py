"""Patches, their embeddings by either encoder, and the score of their distribution."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cliqa.errors import CheckpointError
from cliqa.grepq.low_level import WIDTH, ResnetPatches, cut, embed_patches, load_low, new_resnet, q_low


def test_patches_cover_a_picture_and_small_ones_are_mirrored_out():
    assert cut(np.zeros((200, 300, 3), np.uint8)).shape == (3 * 5, 96, 96, 3)
    assert cut(np.zeros((40, 300, 3), np.uint8)).shape == (5, 96, 96, 3)


def test_a_picture_of_pristine_patches_scores_best():
    rng = np.random.default_rng(0)
    near, far = rng.normal(0, 1, (400, 8)), rng.normal(4, 3, (400, 8))
    pristine = rng.normal(0, 1, (400, 8)).mean(0), np.eye(8)
    assert 0.5 >= q_low(near.astype(np.float32), pristine) > q_low(far.astype(np.float32), pristine)


def test_patches_are_embedded_each_on_its_own():
    torch.manual_seed(0)
    network = new_resnet().eval()
    patches = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    together = embed_patches(network, patches)
    assert together.shape == (3, WIDTH)
    np.testing.assert_allclose(embed_patches(network, patches[1:2])[0], together[1], atol=1e-5)


def test_the_shipped_encoder_reads_at_most_512_pixels_and_one_of_ones_own_as_much_as_asked(weights):
    shipped = load_low(weights)
    assert (shipped.side(1024), shipped.side(300)) == (512, 300)
    assert shipped.patches(np.zeros((120, 160, 3), np.uint8)).shape[1] == WIDTH
    tensors = {f"network.{name}": value.numpy() for name, value in new_resnet().state_dict().items()}
    own = ResnetPatches(tensors | {"pristine.mean": np.zeros(WIDTH), "pristine.covariance": np.eye(WIDTH)}, "cpu")
    assert own.side(1024) == 1024
    assert own.patches(np.zeros((150, 200, 3), np.uint8)).shape == (2 * 3, WIDTH)


def test_what_is_no_weights_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="no weights file"):
        load_low(str(tmp_path / "none.safetensors"))
