"""The documented unaries of the exposure metric: v1, CLIP's image encoder with a fully connected head; v2, CLIP with CoOp prompts.

Both give one score per label, and share thresholds, graph and fields with the light unary. They need the extra `cliqa[clip]`
(open_clip) and weights of their own, which `cliqa.training.exposure.table` trains from a table of labels; none are shipped. The
backbone is named in the weights' metadata: `backbone` (an open_clip model) and `backbone_weights` (a path, or a tag of open_clip's
own cache). `CLIQA_CLIP_WEIGHTS` overrides the latter.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.errors import CheckpointError, UsageError
from cliqa.metrics.base import Field, Metric, Observation, Value, View
from cliqa.metrics.exposure import label_fields, levels_and_probabilities
from cliqa.metrics.exposure_schema import exposure_graph
from cliqa.signal.exposure.labels import LABELS
from cliqa.signal.exposure.schema import SCHEMA
from cliqa.text import describe

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Unary = Literal["v1", "v2"]
WEIGHTS_VARIABLE = "CLIQA_CLIP_WEIGHTS"
THUMBNAIL = 336  # long side that is observed; CLIP's input is cut from it
CONTEXT = 16  # learned prompt vectors per label
PROMPTS = {
    "too_bright": "too bright",
    "too_dark": "too dark",
    "contrast_too_high": "contrast too high",
    "contrast_too_low": "contrast too low",
    "highlights_clipped": "clipped highlights",
    "highlights_over_suppressed": "dull, over-suppressed highlights",
}


def build_backbone(name: str, weights: str | None) -> torch.nn.Module:
    """An open_clip model with weights from a path or a tag of open_clip's cache; None for random weights.

    Raises:
        UsageError: open_clip is not installed, or does not know the model or the weights.
    """
    try:
        import open_clip
    except ImportError:
        raise UsageError("the CLIP unaries need the extra: pip install 'cliqa[clip]'") from None
    try:
        model: torch.nn.Module = open_clip.create_model(name, pretrained=weights or None)
    except Exception as error:  # open_clip raises RuntimeError, OSError, ValueError, and its downloader's own
        raise UsageError(f"open_clip has no {name} with weights {weights}: {describe(error)}") from error
    return model


def image_size(backbone: Any) -> int:
    """Side of the square input of the image encoder, pixels."""
    size = backbone.visual.image_size
    return int(size[0] if isinstance(size, (tuple, list)) else size)


def normalise(thumbnails: Sequence[NDArray[np.uint8]], backbone: Any) -> Tensor:
    """uint8 (height, width, 3) each -> float (batch, 3, side, side) with CLIP's mean and deviation.

    The whole picture, squeezed: a crop would lose edges, and an exposure is judged by all of it.
    """
    import torch

    side = image_size(backbone)
    images = [
        np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC)).copy() for one in thumbnails
    ]
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255.0
    mean = getattr(backbone.visual, "image_mean", None) or (0.48145466, 0.4578275, 0.40821073)
    deviation = getattr(backbone.visual, "image_std", None) or (0.26862954, 0.26130258, 0.27577711)
    return (pixels - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(deviation).view(1, 3, 1, 1)


def image_features(backbone: Any, pixels: Tensor) -> Tensor:
    """Unit-length image embeddings, (batch, dimensions)."""
    features: Tensor = backbone.encode_image(pixels)
    unit: Tensor = features / features.norm(dim=-1, keepdim=True)
    return unit


def _head_class() -> type[torch.nn.Module]:
    import torch
    from torch import nn

    class FullyConnectedHead(nn.Module):
        """v1: image embedding -> hidden -> six scores."""

        def __init__(self, dimensions: int, hidden: int = 256) -> None:
            super().__init__()
            self.first = nn.Linear(dimensions, hidden)
            self.second = nn.Linear(hidden, len(LABELS))

        def forward(self, features: Tensor) -> Tensor:
            # Unit-length embeddings have entries of 1/sqrt(d); the factor brings them back to order 1.
            scores: Tensor = self.second(torch.relu(self.first(features * features.shape[-1] ** 0.5)))
            return scores

    return FullyConnectedHead


def _prompt_class() -> type[torch.nn.Module]:
    import open_clip
    import torch
    from torch import nn

    class PromptHead(nn.Module):
        """v2: cosine of the image embedding with each label's prompt "[v1] ... [vM] <label>", whose v are learned (CoOp)."""

        def __init__(self, backbone: Any, tokenizer_name: str | None = None, context: int = CONTEXT) -> None:
            super().__init__()
            text = getattr(backbone, "text", backbone)
            self._backbone: list[Any] = [backbone]  # in a list: not a part of this module, so not among its weights
            self._embedding: list[Any] = [text.token_embedding]
            tokenize = (
                open_clip.get_tokenizer(tokenizer_name) if tokenizer_name else open_clip.get_tokenizer("ViT-B-32")
            )
            length = int(getattr(backbone, "context_length", 77))
            words = [" ".join(["x"] * context + [PROMPTS[label]]) for label in LABELS]
            self.register_buffer("tokens", tokenize(words, context_length=length), persistent=False)
            width = int(text.token_embedding.weight.shape[1])
            self.context = nn.Parameter(torch.randn(len(LABELS), context, width) * 0.02)
            # score = gain * cosine + offset, per label: thresholds live in units of levels
            self.gain = nn.Parameter(torch.full((len(LABELS),), 10.0))
            self.offset = nn.Parameter(torch.zeros(len(LABELS)))

        @contextmanager
        def _learned_context(self) -> Iterator[None]:
            """While it lasts, the embeddings of the placeholder words (positions 1 ... M) are the learned ones."""

            def replace(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
                context = self.context.to(output.dtype)
                return torch.cat([output[:, :1], context, output[:, 1 + context.shape[1] :]], dim=1)

            handle = self._embedding[0].register_forward_hook(replace)
            try:
                yield
            finally:
                handle.remove()

        def text_features(self) -> Tensor:
            """Unit-length embeddings of the prompts, (6, dimensions)."""
            with self._learned_context():
                features: Tensor = self._backbone[0].encode_text(self.tokens)
                unit: Tensor = features / features.norm(dim=-1, keepdim=True)
            return unit

        def forward(self, features: Tensor) -> Tensor:
            return self.gain * (features @ self.text_features().T) + self.offset

    return PromptHead


def build_head(unary: str, backbone: Any, tokenizer_name: str | None = None) -> torch.nn.Module:
    """The trainable part of a unary: unit-length image embeddings (batch, dimensions) -> scores (batch, 6).

    Raises:
        UsageError: `unary` is not v1 or v2.
    """
    if unary == "v1":
        dimensions = int(backbone.visual.output_dim)
        return _head_class()(dimensions)
    if unary == "v2":
        return _prompt_class()(backbone, tokenizer_name)
    raise UsageError(f"the CLIP unary is v1 or v2, not {unary!r}")


class ExposureClip(Metric):
    """The exposure metric on a CLIP unary; fields as `exposure`."""

    name: ClassVar[str] = "exposure_clip"
    architecture: ClassVar[str] = "clip-hex"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = (
        "the exposure labels by CLIP (v1 fully connected, v2 CoOp prompts); needs cliqa[clip] and own weights"
    )
    fields: ClassVar[tuple[Field, ...]] = label_fields()
    uses_torch: ClassVar[bool] = True

    def __init__(
        self,
        tensors: Mapping[str, NDArray[Any]],
        metadata: Mapping[str, str],
        device: str = "cpu",
        backbone: torch.nn.Module | None = None,
    ) -> None:
        """`backbone` spares building it again from the metadata (and lets tests bring their own)."""
        super().__init__(tensors, metadata, device)
        import torch

        try:
            unary, model = metadata["unary"], metadata["backbone"]
            self.scale = tensors["scale"].astype(np.float64)
            self.thresholds = tensors["thresholds"].astype(np.float64)
        except KeyError as error:
            raise CheckpointError(f"the CLIP exposure weights lack {error}") from error
        if backbone is None:
            backbone = build_backbone(model, os.environ.get(WEIGHTS_VARIABLE) or metadata.get("backbone_weights"))
        self.backbone = backbone.to(device).eval()
        self.head = build_head(unary, self.backbone, metadata.get("tokenizer"))
        state = {
            name[5:]: torch.from_numpy(np.array(value)) for name, value in tensors.items() if name.startswith("head.")
        }
        try:
            self.head.load_state_dict(state)
        except RuntimeError as error:
            raise CheckpointError(f"the head's weights don't fit {unary} on {model}: {error}") from error
        self.head = self.head.to(device).eval()
        self.graph = exposure_graph(json.loads(metadata["schema"]) if "schema" in metadata else SCHEMA)

    @classmethod
    def observe(cls, view: View) -> Observation:
        """The picture at a long side of 336: {"thumbnail": uint8 (height, width, 3)}."""
        return {"thumbnail": view.thumbnail(THUMBNAIL)}

    def unary(self, thumbnail: NDArray[np.uint8]) -> NDArray[np.float64]:
        """uint8 (height, width, 3) -> z, float64 (6, 3)."""
        import torch

        with torch.inference_mode():
            pixels = normalise([thumbnail], self.backbone).to(self.device)
            scores = self.head(image_features(self.backbone, pixels)).double().cpu().numpy()[0]
        z: NDArray[np.float64] = np.exp(self.scale)[:, None] * (scores[:, None] - self.thresholds)
        return z

    def score(self, observation: Observation) -> dict[str, Value]:
        """Level and marginal probabilities of each label."""
        return levels_and_probabilities(self.graph, self.unary(observation["thumbnail"]))
