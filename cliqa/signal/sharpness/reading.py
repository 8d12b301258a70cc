"""How blurred a picture is, read from the features of its tiles.

A network looks at all tiles and learns which to believe (`RegionNetwork`): it answers for the picture with a histogram of the blur, the
directional part of it, and whether there is anything to tell by. Another answer it gives tile by tile: how blurred that one is and
whether it tells, for the map and the share that is sharp.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.densities import softmax
from cliqa.signal.networks.dense import median_level
from cliqa.signal.networks.regions import RegionNetwork

Floats = NDArray[np.float32]

LARGEST = 8.0  # pixels: more blur is told as this
STEP = 0.06  # of the histogram, in log(1 + blur): 0.1 pixels at a blur of 0.6, 0.3 at 4
LEVELS = int(np.ceil(np.log1p(LARGEST) / STEP)) + 1
OUTPUTS = LEVELS + 3  # the histogram; cosine and sine of the motion; whether the picture tells
TILE_OUTPUTS = 3  # log(1 + blur), attention (in training alone), whether the tile tells
MOTION_UNIT = 10.0  # pixels
LONGEST = 40.0  # pixels, of motion
STEADY = 2.5  # pixels: shorter motion is told as none, for photographs without any seem to have that much
NEAR = 0.5  # pixels: a tile within that of the sharpest part is as sharp


def sigmoid(logits: NDArray[Any]) -> NDArray[Any]:
    """1 / (1 + exp(-logits)), without overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))


def statistics_of(features: NDArray[Any], coarse: NDArray[np.bool_]) -> Floats:
    """What the network is told of the whole: the means over the fine tiles and over the coarse ones, float32 (2 * features,)."""
    rows = np.asarray(features, np.float32)
    return np.concatenate([rows[~coarse].mean(axis=0), rows[coarse].mean(axis=0)])


@dataclass(frozen=True)
class Reading:
    """What the networks say of a picture.

    Attributes:
        blur: standard deviation in pixels where it is sharpest, 0-8.
        motion: length in pixels of a directional blur, 0 where there is none.
        angle: its direction in degrees [0, 180), from the columns' axis towards the rows'; None where there is none.
        confidence: chance that there is something to tell by.
        tile_blur: float32 (tiles,), pixels.
        tile_tells: float32 (tiles,), 0-1.
    """

    blur: float
    motion: float
    angle: float | None
    confidence: float
    tile_blur: Floats
    tile_tells: Floats

    def sharp_share(self, coarse: NDArray[np.bool_]) -> float | None:
        """Of the tiles that are spread over the picture and tell, the share as sharp as its sharpest part; None where none tells.

        The sharpest part is what `blur` says, for single tiles' answers scatter, unless none of these tiles is as sharp.
        """
        found = self.tile_blur[coarse & (self.tile_tells >= 0.5)]
        return float(np.mean(found <= max(self.blur, float(found.min())) + NEAR)) if len(found) else None


class SharpnessNetworks:
    """The mean of a few networks.

    Tensors under `net<i>.`: those of `RegionNetwork`, and `tile.weight` (3, channels), `tile.bias`. And `calibration` (2, knots): what
    they say and what it stands for, in log(1 + blur); without it, what they say stands.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        self.calibration = tensors.get("calibration", np.array([[0.0, 3.0]] * 2)).astype(np.float64)
        count = len({name.split(".")[0] for name in tensors if name.startswith("net")})
        self.networks = [RegionNetwork(tensors, f"net{index}.") for index in range(count)]
        self.tile_layers = [
            tuple(tensors[f"net{index}.tile.{part}"].astype(np.float32) for part in ("weight", "bias"))
            for index in range(count)
        ]

    def fit(self, features: int) -> bool:
        """Whether there is a network and all read so many features of a tile and give the answers that are read here."""
        return bool(self.networks) and all(
            network.inputs == (2 * features, features)
            and network.outputs == OUTPUTS
            and layer[0].shape[0] == TILE_OUTPUTS
            for network, layer in zip(self.networks, self.tile_layers, strict=True)
        )

    def tiles(self, features: NDArray[Any]) -> tuple[Floats, Floats]:
        """Blur in pixels and chance to tell of each tile, float32 (tiles,) both."""
        said = np.mean(
            [
                np.maximum(network.rows(features), 0) @ weight.T + bias
                for network, (weight, bias) in zip(self.networks, self.tile_layers, strict=True)
            ],
            axis=0,
        )
        return np.clip(np.expm1(said[:, 0]), 0, LARGEST), np.asarray(sigmoid(said[:, 2]), np.float32)

    def __call__(self, features: NDArray[Any], coarse: NDArray[np.bool_], angle: float) -> Reading:
        """Read a picture: features (tiles, features), their directions counted from `angle` (degrees); which tiles are coarse."""
        whole = statistics_of(features, coarse)
        said = np.stack([network(whole, features) for network in self.networks])
        level = np.interp(median_level(softmax(said[:, :LEVELS]).mean(axis=0), 0.0, STEP), *self.calibration)
        vector = complex((said[:, LEVELS] + 1j * said[:, LEVELS + 1]).mean()) * MOTION_UNIT
        length = min(abs(vector), LONGEST)
        turn = float((np.degrees(np.angle(vector)) / 2 + angle) % 180)
        steady = length < STEADY
        tile_blur, tile_tells = self.tiles(features)
        return Reading(
            blur=float(np.clip(np.expm1(level), 0.0, LARGEST)),
            motion=0.0 if steady else length,
            angle=None if steady else turn,
            confidence=float(sigmoid(said[:, LEVELS + 2]).mean()),
            tile_blur=tile_blur,
            tile_tells=tile_tells,
        )
