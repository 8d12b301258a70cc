"""GRepQ's high-level score as published: CLIP RN50, two prompts, any resolution. Needs the extra: pip install 'cliqa[clip]'.

    encoder = ClipEncoder.load()                  # or ClipEncoder.load("RN50.pt"): weights from a file
    scores = q_high(encoder.embed(pictures), encoder.prompts())

The attention pooling adds a position to every cell, for pictures of 224 pixels alone; without it, as the authors do, pictures of any
size and shape are taken. `cliqa.training.grepq.group_contrastive` tunes the image encoder.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from cliqa.errors import CheckpointError, UsageError

PROMPTS = ("a good photo.", "a bad photo.")
MIN_SIDE = 32  # the encoder halves five times
# Mean and deviation of CLIP's training pictures, per channel, in 0-1.
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


class ClipEncoder:
    """A CLIP model with a ResNet image encoder.

    Args:
        model: `open_clip.CLIP` whose `visual` is a `ModifiedResNet`.
        tokenize: texts -> token numbers (n, context), as `open_clip.get_tokenizer` gives.
    """

    def __init__(self, model: Any, tokenize: Any, device: str = "cpu") -> None:
        pooling = getattr(model.visual, "attnpool", None)
        if pooling is None or not hasattr(pooling, "positional_embedding"):
            raise UsageError("GRepQ needs a CLIP with a ResNet image encoder (RN50)")
        width = pooling.positional_embedding.shape[1]
        # One zero that stands for every position: it is added to all cells, however many there are.
        pooling.positional_embedding = nn.Parameter(torch.zeros(1, width), requires_grad=False)
        self.model = model.to(device).eval()
        self.tokenize = tokenize
        self.device = device

    @classmethod
    def load(
        cls, weights: str | os.PathLike[str] = "openai", device: str = "cpu", cache: str | None = None
    ) -> ClipEncoder:
        """RN50 with weights from a file, or by open_clip's name for them, from its cache or its hub.

        Raises:
            UsageError: open_clip is not installed.
            CheckpointError: the weights can't be had, or are of another model.
        """
        try:
            import open_clip
        except ImportError:
            raise UsageError("the CLIP path needs the extra: pip install 'cliqa[clip]'") from None
        try:
            model = open_clip.create_model(
                "RN50", pretrained=os.fspath(weights), cache_dir=cache, require_pretrained=True
            )
        except Exception as error:  # a file, a cache or a download may fail in any way
            raise CheckpointError(f"CLIP RN50 weights {weights}: {' '.join(str(error).split())[:200]}") from error
        return cls(model, open_clip.get_tokenizer("RN50"), device)

    def embed(self, pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Pictures, uint8 (h, w, 3) of any sizes of at least 32 -> (n, width) of unit length; each on its own."""
        with torch.no_grad():
            return torch.cat([self.forward(_standardise(picture).to(self.device)) for picture in pictures])

    def forward(self, pixels: Tensor) -> Tensor:
        """Standardised pixels (n, 3, h, w) -> (n, width) of unit length, with gradient: what tuning trains."""
        return F.normalize(self.model.visual(pixels), dim=-1)

    def prompts(self, texts: Sequence[str] = PROMPTS) -> Tensor:
        """(texts, width) of unit length."""
        with torch.no_grad():
            return F.normalize(self.model.encode_text(self.tokenize(list(texts)).to(self.device)), dim=-1)


def q_high(images: Tensor, prompts: Tensor) -> Tensor:
    """sigmoid(10 (cos_good - cos_bad)) of unit embeddings (n, width) and (2, width), good first: (n,), 0-1."""
    cosines = images @ prompts.T
    return torch.sigmoid(10.0 * (cosines[:, 0] - cosines[:, 1]))


def _standardise(picture: NDArray[np.uint8]) -> Tensor:
    if picture.ndim != 3 or picture.shape[2] != 3 or min(picture.shape[:2]) < MIN_SIDE:
        raise ValueError(f"a picture must be (h, w, 3) with sides of at least {MIN_SIDE}, not {picture.shape}")
    x = torch.from_numpy(np.ascontiguousarray(picture)).float() / 255.0
    return ((x - torch.tensor(MEAN)) / torch.tensor(DEVIATION)).permute(2, 0, 1)[None]
