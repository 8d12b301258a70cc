"""GRepQ's low-level encoder: contrastive over the versions of one photograph, weighted by how alike FSIM finds them.

Two sets of fragments of every version are encoded. With s_ij the cosine of version i of one set and j of the other, over
the temperature, and a_ij = 2 - 2 / (1 + FSIM_ij^2), the loss of a row is -log(sum_j a_ij e^s_ij / sum_j e^s_ij), and columns likewise:
versions that look alike are drawn together, others apart. No rating is involved. FSIM is that of `piq`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from cliqa.metrics.encoder import LowHead, Trunk, standardise, window_features
from cliqa.signal.quality.niqe import gaussian_of
from cliqa.signal.quality.pristine_patches import pristine_origins, tile_origins
from cliqa.training.grepq.distorted_versions import LONG_SIDE, fragments, load_versions, read_versions
from cliqa.training.photos import Photo


@dataclass(frozen=True)
class LowSettings:
    """Settings of the low-level encoder, all of them."""

    temperature: float = 0.5
    steps: int = 300  # of 100 to 3,000: on 400 pictures of the training list SRCC of `q_low` is 0.61, with 3,000 steps 0.56
    photographs: int = 16  # in a step
    rate: float = 1e-3
    decay: float = 1e-2
    seed: int = 0


def observe_versions(
    folder: Path, trunk: Trunk, work: Path, seed: int = 0, limit: int | None = None
) -> list[dict[str, NDArray[Any]]]:
    """Per photograph: `features` (2 sets, versions, width) and `fsim` (versions, versions); kept in `work`."""
    import piq

    work.mkdir(parents=True, exist_ok=True)
    found = []
    for number, paths in enumerate(read_versions(folder)[:limit]):
        store = work / f"{paths[0].parent.name}.npz"
        if not store.exists():
            rng = np.random.default_rng([seed, number])
            pictures = load_versions(paths)
            sets = [torch.from_numpy(fragments(pictures, rng)) for _ in range(2)]
            with torch.no_grad():
                rows = [
                    window_features(trunk(standardise(pixels)), pixels.shape[1], pixels.shape[1])[:, 0]
                    for pixels in sets
                ]
                grey = sets[0].permute(0, 3, 1, 2).float() / 255.0
                count = len(paths)
                fsim = np.eye(count, dtype=np.float32)
                for i in range(count - 1):
                    row = piq.fsim(
                        grey[i : i + 1].expand(count - i - 1, -1, -1, -1),
                        grey[i + 1 :],
                        reduction="none",
                        chromatic=False,
                    )
                    fsim[i, i + 1 :] = fsim[i + 1 :, i] = row.numpy()
            part = store.with_suffix(f".{os.getpid()}.part.npz")
            np.savez(part, features=torch.stack(rows).numpy(), fsim=fsim)
            part.replace(store)
        with np.load(store) as stored:
            found.append({name: stored[name] for name in stored.files})
    return found


def contrastive_loss(first: Tensor, second: Tensor, fsim: Tensor, temperature: float = 0.5) -> Tensor:
    """The loss above for embeddings (..., versions, width) of two sets of fragments and FSIM (..., versions, versions)."""
    similarity = F.normalize(first, dim=-1) @ F.normalize(second, dim=-1).transpose(-1, -2) / temperature
    weight = (2 - 2 / (1 + fsim**2)).clamp_min(1e-6).log()
    rows = torch.logsumexp(similarity, -1) - torch.logsumexp(similarity + weight, -1)
    columns = torch.logsumexp(similarity, -2) - torch.logsumexp(similarity + weight, -2)
    return (rows + columns).mean()


def train_low(data: list[dict[str, NDArray[Any]]], settings: LowSettings) -> LowHead:
    """Fit the head; photographs with fewer versions than the commonest number are left out."""
    torch.manual_seed(settings.seed)
    counts = [len(row["fsim"]) for row in data]
    usual = max(set(counts), key=counts.count)
    features = torch.from_numpy(np.stack([row["features"] for row in data if len(row["fsim"]) == usual]))
    fsim = torch.from_numpy(np.stack([row["fsim"] for row in data if len(row["fsim"]) == usual]))
    head = LowHead()
    head.mean.copy_(features.flatten(0, 2).mean(0))
    head.scale.copy_(features.flatten(0, 2).std(0).clamp_min(1e-3))
    optimizer = torch.optim.AdamW(head.parameters(), lr=settings.rate, weight_decay=settings.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.rate, total_steps=settings.steps)
    rng = np.random.default_rng(settings.seed)
    for _ in range(settings.steps):
        chosen = torch.from_numpy(rng.integers(0, len(features), settings.photographs))
        embedded = head(features[chosen])
        loss = contrastive_loss(embedded[:, 0], embedded[:, 1], fsim[chosen], settings.temperature)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return head.eval()


def pristine_gaussian(
    photos: Sequence[Photo], trunk: Trunk, head: LowHead, window: int = 96, stride: int = 48
) -> dict[str, NDArray[Any]]:
    """Tensors `pristine.*`: the Gaussian of the sharpest, then most colourful, patches of photographs at 512 pixels."""
    chosen = []
    for photo in photos:
        picture = Image.fromarray(photo.pixels())
        picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.BICUBIC)
        pixels = np.array(picture)
        pixels = pixels[: pixels.shape[0] // 8 * 8, : pixels.shape[1] // 8 * 8]  # windows then lie as the tiles do
        kept = set(pristine_origins(pixels, window, stride))
        places = [
            place
            for place, origin in enumerate(tile_origins(pixels.shape[0], pixels.shape[1], window, stride))
            if origin in kept
        ]
        with torch.no_grad():
            windows = head(window_features(trunk(standardise(torch.from_numpy(pixels[None].copy()))), window, stride))[
                0
            ]
        chosen.append(windows[places].numpy())
    mean, covariance = gaussian_of(np.concatenate(chosen))
    return {"pristine.mean": mean, "pristine.covariance": covariance}
