"""GRepQ's high-level direction from "bad" to "good", learned without ratings and without any rated photograph.

Every photograph of the training split is seen clean and once under each distortion, at a random strength. A ridge regression from the
encoder's pooled features gives the direction: against it lie the strength of what was done to the picture (more for blur, which
people mind most, than for light) and being a crop straight from a camera rather than a picture chosen and prepared by somebody.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from cliqa.metrics.encoder import Branch, Trunk, balance, pool, standardise
from cliqa.training.photos import Photo
from cliqa.training.severity import DISTORTIONS

SIDE = 384


@dataclass(frozen=True)
class HighSettings:
    """Settings of the high-level direction, all of them."""

    long_side: int = 640  # at which pictures are distorted
    penalty: float = 100.0
    camera: float = 0.5  # how bad being an unchosen crop is, in units of strength
    constant: float = 12.0  # second coordinate of the embedding: the larger, the flatter q_high
    weight: dict[str, float] = field(
        default_factory=lambda: {
            "gaussian_blur": 1.0, "defocus": 1.0, "motion_blur": 1.0, "down_up": 1.0, "jpeg": 0.6, "noise": 0.6,
            "low_light": 0.5, "low_contrast": 0.5, "over_exposure": 0.3,
        }
    )  # fmt: skip
    seed: int = 0


def observe_photos(
    photos: Sequence[Photo], trunk: Trunk, branch: Branch, work: Path, settings: HighSettings
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Pooled features (n, POOLED_WIDTH) and how good each picture is (0 best, negative); kept in `work`, one file a photograph."""
    work.mkdir(parents=True, exist_ok=True)
    features, goodness = [], []
    for number, photo in enumerate(photos):
        store = work / f"photo-{number:05d}.npz"
        if not store.exists():
            rng = np.random.default_rng([settings.seed, number])
            picture = Image.fromarray(photo.pixels())
            picture.thumbnail((settings.long_side, settings.long_side), Image.Resampling.BICUBIC)
            pixels, penalty = np.asarray(picture), settings.camera * (photo.kind == "camera")
            rows, values = [_features(pixels, trunk, branch)], [-penalty]
            for name, distort in DISTORTIONS.items():
                strength = float(rng.uniform(0, 1))
                rows.append(_features(distort(pixels, strength, rng), trunk, branch))
                values.append(-penalty - settings.weight[name] * strength)
            part = store.with_suffix(f".{os.getpid()}.part.npz")
            np.savez(part, features=np.stack(rows), goodness=np.array(values))
            part.replace(store)
        with np.load(store) as stored:
            features.append(stored["features"])
            goodness.append(stored["goodness"])
    return np.concatenate(features), np.concatenate(goodness)


def _features(pixels: NDArray[np.uint8], trunk: Trunk, branch: Branch) -> NDArray[np.float16]:
    picture = Image.fromarray(pixels)
    longest = max(picture.size)
    if longest > SIDE:
        size = (round(picture.width * SIDE / longest), round(picture.height * SIDE / longest))
        picture = picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    with torch.no_grad():
        shared = trunk(standardise(torch.from_numpy(np.array(picture)[None])))
        return pool(shared + branch(shared[-1]))[0].numpy().astype(np.float16)


def fit_direction(features: NDArray[Any], goodness: NDArray[Any], settings: HighSettings) -> dict[str, NDArray[Any]]:
    """The tensors `high.*` of the metric: standardisation, embedding and the two prototypes."""
    x = features.astype(np.float64)
    mean, scale = x.mean(0), x.std(0) + 1e-3
    x = np.clip((x - mean) / scale, -6.0, 6.0) * balance().numpy().astype(np.float64)
    middle = x.mean(0)
    gram = (x - middle).T @ (x - middle)
    gram[np.diag_indices_from(gram)] += settings.penalty
    direction = np.linalg.solve(gram, (x - middle).T @ (goodness - goodness.mean()))
    spread = float((x @ direction).std())
    weight = np.stack([direction / spread, np.zeros_like(direction)])
    bias = np.array([-float(middle @ direction) / spread, settings.constant])
    return {
        "high.mean": mean, "high.scale": scale, "high.weight": weight, "high.bias": bias,
        "high.good": np.array([1.0, 0.0]), "high.bad": np.array([-1.0, 0.0]),
    }  # fmt: skip
