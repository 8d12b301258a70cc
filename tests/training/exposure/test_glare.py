"""The second look at brightness: it learns what its frames show, whatever the networks say."""

from __future__ import annotations

import numpy as np

from cliqa.signal.exposure.tones import MEDIAN_LUMA, TONE_PERCENTILES, WIDTH
from cliqa.training.exposure.glare import LEVEL, fit_glare


def test_frames_teach_what_the_networks_miss():
    rng = np.random.default_rng(0)

    def pictures(count: int) -> tuple[np.ndarray, np.ndarray]:
        tones = np.zeros((count, WIDTH), np.float32)
        tones[:, TONE_PERCENTILES] = rng.normal(0.5, 0.05, (count, 90))
        tones[:, MEDIAN_LUMA] = rng.uniform(0, 1, count)
        return tones, tones[:, MEDIAN_LUMA] > 0.7

    tones, bright = pictures(300)
    severity = np.ones((300, 6), np.float32)
    severity[bright, 0] = 2.5
    frames, lit = pictures(300)
    silent = np.zeros((6, 3))
    found = fit_glare(
        {"tones": tones, "severity": severity}, {"tones": frames, "bright": lit[:, None]}, lambda row: silent
    )
    fresh, truth = pictures(300)
    told = np.concatenate([np.zeros((300, 7)), fresh[:, TONE_PERCENTILES]], axis=1) @ found[:-1] + found[-1] - LEVEL
    assert ((told > 0) == truth).mean() > 0.9
    assert np.isfinite(found).all()
