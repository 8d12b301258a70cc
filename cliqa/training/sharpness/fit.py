"""Fit of the networks of `sharpness` in torch: which tiles to believe is learnt from what is known of the whole picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from cliqa.signal.sharpness.features import DIRECTIONS, RINGS, gains
from cliqa.signal.sharpness.reading import LEVELS, MOTION_UNIT, OUTPUTS, STEP, TILE_OUTPUTS
from cliqa.training.averaged_fit import AveragedFit, FitSettings
from cliqa.training.region_network import CHANNELS, TorchRegions


@dataclass(frozen=True)
class SharpnessFit(FitSettings):
    """Settings of one fit."""

    hidden: tuple[int, ...] = (192, 96)
    epochs: int = 24
    batch: int = 128
    rate: float = 3e-3
    decay: float = 2e-2
    dropout: float = 0.15
    input_noise: float = 0.08
    gain: float = 0.2  # deviation of the logarithm of the contrast that an example is shown with
    tiles: int = 24  # of each picture, drawn at every step
    softness: float = 0.6  # deviation of the target histogram around the interval, in levels
    motion_weight: float = 0.7
    tells_weight: float = 0.5
    empty_weight: float = (
        2.5  # of a picture with nothing to tell by, beside one that tells: a fifth of the examples are such
    )
    tile_weight: float = 0.3


@dataclass(frozen=True)
class SharpnessExamples:
    """Pictures as tiles.

    Attributes:
        features: float16 (pictures, tiles, features); pictures with fewer tiles repeat theirs.
        statistics: float32 (pictures, 2 * features), `cliqa.signal.sharpness.reading.statistics_of`.
        angle: float32 (pictures,), degrees, from which the features count directions.
        least, most: float32 (pictures,): the blur lies between these, pixels.
        motion: float32 (pictures, 2), pixels, times cosine and sine of twice its angle; nan where not known.
        tells: float32 (pictures,): 1, 0 or nan.
    """

    features: NDArray[np.float16]
    statistics: NDArray[np.float32]
    angle: NDArray[np.float32]
    least: NDArray[np.float32]
    most: NDArray[np.float32]
    motion: NDArray[np.float32]
    tells: NDArray[np.float32]

    def target(self) -> tuple[Tensor, ...]:
        """(least, most) in log(1 + blur), the motion counted from the features' first direction in units of the network, tells."""
        vector = (self.motion[:, 0] + 1j * self.motion[:, 1]) * np.exp(-2j * np.radians(self.angle)) / MOTION_UNIT
        motion = np.stack([vector.real, vector.imag], axis=1).astype(np.float32)
        parts = (np.log1p(self.least), np.log1p(self.most), motion, self.tells)
        return tuple(torch.from_numpy(part) for part in parts)


class TorchSharpness(nn.Module):
    """The torch twin of the networks of `cliqa.signal.sharpness.reading.SharpnessNetworks`."""

    def __init__(self, statistics: Tensor, rows: Tensor, hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.regions = TorchRegions(statistics, rows, hidden, OUTPUTS, dropout)
        self.tile = nn.Linear(CHANNELS, TILE_OUTPUTS)

    def forward(self, statistics: Tensor, rows: Tensor, noise: float = 0.0) -> tuple[Tensor, Tensor]:
        """(batch, statistics), (batch, tiles, features) -> answers of the pictures (batch, OUTPUTS), of the tiles (batch, tiles, 3)."""
        return self.regions(statistics, rows, noise), self.tile(self.regions.seen(rows))

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Weights under the names that `SharpnessNetworks` reads."""
        found = {f"{prefix}tile.{name}": value.detach().numpy().copy() for name, value in self.tile.named_parameters()}
        return self.regions.tensors(prefix) | found


def mirrored(features: Tensor, flags: Tensor) -> Tensor:
    """Features (batch, ..., n * features) with the directions of the flagged pictures counted the other way round."""
    rings = len(RINGS) - 1
    order = torch.arange(features.shape[-1])
    width = gains().shape[0]
    back = torch.cat([torch.tensor([0]), torch.arange(DIRECTIONS - 1, 0, -1)])
    for start in range(0, features.shape[-1], width):
        for ring in range(rings):
            order[start + ring * DIRECTIONS : start + (ring + 1) * DIRECTIONS] = start + ring * DIRECTIONS + back
    shape = (-1,) + (1,) * (features.dim() - 1)
    return torch.where(flags.reshape(shape), features[..., order], features)


def outside(value: Tensor, least: Tensor, most: Tensor) -> Tensor:
    """How far a value is outside of [least, most]."""
    return torch.relu(least - value) + torch.relu(value - most)


def losses(said: tuple[Tensor, Tensor], target: tuple[Tensor, ...], settings: SharpnessFit) -> tuple[Tensor, ...]:
    """The parts of a batch's loss: blur, motion, tells, tiles."""
    (answers, tiles), (least, most, motion, tells) = said, target
    known = torch.where(torch.isnan(tells), 0.5, (tells != 0).float())  # an empty picture has no blur to learn
    levels = torch.arange(LEVELS) * STEP
    apart = outside(levels[None], least[:, None], most[:, None]) / (settings.softness * STEP)
    wanted = -0.5 * apart**2
    wanted = wanted - wanted.max(1, keepdim=True).values  # 0 for the levels within the interval, or the nearest one
    chance = torch.logsumexp(torch.log_softmax(answers[:, :LEVELS], 1) + wanted, 1)
    share = known.sum().clamp_min(1)
    blur = -(chance * known).sum() / share

    sure = ~torch.isnan(motion[:, 0]) & (known > 0)
    length = motion[sure].norm(dim=1)
    error = torch.linalg.vector_norm(answers[sure, LEVELS : LEVELS + 2] - motion[sure], dim=1)
    moved = (error / (1 + length) * (1 + 2 * (length > 0.4))).mean()

    told = ~torch.isnan(tells)
    weight = torch.softmax(tiles[..., 1], 1)
    logits = torch.stack([answers[told, LEVELS + 2], (weight * tiles[..., 2]).sum(1)[told]])
    balance = torch.where(tells[told] == 0, settings.empty_weight, 1.0).expand(2, -1)
    telling = binary_cross_entropy_with_logits(logits, tells[told].expand(2, -1), weight=balance)
    # Only the tiles that are believed must know the whole picture's blur: those of a soft background can't.
    each = (weight * outside(tiles[..., 0], least[:, None], most[:, None])).sum(1)
    return blur, moved, telling, (each * known).sum() / share


def fit_sharpness(
    train: SharpnessExamples, val: SharpnessExamples, work: Path, settings: SharpnessFit
) -> TorchSharpness:
    """Fit and return the network with the averaged weights; `work` gets `state.pt` and `curve.csv`."""
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    features, statistics, target = torch.from_numpy(train.features), torch.from_numpy(train.statistics), train.target()
    net = TorchSharpness(statistics, features[::7].float().flatten(0, 1), settings.hidden, settings.dropout)
    fit = AveragedFit(net, len(features), settings, work, warm_up=0.15)
    rise = torch.from_numpy(gains())
    weights = torch.tensor([1.0, settings.motion_weight, settings.tells_weight, settings.tile_weight])
    for epoch, batches in fit.epochs():
        total = 0.0
        for chosen in batches:
            drawn = torch.randperm(features.shape[1], generator=fit.draw)[: settings.tiles]
            gain = settings.gain * torch.randn(len(chosen), 1, generator=fit.draw)
            flags = torch.rand(len(chosen), generator=fit.draw) < 0.5
            rows = mirrored(features[chosen][:, drawn].float() + gain[..., None] * rise, flags)
            whole = mirrored(statistics[chosen] + gain * rise.repeat(2), flags)
            least, most, motion, tells = (part[chosen] for part in target)
            motion = torch.where(flags[:, None], motion * torch.tensor([1.0, -1.0]), motion)
            parts = losses(net(whole, rows, settings.input_noise), (least, most, motion, tells), settings)
            total += fit.step((torch.stack(parts) * weights).sum()) * len(chosen)
        with torch.no_grad():
            seen = fit.averaged.eval()(torch.from_numpy(val.statistics), torch.from_numpy(val.features).float())
            held = [float(part) for part in losses(seen, val.target(), settings)]
        names = ("val_blur", "val_motion", "val_tells", "val_tiles")
        fit.log({"epoch": epoch, "train_loss": total / len(features), **dict(zip(names, held, strict=True))})
    return fit.averaged.eval()
