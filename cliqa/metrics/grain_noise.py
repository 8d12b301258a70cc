"""How noisy a photograph is, as the PSNR (dB, grey) that it would have against itself without the noise.

`observe` takes tiles from the most detailed to the flattest, none of text and paper where there are others, and reduces them to
statistics of their blocks and single pixels, traces of codecs, and a row of facts for every region; `score` reads these with small
networks, whose histograms of the PSNR are averaged. The first networks know pictures without a codec or from a JPEG of 80 and more;
the others know all codecs and noise of the colours alone, and tell how far the first are to be believed. The answer is the
median, after the histograms were widened and "no noise" has lost most of its weight: on photographs that are not among the examples
the networks are too sure, and to call strong noise clean is the worst error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.errors import CheckpointError
from cliqa.metrics.base import Field, Metric, Observation, Value, View
from cliqa.signal.densities import logistic, softmax
from cliqa.signal.networks.dense import median_level
from cliqa.signal.networks.regions import RegionNetwork
from cliqa.signal.noise.blocks import UNITS, Decomposition, Floats, decompose
from cliqa.signal.noise.psnr import NOISE_FREE
from cliqa.signal.noise.regions import FACTS, noise_regions
from cliqa.signal.noise.single_pixels import pixel_facts, single_pixels
from cliqa.signal.noise.statistics import noise_statistics
from cliqa.signal.noise.traces import codec_traces

TEMPERATURE = 1.75  # of the softmax: the networks are too sure (Guo et al. 2017)
CLEAN_WEIGHT = 0.25  # of the highest level against what they give it: a fifth of what they learnt from has no noise
SAVED_CLEAN_WEIGHT = 0.1
"""The same where the first networks are not believed: codecs take noise, so "no noise" is said too easily. On the val split 0.25 errs
by 0.07 dB more after WebP and AVIF; lower ones call more clean pictures noisy."""
COLOURFUL = 6.0
"""dB by which the noise of the colours is stronger than that in grey where the first networks know nothing of it (independent channels:
3); 5 to 8 are alike on photographs of the val split."""
LEVELS = np.arange(15.0, NOISE_FREE + 1, dtype=np.float32)  # dB, the bins of the networks' histograms


class GrainNoise(Metric):
    """Statistics of blocks at three scales and of single pixels, and rows of regions, read by the mean of small networks."""

    name = "grain_noise"
    architecture = "noise-regions"
    version = 4
    reads_grid = True
    in_worker = True
    summary = "PSNR (dB) that the noise of the photograph leaves; 40 and more is a clean one"
    fields = (
        Field("psnr", "50 - noise level; 50 means no noise", 0.0, NOISE_FREE, unit="dB", better="higher"),
        Field("chroma_psnr", "the same of the noise in the colours alone", 0.0, NOISE_FREE, unit="dB", better="higher"),
    )  # fmt: skip

    def __init__(self, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], device: str = "cpu") -> None:
        super().__init__(tensors, metadata, device)
        groups = sorted({name.split(".")[0] for name in tensors if name.startswith(("net", "saved"))})
        try:
            networks = {group: RegionNetwork(tensors, f"{group}.") for group in groups}
        except KeyError as error:
            raise CheckpointError(f"the grain_noise weights are incomplete: {error}") from error
        self.first = [network for group, network in networks.items() if group.startswith("net")]
        self.saved = [network for group, network in networks.items() if group.startswith("saved")]
        fitting = [network.outputs == len(LEVELS) for network in self.first]
        fitting += [network.outputs == 2 * len(LEVELS) + 1 for network in self.saved]
        fitting += [network.inputs[1] == FACTS for network in networks.values()]
        if not self.first or not self.saved or not all(fitting):
            raise CheckpointError(
                "the grain_noise weights are incomplete: no network, or one with other levels or facts"
            )

    @classmethod
    def observe(cls, view: View) -> Observation:
        """Of `num_patches` tiles: `statistics`, float32 vector, and `regions`, float16 (64 a tile, facts)."""
        parts = decompose(view.tiles.spread(view.num_patches, view.tiles.photographic))
        pixels = single_pixels(parts.planes[1][0], UNITS[0])
        return {
            "statistics": picture_statistics(parts, pixels),
            "regions": noise_regions(parts, pixels).astype(np.float16),
        }

    def score(self, observation: Observation) -> dict[str, Value]:
        """The predicted PSNR in grey and of the colours, at most 50 dB."""
        statistics, regions = observation["statistics"], observation["regions"].astype(np.float32)
        first = _mean([network(statistics[: network.inputs[0]], regions) for network in self.first])
        said = [network(statistics, regions) for network in self.saved]
        grey, colours = _mean([answer[:-1].reshape(2, -1) for answer in said])
        chroma = _level(colours, CLEAN_WEIGHT)
        known = np.float32(np.mean([logistic(float(answer[-1])) for answer in said]))
        if _level(grey, CLEAN_WEIGHT) - chroma > COLOURFUL:
            known = np.float32(0)
        weight = float(known) * CLEAN_WEIGHT + float(1 - known) * SAVED_CLEAN_WEIGHT
        return {"psnr": _level(known * first + (1 - known) * grey, weight), "chroma_psnr": chroma}


def picture_statistics(parts: Decomposition, pixels: Floats) -> Floats:
    """What the networks read of a picture as a whole. `pixels`: of `single_pixels`."""
    return np.concatenate([noise_statistics(parts), pixel_facts(pixels), codec_traces(parts)])


def _mean(logits: Sequence[Floats]) -> Floats:
    """The mean of several networks' histograms, (..., levels)."""
    means: Floats = np.mean([softmax(each / np.float32(TEMPERATURE)) for each in logits], axis=0)
    return means


def _level(chances: Floats, clean_weight: float) -> float:
    """The median of a histogram of `LEVELS` in which "no noise" counts less, in dB."""
    weighed = chances.copy()
    weighed[-1] *= clean_weight
    weighed /= weighed.sum()
    return float(np.clip(median_level(weighed, float(LEVELS[0])), 0.0, NOISE_FREE))
