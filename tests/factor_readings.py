"""What a factor network reads, made up."""

from __future__ import annotations

import numpy as np

from cliqa.signal.resampling.spectra import BANDS, BINS, RESIDUALS, SCALARS, Evidence


def observed(rng: np.random.Generator) -> list[Evidence]:
    """Of the axes (x, y)."""
    return [
        Evidence(
            lines=rng.normal(-4, 1, (len(RESIDUALS), BINS)).astype(np.float32),
            coherence=rng.uniform(0, 1, (len(RESIDUALS), BINS)).astype(np.float32),
            peaks=rng.uniform(-1, 1, (len(RESIDUALS), BINS)).astype(np.float32),
            power=rng.normal(2, 2, (4, BANDS)).astype(np.float32),
            scalars=rng.normal(0, 1, SCALARS).astype(np.float32),
        )
        for _ in range(2)
    ]


READING = {"prior": np.full(BINS, 1 / BINS, np.float32), "reading": np.array([0.5, 0.8, 0.5, 0.8], np.float32)}
