"""All evidence of JPEG saves in a few tiles of an image, gathered: grids, steps, qualities, earlier saves, chroma.

The order of events: find the grid whose coefficients lie on a lattice (the stronger one, if there are two); read its
steps and the IJG qualities that they fit; look for an earlier save on the same grid; look for the faint lattice of an older
grid; describe the chroma planes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.chroma_sampling import chroma_features
from cliqa.signal.dct_lattice import OUTLIERS, histograms, quality_evidence, step_evidence
from cliqa.signal.double_compression import count_levels, previous_evidence
from cliqa.signal.jpeg_grid import newest_evidence, older_evidence, second_grid_scores
from cliqa.signal.jpeg_lattice import CLIPPED_OUTLIERS, find_grid
from cliqa.signal.luma_blocks import choose_blocks, dct_blocks, luma
from cliqa.signal.quality_proof import CERTAIN
from cliqa.signal.quantization import LUMA_TABLES
from cliqa.signal.recompression import description_lengths

Floats = NDArray[np.float32]

OLDER_CANDIDATES = 3
KNOWN = 12.0
"""Nats by which a step must be likelier than no quantization to count as known."""
_LOG_TABLES = np.log(LUMA_TABLES).astype(np.float32)
_ALL = np.arange(64)


@dataclass(frozen=True)
class History:
    """What the tiles tell.

    Attributes:
        grid: offset index y * 8 + x of the strongest grid; `grid_margin` its score over the next (nats, > 0).
        quality: (100,) evidence of each IJG quality on that grid, nats, against no JPEG.
        steps: (64,) the likeliest step of each frequency; `known` (64,) how sure, 0-1.
        nearest: IJG quality nearest to `steps`, unknown frequencies aside.
        fit: (100,) mean |log ratio| of the known steps to each IJG table.
        previous: (100,) evidence of each earlier quality on the same grid, nats.
        older_grids: the likeliest offsets of a second grid; `older_scores` their scores over the next one's.
        older: (candidates, sigmas, 100) evidence of each quality on those, with more or less noise since.
        newest: (sigmas, 100) the same on the strongest grid, against the mean of all other offsets.
        recompression: (100,) bits per block saved by quantizing again at each quality, against 100; 0 unless clipped
            blocks had to be used.
        chroma: see `chroma_sampling.chroma_features`.
        blocks: blocks used; `spread` log of their mean |coefficient|.
    """

    grid: int
    grid_margin: float
    quality: Floats
    steps: Floats
    known: Floats
    nearest: int
    fit: Floats
    previous: Floats
    older_grids: tuple[int, ...]
    older_scores: Floats
    older: Floats
    newest: Floats
    recompression: Floats
    chroma: Floats
    blocks: int
    spread: float


def read_history(rgb: NDArray[np.uint8]) -> History:
    """Evidence from tiles uint8 (n, 3, h, w) that share the phase of every 8x8 grid (origins at multiples of 8)."""
    y = luma(rgb)
    found = find_grid(rgb, y)
    grid, counted = found.offset, found.counted
    second = second_grid_scores(counted, grid)
    candidates = np.argsort(-second, kind="stable")[:OLDER_CANDIDATES]
    x0, y0 = grid % 8, grid // 8
    newest = newest_evidence(counted, grid)
    blocks = choose_blocks(rgb, y, x0, y0)
    coefficients = dct_blocks(blocks.pixels)
    evidence = step_evidence(histograms(coefficients), outliers=OUTLIERS if blocks.clean else CLIPPED_OUTLIERS)
    quality = quality_evidence(evidence)
    best, standard = _likeliest_table(evidence, quality, newest.max(axis=0))
    steps, known = likeliest_steps(evidence, best)
    fit = table_distances(steps, known)
    table = LUMA_TABLES[best] if standard else steps.astype(np.int64)
    previous = previous_evidence(count_levels(coefficients, table), table)
    recompression = np.zeros(100, np.float32)
    if not blocks.clean:
        lengths = description_lengths(blocks.pixels)
        recompression = lengths[-1] - lengths
    ranked_second = np.sort(second)
    return History(
        grid=grid,
        grid_margin=found.margin,
        quality=quality,
        steps=steps,
        known=known,
        nearest=int(fit.argmin()) + 1,
        fit=fit,
        previous=previous,
        older_grids=tuple(int(place) for place in candidates),
        older_scores=(second[candidates] - ranked_second[-1 - OLDER_CANDIDATES]).astype(np.float32),
        older=older_evidence(counted, grid, candidates),
        newest=newest,
        recompression=recompression,
        chroma=chroma_features(rgb, x0, y0),
        blocks=len(blocks),
        spread=float(np.log(np.abs(coefficients[1:]).mean() + 0.05)) if len(blocks) else -3.0,
    )


def _likeliest_table(evidence: Floats, quality: Floats, newest: Floats) -> tuple[int, bool]:
    """Index (quality - 1) of the IJG table to go on with, and whether it is likely the very one."""
    best, rival = int(quality.argmax()), int(newest.argmax())
    if float(quality[best]) > 0.5 * float(evidence.max(axis=1)[1:].sum()) or abs(best - rival) <= 1:
        return best, True
    if float(newest[rival]) > CERTAIN and float(quality[best]) < 0:
        return rival, float(quality[rival]) > 0
    return best, False


HYPOTHESES = ("quality", "nearest", "newest", "previous", "recompression", "older 1", "older 2", "older 3", "none")


def hypotheses(history: History) -> Floats:
    """What each kind of evidence says the lowest quality is: float32 (9,), in the order of `HYPOTHESES`."""
    found = [
        int(history.quality.argmax()) + 1,
        history.nearest,
        int(history.newest.max(axis=0).argmax()) + 1,
        int(history.previous.argmax()) + 1,
        int((history.recompression if history.recompression.any() else history.quality).argmax()) + 1,
        *(int(older.max(axis=0).argmax()) + 1 for older in history.older),
        100,
    ]
    return np.array(found, np.float32)


def features(history: History) -> Floats:
    """The evidence as one vector for a network: float32 (n,)."""
    newest = history.newest.max(axis=0)
    profiles = [history.quality, newest, history.previous, history.recompression, *history.older.max(axis=1)]
    parts: list[Floats] = []
    for profile in profiles:
        best = int(profile.argmax())
        away = np.concatenate([profile[: max(0, best - 1)], profile[best + 2 :]])
        pooled = profile.reshape(20, 5).max(axis=1)
        parts.append(np.maximum((pooled - profile[best]) / 20, -6.0))
        parts.append(np.array([(best + 1) / 100, _log(profile[best]), _log(profile[best] - away.max())], np.float32))
    parts.append(_log(history.newest.max(axis=1)))
    for grid, older in zip(history.older_grids, history.older, strict=True):
        parts.append(_log(older.max(axis=1)))
        x, y = (grid % 8 - history.grid % 8) % 8, (grid // 8 - history.grid // 8) % 8
        parts.append(np.array([x % 8 == 0, x == 4, y % 8 == 0, y == 4], np.float32))
    parts.append(_log(history.older_scores))
    parts.append(history.chroma[-6:])
    nearest = history.nearest - 1
    scalars = [
        float(history.grid == 0),
        float(_log(np.float32(history.grid_margin))),
        history.nearest / 100,
        float(_log(history.quality[nearest])),
        float(_log(newest[nearest])),
        float(history.fit.min()),
        float(history.known.mean()),
        float(np.log1p(history.blocks)),
        history.spread,
        float(newest[int(history.quality.argmax())] - newest.max()) / 20,
    ]
    parts.append(np.array(scalars, np.float32))
    return np.concatenate(parts).astype(np.float32)


_FIRST, _SECOND = np.triu_indices(len(HYPOTHESES) - 1, 1)


def gate_inputs(evidence: Floats, proposals: Floats) -> Floats:
    """What the network that weighs the proposals reads: the evidence, the proposals, and which of them agree.

    Args:
        evidence: (..., n) from `features`; proposals: (..., 9) from `hypotheses`.
    """
    found = proposals[..., :-1]  # the last is always 100
    apart = found[..., _FIRST] - found[..., _SECOND]
    parts = [evidence, found / 100, np.clip(apart, -10, 10) / 10, np.abs(apart) <= 1]
    return np.concatenate(parts, axis=-1, dtype=np.float32)


def chroma_inputs(history: History) -> Floats:
    """What tells the chroma's sampling: float32 (n,)."""
    newest = history.newest.max(axis=0)
    best = int(newest.argmax())
    scalars = [best / 100, float(_log(newest[best])), float(history.quality.argmax()) / 100, float(history.grid == 0)]
    return np.concatenate([history.chroma, np.array(scalars, np.float32)]).astype(np.float32)


def _log(value: Any) -> Any:
    """Signed log(1 + |value|)."""
    return np.sign(value) * np.log1p(np.abs(value))


def likeliest_steps(evidence: Floats, best: int) -> tuple[Floats, Floats]:
    """(steps, known), each (64,): the likeliest step of each frequency, drawn towards the best IJG table where little is known.

    Args:
        evidence: (64, 255) nats; best: index (quality - 1) of the likeliest IJG table.
    """
    candidates = np.arange(1, 256, dtype=np.float32)
    distance = np.abs(np.log(candidates)[None, :] - _LOG_TABLES[best][:, None])
    pulled = evidence - 4.0 * distance
    index = pulled.argmax(axis=1)
    gain = evidence[_ALL, index]
    # zeros alone fit every large step: what is known is how much better the step is than twice and half of it
    rival = np.maximum(evidence[_ALL, np.minimum(2 * index + 1, 254)], evidence[_ALL, np.minimum(index + 3, 254)])
    known = np.clip(np.minimum(gain, gain - rival) / KNOWN, 0, 1)
    known[0] = 0
    return (index + 1).astype(np.float32), known.astype(np.float32)


def table_distances(steps: Floats, known: Floats) -> Floats:
    """Mean |log ratio| of the steps to each IJG luma table, weighted by `known`: float32 (100,)."""
    weights = known + np.float32(0.02)
    distances: Floats = (np.abs(_LOG_TABLES - np.log(steps)) @ weights) / weights.sum()
    return distances
