"""The metric `exposure`: six issues of exposure and contrast, four levels each, in one HEX-graph CRF.

The unary is light: tone statistics of a thinned-out copy of the picture into small dense networks, which give one score s_j per
issue. Ordinal thresholds turn scores into bits, z_jk = e^scale_j (s_j - tau_jk), and the graph's rules make of them an exact
distribution over the legal states.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from cliqa.compiled.library import compiled
from cliqa.compiled.raster import raster
from cliqa.errors import CheckpointError
from cliqa.metrics.base import Field, Metric, Observation, Value, View
from cliqa.metrics.exposure_schema import exposure_graph, use_schema
from cliqa.signal.exposure.ground import WHITE, white_ground
from cliqa.signal.exposure.hex_graph import HexGraph
from cliqa.signal.exposure.labels import LABELS
from cliqa.signal.exposure.schema import SCHEMA
from cliqa.signal.exposure.tones import CHANNELS, HIGHLIGHTS, MEDIAN_LUMA, SIDE, tone_statistics
from cliqa.signal.networks.dense import Dense

SOFTNESS = 2.0  # z from which `softened` bends: no tuning on record
GLOOM = 5.0  # EV of the highlights below white from which nothing but their depth counts
GLOOM_SLOPE = 1.5  # levels of too dark per further EV
# EV of the highlights: a loss of 1.5 EV, where level 3 of too dark begins, leaves none above the second
LIT = (-2.0, -1.5)
LIT_SHIFT = 3.0  # log odds, enough to decide: on val photographs kappa of too dark rose by 0.01
OF_LIGHT = [LABELS.index("too_bright"), LABELS.index("highlights_clipped")]  # what a white ground is no sign of
LEAST_GROUND = 0.1  # share of white pixels from which a ground is looked for: it goes around the subject
SAMPLE_PIXELS = 400_000  # enough for every share and gap that is looked at; the cost stays flat above it


def label_fields() -> tuple[Field, ...]:
    """`<label>_level` and `<label>_p2` ... `_p4` for every label."""
    fields = []
    for label in LABELS:
        words = label.replace("_", " ")
        fields.append(Field(f"{label}_level", f"{words}: most probable level, 1 none to 4 blocking", 1, 4,
                            better="lower", kind="int"))  # fmt: skip
        fields += [Field(f"{label}_p{k}", f"{words}: P(level >= {k})", 0, 1, better="lower") for k in (2, 3, 4)]
    return tuple(fields)


def observe_tones(view: View) -> Observation:
    """Tone statistics of a view, float32 (cliqa.signal.exposure.tones.WIDTH,): "tones", and "subject" where it lies on a white ground.

    The subject's are those without the ground, whose cells are filled with the mean colour of the others.
    """
    sample = view.image.sample(SAMPLE_PIXELS)
    thumbnail = np.asarray(sample.resize((SIDE, SIDE), Image.Resampling.BOX))
    counts = tone_counts(sample)
    found = {"tones": tone_statistics(counts, thumbnail)}
    if counts[CHANNELS.index("darkest"), WHITE:].sum() > LEAST_GROUND * counts[0].sum():
        pixels = np.asarray(sample)
        ground = white_ground(pixels)
        if ground is not None:
            subject = pixels[~ground[0]]
            filled = thumbnail.copy()
            filled[ground[1]] = np.rint(subject.mean(axis=0))
            found["subject"] = tone_statistics(tone_counts(Image.fromarray(subject[None])), filled)
    return found


def tone_counts(picture: Image.Image) -> NDArray[np.float64]:
    """Histograms of a picture, mode RGB: (6, 256), see `cliqa.signal.exposure.tones.CHANNELS`."""
    library = compiled()
    if library is not None:
        packed = raster(picture)  # as Pillow keeps it, else in a copy
        pixels, counts = np.asarray(picture) if packed is None else packed, np.empty((len(CHANNELS), 256), np.int64)
        high, wide, step = pixels.shape
        library.tone_counts(pixels, high * wide, step, counts)
        return counts.astype(np.float64)
    red, green, blue = picture.split()
    brightest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    darkest = ImageChops.darker(ImageChops.darker(red, green), blue)
    planes = (red, green, blue, picture.convert("L"), brightest, darkest)
    return np.array([plane.histogram() for plane in planes], dtype=np.float64)


def gloom(tones: NDArray[Any]) -> float:
    """What is added to the score of too dark, levels, >= 0: for pictures whose very highlights lie more than `GLOOM` EV below white.

    No photograph is exposed like that on purpose, so few are among the examples, and what a network makes of them is extrapolation.
    """
    depth = -12.0 * float(tones[HIGHLIGHTS])
    return GLOOM_SLOPE * max(0.0, depth - GLOOM)


def lit(tones: NDArray[Any]) -> float:
    """What speaks against "too dark at level 3 or more" in a picture whose highlights reach near white, log odds, >= 0.

    Low key, a spotlit stage and a lit face before black have dark medians and bright highlights; a frame that lost one and a half stops
    has none.
    """
    begin, full = LIT
    return float(LIT_SHIFT * np.clip((12.0 * float(tones[HIGHLIGHTS]) - begin) / (full - begin), 0.0, 1.0))


def softened(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """z as fitted -> z as believed, same shape: 2 asinh(z / 2), which leaves small z as they are and grows like their logarithm beyond.

    It keeps the order and the sign of z, so the levels of a label stay, but no probability comes so near to 0 or 1 that exposures three
    stops apart round to the same number. On held-out pictures it also raises the likelihood: the networks are too sure of themselves.
    """
    result: NDArray[np.float64] = SOFTNESS * np.arcsinh(z / SOFTNESS)
    return result


class Exposure(Metric):
    """Levels and probabilities of six issues of exposure and contrast."""

    name: ClassVar[str] = "exposure"
    architecture: ClassVar[str] = "tone-hex"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = (
        "too bright, too dark, contrast too high or low, highlights clipped or over-suppressed: levels 1-4"
    )
    fields: ClassVar[tuple[Field, ...]] = label_fields()
    in_worker = True

    def __init__(self, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], device: str = "cpu") -> None:
        super().__init__(tensors, metadata, device)
        self.networks: list[Dense] = []
        while f"net{len(self.networks)}.mean" in tensors:
            self.networks.append(Dense(tensors, f"net{len(self.networks)}."))
        try:
            self.scale = tensors["scale"].astype(np.float64)  # (networks, labels)
            self.thresholds = tensors["thresholds"].astype(np.float64)  # (networks, labels, 3)
        except KeyError as error:
            raise CheckpointError(f"the exposure weights lack {error}") from error
        self.dusk = tensors.get("dusk", np.zeros(3)).astype(np.float64)
        self.lean = tensors.get("lean", np.zeros(2)).astype(np.float64)  # of too bright and too dark
        self.meant = float(tensors["meant"][0]) if "meant" in tensors else 0.0
        self.graph = exposure_graph(json.loads(metadata["schema"]) if "schema" in metadata else SCHEMA)

    def use_schema(self, schema: Mapping[str, Any]) -> None:
        """Put other rules over the same six labels. Raises UsageError where they don't fit or contradict each other."""
        use_schema(self, schema)

    @classmethod
    def observe(cls, view: View) -> Observation:
        """See `observe_tones`."""
        return observe_tones(view)

    def unary(self, tones: NDArray[Any]) -> NDArray[np.float64]:
        """Tone statistics (WIDTH,) -> z, float64 (6, 3), labels in the order of `LABELS`: the mean over the networks, softened."""
        z = np.zeros((len(LABELS), 3))
        for network, scale, thresholds in zip(self.networks, self.scale, self.thresholds, strict=True):
            score = network(tones[None])[0].astype(np.float64)
            score[LABELS.index("too_dark")] += gloom(tones)
            z += np.exp(scale)[:, None] * (score[:, None] - thresholds)
        z = softened(z / len(self.networks))
        dark = LABELS.index("too_dark")
        z[[LABELS.index("too_bright"), dark], 0] += self.lean
        z[dark, 0] += self._dusk_shift(tones)
        z[dark, 1] -= lit(tones)
        z[LABELS.index("highlights_clipped"), 1] -= self.meant
        return z

    def _dusk_shift(self, tones: NDArray[Any]) -> float:
        """What speaks for "too dark at level 2 or more" in a picture whose median of luma is low, in log odds, >= 0.

        The weights' `dusk` says below which median (u, 0-1) it begins, where it is full, and how much it is then. Whether so dark a
        picture was meant to be is seldom in its tones; the doubt goes to level 2, which the filter keeps by default, and not beyond.
        """
        begin, full, shift = self.dusk
        return float(shift * np.clip((begin - float(tones[MEDIAN_LUMA])) / max(begin - full, 1e-6), 0.0, 1.0))

    def score(self, observation: Observation) -> dict[str, Value]:
        """Level (of the most probable legal state) and marginal probabilities of each label."""
        z = self.unary(observation["tones"])
        if "subject" in observation:  # a dark thing on white is not dark, nor a pale one bright for its ground alone
            z[OF_LIGHT] = np.minimum(z, self.unary(observation["subject"]))[OF_LIGHT]
        return levels_and_probabilities(self.graph, z)


def levels_and_probabilities(graph: HexGraph, z: NDArray[np.float64]) -> dict[str, Value]:
    """z (6, 3), labels in the order of `LABELS` -> the fields."""
    order = [graph.index(name) for name in LABELS]
    by_graph = np.empty_like(z)
    by_graph[order] = z
    probability = graph.marginals(by_graph.ravel()).reshape(z.shape)[order]
    levels = graph.map_levels(by_graph.ravel())[order]
    fields: dict[str, Value] = {}
    for label, level, p in zip(LABELS, levels, probability, strict=True):
        fields[f"{label}_level"] = int(level)
        fields |= {f"{label}_p{k}": float(value) for k, value in zip((2, 3, 4), p, strict=True)}
    return fields
