from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cliqa.signal.jpeg.quantization import (
    CHROMA_TABLES,
    LUMA_TABLES,
    STANDARD_LUMA,
    header_quality,
    nearest_quality,
    scale_table,
)
from tests.jpeg_pictures import stream, textured


@pytest.mark.parametrize("quality", [1, 7, 49, 50, 51, 75, 92, 100])
def test_tables_are_those_that_libjpeg_writes(quality: int):
    tables = Image.open(io.BytesIO(stream(textured(0, 32), quality))).quantization
    assert list(tables[0]) == LUMA_TABLES[quality - 1].tolist()
    assert list(tables[1]) == CHROMA_TABLES[quality - 1].tolist()
    assert header_quality({key: tuple(value) for key, value in tables.items()}) == quality


def test_every_table_is_nearest_to_itself():
    assert [nearest_quality(table) for table in LUMA_TABLES] == list(range(1, 101))


def test_nearest_weighs_ratios():
    table = LUMA_TABLES[84].copy()
    table[63] += 10  # a tenth off: less than a step of 1 for 2 elsewhere
    assert nearest_quality(table) == 85
    assert nearest_quality(np.full(64, 255)) == 1
    assert nearest_quality(np.ones(64, int)) == 100


def test_qualities_outside_the_range_are_refused():
    with pytest.raises(ValueError, match="1-100"):
        scale_table(STANDARD_LUMA, 0)


def test_header_without_a_usable_table_gives_none():
    assert header_quality({}) is None
    assert header_quality({0: (1, 2, 3)}) is None
