"""Tables that are not IJG's, or IJG's turned by 90 degrees: which quality they come nearest to, and whether a stated table is the one.

The evidence of the likeliest steps, summed over the frequencies, tells that there is *some* table, whatever it is (`any_table`).
A table that reaches most of that sum explains the picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.blocks import choose_blocks, luma
from cliqa.signal.jpeg.lattice import read_steps
from cliqa.signal.jpeg.quantization import LUMA_TABLES, nearest_quality, scale_table

Floats = NDArray[np.float32]

ROBIDOUX: NDArray[np.int64] = np.array(
    [
        16, 16, 16, 18, 25, 37, 56, 85,
        16, 17, 20, 27, 34, 40, 53, 75,
        16, 20, 24, 31, 43, 62, 91, 135,
        18, 27, 31, 40, 53, 74, 106, 156,
        25, 34, 43, 53, 69, 94, 131, 189,
        37, 40, 62, 74, 94, 124, 169, 238,
        56, 53, 91, 106, 131, 169, 226, 311,
        85, 75, 135, 156, 189, 238, 311, 418,
    ]
)  # fmt: skip
"""N. Robidoux's base table: mozjpeg's default, and ImageMagick's alternative."""
JPEGLI: NDArray[np.float64] = np.array(
    [
        2.629, 3.659, 6.201, 5.971, 7.091, 7.429, 8.152, 8.213,
        3.659, 4.443, 6.033, 5.74, 7.304, 6.719, 8.546, 8.566,
        6.201, 6.033, 6.28, 7.188, 7.682, 8.287, 7.977, 8.996,
        5.971, 5.74, 7.188, 7.175, 8.846, 10.203, 10.153, 9.775,
        7.091, 7.304, 7.682, 8.846, 9.717, 10.447, 11.83, 11.643,
        7.429, 6.719, 8.287, 10.203, 10.447, 11.542, 10.811, 12.918,
        8.152, 8.546, 7.977, 10.153, 11.83, 10.811, 11.542, 11.468,
        8.213, 8.566, 8.996, 9.775, 11.643, 12.918, 11.468, 9.293,
    ]
)  # fmt: skip
"""jpegli's steps at a distance of 1, and the powers of the distance by which some grow beyond `_BEND`; measured, see `jpegli_table`."""
_POWERS = {
    1: 0.51, 2: 0.67, 3: 0.74, 5: 0.99, 8: 0.51, 9: 0.66, 10: 0.69, 11: 0.87, 16: 0.67,
    17: 0.69, 18: 0.84, 19: 0.83, 20: 0.96, 24: 0.74, 25: 0.87, 26: 0.83, 29: 0.91, 30: 0.91,
    34: 0.96, 40: 0.99, 43: 0.91, 51: 0.91,
}  # fmt: skip
_BEND = 1.5
EXPLAINS = 0.5
"""Share of the sum of all likeliest steps from which a table explains a picture: right tables reach 0.95, wrong ones nothing."""
LATTICE = 60.0
"""Nats of that sum from which there is a lattice: pictures without JPEG stay below 0, saves at up to 93 reach thousands."""
_FREQUENCY = np.arange(1, 64)


def jpegli_table(quality: int) -> NDArray[np.int64]:
    """The luma table (64,) that jpegli writes at a quality of 1-100.

    It grows with the distance (butteraugli's) that the quality stands for. Measured: those of its files at 27-100 are met exactly.
    """
    distance = 0.1 + (100 - quality) * 0.09 if quality >= 30 else 53 / 3000 * quality**2 - 1.15 * quality + 25
    powers = np.array([_POWERS.get(place, 1.0) for place in range(64)])
    growth = distance if distance < _BEND else np.maximum(0.5 * distance, _BEND ** (1 - powers) * distance**powers)
    return np.clip(np.rint(JPEGLI.ravel() * growth), 1, 255).astype(np.int64)


def turned(tables: NDArray[np.int64]) -> NDArray[np.int64]:
    """Tables (n, 64) of pictures turned by 90 degrees: rows and columns exchanged."""
    flat: NDArray[np.int64] = tables.reshape(-1, 8, 8).transpose(0, 2, 1).reshape(-1, 64)
    return flat


_ROBIDOUX_TABLES = np.stack([scale_table(ROBIDOUX, quality) for quality in range(1, 101)])
_JPEGLI_TABLES = np.stack([jpegli_table(quality) for quality in range(1, 101)])
OTHER_TABLES: NDArray[np.int64] = np.concatenate(
    [_ROBIDOUX_TABLES, turned(_ROBIDOUX_TABLES), turned(LUMA_TABLES), _JPEGLI_TABLES]
)
"""int (400, 64): mozjpeg's tables at its 1-100, the same turned, IJG's turned, and jpegli's, which are the same turned."""
OTHER_QUALITIES: NDArray[np.int64] = np.array(
    [nearest_quality(table) for table in _ROBIDOUX_TABLES] * 2
    + list(range(1, 101))
    + [nearest_quality(table) for table in _JPEGLI_TABLES]
)
"""int (400,): the nearest IJG quality of each."""


def any_table(evidence: Floats) -> float:
    """Nats of the likeliest steps of all frequencies, from `lattice.step_evidence` (64, 255): how surely there is a lattice."""
    return float(evidence[1:].max(axis=1).sum())


def table_evidence(evidence: Floats, tables: NDArray[np.int64]) -> Floats:
    """Nats of each of some tables (n, 64): float32 (n,)."""
    total: Floats = evidence[_FREQUENCY, tables[:, 1:] - 1].sum(axis=1)
    return total


def family_quality(evidence: Floats) -> int:
    """The IJG quality (1-100) nearest to the table of a known family that explains the steps, 0 where none does.

    Args:
        evidence: (64, 255) nats of each step, from `lattice.step_evidence`.
    """
    most = any_table(evidence)
    others = table_evidence(evidence, OTHER_TABLES)
    best = int(others.argmax())
    return int(OTHER_QUALITIES[best]) if most > LATTICE and others[best] > EXPLAINS * most else 0


def stated_share(rgb: NDArray[np.uint8], table: Sequence[int]) -> tuple[float, bool]:
    """How well a stated table agrees with the pixels: its evidence over that of the likeliest steps, at most 1; whether in luma.

    The planes of YCbCr, RGB and CMYK files differ, so luma and each channel are asked, and the best counts. 1 where there is no
    lattice that could contradict: steps of 1 and 2 leave none, nor do flat pictures.

    Args:
        rgb: uint8 tiles (n, 3, h, w) as the codec saw them, their origins at whole blocks of the file.
        table: 64 steps in natural order.
    """
    stated = np.clip(np.asarray(table, np.int64), 1, 255)[None]
    shares = []
    clear = False
    for number, planes in enumerate(
        (rgb, *(np.repeat(rgb[:, channel : channel + 1], 3, axis=1) for channel in range(3)))
    ):
        blocks = choose_blocks(planes, luma(planes), 0, 0, 512)
        _, _, evidence = read_steps(blocks)
        most = any_table(evidence)
        if most > LATTICE:
            clear = True
            shares.append(float(table_evidence(evidence, stated)[0]) / most)
            if shares[-1] >= EXPLAINS:
                return min(shares[-1], 1.0), not number
    return (max(shares), False) if clear else (1.0, True)
