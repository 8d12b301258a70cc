"""Distance between two clouds of features, each taken for a Gaussian: what NIQE measures, in any feature space.

Mittal, Soundararajan, Bovik, "Making a 'completely blind' image quality analyzer", IEEE SPL 2013, equation 10, with the
regularisation that GRepQ documents: a thousandth of the identity is added to the mean covariance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
REGULARISATION = 1e-3


def gaussian_of(features: NDArray[Any]) -> tuple[Array, Array]:
    """Mean (d,) and covariance (d, d), divided by n - 1, of features (n, d).

    Fewer than two rows have no covariance: it is zero, and the regularisation alone bounds the distance.

    Raises:
        ValueError: no rows, not two axes, or values that are not finite.
    """
    rows = np.asarray(features, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[0] == 0:
        raise ValueError(f"features must be (n, d) with n >= 1, not {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError("features must be finite")
    mean = rows.mean(0)
    centred = rows - mean
    return mean, centred.T @ centred / max(1, rows.shape[0] - 1)


def niqe_distance(mean_a: Array, covariance_a: Array, mean_b: Array, covariance_b: Array) -> float:
    """sqrt((a - b)' ((A + B)/2 + 1e-3 I)^-1 (a - b)): 0 for equal means, symmetric, unbounded above."""
    difference = np.asarray(mean_a, dtype=np.float64) - np.asarray(mean_b, dtype=np.float64)
    pooled = (np.asarray(covariance_a, dtype=np.float64) + covariance_b) / 2
    pooled[np.diag_indices_from(pooled)] += REGULARISATION
    # Positive definite by the added diagonal, so the factor exists and its solve is stabler than an inverse.
    factor = np.linalg.cholesky(pooled)
    whitened = np.linalg.solve(factor, difference)
    return float(np.sqrt(whitened @ whitened))


def quality_of_distance(distance: float) -> float:
    """GRepQ's low-level score, 1 - sigmoid(d / 100): 0.5 at distance 0, falling to 0.

    >>> round(quality_of_distance(100.0), 4)
    0.2689
    """
    return float(1.0 / (1.0 + np.exp(min(distance / 100.0, 700.0))))
