from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.jpeg_pictures import saved, textured

package = pytest.importorskip("ssimulacra2")
pytest.importorskip("cv2")


def png(pixels: np.ndarray) -> io.BytesIO:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize("shape", [(256, 256), (131, 203), (64, 40)])
@pytest.mark.parametrize("quality", [10, 60, 95])
def test_it_agrees_with_the_package(shape: tuple[int, int], quality: int) -> None:
    from cliqa.training.compression.fidelity import fidelity

    original = np.ascontiguousarray(textured(4)[: shape[0], : shape[1]])
    now = saved(original, quality)
    assert fidelity(original, now) == pytest.approx(package.compute_ssimulacra2(png(original), png(now)), abs=0.1)


def test_the_same_picture_loses_nothing() -> None:
    from cliqa.training.compression.fidelity import fidelity

    assert fidelity(textured(4), textured(4)) == 100
