"""Scenes and what happens afterwards: sizes, kinds, and that a seed repeats them."""

import numpy as np
import pytest
from PIL import Image

from cliqa.training.histories.picture import Picture
from cliqa.training.learned.scenes import CONDITIONS, OTHERWISE, finished, make_scene, under
from tests.rough_pictures import colored


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for number in range(24):  # enough for every split
        Image.fromarray(colored(300, 360, seed=number)).save(folder / f"{number}.png")
    return str(folder)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_scene_has_the_sizes_that_were_asked_for(photos, scale):
    for seed in range(4):
        scene = make_scene(np.random.default_rng(seed), photos, "train", 192, scale, 2)
        assert scene.small.shape == (192 // scale, 192 // scale, 3) and scene.small.dtype == np.uint8
        assert [pixels.shape for pixels, _ in scene.others] == [(192, 192, 3)] * 2
        assert all(how in OTHERWISE for _, how in scene.others)


def test_a_seed_repeats_a_scene_and_others_do_not_change_the_small_picture_before_them(photos):
    one, two = (make_scene(np.random.default_rng(5), photos, "train", 128, 2, 1, "processed") for _ in range(2))
    np.testing.assert_array_equal(one.small, two.small)
    np.testing.assert_array_equal(one.others[0][0], two.others[0][0])


def test_every_finish_leaves_a_tile():
    pixels = colored(192, 192)
    for seed in range(60):
        assert min(finished(np.random.default_rng(seed), Picture(pixels), 128).pixels.shape[:2]) >= 128


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions(condition):
    pixels = colored(192, 192)
    done = under(condition, np.random.default_rng(0), pixels)
    assert done.shape[:2] == ((144, 144) if "0.75" in condition else (192, 192))
    assert (done.shape == pixels.shape and np.array_equal(done, pixels)) == (condition == "PNG")
