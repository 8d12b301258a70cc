"""The shape of the encoder, without the library that runs it: MobileNetV2 (table 2 of arXiv 1801.04381), and where it is pooled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Per stage: expansion, channels, stride of the first block, blocks.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 2, 3), (6, 64, 2, 4), (6, 96, 1, 3), (6, 160, 2, 3), (6, 320, 1, 1))
STEM_CHANNELS = 32  # this and the next: those of MobileNetV2, as torchvision builds it
HEAD_CHANNELS = 1280
TRUNK_STAGES = 3  # 16, 24 and 32 channels, to an eighth of the resolution
# Stages whose maps are pooled, and the head: quality lives in the early ones, content in the late ones.
POOLED = (1, 2, 3, 4)
POOLED_CHANNELS = (*tuple(STAGES[index][1] for index in POOLED), HEAD_CHANNELS)
POOLED_WIDTH = 2 * sum(POOLED_CHANNELS)
EARLY_STAGES = 1 + max(POOLED)  # up to where all but the head's map are pooled: half the cost of a branch
EARLY_WIDTH = 2 * sum(POOLED_CHANNELS[:-1])  # and the features of these maps, the first of all
WINDOW_WIDTH = 2 * sum(STAGES[index][1] for index in POOLED if index < TRUNK_STAGES)

# Mean and deviation of the ImageNet photographs, per channel, in 0-255.
MEAN = (123.675, 116.28, 103.53)
DEVIATION = (58.395, 57.12, 57.375)


@dataclass(frozen=True)
class Shared:
    """What the trunk gives of one picture.

    Attributes:
        last: its last map, as the library that runs the encoder holds it: what a branch goes on from.
        statistics: of its maps that are pooled, (2 * channels,) each.
    """

    last: Any
    statistics: list[NDArray[np.float32]]


def part_shapes(first: int, last: int) -> dict[str, tuple[int, ...]]:
    """The weights of stages `first` to `last`, with the stem before stage 0 and the head after the last one: name -> shape."""
    shapes: dict[str, tuple[int, ...]] = {"stem.weight": (STEM_CHANNELS, 3, 3, 3)} if first == 0 else {}
    channels = STAGES[first - 1][1] if first else STEM_CHANNELS
    for stage, (expansion, out, _, blocks) in enumerate(STAGES[first:last]):
        for index in range(blocks):
            name, inner = f"stages.{stage}.{index}", channels * expansion
            if expansion > 1:
                shapes[f"{name}.expand.weight"] = (inner, channels, 1, 1)
            shapes[f"{name}.filter.weight"] = (inner, 1, 3, 3)
            shapes[f"{name}.project.weight"] = (out, inner, 1, 1)
            channels = out
    if last == len(STAGES):
        shapes["head.weight"] = (HEAD_CHANNELS, channels, 1, 1)
    return shapes | {name.replace(".weight", ".bias"): shape[:1] for name, shape in shapes.items()}


def checked_part(tensors: Mapping[str, NDArray[Any]], prefix: str, first: int, last: int) -> dict[str, NDArray[Any]]:
    """The tensors of a part of the encoder by their plain names. Raises KeyError for one that is missing or of another shape."""
    part = plain_names(tensors, prefix)
    for name, shape in part_shapes(first, last).items():
        if name not in part or part[name].shape != shape:
            raise KeyError(f"{prefix}{name} {shape}")
    return part


def plain_names(tensors: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """A part's tensors by the names of weights files (`stages.0.1.expand.weight`), where they may have those of torch's modules."""
    named = {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
    return {_plain_name(name, named): value for name, value in named.items()}


def _plain_name(name: str, names: Mapping[str, Any]) -> str:
    found = re.fullmatch(r"(stages\.\d+\.\d+)\.conv\.(\d)(?:\.0)?\.(\w+)", name)
    if found:
        block, place, kind = found.groups()
        parts = ("expand", "filter", "project") if f"{block}.conv.2.{kind}" in names else ("filter", "project")
        return f"{block}.{parts[int(place)]}.{kind}"
    return re.sub(r"^(stem|head)\.0\.(weight|bias)$", r"\1.\2", name)
