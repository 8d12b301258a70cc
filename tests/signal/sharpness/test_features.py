import numpy as np
import pytest
from scipy import ndimage

from cliqa.signal.sharpness.features import (
    DIRECTIONS,
    LEVELS,
    RINGS,
    WIDTH,
    gains,
    polar_power,
    slopes,
    tile_features,
)
from cliqa.signal.sharpness.tiles import TILE

SPECTRUM = (len(RINGS) - 1) * DIRECTIONS


def shapes(count: int = 12, seed: int = 0) -> np.ndarray:
    """Tiles of discs and noise: edges in all directions, float (count, TILE, TILE)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:TILE, :TILE]
    tiles = np.full((count, TILE, TILE), 120.0)
    for tile in tiles:
        for _ in range(12):
            inside = np.hypot(x - rng.uniform(0, TILE), y - rng.uniform(0, TILE)) < rng.uniform(3, 14)
            tile[inside] = rng.uniform(30, 220)
    return tiles


def moved(tiles: np.ndarray, length: int, angle: float) -> np.ndarray:
    """Each moved along a straight line."""
    steps = np.linspace(-length / 2, length / 2, 2 * length + 1)
    places = [(s * np.sin(np.radians(angle)), s * np.cos(np.radians(angle))) for s in steps]
    return np.mean([ndimage.shift(tiles, (0, *place), order=1, mode="mirror") for place in places], axis=0)


def features_of(tiles: np.ndarray) -> tuple[np.ndarray, float]:
    pixels = np.clip(np.rint(tiles), 0, 255).astype(np.uint8)
    return tile_features(pixels, np.zeros(len(tiles), bool))


def test_power_of_white_noise_is_its_variance_in_every_ring_and_direction():
    noise = np.random.default_rng(0).normal(0, 10, (400, TILE, TILE)).astype(np.float32)
    power = polar_power(noise - noise.mean(axis=(1, 2), keepdims=True)).mean(axis=0)
    np.testing.assert_allclose(power[2:], 100, rtol=0.12)


def test_a_wave_shows_in_its_ring_and_direction():
    _, x = np.mgrid[:TILE, :TILE]
    wave = 40 * np.cos(2 * np.pi * 12 * x / TILE)
    power = polar_power(wave[None].astype(np.float32))[0]
    ring, direction = np.unravel_index(power.argmax(), power.shape)
    assert RINGS[ring] <= 12 < RINGS[ring + 1] and direction == 0


@pytest.mark.parametrize("angle", [0, 25, 60, 90, 140])
def test_the_direction_of_motion_is_found(angle):
    _, found = features_of(moved(shapes(), 9, angle))
    assert abs((found - angle + 90) % 180 - 90) < 8


def test_a_step_blurred_by_sigma_has_the_slope_of_a_gaussian():
    _, x = np.mgrid[:TILE, :TILE]
    step = np.where(x < TILE // 2, 60.0, 180.0)
    for sigma in (1.0, 2.0, 4.0):
        tile = ndimage.gaussian_filter(step, (0, sigma), mode="nearest")[None].astype(np.float32)
        steepest = np.exp(slopes(tile, 0.0)[0, 2])  # the maximum along, at the finest scale
        assert np.sqrt(steepest) == pytest.approx(120 / (sigma * np.sqrt(2 * np.pi)), rel=0.06)


def test_blur_lowers_the_outer_rings_most():
    tiles = shapes()
    before, after = (features_of(t)[0][:, :SPECTRUM].reshape(len(t), -1, DIRECTIONS).mean(axis=(0, 2)) for t in (
        tiles, ndimage.gaussian_filter(tiles, (0, 1.5, 1.5))))  # fmt: skip
    loss = before - after
    assert (np.diff(loss[1:7]) > 0).all() and loss[0] < 0.5 < loss[6]


def test_features_rise_with_contrast_as_they_say():
    tiles = shapes()
    weak, strong = (features_of(120 + gain * (tiles - 120))[0] for gain in (0.5, 1.0))
    rise = np.median(strong - weak, axis=0) / np.log(2)
    loud = np.median(weak, axis=0) > 3  # far from rounding
    chosen = loud & (gains() == 2)
    assert chosen.sum() > 60
    np.testing.assert_allclose(rise[chosen], 2, atol=0.15)
    assert weak.shape == (len(tiles), WIDTH) and gains().shape == (WIDTH,)
    assert SPECTRUM + 6 * LEVELS + 9 == WIDTH


def test_flat_tiles_give_finite_features():
    for value in (0, 128, 255):
        features, angle = tile_features(np.full((3, TILE, TILE), value, np.uint8), np.array([False, True, True]))
        assert np.isfinite(features).all() and 0 <= angle < 180
