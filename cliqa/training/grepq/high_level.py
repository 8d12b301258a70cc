"""GRepQ's high-level directions, from "bad" to "good" and towards each kind of damage, learned without any rating or rated photograph.

Every photograph of the training split is seen clean and once under each distortion, at a random strength. A ridge regression from the
encoder's pooled features gives the direction: against it lie the strength of what was done to the picture (more for blur, which
people mind most, than for light) and being a crop straight from a camera rather than a picture chosen and prepared by somebody. The
same regression on each kind of damage alone gives further directions, which serve as features.
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

from cliqa.metrics.encoder import Branch, Trunk, pool, standardise
from cliqa.metrics.encoder_heads import balance
from cliqa.signal.quality.picture_statistics import picture_statistics
from cliqa.training.photos import Photo
from cliqa.training.severity import DISTORTIONS

SIDE = 384
# The distortions that belong to a kind of damage, in the order of `DAMAGES`; the last of those is being a camera's crop.
GROUPS: dict[str, tuple[str, ...]] = {
    "blur": ("gaussian_blur", "defocus", "motion_blur", "down_up"),
    "jpeg": ("jpeg",),
    "noise": ("noise",),
    "light": ("low_light", "low_contrast", "over_exposure"),
}


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
) -> dict[str, NDArray[Any]]:
    """All photographs, clean and damaged; kept in `work`, one file a photograph.

    Returns:
        `features` (n, POOLED_WIDTH), pooled; `statistics` (n, 15) of the pixels; `targets` (n, 6): how good the picture is (0
        best, negative), then minus the strength of each kind of damage, see `DAMAGES`.
    """
    work.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[NDArray[Any]]] = {"features": [], "statistics": [], "targets": []}
    for number, photo in enumerate(photos):
        store = work / f"photo-{number:05d}.npz"
        if not store.exists():
            found = _observe(photo, trunk, branch, settings, np.random.default_rng([settings.seed, number]))
            part = store.with_suffix(f".{os.getpid()}.part.npz")
            np.savez(part, **found)  # type: ignore[arg-type]
            part.replace(store)
        with np.load(store) as stored:
            for name, values in rows.items():
                values.append(stored[name])
    return {name: np.concatenate(values) for name, values in rows.items()}


def _observe(
    photo: Photo, trunk: Trunk, branch: Branch, settings: HighSettings, rng: np.random.Generator
) -> dict[str, NDArray[Any]]:
    picture = Image.fromarray(photo.pixels())
    picture.thumbnail((settings.long_side, settings.long_side), Image.Resampling.BICUBIC)
    pixels, camera = np.asarray(picture), float(photo.kind == "camera")
    pictures, strengths = [pixels], [dict.fromkeys(DISTORTIONS, 0.0)]
    for name, distort in DISTORTIONS.items():
        strength = float(rng.uniform(0, 1))
        pictures.append(distort(pixels, strength, rng))
        strengths.append(dict.fromkeys(DISTORTIONS, 0.0) | {name: strength})
    targets = []
    for given in strengths:
        goodness = -settings.camera * camera - sum(settings.weight[name] * given[name] for name in given)
        targets.append([goodness, *(-max(given[name] for name in GROUPS[kind]) for kind in GROUPS), -camera])
    return {
        "features": np.stack([_features(each, trunk, branch) for each in pictures]),
        "statistics": np.stack([picture_statistics(each) for each in pictures]),
        "targets": np.array(targets),
    }


def _features(pixels: NDArray[np.uint8], trunk: Trunk, branch: Branch) -> NDArray[np.float16]:
    picture = Image.fromarray(pixels)
    longest = max(picture.size)
    if longest > SIDE:
        size = (round(picture.width * SIDE / longest), round(picture.height * SIDE / longest))
        picture = picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    with torch.no_grad():
        shared = trunk(standardise(torch.from_numpy(np.array(picture)[None])))
        return pool(shared + branch(shared[-1]))[0].numpy().astype(np.float16)


def fit_directions(observed: dict[str, NDArray[Any]], settings: HighSettings) -> dict[str, NDArray[Any]]:
    """The tensors `high.*` (standardisation, embedding, prototypes), `damage.*` and `statistics.*` of the metric."""
    x, targets = observed["features"].astype(np.float64), observed["targets"]
    mean, scale = x.mean(0), x.std(0) + 1e-3
    x = np.clip((x - mean) / scale, -6.0, 6.0) * balance().astype(np.float64)
    middle = x.mean(0)
    gram = (x - middle).T @ (x - middle)
    gram[np.diag_indices_from(gram)] += settings.penalty
    directions = np.linalg.solve(gram, (x - middle).T @ (targets - targets.mean(0))).T
    spread = (x @ directions.T).std(0)
    # What no picture shows, such as a camera's crop, has no direction
    directions /= np.where(spread > 0, spread, 1)[:, None]
    levels = -directions @ middle
    return {
        "high.mean": mean, "high.scale": scale, "high.weight": np.stack([directions[0], np.zeros_like(directions[0])]),
        "high.bias": np.array([levels[0], settings.constant]),
        "high.good": np.array([1.0, 0.0]), "high.bad": np.array([-1.0, 0.0]),
        "damage.weight": directions[1:], "damage.bias": levels[1:],
        "statistics.mean": observed["statistics"].mean(0), "statistics.scale": observed["statistics"].std(0) + 1e-3,
    }  # fmt: skip
