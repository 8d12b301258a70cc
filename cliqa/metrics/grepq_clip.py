"""GRepQ's high-level score as published: CLIP RN50, two prompts, any resolution. Needs the extra: pip install 'cliqa[clip]'.

    encoder = ClipEncoder.load()                  # or ClipEncoder.load("RN50.pt"): weights from a file
    scores = q_high(encoder.embed(pictures), encoder.prompts())

The attention pooling adds a position to every cell, for pictures of 224 pixels alone; without it, as the authors do, pictures of any
size and shape are taken. `cliqa.training.grepq.grepq_high` tunes the image encoder; what it writes is loaded like any other weights.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from cliqa.errors import CheckpointError, UsageError
from cliqa.metrics import checkpoints
from cliqa.text import describe

PROMPTS = ("a good photo.", "a bad photo.")
MODEL = "RN50-quickgelu"  # as OpenAI trained it: its texts pass the quick approximation of GELU
TUNED, ARCHITECTURE, VERSION = "grepq_high", "clip-resnet", 1  # of files that hold a tuned image encoder
MIN_SIDE = 32  # the encoder halves five times
# Mean and deviation of CLIP's training pictures, per channel, in 0-1.
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


class ClipEncoder:
    """A CLIP model with a ResNet image encoder.

    Args:
        model: `open_clip.CLIP` whose `visual` is a `ModifiedResNet`.
        tokenize: texts -> token numbers (n, context), as `open_clip.get_tokenizer` gives.
        stored: the two prompts' embeddings (2, width), good first, where the weights brought them.
    """

    def __init__(self, model: Any, tokenize: Any, device: str = "cpu", stored: Tensor | None = None) -> None:
        pooling = getattr(model.visual, "attnpool", None)
        if pooling is None or not hasattr(pooling, "positional_embedding"):
            raise UsageError("GRepQ needs a CLIP with a ResNet image encoder (RN50)")
        pooling.forward = partial(_pooled, pooling)
        self.model = model.to(device).eval()
        self.tokenize = tokenize
        self.device = device
        self.stored = None if stored is None else stored.to(device)

    @property
    def width(self) -> int:
        """Numbers of an embedding: 1024 of RN50."""
        return int(self.model.visual.attnpool.c_proj.out_features)

    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that tell one image encoder's weights from another's, wherever they came from."""
        digest = hashlib.sha256()
        for name, value in self.model.visual.state_dict().items():
            digest.update(name.encode() + value.detach().cpu().numpy().tobytes())
        return digest.hexdigest()[:12]

    @classmethod
    def load(
        cls,
        weights: str | os.PathLike[str] = "openai",
        device: str = "cpu",
        cache: str | None = None,
        model: str = MODEL,
    ) -> ClipEncoder:
        """A CLIP with a ResNet image encoder.

        Args:
            weights: a file (OpenAI's own, open_clip's, or what the recipe `grepq_high` wrote), or open_clip's name of weights, which
                it takes from its cache or fetches.
            model: open_clip's name of the architecture; a tuned encoder's file knows its own.

        Raises:
            UsageError: open_clip is not installed.
            CheckpointError: the weights can't be had, or are of another model.
        """
        try:
            import open_clip
        except ImportError:
            raise UsageError("the CLIP path needs the extra: pip install 'cliqa[clip]'") from None
        name = os.fspath(weights)
        if name.endswith(".safetensors") and os.path.isfile(name) and checkpoints.metric_of(name) == TUNED:
            return cls._tuned(name, device)
        try:
            if os.path.isfile(name) and _is_archive(name):
                made = open_clip.create_model(model)
                held = _archived_state(name)
                made.load_state_dict({key: held[key] for key in made.state_dict()})
            else:
                made = open_clip.create_model(model, pretrained=name, cache_dir=cache, require_pretrained=True)
        except Exception as error:  # a file, a cache or a download may fail in any way
            raise CheckpointError(f"CLIP {model} weights {name}: {describe(error)}") from error
        return cls(made, open_clip.get_tokenizer(model), device)

    @classmethod
    def _tuned(cls, path: str, device: str) -> ClipEncoder:
        import open_clip

        tensors, facts = checkpoints.load(path, metric=TUNED, architecture=ARCHITECTURE, version=VERSION)
        try:
            made = open_clip.create_model(facts["model"])
            state = {
                name[7:]: torch.from_numpy(value).float() for name, value in tensors.items() if name[:7] == "visual."
            }
            pooling = made.visual.attnpool.positional_embedding
            made.visual.load_state_dict(state | {"attnpool.positional_embedding": pooling})
            return cls(made, None, device, torch.from_numpy(tensors["prompts"]).float())
        except (KeyError, RuntimeError) as error:
            raise CheckpointError(f"{path} holds no tuned encoder that fits: {error}") from error

    def save(self, path: str | os.PathLike[str], model: str) -> dict[str, NDArray[Any]]:
        """Write the image encoder, in half precision, with the prompts' embeddings; `load` takes the file. Returns its tensors."""
        state = self.model.visual.state_dict()
        tensors = {
            f"visual.{name}": value.cpu()
            .numpy()
            .astype(np.float16 if value.is_floating_point() else value.cpu().numpy().dtype)
            for name, value in state.items()
            if name != "attnpool.positional_embedding"
        }
        tensors["prompts"] = self.prompts().cpu().numpy()
        checkpoints.save(path, tensors, metric=TUNED, architecture=ARCHITECTURE, version=VERSION, model=model)
        return tensors

    def embed(self, pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Pictures, uint8 (h, w, 3) of any sizes of at least 32 -> (n, width) of unit length; each on its own."""
        with torch.inference_mode():
            return torch.cat([self.forward(standardise(picture).to(self.device)) for picture in pictures])

    def forward(self, pixels: Tensor) -> Tensor:
        """Standardised pixels (n, 3, h, w) -> (n, width) of unit length, with gradient: what tuning trains."""
        return F.normalize(self.model.visual(pixels), dim=-1)

    def prompts(self) -> Tensor:
        """The embeddings of `PROMPTS`, (2, width) of unit length: those that the weights brought, or by the text encoder."""
        if self.stored is None:
            with torch.no_grad():
                texts = self.tokenize(list(PROMPTS)).to(self.device)
                self.stored = F.normalize(self.model.encode_text(texts), dim=-1)
        return self.stored


def _pooled(pooling: Any, x: Tensor) -> Tensor:
    """CLIP's attention pooling without its positions, asked by the mean alone: (n, channels, h, w) -> (n, width).

    The other cells' answers are thrown away in any case, and at 12 megapixels asking them all would take 17 GB.
    """
    cells = x.flatten(2).permute(2, 0, 1)
    mean = cells.mean(dim=0, keepdim=True)
    found, _ = F.multi_head_attention_forward(
        query=mean, key=torch.cat([mean, cells]), value=torch.cat([mean, cells]),
        embed_dim_to_check=x.shape[1], num_heads=pooling.num_heads,
        in_proj_weight=None, in_proj_bias=torch.cat([pooling.q_proj.bias, pooling.k_proj.bias, pooling.v_proj.bias]),
        bias_k=None, bias_v=None, add_zero_attn=False, dropout_p=0.0,
        out_proj_weight=pooling.c_proj.weight, out_proj_bias=pooling.c_proj.bias,
        use_separate_proj_weight=True, q_proj_weight=pooling.q_proj.weight, k_proj_weight=pooling.k_proj.weight,
        v_proj_weight=pooling.v_proj.weight, training=False, need_weights=False,
    )  # fmt: skip
    return found[0]


def q_high(images: Tensor, prompts: Tensor) -> Tensor:
    """sigmoid(10 (cos_good - cos_bad)) of unit embeddings (n, width) and (2, width), good first: (n,), 0-1."""
    cosines = images @ prompts.T
    return torch.sigmoid(10.0 * (cosines[:, 0] - cosines[:, 1]))


def standardise(picture: NDArray[np.uint8]) -> Tensor:
    """uint8 (h, w, 3), sides of at least 32 -> float (1, 3, h, w) in CLIP's units. Raises ValueError for another shape."""
    if picture.ndim != 3 or picture.shape[2] != 3 or min(picture.shape[:2]) < MIN_SIDE:
        raise ValueError(f"a picture must be (h, w, 3) with sides of at least {MIN_SIDE}, not {picture.shape}")
    x = torch.from_numpy(np.array(picture)).float() / 255.0
    return ((x - torch.tensor(MEAN)) / torch.tensor(DEVIATION)).permute(2, 0, 1)[None]


def _is_archive(path: str) -> bool:
    """Whether a file is TorchScript, as OpenAI published its weights: an archive with code, which open_clip does not read by path."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())


def _archived_state(path: str) -> dict[str, Tensor]:
    """The tensors of a TorchScript file; none of its code is run."""
    state = torch.jit.load(path, map_location="cpu").state_dict()  # type: ignore[no-untyped-call]
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
