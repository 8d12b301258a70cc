"""How much a picture was enlarged: factors 1.0-2.0 along x and y, from the traces of resampling; and whether a network did it.

`observe` reads one window of up to 512x512 pixels, the most detailed one on the patch grid: precision in the factor grows with
the length of the rows, so adjoining tiles tell more than scattered ones. `--num-patches` sets its area. In a page, it is a window of
the largest photograph there. What an upscaling network leaves has no period: a few of the most detailed tiles tell it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.compiled.raster import reader, thinned
from cliqa.errors import CheckpointError
from cliqa.images.page import photograph_box
from cliqa.images.patches import PATCH
from cliqa.metrics.base import Field, Metric, Observation, Value, View
from cliqa.signal.networks.dense import Dense
from cliqa.signal.resampling.factor_network import NEAR_ONE, FactorReader
from cliqa.signal.resampling.lineless import lineless
from cliqa.signal.resampling.network_traces import WIDTH, network_traces
from cliqa.signal.resampling.reduced_grid import reduced_grid
from cliqa.signal.resampling.replication import STRIP, replication
from cliqa.signal.resampling.screens import is_screened
from cliqa.signal.resampling.spectra import LENGTH, Evidence, deviation, luma, picture_evidence
from cliqa.signal.resampling.whole_factors import whole_factor

FLAT = 0.5  # luma deviation of a window that holds no picture: nothing can be told, so it counts as not enlarged
LEARNED_TILES = 4  # whose common pattern is read for `learned`
READ_TILES = 2  # of them, whose other traces are read, 3 ms each: with four the area under the curve is 0.004 larger
SMALLEST = 64  # pixels a side under which a tile is mostly its own mirror image: `learned` abstains
NAMES = tuple(field.name for field in fields(Evidence))
SLIGHT, DOUBT, GRID = 1.3, 0.97, 1.25
"""The factor and the probability up to which an enlargement is doubted, and how clear the comb of a JPEG that was reduced later must be
then: of 350 such JPEGs of validation photographs 41 were read as enlarged and 20 still are; of training ones 2 % of the slight
enlargements are lost."""
DOUBTED = 1.0 + 0.9 * (
    NEAR_ONE - 1.0
)  # what is read then at most: kept by default, but less surely than what is not doubted
AGREEING = 0.04  # factors of the two axes that are nearer than this are one factor, read twice


def detailed_window(image: Image.Image, num_patches: int) -> tuple[int, int, int, int]:
    """The box (left, top, right, bottom) of the most detailed square window, up to sqrt(2 * num_patches) tiles a side.

    Eight patches give 4x4 tiles, the longest row that the spectra take. Sides shorter than that are taken whole. Of a page, only the
    largest photograph counts.
    """
    box = photograph_box(image)
    if box is None:
        return _most_detailed(image, num_patches)
    left, top, right, bottom = _most_detailed(image.crop(box), num_patches)
    return box[0] + left, box[1] + top, box[0] + right, box[1] + bottom


def _most_detailed(image: Image.Image, num_patches: int) -> tuple[int, int, int, int]:
    tiles = int(np.clip(round((2 * num_patches) ** 0.5), 1, LENGTH // PATCH))
    side = tiles * PATCH
    width, height = min(side, image.width), min(side, image.height)
    columns, rows = image.width // PATCH, image.height // PATCH
    if (columns <= tiles and rows <= tiles) or min(columns, rows) == 0:
        return 0, 0, width, height
    total = np.pad(np.cumsum(np.cumsum(_tile_deviation(image), axis=0), axis=1), ((1, 0), (1, 0)))
    high, wide = min(tiles, rows), min(tiles, columns)
    detail = total[high:, wide:] - total[:-high, wide:] - total[high:, :-wide] + total[:-high, :-wide]
    row, column = np.unravel_index(int(np.argmax(detail)), detail.shape)
    left, top = int(column) * PATCH, int(row) * PATCH
    return left, top, left + width, top + height


def _tile_deviation(image: Image.Image) -> NDArray[np.float64]:
    """Standard deviation of each whole tile's luma, from every eighth pixel: enough to compare windows, and nearly free."""
    columns, rows = image.width // PATCH, image.height // PATCH
    side = PATCH // 8
    sampled = thinned(image, (columns * side, rows * side), (columns * PATCH, rows * PATCH))
    grey = np.asarray(Image.fromarray(sampled).convert("L"))
    deviation: NDArray[np.float64] = grey.reshape(rows, side, columns, side).std(axis=(1, 3))
    return deviation


def observed_window(image: Image.Image, num_patches: int) -> Observation:
    """The arrays of `Evidence`, each with a first axis (x, y), and `repeated`: how often each pixel was, along x and y."""
    pixels = np.ascontiguousarray(reader(image)(detailed_window(image, num_patches)))
    both = picture_evidence(luma(pixels))
    found: Observation = {name: getattr(both, name) for name in NAMES}
    found |= {name: found[name].astype(np.float16) for name in ("lines", "coherence", "peaks")}
    strip = replication(pixels[:STRIP], 1).factor  # tells nearly always that no pixel is repeated
    repeated = (1, 1) if strip == 1 else (replication(pixels, 1).factor, replication(pixels, 0).factor)
    return found | {"repeated": np.array(repeated, np.uint8)}


def joined_factor(x: float, y: float) -> float:
    """One factor for both axes: their geometric mean where they agree, the larger one where they don't; smooth between."""
    low, high = min(x, y), max(x, y)
    apart = float(np.clip((high / low - 1.0) / AGREEING - 1.0, 0.0, 1.0))
    return float((low * high) ** 0.5 * (1.0 - apart) + high * apart)


class ScaleFactor(Metric):
    """Reads spectra of interpolation residuals, per axis, through small networks over the candidate factors."""

    name = "scale_factor"
    architecture = "factor-network"
    version = 7
    reads_grid = True
    in_worker = True
    summary = "how much the picture was enlarged (1.0-2.0), whatever resized it"
    fields = (
        Field(
            "scale",
            "enlargement since its last true pixels; the larger axis where they differ",
            1.0,
            2.0,
            better="lower",
        ),
        Field("scale_x", "enlargement along the width", 1.0, 2.0, better="lower"),
        Field("scale_y", "enlargement along the height", 1.0, 2.0, better="lower"),
        Field("quality", "100 - 100 * (scale - 1)", 0.0, 100.0, better="higher"),
        Field("learned", "probability that an upscaling network made the picture", better="lower"),
    )

    def __init__(self, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], device: str = "cpu") -> None:
        super().__init__(tensors, metadata, device)
        try:
            self.reader = FactorReader(tensors)
            count = len({name.split(".")[1] for name in tensors if name.startswith("learned.net")})
            self.detectors = [Dense(tensors, f"learned.net{index}.") for index in range(count)]
            self.shift = float(tensors["learned.shift"].ravel()[0])
        except (KeyError, ValueError) as error:
            raise CheckpointError(f"the scale_factor weights are incomplete: {error}") from error
        if not self.detectors or any(each.inputs != WIDTH or len(each.layers) < 1 for each in self.detectors):
            raise CheckpointError(
                "the scale_factor weights are incomplete: `learned` has no network, or one for other traces"
            )

    @classmethod
    def observe(cls, view: View) -> Observation:
        """What `observed_window` has; `traces` (tiles, WIDTH).

        There is no row of traces for a picture too small for them.
        """
        image = view.image.inside
        small = min(image.size) < SMALLEST
        tiles = view.tiles.with_corner(min(view.num_patches, LEARNED_TILES))
        traces = np.zeros((0, WIDTH)) if small else network_traces(tiles, READ_TILES)
        return observed_window(image, view.num_patches) | {"traces": traces.astype(np.float16)}

    def score(self, observation: Observation) -> dict[str, Value]:
        """`scale`, `scale_x`, `scale_y`, `quality` and `learned`."""
        x, y, learned = 1.0, 1.0, 0.0
        scalars = observation["scalars"]
        if deviation(scalars) >= FLAT:
            axes = [Evidence(*(observation[name][axis] for name in NAMES)) for axis in range(2)]
            (x, y), chance = self.reader.read(axes)
            slight = NEAR_ONE < joined_factor(x, y) <= SLIGHT and chance <= DOUBT
            blurred = max(x, y) > NEAR_ONE and lineless(observation["lines"], observation["power"], (x, y))
            screened = max(x, y) > NEAR_ONE and is_screened(observation["power"])
            if blurred or screened or (slight and reduced_grid(observation["lines"], (x, y)) > GRID):
                x, y = min(x, DOUBTED), min(y, DOUBTED)
            least = whole_factor(observation["lines"], observation["power"], (x, y))
            x, y = max(x, least), max(y, least)
            if min(observation["repeated"]) > 1:  # by nearest neighbour, and kept without loss: beyond doubt
                x = y = 2.0
            learned = self._learned(observation["traces"])
        scale = joined_factor(x, y)
        return {
            "scale": scale,
            "scale_x": float(x),
            "scale_y": float(y),
            "quality": 100.0 - (scale - 1.0) * 100.0,
            "learned": learned,
        }

    def _learned(self, traces: NDArray[Any]) -> float:
        """The mean logit of the tiles and the networks, as a probability; 0 where there is no tile."""
        if not len(traces):
            return 0.0
        logit = float(np.mean([network(traces) for network in self.detectors]))
        return float(1.0 / (1.0 + np.exp(-np.clip(logit - self.shift, -30, 30))))
