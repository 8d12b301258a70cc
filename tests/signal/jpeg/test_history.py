"""All evidence of saves gathered: the grid, its steps, an earlier save, an older grid."""

from __future__ import annotations

import numpy as np

from cliqa.signal.jpeg.blocks import luma
from cliqa.signal.jpeg.history import (
    likeliest_steps,
    read_history,
    read_lattice,
    table_distances,
)
from cliqa.signal.jpeg.quantization import LUMA_TABLES
from tests.jpeg_pictures import saved, textured, tiles


def test_one_save_gives_its_table_and_nothing_before_it():
    history = read_history(tiles(saved(textured(2), 70)))
    assert history.grid == 0 and history.quality.argmax() + 1 == 70
    sure = history.known > 0.9
    assert sure.sum() > 5
    np.testing.assert_array_equal(history.steps[sure], LUMA_TABLES[69][sure])
    assert abs(history.nearest - 70) <= 2 and history.fit[69] < 0.05
    assert history.previous.max() < 20 and history.proof.exact == 0.0  # a proof is asked of clipped blocks alone


def test_a_save_before_the_last_shows_on_the_same_grid_and_on_an_older_one():
    twice = read_history(tiles(saved(saved(textured(3), 50), 85)))
    assert abs(int(twice.previous.argmax()) + 1 - 50) <= 1 and twice.previous.max() > 50
    moved = read_history(tiles(saved(np.ascontiguousarray(saved(textured(3, 400), 50)[4:, 2:]), 92)))
    assert (-4 % 8) * 8 + (-2 % 8) in moved.older_grids
    assert np.diff(moved.older_scores).max() <= 0


def test_a_picture_that_was_never_saved_fits_no_table():
    history = read_history(tiles(textured(4)))
    assert history.quality[:95].max() < 0 and history.newest[:, :90].max() < 30


def test_more_blocks_than_asked_for_are_thinned_out():
    rgb = tiles(saved(textured(5, 512), 75))
    y = luma(rgb)
    few, all_of_them = read_lattice(rgb, y, 0, most=200), read_lattice(rgb, y, 0, most=10**6)
    assert 200 <= len(few.blocks) <= 400 < len(all_of_them.blocks)
    assert few.quality.argmax() == all_of_them.quality.argmax() == 74


def test_unknown_steps_are_drawn_to_the_table_and_do_not_count():
    steps, known = likeliest_steps(np.zeros((64, 255), np.float32), 59)
    np.testing.assert_array_equal(steps, np.minimum(LUMA_TABLES[59], 255))
    assert not known.any()
    evidence = np.zeros((64, 255), np.float32)
    evidence[1, 9] = 100.0
    steps, known = likeliest_steps(evidence, 59)
    assert steps[1] == 10 and known[1] == 1.0
    assert table_distances(LUMA_TABLES[30].astype(np.float32), np.ones(64, np.float32)).argmin() == 30
