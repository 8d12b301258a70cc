import numpy as np
import pytest
from PIL import Image

from cliqa.training.scale.resized_photos import (
    KEPT_OUT,
    KINDS,
    LARGEST,
    SHARES,
    _resampler,
    _resized,
    crop,
    enlarged,
    periodic,
    random_factors,
    random_reduction,
    reduced,
    resized_photo,
)
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
    np.testing.assert_array_equal(one[0], again[0])
    other = resized_photo(np.random.default_rng(2), folder, split, 0, 5)
    assert one[1:] == again[1:] == other[1:] and one[3] in KINDS


def test_enlarged_says_the_factor():
    rng = np.random.default_rng(0)
    for _ in range(6):
        pixels, y, x = enlarged(rng, colored(160, 180))
        assert pixels.dtype == np.uint8 and pixels.ndim == 3
        assert min(x, y) >= 1.0 and max(x, y) <= 16.5


def test_reduced_is_smaller():
    pixels = reduced(np.random.default_rng(1), colored(200, 200), (0.5, 0.9))
    assert pixels.shape == (100, 180, 3)
    drawn = np.array([random_reduction(np.random.default_rng(seed), 0.4) for seed in range(60)])
    assert drawn.min() >= 0.4 and drawn.max() <= 1.0 and 0.05 < np.mean(drawn[:, 0] != drawn[:, 1]) < 0.4


def test_no_more_is_resized_than_the_metric_reads(folder):
    from cliqa.training.photos import read_photos

    split, seen = read_photos(folder)[0].split, set()
    for seed in range(40):
        pixels, x, y, how = _resized(np.random.default_rng(seed), folder, split)
        seen.add(how)
        if how in ("reduced", "saved and reduced"):
            assert max(pixels.shape[:2]) <= LARGEST + 16 and x == y == 1.0
    assert len(seen) > 4 and abs(sum(SHARES.values()) - 1) < 1e-9


def test_a_grid_is_periodic():
    flat = np.full((64, 300, 3), 128, np.uint8)
    pixels = [periodic(np.random.default_rng(seed), flat) for seed in range(8)]
    assert all(each.shape == flat.shape and each.std() > 0 for each in pixels)


def test_crop_keeps_the_grid():
    source = np.arange(64 * 64 * 3, dtype=np.int64).reshape(64, 64, 3).astype(np.uint8)
    positions = np.indices((64, 64)).transpose(1, 2, 0)
    for seed in range(5):
        part = crop(np.random.default_rng(seed), positions, 20, 30, grid=8)
        assert part.shape[:2] == (20, 30) and not (part[0, 0] % 8).any()
    assert crop(np.random.default_rng(0), source, 100, 100).shape == (64, 64, 3)


def test_kernels_for_testing_are_kept_out():
    rng = np.random.default_rng(6)
    drawn = {_resampler(rng).kernel for _ in range(300)}
    assert {"bicubic", "nearest", "lanczos3"} < drawn and not drawn & set(KEPT_OUT)


def test_factors_cover_their_range():
    rng = np.random.default_rng(4)
    drawn = np.array([random_factors(rng) for _ in range(2000)])
    assert drawn.min() >= 1.0 and 8 < drawn.max() <= 16.0
    assert 0.1 < np.mean(drawn[:, 0] != drawn[:, 1]) < 0.3
    assert 0.06 < np.mean(drawn[:, 0] > 2) < 0.14
