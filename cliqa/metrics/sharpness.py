"""How blurred a photograph is where it is sharpest, in pixels, told from bokeh, texture and softness; and how much told it.

`observe` takes tiles at two scales and reduces them to features of their spectra and slopes; `score` reads these with small networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.errors import CheckpointError
from cliqa.images.shrinking import averaged
from cliqa.metrics.base import Field, Metric, Observation, Value, View
from cliqa.signal.sharpness.features import WIDTH, tile_features
from cliqa.signal.sharpness.reading import LARGEST, LONGEST, SharpnessNetworks
from cliqa.signal.sharpness.sharpness_map import sharpness_map
from cliqa.signal.sharpness.tiles import LEAST, choose_tiles


def scales(grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Luma (h, w) at its own size, half and a quarter of it; small pictures are mirrored out to `LEAST` first."""
    if min(grey.shape) < LEAST:
        grey = np.pad(grey, [(0, max(0, LEAST - side)) for side in grey.shape], mode="symmetric")
    return grey, averaged(grey, 2), averaged(grey, 4)


def picture_tiles(grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The tiles of a picture's luma (h, w) that are looked at, see `choose_tiles`."""
    return choose_tiles(*scales(grey))


class Sharpness(Metric):
    """Spectra and slopes of tiles at two scales, read by the mean of small networks with attention over the tiles."""

    name = "sharpness"
    architecture = "sharpness-tiles"
    version = 1
    in_worker = True
    summary = (
        "blur in pixels where the photograph is sharpest; above 2 is a blurred one, if the confidence is 0.5 and more"
    )
    fields = (
        Field("blur", "standard deviation of the blur where it is sharpest", 0.0, LARGEST, unit="px", better="lower"),
        Field("motion", "length of a directional blur, 0 where there is none", 0.0, LONGEST, unit="px", better="lower"),
        Field("motion_angle", "its direction, from right towards down", 0.0, 180.0, unit="degrees", optional=True),
        Field("sharp_share", "share of what can be told that is as sharp", better="higher", optional=True),
        Field("relative", "blur in parts per thousand of the long side", 0.0, 250.0, better="lower"),
        Field("confidence", "how much there is to tell by; below 0.5 is can't tell"),
    )

    def __init__(self, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], device: str = "cpu") -> None:
        super().__init__(tensors, metadata, device)
        try:
            self.networks = SharpnessNetworks(tensors)
        except KeyError as error:
            raise CheckpointError(f"the sharpness weights are incomplete: {error}") from error
        if not self.networks.fit(WIDTH):
            raise CheckpointError("the sharpness weights are incomplete: no network, or one of another shape")

    @classmethod
    def observe(cls, view: View) -> Observation:
        """`features` float32 (tiles, WIDTH), `coarse` bool (tiles,), `angle` and `long_side`."""
        grey = view.image.grey
        tiles, coarse = picture_tiles(grey)
        features, angle = tile_features(tiles, coarse)
        return {
            "features": features,
            "coarse": coarse,
            "angle": np.array(angle, np.float32),
            "long_side": np.array(max(grey.shape)),
        }

    def map(self, view: View) -> NDArray[np.float32]:
        """The blur of each part of the picture within bars and frames, see `sharpness_map`."""
        return sharpness_map(*scales(view.image.grey), self.networks)

    def score(self, observation: Observation) -> dict[str, Value]:
        """The fields; what the networks say passes the calibration curve."""
        coarse = observation["coarse"]
        reading = self.networks(observation["features"], coarse, float(observation["angle"]))
        return {
            "blur": reading.blur,
            "motion": reading.motion,
            "motion_angle": reading.angle,
            "sharp_share": reading.sharp_share(coarse),
            "relative": 1000 * reading.blur / int(observation["long_side"]),
            "confidence": reading.confidence,
        }
