"""The metric `jpeg_quality`: the lowest JPEG quality in an image's history, read from its pixels.

The evidence is closed form (`cliqa.signal.jpeg.history`); each kind of it proposes a quality. A small network weighs the
proposals and adds one of its own (for tables that fit none of IJG's); another gives the probability of 4:2:0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import islice
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.raster import planes
from cliqa.images.patches import Tiles
from cliqa.metrics.base import Field, Metric, Observation, Value, View
from cliqa.signal.densities import logistic
from cliqa.signal.jpeg.drawn import telling_tiles
from cliqa.signal.jpeg.features import HYPOTHESES, chroma_inputs, gate_inputs, older_nats
from cliqa.signal.jpeg.filtered import BEFORE
from cliqa.signal.jpeg.history import EXACT, FINEST
from cliqa.signal.jpeg.hypothesis_evidence import CLEAR
from cliqa.signal.jpeg.parts import cell_of, spread_tiles, tiles_by_grid
from cliqa.signal.jpeg.quantization import first_table, header_quality
from cliqa.signal.jpeg.readings import RESIZED_NUMBERS, read_tiles, resized_answer
from cliqa.signal.jpeg.resized import HIGHEST as HIGHEST_RESIZED
from cliqa.signal.jpeg.resized import SMALL, is_combed, read_resized
from cliqa.signal.jpeg.windows import cut_regions
from cliqa.signal.networks.dense import Dense

Floats = NDArray[np.float32]

MOST_LOOKED_AT = 32
"""Tiles among which those of the parts are chosen."""
GATES = len(HYPOTHESES) + 1  # the last is the network's own estimate
OUTPUTS = GATES + 1  # gates, own estimate (a logit)
SOME = 10.0
"""Nats of a lattice without which the network's own estimate counts for nothing, and of an older grid without which it bears no answer
out: video frames have 1 or 2, older grids in them 6 at most; of 15 saves beneath other codecs and noise that older grids decided 14
have 87 or more, one 10.5 (training)."""
FAINT = 2.0
"""Nats by which IJG's tables must lead other codecs' where only the newest grid's own histograms are clear."""
BLURRED = 0.5
"""What is left of the confidence where a comb tells of a resize after a save whose lattice is gone."""
THROUGH = 0.92
"""Most confidence in what was read through a filter or a later save: nine in ten of those on validation photographs were right."""
NONE_SEEN = 0.85
"""Most confidence that there was no save: a reduction and another codec leave no trace of one."""
FINE_ALONE = 0.8
"""Most confidence in a fine save alone: a coarser one before a reduction leaves no trace under it."""
PALETTED = 20.0
"""Nats of the histograms of all offsets that count in a picture with a palette whose grid is beyond doubt: the least that was right."""
GRADIENT = 10
"""Smooth gradients of few colours look like qualities up to this one: all eleven drawn ones read 1."""
UNEXPLAINED = 0.65
"""Confidence that a grid that no JPEG explains is another codec's."""
FOREIGN = 0.8
"""Confidence in the quality that is nearest to tables that are not IJG's."""
RADIAL = 0.82
"""A blurred table is nearly another codec's: of those it had 0.87, of other codecs' IJG's have 0.79."""
CERTAIN = 0.75
"""Mean certainty of the steps from which they are those of other tables, and not of a filter."""
LIKELY = 0.5
"""Confidence of the network from which its answer counts where no table explains the grid."""
STATED = 0.95
"""Confidence where a JPEG file's own tables are the lowest that is known."""
DRAWN = 0.98
"""Confidence that what was drawn was never saved by JPEG."""
FEWEST = 8
"""Blocks that vary, below which there is nothing to tell by: all six training drawings with 0-4 of them read as saved."""
NEAR = 3.0
"""Proposals so near to the chosen one say the same."""
HIGHEST = 91
"""Qualities above this leave no lattice that a filter lets through."""
EXPLAINED = 88
"""A lowest quality below this, found on the ordinary grid, needs no resize to explain the picture."""


def _through(nats: float) -> float:
    """Confidence in a lattice that was read through something."""
    return THROUGH * nats / (nats + CLEAR)


def _older(proposals: Floats, evidence: Floats) -> list[float]:
    """Qualities that older grids propose, of those whose evidence is more than chance."""
    found = [float(value) for value, name in zip(proposals, HYPOTHESES, strict=True) if name.startswith("older")]
    return [value for value, nats in zip(found, older_nats(evidence), strict=True) if nats > SOME]


def _through_filters(
    filtered: Floats, proposals: Floats, evidence: Floats, quality: float, sure: float
) -> tuple[float, float]:
    """(quality, confidence) of the ordinary grid, mended by what its lattice tells through filters.

    Where no table explains the grid as it is, an answer that its newest lattice alone gave needs a filter that explains it, or steps so
    certain that they are those of other tables. Where one does, a save before a filter and the last save may be seen.
    """
    found, nats, other, known, codec, exact, foreign, paletted, by_offsets = (float(value) for value in filtered)
    newest = float(proposals[HYPOTHESES.index("newest")])
    if known:
        return (found, _through(nats)) if nats > max(BEFORE, other) and found < quality else (quality, sure)
    if by_offsets > PALETTED and paletted > GRADIENT:
        return paletted, _through(by_offsets)
    if codec:
        return 100.0, UNEXPLAINED
    older = quality < found and any(abs(quality - each) <= NEAR for each in _older(proposals, evidence))
    clear = nats > max(CLEAR, RADIAL * other) and found <= HIGHEST
    if exact >= CERTAIN and foreign < FINEST:
        return foreign, FOREIGN
    if clear and not older and (nats > BEFORE or abs(quality - newest) <= NEAR):
        return found, _through(nats)
    if exact >= EXACT and foreign < FINEST:
        return foreign, FOREIGN
    apart = abs(quality - newest) > NEAR  # an older grid, or the network's own estimate
    if quality >= FINEST or (quality < HIGHEST and sure > LIKELY and apart and (older or nats > max(SOME, other))):
        return quality, sure
    if quality < HIGHEST and abs(quality - found) <= NEAR and nats > FAINT + other:
        return quality, _through(nats)
    return 100.0, UNEXPLAINED


def _stacked(tiles: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Tiles (3, h, w) as one array (n, 3, h, w), in that order in memory too."""
    return planes([tile.transpose(1, 2, 0) for tile in tiles])


class JpegQuality(Metric):
    """Lowest JPEG quality, and whether the chroma was ever subsampled 4:2:0."""

    name: ClassVar[str] = "jpeg_quality"
    architecture: ClassVar[str] = "jpeg-history-dense"
    version: ClassVar[int] = 2
    reads_grid: ClassVar[bool] = True
    in_worker = True
    summary: ClassVar[str] = "lowest JPEG quality in the image's history, and 4:2:0 subsampling"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("quality", "lowest JPEG quality in the history; 100 = no trace", 0, 100, "IJG quality", "higher"),
        Field("subsampling_420", "probability that the chroma was subsampled 4:2:0", 0, 1, "", "lower"),
        Field("confidence", "probability that the quality is right within 3", 0, 1, "", "higher"),
        Field("resized", "factor by which it was resized after the save; 1 = not", 0, 64, "", ""),
        Field(
            "qf_header", "nearest IJG quality of the file's own tables", 1, 100, "IJG quality", "higher", "int", True
        ),
    )

    def __init__(self, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], device: str = "cpu") -> None:
        super().__init__(tensors, metadata, device)
        self.net = Dense(tensors, "quality.")
        self.chroma_net = Dense(tensors, "chroma.")

    @classmethod
    def observe(cls, view: View) -> Observation:
        """Evidence of the picture.

        `features`, `proposals` (see HYPOTHESES), `filtered` and `older` (see `signal.jpeg.readings`), a row for the most telling tiles
        and one for each part with a grid of its own; `resized`, see there; `drawn`, whether all of it was; `replicated`, how often
        pixels are repeated; `chroma`; `header`, 0 where there is none.
        """
        picture, repeated = view.unreplicated
        tiles = view.tiles if picture is view.image.inside else Tiles(picture)
        look = partial(telling_tiles, tiles.image, tiles.origins, tiles.size, MOST_LOOKED_AT)
        taken: set[tuple[int, int]] = set()
        telling = look(lambda origin: bool(taken) and cell_of(origin, tiles.image.size) in taken)
        found = dict(islice(telling, view.num_patches))
        rgb = tiles.cut([*found] or tiles.origins[: view.num_patches])
        whole, history, lowest = read_tiles(rgb, first_table(view.header.quantization) or ())
        tiny = repeated != (1, 1) and min(picture.size) < tiles.size  # pixel art: less than a tile, mirrored out
        readings = [whole]
        resized = np.zeros(RESIZED_NUMBERS, np.float32)
        spread: dict[tuple[int, int], NDArray[np.uint8]] = {}
        if found and lowest >= EXPLAINED:
            spread = spread_tiles(found, telling, tiles.image.size, taken)
            apart = list(spread.values())
            for group in tiles_by_grid(apart, history.grid) if len(apart) > 1 else []:
                part, _, lowest_there = read_tiles(_stacked(apart[number] for number in group))
                readings.append(part)
                lowest = min(lowest, lowest_there)
        combed = bool(found) and lowest >= EXPLAINED and is_combed(tiles.image)
        if combed or (found and lowest >= EXPLAINED and max(tiles.image.size) <= SMALL):
            seen = found | spread
            more = {origin for origin, _ in look(seen.__contains__)} | seen.keys() - found.keys()
            origins = [*found, *(origin for origin in tiles.origins if origin in more)]
            everywhere = len(origins) >= min(len(tiles.origins), MOST_LOOKED_AT)
            region, windows = cut_regions(tiles.image, origins, tiles.size, everywhere)
            resized = resized_answer(read_resized(region, tiles.image.size, windows, combed))
        return {name: np.stack([reading[name] for reading in readings]) for name in whole} | {
            "resized": resized,
            "drawn": np.array(not found or (not history.last and (tiny or len(history.sample) < FEWEST))),
            "replicated": np.array(repeated, np.float32),
            "chroma": chroma_inputs(history),
            "header": np.array(header_quality(view.header.quantization) or 0, np.int32),
        }

    def _by_grid(self, evidence: Floats, proposed: Floats, filtered: Floats, older: Floats) -> tuple[float, float]:
        """(quality, confidence) that the grids of the tiles tell, as they are, through later saves or through filters."""
        output = self.net(gate_inputs(evidence, proposed)[None])[0].astype(np.float64)
        own = logistic(float(output[GATES]), top=100.0)
        proposals = [*proposed, own]
        gate = np.exp(output[:GATES] - output[:GATES].max())
        quality = float(proposals[int(gate.argmax())])
        sure = float(gate[np.abs(np.array(proposals) - quality) <= NEAR].sum() / gate.sum())
        quality, sure = _through_filters(filtered, proposed, evidence, quality, sure)
        found, nats = float(older[0]), float(older[1])
        return (found, _through(nats)) if found < quality - NEAR else (quality, sure)

    def score(self, observation: Observation) -> dict[str, Value]:
        """The lowest quality of all parts, as they are, through filters and through a resize."""
        rows = zip(*(observation[name] for name in ("features", "proposals", "filtered", "older")), strict=True)
        quality, sure = min(self._by_grid(*row) for row in rows)
        factor = float(np.sqrt(observation["replicated"].prod()))
        found, nats, step, combed = (float(value) for value in observation["resized"])
        if nats >= CLEAR and found <= HIGHEST_RESIZED and found < quality:
            quality, factor = found, factor / step
            sure = nats / (nats + CLEAR / 2)
        elif quality >= HIGHEST and combed:
            sure *= BLURRED
        elif quality >= FINEST:
            sure = min(sure, NONE_SEEN)
        elif quality >= EXPLAINED:
            sure = min(sure, FINE_ALONE)
        if bool(observation["drawn"]):
            quality, sure, factor = 100.0, DRAWN, float(np.sqrt(observation["replicated"].prod()))
        header = int(observation["header"])
        if 0 < header < quality:  # the file itself is the latest save, so the lowest is no higher
            quality, sure, factor = float(header), STATED, 1.0
        chroma = float(self.chroma_net(observation["chroma"][None])[0, 0])
        return {
            "quality": min(max(quality, 0.0), 100.0),
            "subsampling_420": logistic(chroma),
            "confidence": sure,
            "resized": factor,
            "qf_header": header or None,
        }
