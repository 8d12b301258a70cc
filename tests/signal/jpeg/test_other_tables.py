from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cliqa.signal.jpeg.last_save import read_quality
from cliqa.signal.jpeg.other_tables import ROBIDOUX, jpegli_table, stated_share, turned
from cliqa.signal.jpeg.quantization import LUMA_TABLES, first_table, nearest_quality, scale_table
from tests.jpeg_pictures import saved, textured, tiles


def with_tables(pixels: np.ndarray, table: np.ndarray) -> np.ndarray:
    target = io.BytesIO()
    steps = [int(step) for step in table]
    Image.fromarray(pixels).save(target, "JPEG", qtables=[steps, steps], subsampling=2)
    return np.asarray(Image.open(io.BytesIO(target.getvalue())).convert("RGB"))


@pytest.mark.parametrize("turns", [1, 3])
@pytest.mark.parametrize("quality", [30, 60, 80])
def test_a_turn_by_90_degrees_changes_neither_quality_nor_where_its_grid_is_found(quality: int, turns: int):
    pixels = np.rot90(saved(textured(quality, 272), quality), turns)[3:, 6:]
    answer = read_quality(tiles(np.ascontiguousarray(pixels)))
    assert answer[0] == quality
    assert answer[1] == 5 * 8 + 2


@pytest.mark.parametrize("turns", [0, 1])
def test_channels_that_were_coded_apart_tell_the_quality(turns: int):
    target = io.BytesIO()
    Image.fromarray(textured(4)).save(target, "JPEG", quality=60, keep_rgb=True, subsampling=0)
    pixels = np.asarray(Image.open(io.BytesIO(target.getvalue())))
    assert read_quality(tiles(np.ascontiguousarray(np.rot90(pixels, turns))))[0] == 60


@pytest.mark.parametrize("quality", [40, 60, 75, 85])
def test_tables_of_mozjpeg_give_the_nearest_ijg_quality(quality: int):
    table = scale_table(ROBIDOUX, quality)
    answer = read_quality(tiles(with_tables(textured(quality), table)))
    assert answer[0] == nearest_quality(table)
    assert answer[-2] == 1  # only the nearest


@pytest.mark.parametrize("quality", [40, 70, 85])
def test_and_so_do_those_of_jpegli_turned_or_not(quality: int):
    table = jpegli_table(quality)
    pixels = with_tables(textured(quality, 384), table)
    for each in (pixels, np.rot90(pixels)):
        answer = read_quality(tiles(np.ascontiguousarray(each)))
        assert answer[0] == nearest_quality(table)
        assert answer[-2] == 1


@pytest.mark.parametrize("quality", [30, 50, 77, 90, 99])
def test_the_tables_are_those_that_jpegli_writes(quality: int):
    pyjpegli = pytest.importorskip("pyjpegli")
    data = bytes(pyjpegli.encode(textured(1, 64), 64, 64, quality))
    with Image.open(io.BytesIO(data)) as picture:
        tables = {number: tuple(table) for number, table in picture.quantization.items()}
    assert first_table(tables) == tuple(jpegli_table(quality))


def test_unknown_tables_give_a_quality_near_by():
    table = np.clip(np.rint(LUMA_TABLES[69] * np.linspace(0.7, 1.4, 64)), 1, 255).astype(int)
    answer = read_quality(tiles(with_tables(textured(8, 512), table)))
    assert abs(answer[0] - nearest_quality(table)) <= 5


def test_a_stated_table_agrees_with_its_own_pixels_alone():
    pixels = saved(textured(9), 55)
    share, in_luma = stated_share(tiles(pixels), LUMA_TABLES[54].tolist())
    assert share > 0.9 and in_luma
    assert stated_share(tiles(pixels), LUMA_TABLES[79].tolist())[0] < 0.3
    assert stated_share(tiles(textured(9)), LUMA_TABLES[79].tolist()) == (1, True)  # nothing contradicts it


def test_turned_tables_exchange_rows_and_columns():
    table = turned(LUMA_TABLES[49:50])[0].reshape(8, 8)
    assert np.array_equal(table.T.ravel(), LUMA_TABLES[49])
