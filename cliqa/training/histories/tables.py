"""Quantization tables that are not IJG's, of about a wanted quality, as other encoders and cameras write them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.jpeg.other_tables import ROBIDOUX
from cliqa.signal.jpeg.quantization import CHROMA_TABLES, LUMA_TABLES, STANDARD_CHROMA, STANDARD_LUMA, scale_table

Table = NDArray[np.int64]  # (64,), row by row


def _limit(steps: NDArray[np.floating]) -> Table:
    limited: Table = np.clip(np.rint(steps), 1, 255).astype(np.int64)
    return limited


def _camera_like(rng: np.random.Generator) -> NDArray[np.float64]:
    """A smooth or patchy base table (mean step about that of IJG's 50), after the families seen in camera files."""
    v, u = np.mgrid[0:8, 0:8].astype(np.float64)
    kind = rng.integers(4)
    if kind == 0:  # a power of the standard table: flatter or steeper
        base = STANDARD_LUMA.reshape(8, 8) ** rng.uniform(0.5, 1.3)
    elif kind == 1:  # grows with the radius, flat at the lowest frequencies
        base = 1 + rng.uniform(0.02, 0.5) * (u**2 + v**2) ** rng.uniform(0.5, 1.1)
    elif kind == 2:  # grows with the diagonal, saturates: as in image editors' high settings
        base = np.minimum(1 + rng.uniform(0.1, 0.8) * (u + v), rng.uniform(2, 8))
    else:  # the standard table with its columns and rows stretched: wide-pixel or interlaced sources
        base = STANDARD_LUMA.reshape(8, 8) * np.exp(rng.uniform(-0.12, 0.12) * u + rng.uniform(-0.12, 0.12) * v)
    if rng.random() < 0.5:
        base = base * np.exp(rng.normal(0, rng.uniform(0.05, 0.25), (8, 8)))
    base = base / np.exp(np.log(base).mean()) * np.exp(np.log(STANDARD_LUMA).mean())
    flat: NDArray[np.float64] = base.ravel()
    return flat


def draw_tables(rng: np.random.Generator, quality: int, family: str | None = None) -> tuple[Table, Table, str]:
    """(luma, chroma, family): tables of about this quality that are not IJG's.

    Families: `scaled` (the standard table, any real factor, rounded), `split` (IJG with another quality for chroma),
    `robidoux`, `flat`, `camera`.
    """
    family = family or str(
        rng.choice(["scaled", "split", "robidoux", "flat", "camera"], p=[0.2, 0.15, 0.15, 0.05, 0.45])
    )
    percent = 5000 / quality if quality < 50 else 200.0 - 2 * quality
    if family == "split":
        other = int(np.clip(quality + rng.integers(-12, 13), 1, 100))
        return LUMA_TABLES[quality - 1], CHROMA_TABLES[other - 1], family
    if family == "robidoux":
        return scale_table(ROBIDOUX, quality), scale_table(ROBIDOUX, quality), family
    factor = max(percent + rng.uniform(-1, 1), 0.5) / 100
    if family == "scaled":
        return _limit(STANDARD_LUMA * factor), _limit(STANDARD_CHROMA * factor), family
    if family == "flat":
        base = np.full(64, np.exp(np.log(STANDARD_LUMA).mean()))
        return _limit(base * factor), _limit(base * factor), family
    base = _camera_like(rng)
    luma = _limit(base * factor)
    chroma = luma if rng.random() < 0.3 else _limit(STANDARD_CHROMA * factor * rng.uniform(0.6, 1.6))
    return luma, chroma, family
