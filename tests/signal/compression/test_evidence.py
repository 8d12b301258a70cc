from __future__ import annotations

import numpy as np
import pytest

from cliqa.signal.compression.evidence import CURVE, FILE_CODECS, INPUTS, KNOTS, evidence, file_inputs
from tests.jpeg_pictures import saved, textured, tiles


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_any_number_of_tiles_gives_numbers_of_one_length(count: int) -> None:
    picture = tiles(saved(textured(2, 512), 60))[:count]
    found = evidence(picture)
    assert found.dtype == np.float32 and np.isfinite(found).all()
    assert found.shape == evidence(tiles(textured(0))[:1]).shape


def test_flat_pictures_give_numbers() -> None:
    for level in (0, 255, 128):
        assert np.isfinite(evidence(np.full((8, 3, 128, 128), level, np.uint8))).all()


def test_quality_of_a_file_is_brought_to_one_scale() -> None:
    assert not file_inputs().any() and not file_inputs("png").any()
    for codec, best, worst in (("jpeg", 100, 0), ("webp", 100, 0), ("avif", 0, 255), ("heic", 0, 51)):
        place = KNOTS * FILE_CODECS.index(codec)
        assert file_inputs(codec, best)[place + KNOTS - 1] == 1 and file_inputs(codec, worst)[place] == 1
        between = file_inputs(codec, 0.4 * best + 0.6 * worst)
        assert between[:CURVE].sum() == pytest.approx(1) and between[place : place + KNOTS] @ np.arange(
            KNOTS
        ) == pytest.approx(3.2)
    unknown = file_inputs("jpeg2000")
    assert unknown.shape == (INPUTS,) and unknown[-2] == 0 and file_inputs("jpeg", 80, "4:2:0")[-2:].tolist() == [1, 1]
