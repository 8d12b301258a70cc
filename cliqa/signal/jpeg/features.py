"""What the networks of `jpeg_quality` read of a `jpeg_history.History`: proposals of the lowest quality, the evidence as vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.history import OLDER_CANDIDATES, History

Floats = NDArray[np.float32]

HYPOTHESES = ("quality", "nearest", "newest", "previous", "proof", "older 1", "older 2", "older 3", "none")


def hypotheses(history: History) -> Floats:
    """What each kind of evidence says the lowest quality is: float32 (9,), in the order of `HYPOTHESES`."""
    found = [
        int(history.quality.argmax()) + 1,
        history.nearest,
        int(history.newest.max(axis=0).argmax()) + 1,
        int(history.previous.argmax()) + 1,
        history.proof.likely,
        *(int(older.max(axis=0).argmax()) + 1 for older in history.older),
        100,
    ]
    return np.array(found, np.float32)


def features(history: History) -> Floats:
    """The evidence as one vector for a network: float32 (n,)."""
    newest = history.newest.max(axis=0)
    profiles = [history.quality, newest, history.previous, -history.proof.bits, *history.older.max(axis=1)]
    parts: list[Floats] = []
    for each in profiles:
        parts += profile(each)
    parts.append(signed_log(history.newest.max(axis=1)))
    for grid, older in zip(history.older_grids, history.older, strict=True):
        parts.append(signed_log(older.max(axis=1)))
        x, y = (grid % 8 - history.grid % 8) % 8, (grid // 8 - history.grid // 8) % 8
        parts.append(np.array([x % 8 == 0, x == 4, y % 8 == 0, y == 4], np.float32))
    parts.append(signed_log(history.older_scores))
    parts.append(history.chroma[-6:])
    nearest = history.nearest - 1
    scalars = [
        float(history.grid == 0),
        float(signed_log(np.float32(history.grid_margin))),
        history.nearest / 100,
        float(signed_log(history.quality[nearest])),
        float(signed_log(newest[nearest])),
        float(history.fit.min()),
        float(history.known.mean()),
        float(np.log1p(len(history.sample))),
        history.spread,
        float(newest[int(history.quality.argmax())] - newest.max()) / 20,
        history.proof.likely / 100,
        history.proof.exact,
    ]
    parts.append(np.array(scalars, np.float32))
    return np.concatenate(parts).astype(np.float32)


def profile(values: Floats) -> tuple[Floats, Floats]:
    """Evidence of 100 qualities, in twenties against the best; and the best, its evidence, its lead over those further away."""
    best = int(values.argmax())
    away = np.concatenate([values[: max(0, best - 1)], values[best + 2 :]])
    pooled = np.maximum((values.reshape(20, 5).max(axis=1) - values[best]) / 20, np.float32(-6))
    return pooled, np.array(
        [(best + 1) / 100, signed_log(values[best]), signed_log(values[best] - away.max())], np.float32
    )


_PROFILE, _OF_BEST = 23, 21  # numbers of a profile, and which of them is the log of its best evidence
_OLDER_LOGS = (4 + np.arange(OLDER_CANDIDATES)) * _PROFILE + _OF_BEST  # four profiles come before
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
    scalars = [
        best / 100,
        float(signed_log(newest[best])),
        float(history.quality.argmax()) / 100,
        float(history.grid == 0),
    ]
    return np.concatenate([history.chroma, np.array(scalars, np.float32)]).astype(np.float32)


def older_nats(evidence: Floats) -> Floats:
    """Nats of the likeliest quality of each older grid, by a vector (n,) of `features`: float32 (3,), negative where none is likely."""
    logs = evidence[_OLDER_LOGS]
    nats: Floats = np.sign(logs) * np.expm1(np.abs(logs))
    return nats


def signed_log(value: Any) -> Any:
    """Signed log(1 + |value|)."""
    return np.sign(value) * np.log1p(np.abs(value))
