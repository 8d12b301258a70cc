"""GRepQ's low-level score as published: patches of a picture, their embeddings, and the distance to those of pristine patches.

Two encoders give embeddings of 128 numbers: a ResNet-18 that `cliqa.training.grepq.grepq_low` makes (the published kind, called LLM),
and the one of the shipped `grepq` weights, which reads the maps of its frozen trunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.models import resnet18

from cliqa.errors import CheckpointError
from cliqa.metrics import checkpoints
from cliqa.metrics.encoder import LowHead, Trunk, load_module, standardise, window_features
from cliqa.metrics.grepq import DETAIL_SIDE, GRepQ
from cliqa.metrics.grepq_network import STRIDE, WINDOW
from cliqa.signal.quality.niqe import gaussian_of, niqe_distance, quality_of_distance
from cliqa.signal.quality.pristine_patches import tile_origins

WIDTH = 128  # numbers of an embedding
TRAINED, ARCHITECTURE, VERSION = "grepq_low", "resnet18-patches", 1  # of files that hold an encoder of one's own
AT_ONCE = 32  # patches in a pass of the encoder: 75 MB of maps


class LowEncoder(Protocol):
    """What gives embeddings of the patches of a picture."""

    pristine: tuple[NDArray[np.float64], NDArray[np.float64]]

    def side(self, asked: int) -> int:
        """The long side that it reads pictures at, where `asked` is the largest that is wanted."""

    def patches(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (h, w, 3) -> embeddings (n, WIDTH)."""


def load_low(path: str, device: str = "cpu") -> LowEncoder:
    """The encoder of a file: of the recipe `grepq_low`, or of `grepq` weights. Raises CheckpointError."""
    try:
        if checkpoints.metric_of(path) == TRAINED:
            tensors, _ = checkpoints.load(path, metric=TRAINED, architecture=ARCHITECTURE, version=VERSION)
            return ResnetPatches(tensors, device)
        tensors, _ = checkpoints.load(path, metric="grepq", architecture=GRepQ.architecture, version=GRepQ.version)
        return TrunkWindows(tensors, device)
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(f"{path} holds no low-level encoder that fits: {error}") from error


def q_low(embeddings: NDArray[np.float32], pristine: tuple[NDArray[np.float64], NDArray[np.float64]]) -> float:
    """1 - sigmoid(d / 100), 0-0.5: d is the distance between the Gaussians of the picture's patches and of pristine ones."""
    return quality_of_distance(niqe_distance(*gaussian_of(embeddings), *pristine))


class ResnetPatches:
    """ResNet-18 on patches of 96 pixels every 48, at the picture's own size."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]], device: str) -> None:
        self.pristine = _pristine(tensors)
        self.device = device
        self.network = load_module(new_resnet(), tensors, "network.").to(device)

    def side(self, asked: int) -> int:
        """As asked."""
        return asked

    def patches(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (h, w, 3) -> embeddings (n, WIDTH); a picture under 96 pixels is one patch."""
        return embed_patches(self.network, cut(picture), self.device)


class TrunkWindows:
    """The shipped encoder: windows of the frozen trunk's maps, at 512 pixels, for which it was made."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]], device: str) -> None:
        self.pristine = _pristine(tensors)
        self.device = device
        self.trunk = load_module(Trunk(), tensors, "trunk.").to(device)
        self.head = load_module(LowHead(), tensors, "low.").to(device)

    def side(self, asked: int) -> int:
        """512, or less where less is asked."""
        return min(asked, DETAIL_SIDE)

    def patches(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (h, w, 3) -> embeddings (n, WIDTH)."""
        with torch.inference_mode():
            shared = self.trunk(standardise(torch.from_numpy(np.array(picture)[None]).to(self.device)))
            found: NDArray[np.float32] = self.head(window_features(shared, WINDOW, STRIDE))[0].cpu().numpy()
        return found


def new_resnet() -> nn.Module:
    """ResNet-18 from scratch with a head of `WIDTH` numbers."""
    network: nn.Module = resnet18(weights=None, num_classes=WIDTH)
    return network


def embed_patches(network: nn.Module, patches: NDArray[np.uint8], device: str = "cpu") -> NDArray[np.float32]:
    """uint8 (n, h, w, 3) -> (n, WIDTH), `AT_ONCE` at a time."""
    found: list[Tensor] = []
    with torch.inference_mode():
        for at in range(0, len(patches), AT_ONCE):
            found.append(network(standardise(torch.from_numpy(patches[at : at + AT_ONCE]).to(device))).cpu())
    return torch.cat(found).numpy()


def cut(picture: NDArray[np.uint8], stride: int = STRIDE) -> NDArray[np.uint8]:
    """uint8 (h, w, 3) -> its patches (n, WINDOW, WINDOW, 3), mirrored out where it is smaller than one."""
    short = [max(0, WINDOW - side) for side in picture.shape[:2]]
    if any(short):
        picture = np.pad(picture, ((0, short[0]), (0, short[1]), (0, 0)), mode="symmetric")
    origins = tile_origins(picture.shape[0], picture.shape[1], WINDOW, stride)
    return np.stack([picture[y : y + WINDOW, x : x + WINDOW] for y, x in origins])


def _pristine(tensors: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return tensors["pristine.mean"].astype(np.float64), tensors["pristine.covariance"].astype(np.float64)
