"""The convolutional encoder behind GRepQ and the aesthetic classes: MobileNetV2 with its normalisation folded in.

The trunk (`stem` and the first `TRUNK_STAGES` stages, where half of the time goes) stays as ImageNet left it, so that branches
tuned for different ends share it: one picture passes it once, whatever is asked. A branch is the remaining stages.

Normalisation layers are folded into the convolutions before them, which is exact at inference, and in fine-tuning means
that statistics stay those of ImageNet: what a picture scores never depends on its batch, in training either.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.models.mobilenetv2 import InvertedResidual
from torchvision.ops import Conv2dNormActivation

from cliqa.metrics.encoder_layout import (
    DEVIATION,
    EARLY_STAGES,
    HEAD_CHANNELS,
    MEAN,
    POOLED,
    POOLED_WIDTH,
    STAGES,
    STEM_CHANNELS,
    TRUNK_STAGES,
    WINDOW_WIDTH,
)


def _with_bias(module: nn.Module) -> nn.Module:
    """The module, whose convolutions get the bias that folding their normalisation leaves them with."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            part.bias = nn.Parameter(torch.zeros(part.out_channels))
    return module


def _convolution(channels: int, out: int, side: int, stride: int = 1) -> nn.Module:
    """A convolution and its ReLU6."""
    made = Conv2dNormActivation(channels, out, side, stride, norm_layer=_folded, activation_layer=nn.ReLU6)
    return _with_bias(made)


def _block(channels: int, expansion: int, out: int, stride: int) -> nn.Module:
    """Inverted residual: expand (1x1), filter each channel (3x3), project (1x1)."""
    return _with_bias(InvertedResidual(channels, out, stride, expansion, norm_layer=_folded))


def _folded(channels: int) -> nn.Module:
    """In place of a normalisation layer."""
    return nn.Identity()


class Trunk(nn.Module):
    """The shared first stages."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _convolution(3, STEM_CHANNELS, 3, 2)
        self.stages = _stages(0, TRUNK_STAGES)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(n, 3, h, w), standardised -> the maps that are pooled: (n, 24, h/4, w/4) and, for branches, (n, 32, h/8, w/8)."""
        x = self.stem(x)
        maps = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in POOLED:
                maps.append(x)
        return maps


class Branch(nn.Module):
    """The remaining stages and the head."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = _stages(TRUNK_STAGES, len(STAGES))
        self.head = _convolution(STAGES[-1][1], HEAD_CHANNELS, 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The trunk's last map -> the maps that are pooled, the head's last."""
        maps = self.early(x)
        x = maps[-1]
        for stage in self.stages[EARLY_STAGES - TRUNK_STAGES :]:
            x = stage(x)
        return [*maps, self.head(x)]

    def early(self, x: Tensor) -> list[Tensor]:
        """The first of those maps alone."""
        maps = []
        for index, stage in enumerate(self.stages[: EARLY_STAGES - TRUNK_STAGES], TRUNK_STAGES):
            x = stage(x)
            if index in POOLED:
                maps.append(x)
        return maps


def _stages(first: int, last: int) -> nn.ModuleList:
    stages = nn.ModuleList()
    channels = STAGES[first - 1][1] if first else STEM_CHANNELS
    for expansion, out, stride, blocks in STAGES[first:last]:
        stage = [_block(channels if i == 0 else out, expansion, out, stride if i == 0 else 1) for i in range(blocks)]
        stages.append(nn.Sequential(*stage))
        channels = out
    return stages


def pool_statistics(x: Tensor) -> Tensor:
    """Map (n, channels, h, w) -> mean of every channel, then standard deviation: (n, 2 * channels)."""
    pixels = x.float().permute(0, 2, 3, 1).flatten(1, 2)  # as they lie in channels-last memory: quick to sum over
    mean = pixels.mean(dim=1)
    variance = (pixels - mean[:, None]).square().mean(dim=1)
    return torch.cat([mean, (variance + 1e-6).sqrt()], dim=1)


def join_pooled(statistics: Sequence[Tensor]) -> Tensor:
    """Statistics of several maps side by side, square root with sign, which evens out their scales: (n, POOLED_WIDTH)."""
    joined = torch.cat(list(statistics), dim=1)
    return joined.sign() * (joined.abs() + 1e-6).sqrt()


def pool(maps: Sequence[Tensor]) -> Tensor:
    """The features of pictures: `pool_statistics` of the maps of trunk and branch, joined."""
    return join_pooled([pool_statistics(x) for x in maps])


class RatedHead(nn.Module):
    """Pooled features -> standardised -> 256 -> opinion (0-1), logit of "curated", logits of the three classes."""

    HIDDEN = 256

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(POOLED_WIDTH))
        self.register_buffer("scale", torch.ones(POOLED_WIDTH))
        self.hidden = nn.Linear(POOLED_WIDTH, self.HIDDEN)
        self.out = nn.Linear(self.HIDDEN, 5)
        self.dropout = dropout

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(n, POOLED_WIDTH) -> hidden (n, 256), outputs (n, 5)."""
        x = ((features - self.mean) / self.scale).clamp(-6.0, 6.0)
        hidden = F.relu(self.hidden(F.dropout(x, self.dropout, self.training)))
        return hidden, self.out(F.dropout(hidden, self.dropout, self.training))


def standardise(pixels: Tensor) -> Tensor:
    """uint8 (n, h, w, 3) -> float (n, 3, h, w) in channels-last memory, with ImageNet's mean and deviation taken out."""
    x = (pixels.float() - torch.tensor(MEAN, device=pixels.device)) / torch.tensor(DEVIATION, device=pixels.device)
    return x.permute(0, 3, 1, 2)


Module = TypeVar("Module", bound=nn.Module)


def load_module(module: Module, tensors: Mapping[str, NDArray[Any]], prefix: str) -> Module:
    """Fill a module from arrays named `<prefix><parameter>` (float16 is widened); ready for inference."""
    named = {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
    state = {
        _module_name(name, named): torch.from_numpy(np.asarray(value, dtype=np.float32).copy())
        for name, value in named.items()
    }
    module.load_state_dict(state)
    module.requires_grad_(False)
    return module.eval().to(memory_format=torch.channels_last)


def _module_name(name: str, names: Collection[str]) -> str:
    """The name in torchvision's blocks of a parameter as weights files name it: `expand`, `filter`, `project`, `stem`, `head`."""
    found = re.fullmatch(r"(stages\.\d+\.\d+)\.(expand|filter|project)\.(\w+)", name)
    if found:
        block, part, kind = found.groups()
        first = 0 if f"{block}.expand.weight" in names else 1  # the first block does not expand
        place = {"expand": "0.0", "filter": f"{1 - first}.0", "project": f"{2 - first}"}[part]
        return f"{block}.conv.{place}.{kind}"
    return re.sub(r"^(stem|head)\.(weight|bias)$", r"\1.0.\2", name)


def window_features(shared: Sequence[Tensor], window: int, stride: int) -> Tensor:
    """Statistics of the trunk's maps in square windows of the picture: what the low-level score reads of a patch.

    Args:
        shared: the trunk's maps of n pictures.
        window, stride: in pixels of the picture, multiples of 8; a smaller picture is one window.

    Returns:
        (n, windows, WINDOW_WIDTH): mean of every channel, then standard deviation, square root with sign.
    """
    means, deviations = [], []
    for x in shared:
        cell = round(shared[-1].shape[2] * 8 / x.shape[2]) if x is not shared[-1] else 8
        size = [min(window // cell, x.shape[2]), min(window // cell, x.shape[3])]
        step = [max(1, stride // cell)] * 2
        x = x.float()
        # Without it the squares of large means would cost the variance its digits
        level = x.mean(dim=(2, 3), keepdim=True)
        mean = F.avg_pool2d(x - level, size, step)
        square = F.avg_pool2d((x - level) ** 2, size, step)
        means.append(mean + level)
        deviations.append((square - mean**2).clamp_min(0.0).add(1e-6).sqrt())
    rows, columns = (min(x.shape[axis] for x in means) for axis in (2, 3))  # maps round odd sizes up
    joined = torch.cat([x[:, :, :rows, :columns] for x in means + deviations], dim=1)
    joined = joined.sign() * (joined.abs() + 1e-6).sqrt()
    return joined.flatten(2).transpose(1, 2)


class LowHead(nn.Module):
    """Statistics of a patch -> standardised -> 256 -> 128."""

    def __init__(self, hidden: int = 256, width: int = 128) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(WINDOW_WIDTH))
        self.register_buffer("scale", torch.ones(WINDOW_WIDTH))
        self.first = nn.Linear(WINDOW_WIDTH, hidden)
        self.second = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., WINDOW_WIDTH) -> (..., 128)."""
        x = ((x - self.mean) / self.scale).clamp(-6.0, 6.0)
        found: Tensor = self.second(F.relu(self.first(x)))
        return found
