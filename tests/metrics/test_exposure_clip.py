"""The CLIP unaries on a tiny randomly initialised CLIP."""

from __future__ import annotations

import numpy as np
import pytest

from cliqa.errors import CheckpointError, UsageError
from cliqa.images.loading import LoadedImage
from cliqa.metrics.base import View

torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")

from cliqa.metrics import exposure_clip  # noqa: E402
from cliqa.training.exposure.fit import OrdinalThresholds  # noqa: E402


@pytest.fixture(scope="module")
def backbone():
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg

    torch.manual_seed(0)
    vision = CLIPVisionCfg(layers=1, width=32, head_width=16, patch_size=16, image_size=32)
    text = CLIPTextCfg(context_length=77, width=32, heads=2, layers=1)
    return CLIP(embed_dim=24, vision_cfg=vision, text_cfg=text).eval()


def metric(unary, backbone):
    torch.manual_seed(1)
    head, ordinal = exposure_clip.build_head(unary, backbone), OrdinalThresholds(first=0.0)
    tensors = {f"head.{name}": value.numpy() for name, value in head.state_dict().items()}
    tensors |= {"scale": ordinal.scale.detach().numpy(), "thresholds": ordinal.thresholds().detach().numpy()}
    facts = {"unary": unary, "backbone": "tiny"}
    return exposure_clip.ExposureClip(tensors, facts, backbone=backbone), tensors, facts


def views(count=3):
    rng = np.random.default_rng(0)
    return [
        View(LoadedImage.from_array(rng.integers(0, 256, (40 + 9 * i, 60, 3), dtype=np.uint8))) for i in range(count)
    ]


@pytest.mark.parametrize("unary", ["v1", "v2"])
def test_scores_have_all_fields_and_ignore_what_came_before(unary, backbone):
    scorer, _, _ = metric(unary, backbone)
    seen = [scorer.observe(view) for view in views()]
    together = [scorer.score(one) for one in seen]
    assert [set(fields) for fields in together] == [{field.name for field in scorer.fields}] * 3
    assert together[::-1] == [scorer.score(one) for one in seen[::-1]]
    for fields in together:
        assert 1.0 >= fields["too_dark_p2"] >= fields["too_dark_p3"] >= fields["too_dark_p4"] >= 0.0
        assert fields["too_dark_level"] == 1 or fields["too_bright_level"] == 1


def test_prompts_are_learned_and_the_backbone_is_not_among_the_weights(backbone):
    head = exposure_clip.build_head("v2", backbone)
    assert set(head.state_dict()) == {"context", "gain", "offset"}
    features = torch.nn.functional.normalize(torch.randn(2, 24), dim=1)
    head(features).sum().backward()
    assert head.context.grad.abs().max() > 0
    before = head.text_features().detach()
    with torch.no_grad():
        head.context.add_(0.5)
    assert not torch.allclose(before, head.text_features())


def test_prompts_differ_by_label_and_leave_no_hook_behind(backbone):
    head = exposure_clip.build_head("v2", backbone)
    with torch.no_grad():
        head.context.zero_()  # the same context: only the label's words differ
        assert torch.pdist(head.text_features()).min() > 1e-4
    assert len(backbone.token_embedding._forward_hooks) == 0


def test_learned_context_equals_writing_the_embeddings_by_hand(backbone):
    """With the embeddings of the placeholder words as context, the prompts are those of the plain tokens."""
    head = exposure_clip.build_head("v2", backbone)
    with torch.no_grad():
        head.context.copy_(backbone.token_embedding(head.tokens)[:, 1 : 1 + exposure_clip.CONTEXT])
        plain = torch.nn.functional.normalize(backbone.encode_text(head.tokens), dim=1)
        torch.testing.assert_close(head.text_features(), plain)


def test_input_is_the_whole_picture_in_clips_units(backbone):
    white = np.full((50, 80, 3), 255, np.uint8)
    pixels = exposure_clip.normalise([white], backbone)
    assert pixels.shape == (1, 3, 32, 32)
    mean, deviation = np.array(open_clip.OPENAI_DATASET_MEAN), np.array(open_clip.OPENAI_DATASET_STD)
    np.testing.assert_allclose(pixels[0, :, 5, 5], (1 - mean) / deviation, rtol=1e-5)


def test_what_does_not_fit_says_so(backbone):
    _, tensors, facts = metric("v1", backbone)
    with pytest.raises(CheckpointError, match="don't fit v2"):
        exposure_clip.ExposureClip(tensors, facts | {"unary": "v2"}, backbone=backbone)
    with pytest.raises(CheckpointError, match="lack"):
        exposure_clip.ExposureClip({}, facts, backbone=backbone)
    with pytest.raises(UsageError, match="v1 or v2"):
        exposure_clip.build_head("v3", backbone)
    with pytest.raises(UsageError, match="no no-such-model"):
        exposure_clip.build_backbone("no-such-model", None)
