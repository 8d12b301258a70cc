import numpy as np
import pytest
from PIL import Image

from cliqa.training.histories.picture import Picture
from cliqa.training.noise.families import FAMILIES
from cliqa.training.scale.resized_photos import (
    FINISH,
    KEPT_OUT,
    KERNELS,
    KINDS,
    LARGEST,
    NOISES,
    SAVES,
    SHARES,
    SPEEDS,
    _resized,
    enlarged,
    random_factors,
    random_reduction,
    reduced,
    resized_photo,
)
from cliqa.training.scale.sources import periodic, smooth
from tests.rough_pictures import colored

pytest.importorskip("cv2")
pytest.importorskip("scipy")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for kind, name in (("lossless", "a.png"), ("camera", "b.jpg"), ("drawn", "c.png")):
        (root / kind).mkdir()
        Image.fromarray(colored(160, 200)).save(root / kind / name)
    return str(root)


def test_examples_are_seeded_and_share_their_resizing(folder):
    from cliqa.training.photos import read_photos

    split = read_photos(folder)[0].split
    one = resized_photo(np.random.default_rng(1), folder, split, 0, 5)
    again = resized_photo(np.random.default_rng(1), folder, split, 0, 5)
    np.testing.assert_array_equal(one[0].pixels, again[0].pixels)
    other = resized_photo(np.random.default_rng(2), folder, split, 0, 5)
    assert one[1] == again[1] == other[1] and one[1] in KINDS
    assert one[0].factors == again[0].factors == other[0].factors


def test_enlarged_says_the_factor():
    rng = np.random.default_rng(0)
    for _ in range(6):
        picture = enlarged(rng, Picture(colored(160, 180)))
        assert picture.pixels.dtype == np.uint8 and picture.pixels.ndim == 3
        assert min(picture.factors) >= 1.0 and max(picture.factors) <= 16.5


def test_reduced_is_smaller():
    picture = reduced(np.random.default_rng(1), Picture(colored(200, 200)), (0.5, 0.9))
    assert picture.pixels.shape == (100, 180, 3) and picture.factors == (1, 1)
    drawn = np.array([random_reduction(np.random.default_rng(seed), 0.4) for seed in range(60)])
    assert drawn.min() >= 0.4 and drawn.max() <= 1.0 and 0.05 < np.mean(drawn[:, 0] != drawn[:, 1]) < 0.4


def test_no_more_is_resized_than_the_metric_reads(folder):
    from cliqa.training.photos import read_photos

    split, seen = read_photos(folder)[0].split, set()
    for seed in range(40):
        picture, how = _resized(np.random.default_rng(seed), folder, split)
        seen.add(how)
        if how != "enlarged":
            assert picture.factors == (1, 1)
        if how in ("reduced", "saved and reduced"):
            assert max(picture.pixels.shape[:2]) <= LARGEST + 16
        assert bool(picture.saves) == (how == "saved and reduced") or how == "enlarged"
    assert len(seen) > 4 and abs(sum(SHARES.values()) - 1) < 1e-9


def test_a_grid_is_periodic():
    flat = np.full((64, 300, 3), 128, np.uint8)
    pixels = [periodic(np.random.default_rng(seed), flat) for seed in range(8)]
    assert all(each.shape == flat.shape and each.std() > 0 for each in pixels)


def test_smooth_pictures_are_smooth():
    pixels = [smooth(np.random.default_rng(seed), 160) for seed in range(12)]
    steps = [np.abs(np.diff(each.astype(float), axis=1)).mean() for each in pixels]
    assert all(each.shape == (160, 160, 3) and each.dtype == np.uint8 for each in pixels)
    assert np.median(steps) < 4 and min(np.ptp(each) for each in pixels) > 5


def test_what_is_for_testing_is_kept_out():
    rng = np.random.default_rng(6)
    drawn = {KERNELS(rng).kernel for _ in range(300)}
    assert {"bicubic", "nearest", "lanczos3"} < drawn and not drawn & set(KEPT_OUT)
    finished = [FINISH(np.random.default_rng(seed), Picture(colored(100, 100))) for seed in range(60)]
    assert {save.codec for picture in finished for save in picture.saves} == {"jpeg", "webp", "avif"}


def test_shares_sum_to_one_and_every_family_of_noise_has_one():
    assert all(abs(sum(shares.values()) - 1) < 1e-9 for shares in (SAVES, SPEEDS, NOISES))
    assert set(NOISES) == set(FAMILIES)


def test_what_comes_after_is_seeded_and_leaves_a_picture():
    for seed in range(8):
        one, again = (FINISH(np.random.default_rng(seed), Picture(colored(200, 220))) for _ in range(2))
        np.testing.assert_array_equal(one.pixels, again.pixels)
        assert one.pixels.dtype == np.uint8 and min(one.pixels.shape[:2]) >= 48 and one.factors == (1, 1)


def test_factors_cover_their_range():
    rng = np.random.default_rng(4)
    drawn = np.array([random_factors(rng) for _ in range(2000)])
    assert drawn.min() >= 1.0 and 8 < drawn.max() <= 16.0
    assert 0.1 < np.mean(drawn[:, 0] != drawn[:, 1]) < 0.3
    assert 0.06 < np.mean(drawn[:, 0] > 2) < 0.14
