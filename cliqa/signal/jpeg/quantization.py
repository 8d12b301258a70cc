"""JPEG quantization tables: the IJG family, and the IJG quality that is nearest to any table.

Tables are 64 steps in natural (row by row) order, as Pillow gives them. The base tables are those of ITU-T T.81,
Annex K; the scaling by quality is that of the Independent JPEG Group's library (`jpeg_quality_scaling`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STANDARD_LUMA: NDArray[np.int64] = np.array(
    [
        16, 11, 10, 16, 24, 40, 51, 61,
        12, 12, 14, 19, 26, 58, 60, 55,
        14, 13, 16, 24, 40, 57, 69, 56,
        14, 17, 22, 29, 51, 87, 80, 62,
        18, 22, 37, 56, 68, 109, 103, 77,
        24, 35, 55, 64, 81, 104, 113, 92,
        49, 64, 78, 87, 103, 121, 120, 101,
        72, 92, 95, 98, 112, 100, 103, 99,
    ]
)  # fmt: skip
STANDARD_CHROMA: NDArray[np.int64] = np.array(
    [
        17, 18, 24, 47, 99, 99, 99, 99,
        18, 21, 26, 66, 99, 99, 99, 99,
        24, 26, 56, 99, 99, 99, 99, 99,
        47, 66, 99, 99, 99, 99, 99, 99,
        *[99] * 32,
    ]
)  # fmt: skip


def scale_table(base: NDArray[np.int64], quality: int) -> NDArray[np.int64]:
    """`base` (64 steps) scaled to an IJG quality 1-100, limited to the 1-255 of baseline JPEG.

    >>> scale_table(STANDARD_LUMA, 75)[:4].tolist()
    [8, 6, 5, 8]
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"an IJG quality lies in 1-100, not {quality}")
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    scaled: NDArray[np.int64] = np.clip((base * percent + 50) // 100, 1, 255)
    return scaled


LUMA_TABLES: NDArray[np.int64] = np.stack([scale_table(STANDARD_LUMA, quality) for quality in range(1, 101)])
"""int (100, 64): row `q - 1` is the luma table of IJG quality `q`."""
CHROMA_TABLES: NDArray[np.int64] = np.stack([scale_table(STANDARD_CHROMA, quality) for quality in range(1, 101)])


def nearest_quality(luma_table: Sequence[int] | NDArray[np.integer]) -> int:
    """The IJG quality (1-100) whose luma table is nearest: the least mean |log ratio| of the steps.

    Ratios, so that a step of 2 for 1 weighs as much as 40 for 20. Exact for IJG's own tables; of equally near
    ones (IJG's lowest tables are nearly all 255) the lowest quality.

    >>> nearest_quality(scale_table(STANDARD_LUMA, 83))
    83
    """
    steps = np.maximum(np.asarray(luma_table, dtype=np.float64), 1.0)
    return int(np.abs(np.log(LUMA_TABLES / steps)).sum(axis=1).argmin()) + 1


def header_quality(quantization: dict[int, tuple[int, ...]]) -> int | None:
    """Nearest IJG quality of a JPEG header's first table (the luma's), None where the header has none."""
    table = quantization.get(0) or next(iter(quantization.values()), None)
    if table is None or len(table) != 64:
        return None
    return nearest_quality(table)
