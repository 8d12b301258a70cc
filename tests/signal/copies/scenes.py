"""Pictures of random shapes, for tests of fingerprints."""

from __future__ import annotations

import numpy as np
from PIL import Image


def scene(seed: int) -> Image.Image:
    """Random shapes of many sizes, 256 pixels a side."""
    rng = np.random.default_rng(seed)
    noise = sum(
        np.asarray(
            Image.fromarray(rng.normal(0, size, (n, n)).astype(np.float32)).resize((256, 256), Image.Resampling.BICUBIC)
        )
        for n, size in ((4, 40), (10, 30), (24, 20))
    )
    return Image.fromarray(np.clip(128 + noise, 0, 255).astype(np.uint8))


def fine_scene(seed: int) -> Image.Image:
    """As `scene`, of 600 pixels a side and down to smaller shapes, as photographs have them."""
    rng = np.random.default_rng(seed)
    noise = sum(
        np.asarray(
            Image.fromarray(rng.normal(0, size, (n, n)).astype(np.float32)).resize((600, 600), Image.Resampling.BICUBIC)
        )
        for n, size in ((4, 30), (10, 22), (24, 16), (60, 10), (150, 6))
    )
    return Image.fromarray(np.clip(128 + noise, 0, 255).astype(np.uint8))
