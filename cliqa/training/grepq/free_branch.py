"""The label-free branch: tuned from ImageNet's to see how damaged a picture is, without forgetting what ImageNet taught it.

Of the four views of a picture (`damaged_views`) the network tells the strength of every kind of damage and how good the picture is.
Where a picture is known to be clean, the values themselves are known; of any other the differences of its views. Pooled features are
held near those of ImageNet's branch, which know what a picture shows. No rating is involved.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cliqa.metrics.encoder import POOLED_WIDTH, Branch, join_pooled, pool_statistics
from cliqa.training.averaged_fit import AveragedFit, FitSettings
from cliqa.training.grepq.damaged_views import KINDS, VIEWS, WEIGHTS

UNCHOSEN = 0.5  # how bad being an unchosen cut is, in units of strength


@dataclass(frozen=True)
class FreeSettings(FitSettings):
    """Settings of the fit; a batch counts pictures of four views each."""

    epochs: int = 3
    batch: int = 12
    rate: float = 3e-4
    decay: float = 1e-2
    dropout: float = 0.2
    average: float = 0.98
    teaching: float = 0.5  # weight of staying near ImageNet's features


class DamageHead(nn.Module):
    """Pooled features -> standardised -> 128 -> strength of each kind, goodness, logit of being an unchosen cut."""

    def __init__(self, mean: Tensor, scale: Tensor, dropout: float) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.hidden = nn.Linear(POOLED_WIDTH, 128)
        self.out = nn.Linear(128, len(KINDS) + 2)
        self.dropout = dropout

    def forward(self, features: Tensor) -> Tensor:
        """(n, POOLED_WIDTH), standardised -> (n, len(KINDS) + 2)."""
        hidden = F.relu(self.hidden(F.dropout(features.clamp(-6.0, 6.0), self.dropout, self.training)))
        found: Tensor = self.out(hidden)
        return found


class FreeNet(nn.Module):
    """Branch and head."""

    def __init__(self, branch: Branch, head: DamageHead) -> None:
        super().__init__()
        self.branch = branch
        self.head = head

    def forward(self, maps: Tensor, early: Tensor) -> tuple[Tensor, Tensor]:
        """The trunk's last map and statistics of the one before -> standardised features, and the head's outputs."""
        with torch.autocast("cpu", dtype=torch.bfloat16):
            later = self.branch(maps)
        joined = join_pooled([early, *(pool_statistics(x) for x in [maps, *later])])
        features = (joined - self.head.mean) / self.head.scale
        return features, self.head(features)


def damage_loss(outputs: Tensor, strength: Tensor, origin: Tensor) -> Tensor:
    """Of outputs (pictures, 4, len(KINDS) + 2) and what is known: strength (pictures, 4, len(KINDS)) and origin (pictures, 2)."""
    clean, unchosen = origin[:, 0] > 0, origin[:, 1].float()
    goodness = -(strength @ torch.from_numpy(WEIGHTS)) - UNCHOSEN * unchosen[:, None]
    known = torch.cat([strength, goodness[..., None]], dim=-1)
    told = outputs[..., : len(KINDS) + 1]
    gain = torch.ones(len(KINDS) + 1)
    gain[-1] = 3.0  # goodness is what is asked for in the end
    apart = F.smooth_l1_loss(told[:, 1:] - told[:, :1], known[:, 1:] - known[:, :1], beta=0.1, reduction="none")
    loss = (apart * gain).mean()
    if clean.any():
        loss = loss + (F.smooth_l1_loss(told[clean], known[clean], beta=0.1, reduction="none") * gain).mean()
    ours = clean | (unchosen > 0)
    if ours.any():  # whether others' pictures were chosen is not known
        loss = loss + 0.1 * F.binary_cross_entropy_with_logits(
            outputs[ours][..., -1], unchosen[ours][:, None].expand(-1, VIEWS)
        )
    return loss


def fit_free_branch(shards: list[Path], branch: Branch, work: Path, settings: FreeSettings) -> FreeNet:
    """Tune `branch` on shards of `make_views`; resumes after every epoch."""
    torch.manual_seed(settings.seed)
    stored: dict[str, list[Tensor]] = {}
    for path in shards:
        with np.load(path) as shard:
            for name in shard.files:
                stored.setdefault(name, []).append(torch.from_numpy(shard[name]))
    data = {name: torch.cat(parts) for name, parts in stored.items()}
    taught = data["taught"].flatten(0, 1).float()
    head = DamageHead(taught.mean(0), taught.std(0) + 1e-3, settings.dropout)
    branch.requires_grad_(True).to(memory_format=torch.channels_last)
    fit = AveragedFit(FreeNet(branch, head), len(data["maps"]), settings, work, warm_up=0.1)
    for epoch, batches in fit.epochs():
        totals = np.zeros(2)
        for rows in batches:
            maps = data["maps"][rows].flatten(0, 1).float().contiguous(memory_format=torch.channels_last)
            features, outputs = fit.net(maps, data["early"][rows].flatten(0, 1).float())
            teacher = (data["taught"][rows].flatten(0, 1).float() - head.mean) / head.scale
            apart = F.smooth_l1_loss(features.clamp(-6.0, 6.0), teacher.clamp(-6.0, 6.0))
            loss = damage_loss(outputs.unflatten(0, (-1, VIEWS)), data["strength"][rows], data["origin"][rows])
            totals += float(loss.detach()), float(apart.detach())
            fit.step(loss + settings.teaching * apart)
        fit.log({"epoch": epoch, "damage": totals[0] / len(batches), "apart": totals[1] / len(batches)})
    return fit.averaged.eval()
