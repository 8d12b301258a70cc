"""The weights of luma against Pillow's conversion."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cliqa.signal.colour import LUMA, LUMA32


def test_the_weights_are_those_of_pillows_grey() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    grey = np.asarray(Image.fromarray(rgb).convert("L")).astype(float)
    assert np.abs(rgb @ LUMA - grey).max() < 0.51
    assert abs(float(LUMA.sum()) - 1) < 1e-15 and LUMA32.dtype == np.float32
