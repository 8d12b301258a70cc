import numpy as np
import pytest

from cliqa.training.noise.families import FAMILIES
from cliqa.training.scale.finishing import JPEG, NOISES, SAVES, SPEEDS, finished, noisy, saved, saved_before, saved_by
from tests.rough_pictures import colored

pytest.importorskip("cv2")


def test_saving_changes_little():
    source = colored(64, 64)
    pixels = saved(np.random.default_rng(5), source, 90, 99)
    assert pixels.shape == source.shape and 0 < np.abs(pixels.astype(int) - source).mean() < 6


@pytest.mark.parametrize("how", SAVES)
def test_every_way_to_keep_a_picture_gives_a_picture(how):
    source = colored(96, 112)
    pixels = saved_by(np.random.default_rng(1), source, how)
    assert pixels.shape == source.shape and pixels.dtype == np.uint8
    assert (how == "none") == bool((pixels == source).all())


def test_shares_sum_to_one_and_every_family_of_noise_has_one():
    assert all(abs(sum(shares.values()) - 1) < 1e-9 for shares in (SAVES, SPEEDS, NOISES))
    assert set(NOISES) == set(FAMILIES) and set(JPEG) < set(SAVES)


def test_noise_is_as_strong_as_it_says():
    source = np.full((128, 128, 3), 128, np.uint8)
    deviations = [float(noisy(np.random.default_rng(seed), source).astype(float).std()) for seed in range(12)]
    assert min(deviations) > 0.3 and np.median(deviations) < 30 and max(deviations) > 4 * min(deviations)


def test_what_comes_after_is_seeded_and_leaves_a_picture():
    source = colored(200, 220)
    for seed in range(8):
        one, again = (finished(np.random.default_rng(seed), source) for _ in range(2))
        np.testing.assert_array_equal(one, again)
        assert one.dtype == np.uint8 and one.shape[2] == 3 and min(one.shape[:2]) >= 48
    before = saved_before(np.random.default_rng(3), source)
    assert max(a - b for a, b in zip(source.shape, before.shape, strict=True)) <= 8
