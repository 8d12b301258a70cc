"""What a factor network reads, made up."""

from __future__ import annotations

import numpy as np

from cliqa.signal.resampling.spectra import BANDS, BINS, RESIDUALS, SCALARS


def observed(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return (
        rng.normal(-4, 1, (2, len(RESIDUALS), BINS)).astype(np.float32),
        rng.uniform(0, 1, (2, len(RESIDUALS), BINS)).astype(np.float32),
        rng.normal(2, 2, (2, 2, BANDS)).astype(np.float32),
        rng.normal(0, 1, (2, SCALARS)).astype(np.float32),
    )


READING = {"prior": np.full(BINS, 1 / BINS, np.float32), "reading": np.array([0.5, 0.8, 0.5, 0.8], np.float32)}
