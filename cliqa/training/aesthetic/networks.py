"""The two backbones of the combined task, as networks from pixels to the logits of the three classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cliqa.errors import CheckpointError
from cliqa.metrics.aesthetic_inception import SIDE, new_inception
from cliqa.metrics.encoder import Branch, RatedHead, Trunk, pool, standardise
from cliqa.training.grepq.imagenet_backbone import read_backbone
from cliqa.training.imagenet import imagenet_file
from cliqa.training.train import TrainOptions

Tensors = dict[str, NDArray[Any]]
LIGHT_SIDE = 320  # pixels of a training picture; the metric reads 384, proportions kept


class LightClasses(nn.Module):
    """The encoder of `aesthetic`: trunk as ImageNet left it, branch and head under fit, whose last three outputs are the classes."""

    side = LIGHT_SIDE

    def __init__(self, trunk: Trunk, branch: Branch) -> None:
        super().__init__()
        self.trunk, self.branch, self.head = trunk.requires_grad_(False), branch.requires_grad_(True), RatedHead(0.2)

    def forward(self, pixels: Tensor) -> Tensor:
        """uint8 (n, h, w, 3) -> logits (n, 3)."""
        with torch.no_grad():
            shared = self.trunk(standardise(pixels))
        outputs: Tensor = self.head(pool(shared + self.branch(shared[-1])))[1]
        return outputs[:, 2:]

    def begin(self, pixels: Tensor) -> None:
        """Set the head's standardisation by pictures, and its last layer near nothing."""
        with torch.no_grad():
            shared = self.trunk(standardise(pixels))
            features = pool(shared + self.branch(shared[-1]))
            self.head.mean.copy_(features.mean(0))
            self.head.scale.copy_(features.std(0, correction=0).clamp_min(1e-2))
            nn.init.normal_(self.head.out.weight, std=0.01)
            nn.init.zeros_(self.head.out.bias)

    def tensors(self) -> Tensors:
        """Under the names that `Aesthetic` reads, half precision."""
        parts = {"trunk.": self.trunk, "rated.branch.": self.branch, "rated.head.": self.head}
        return {
            prefix + name: _half(value) for prefix, part in parts.items() for name, value in part.state_dict().items()
        }


class InceptionClasses(nn.Module):
    """Inception v3, all of it under fit."""

    side = SIDE

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        """uint8 (n, h, w, 3) -> logits (n, 3)."""
        outputs: Tensor = self.network(standardise(pixels))
        return outputs

    def begin(self, pixels: Tensor) -> None:
        """Nothing depends on the pictures."""

    def tensors(self) -> Tensors:
        """Under the names that `AestheticInception` reads, half precision."""
        return {f"network.{name}": _half(value) for name, value in self.network.state_dict().items()}


def new_network(options: TrainOptions) -> LightClasses | InceptionClasses:
    """The backbone that was asked for, with ImageNet weights. Raises UsageError where there are none, or CheckpointError."""
    if options.backbone == "light":
        return LightClasses(
            *read_backbone(imagenet_file("mobilenet_v2", options.imagenet, options.work / "backbone.pt"))
        )
    path = imagenet_file("inception_v3", options.imagenet, options.work / "inception.pth")
    network = new_inception()
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        state = {name: value for name, value in content.items() if not name.startswith(("fc.", "AuxLogits."))}
        own = {name: value for name, value in network.state_dict().items() if name.startswith("fc.")}
        network.load_state_dict(state | own)
    except Exception as error:  # the unpickler may raise anything
        raise CheckpointError(f"{path} holds no Inception v3: {' '.join(str(error).split())[:200]}") from error
    return InceptionClasses(network)


def _half(value: Tensor) -> NDArray[Any]:
    return value.detach().cpu().numpy().astype(np.float16 if value.is_floating_point() else np.int64)
