from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cliqa.signal.noise.psnr import grey_psnr
from cliqa.training.photos import Photo

pytest.importorskip("cv2")
from cliqa.training.histories.filters import to_uint8
from cliqa.training.histories.picture import Picture
from cliqa.training.noise.canvases import LAYOUTS, TILE, Sources, busyness, draw_canvas
from cliqa.training.noise.demosaicing import bilinear, edge_aware, gradient_corrected, mosaic
from cliqa.training.noise.denoisers import draw_denoiser, edge_weight, kept_at_edges
from cliqa.training.noise.families import FAMILIES, draw_family
from cliqa.training.noise.noisy_photos import as_jpeg, make_picture
from cliqa.training.noise.shots import draw_chain, moved
from cliqa.training.noise.textures import texture


def scene(height: int = 160, width: int = 200) -> np.ndarray:
    """A smooth picture with an edge and colours: float32 0-255."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    planes = [90 + 50 * np.sin(x / 30), 110 + 40 * np.cos(y / 25), 100 + 30 * np.sin((x + y) / 40)]
    image = np.dstack(planes)
    image[:, width // 2 :] += 30
    return image.astype(np.float32)


LOOSE = {"structured": 3.0, "impulses": 6.0}  # dB; others reach the wanted PSNR closely


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"shots", "chroma", "colours"}))
@pytest.mark.parametrize("psnr", [28.0, 38.0])
def test_families_reach_the_wanted_psnr(family, psnr):
    image = scene()
    for seed in range(4):
        base, noisy = FAMILIES[family].make(np.random.default_rng(seed), image, psnr)
        assert base.dtype == noisy.dtype == np.float32 and base.shape == noisy.shape
        assert grey_psnr(to_uint8(base), to_uint8(noisy)) == pytest.approx(psnr, abs=LOOSE.get(family, 1.5))


def test_two_shots_differ_only_by_their_noise():
    image = scene()
    make = FAMILIES["shots"].make
    strong, weak = (
        [grey_psnr(*(to_uint8(shot) for shot in make(np.random.default_rng(seed), image, psnr))) for seed in range(8)]
        for psnr in (22.0, 44.0)
    )
    assert all(much < little for much, little in zip(strong, weak, strict=True))


def test_a_chain_without_noise_and_motion_takes_the_same_shot_twice():
    image = scene()
    chain = replace(draw_chain(np.random.default_rng(3), 30.0), deviation=0.0, motion=0.0)
    one, other = (chain.shoot(np.random.default_rng(seed), image) for seed in range(2))
    np.testing.assert_array_equal(one, other)


def test_moving_takes_the_picture_along():
    image = scene()
    np.testing.assert_allclose(moved(image, 2.0, -1.0)[8:-8, 8:-8], image[9:-7, 6:-10], atol=1e-3)
    half = moved(image, 0.5, 0.0)[8:-8, 8:80]
    assert np.abs(half - (image[8:-8, 7:79] + image[8:-8, 8:80]) / 2).max() < 0.5


def test_edges_keep_their_noise():
    rng = np.random.default_rng(0)
    image = np.full((64, 96, 3), 80, np.float32)
    image[:, 48:] = 180
    noisy = image + rng.normal(0, 6, image.shape).astype(np.float32)
    weight = edge_weight(image, 4.0)[..., 0]
    assert weight.shape == (64, 96) and weight[:, :32].max() < 0.01 and weight[:, 47:49].min() > 0.9
    found = kept_at_edges(lambda picture: image, 4.0)(noisy)
    np.testing.assert_array_equal(found[:, :32], image[:, :32])
    assert np.std((found - image)[:, 47:49]) > 0.8 * np.std((noisy - image)[:, 47:49])


def test_the_seed_decides():
    image = scene()
    for family in FAMILIES.values():
        one, other = (family.make(np.random.default_rng(5), image, 30.0)[1] for _ in range(2))
        np.testing.assert_array_equal(one, other)


def test_denoisers_keep_flat_areas_and_weaken_noise():
    rng = np.random.default_rng(0)
    flat = np.full((48, 56, 3), 120, np.float32)
    noisy = flat + rng.normal(0, 12, flat.shape).astype(np.float32)
    for seed in range(40):
        denoiser = draw_denoiser(np.random.default_rng(seed), 12.0)
        np.testing.assert_allclose(denoiser(flat), flat, atol=1.0)
        assert np.std(denoiser(noisy)) < 0.98 * np.std(noisy)


@pytest.mark.parametrize("demosaic", [bilinear, gradient_corrected, edge_aware])
def test_demosaicing_keeps_flat_colour(demosaic):
    image = np.broadcast_to(np.array([0.2, 0.5, 0.7], np.float32), (32, 32, 3))
    found = demosaic(mosaic(image))
    np.testing.assert_allclose(found[4:-4, 4:-4], image[4:-4, 4:-4], atol=1e-5)


def test_pictures_know_their_noise():
    photo = to_uint8(scene(300, 320))
    pictures = [make_picture(np.random.default_rng(seed), lambda rng: photo) for seed in range(16)]
    assert all(picture.pixels.dtype == np.uint8 and 10 < picture.noise_psnr()[0] <= 50 for picture in pictures)
    assert all(picture.noise_psnr() == (50, 50) for picture in pictures if picture.noise == "clean")
    assert len({picture.noise for picture in pictures}) >= 4


def test_shares_are_probabilities():
    assert sum(family.share for family in FAMILIES.values()) == pytest.approx(1.0)
    assert sum(LAYOUTS.values()) == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    assert {draw_family(rng) for _ in range(600)} == {name for name, family in FAMILIES.items() if family.share}


def test_published_photographs_lend_their_content_at_half_size(tmp_path):
    Image.fromarray(to_uint8(scene(96, 128))).save(tmp_path / "a.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "drawn.png")
    sources = Sources.of([Photo(tmp_path / "drawn.png", "drawn", "d", "train")], [tmp_path / "a.png"])
    drawn = [sources.draw(np.random.default_rng(seed)).shape[:2] for seed in range(40)]
    assert drawn.count((48, 64)) > 20 and (64, 64) in drawn


def test_dense_texture_is_busy_and_edges_are_not(tmp_path):
    rng = np.random.default_rng(0)
    pictures = {"flat": np.full((96, 128, 3), 90), "edges": to_uint8(scene(96, 128))}
    pictures["dense"] = 90 + 20 * rng.integers(0, 2, (96, 128, 3))
    for name, pixels in pictures.items():
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{name}.png")
    found = {name: busyness((tmp_path / f"{name}.png", False)) for name in pictures}
    assert found["flat"] == 0 and found["edges"] < 2 and found["dense"] > 20
    sources = Sources.of([Photo(tmp_path / f"{name}.png", "lossless", name, "train") for name in pictures])
    drawn = [float(sources.draw(np.random.default_rng(seed)).std()) for seed in range(60)]
    assert sum(value == float(pictures["dense"].astype(np.uint8).std()) for value in drawn) > 24


def test_enlarged_crops_are_soft():
    photo = texture(0)
    sharp, soft = (draw_canvas(np.random.default_rng(3), lambda rng: photo, 256, 256, share) for share in (0.0, 1.0))
    assert np.abs(np.diff(soft, axis=1)).mean() < 0.8 * np.abs(np.diff(sharp, axis=1)).mean()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_canvases_have_the_size_of_their_tiles(layout):
    height, width = (count * TILE for count in layout)
    for seed in range(6):
        photo = to_uint8(scene(100, 400) if seed % 2 else scene(300, 320))
        canvas = draw_canvas(np.random.default_rng(seed), lambda rng, photo=photo: photo, height, width)
        assert canvas.shape == (height, width, 3) and canvas.dtype == np.float32
        assert canvas.min() >= 0 and canvas.max() <= 255


def test_textures_are_made_from_their_number():
    for number in range(3):
        made = texture(number)
        assert made.shape == (512, 512, 3) and made.std() > 5
        texture.cache_clear()
        np.testing.assert_array_equal(made, texture(number))


def test_jpeg_keeps_the_size():
    picture = to_uint8(scene(128, 256))
    for seed in range(12):
        saved = as_jpeg(85)(np.random.default_rng(seed), Picture(picture))
        assert saved.pixels.shape == picture.shape and saved.pixels.dtype == np.uint8
        assert saved.jpeg_last == 85 and saved.grid is not None
