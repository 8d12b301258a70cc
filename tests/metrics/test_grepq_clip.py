"""The CLIP path on a tiny, randomly initialised CLIP of the same class, and group contrastive tuning."""

import numpy as np
import pytest
import torch

from cliqa.errors import CheckpointError, UsageError
from cliqa.metrics.grepq_clip import ClipEncoder, _pooled, q_high
from cliqa.training.grepq.group_contrastive import group_contrastive_loss, tune


@pytest.fixture(scope="module")
def encoder():
    model = pytest.importorskip("open_clip.model")
    torch.manual_seed(0)
    vision = model.CLIPVisionCfg(layers=(1, 1, 1, 1), width=8, image_size=64)
    text = model.CLIPTextCfg(context_length=8, vocab_size=64, width=16, heads=2, layers=1)
    clip = model.CLIP(embed_dim=16, vision_cfg=vision, text_cfg=text)

    def tokenize(texts):
        return torch.tensor([[62, *(ord(c) % 60 for c in word[2:8]), 63] for word in texts])

    return ClipEncoder(clip, tokenize)


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_takes_any_size_and_shape_and_each_picture_alone(encoder):
    pictures = [picture(64, 64), picture(96, 200, 1), picture(45, 33, 2)]
    together = encoder.embed(pictures)
    assert together.shape == (3, 16)
    assert torch.allclose(together.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.allclose(encoder.embed(pictures[1:2])[0], together[1], atol=1e-6)


def test_pooling_without_positions_does_not_care_where_a_cell_lies(encoder):
    cells = torch.randn(1, 32 * 8, 2, 3, generator=torch.Generator().manual_seed(0))
    pool = encoder.model.visual.attnpool
    with torch.no_grad():
        assert torch.allclose(pool(cells), pool(cells.flip(3)), atol=1e-5)


def test_pooling_is_clips_own_less_the_positions():
    resnet = pytest.importorskip("open_clip.modified_resnet")
    torch.manual_seed(0)
    own = resnet.AttentionPool2d(3, 32, 4, 16)
    cells = torch.randn(2, 32, 3, 3)
    with torch.no_grad():
        own.positional_embedding.zero_()
        expected = own(cells)
        torch.testing.assert_close(_pooled(own, cells), expected, atol=1e-5, rtol=1e-5)


def test_scores_follow_the_two_prompts(encoder):
    prompts = encoder.prompts()
    assert prompts.shape == (2, 16)
    assert not torch.allclose(prompts[0], prompts[1])
    scores = q_high(torch.cat([prompts, prompts.mean(0, keepdim=True)]), prompts)
    cosine = float(prompts[0] @ prompts[1])
    expected = 1 / (1 + np.exp(-10 * (1 - cosine)))
    assert scores.tolist() == pytest.approx([expected, 1 - expected, 0.5], abs=1e-5)


def test_tuning_draws_the_groups_apart(encoder):
    batch = torch.randn(12, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    losses = tune(
        encoder.forward, encoder.model.visual.parameters(), encoder.prompts(), [batch] * 6, rate=1e-3, group=3
    )
    assert losses[-1] < losses[0]


def test_refuses_small_pictures_other_encoders_and_missing_weights(encoder, tmp_path):
    with pytest.raises(ValueError, match="at least 32"):
        encoder.embed([picture(31, 64)])

    class Transformer:
        visual = torch.nn.Linear(1, 1)

    with pytest.raises(UsageError, match="ResNet"):
        ClipEncoder(Transformer(), None)
    with pytest.raises(CheckpointError, match="RN50"):
        ClipEncoder.load(tmp_path / "none.pt")


def test_group_loss_agrees_with_its_formula_written_out():
    torch.manual_seed(3)
    x, ranking = torch.randn(10, 5), torch.randn(10)
    unit = (x / x.norm(dim=1, keepdim=True)).numpy().astype(np.float64)
    order = ranking.numpy().argsort()
    best, worst = order[-2:], order[:2]
    terms = []
    for ours, others in ((best, worst), (worst, best)):
        for i in ours:
            for j in ours:
                if i != j:
                    near = np.exp(unit[i] @ unit[j] / 0.5)
                    far = sum(np.exp(unit[i] @ unit[k] / 0.5) for k in others)
                    terms.append(-np.log(near / (near + far)))
    assert float(group_contrastive_loss(x, ranking, group=2)) == pytest.approx(np.mean(terms), rel=1e-5)
    with pytest.raises(ValueError, match="batch of 10"):
        group_contrastive_loss(x, ranking, group=6)
