import numpy as np
import pytest

from cliqa.signal.psnr import grey_psnr

pytest.importorskip("cv2")
from cliqa.training.noise_families import FAMILIES, bilinear, draw_family, edge_aware, mosaic
from cliqa.training.noisy_photos import make_picture, to_uint8


def scene(height: int = 160, width: int = 200) -> np.ndarray:
    """A smooth picture with an edge and colours: float32 0-255."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    planes = [90 + 50 * np.sin(x / 30), 110 + 40 * np.cos(y / 25), 100 + 30 * np.sin((x + y) / 40)]
    image = np.dstack(planes)
    image[:, width // 2 :] += 30
    return image.astype(np.float32)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("psnr", [28.0, 38.0])
def test_families_reach_the_wanted_psnr(family, psnr):
    image = scene()
    for seed in range(4):
        base, noisy = FAMILIES[family][0](np.random.default_rng(seed), image, psnr)
        assert base.dtype == noisy.dtype == np.float32 and base.shape == noisy.shape
        found = grey_psnr(to_uint8(base), to_uint8(noisy))
        assert found == pytest.approx(psnr, abs=3.0 if family in ("structured", "chroma") else 1.5)


def test_the_seed_decides():
    image = scene()
    for family, _ in FAMILIES.values():
        one, other = (family(np.random.default_rng(5), image, 30.0)[1] for _ in range(2))
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("demosaic", [bilinear, edge_aware])
def test_demosaicing_keeps_flat_colour(demosaic):
    image = np.broadcast_to(np.array([0.2, 0.5, 0.7], np.float32), (32, 32, 3))
    found = demosaic(mosaic(image))
    np.testing.assert_allclose(found[4:-4, 4:-4], image[4:-4, 4:-4], atol=1e-5)


def test_pictures_know_their_noise():
    photo = to_uint8(scene(300, 320))
    pictures = [make_picture(np.random.default_rng(seed), lambda: photo) for seed in range(16)]
    assert all(picture.pixels.dtype == np.uint8 and 10 < picture.psnr <= 50 for picture in pictures)
    assert all(picture.psnr == 50 for picture in pictures if picture.family == "clean")
    assert len({picture.family for picture in pictures}) >= 4


def test_shares_are_probabilities():
    assert sum(share for _, share in FAMILIES.values()) == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    assert {draw_family(rng) for _ in range(300)} == set(FAMILIES)
