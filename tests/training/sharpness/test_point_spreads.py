import cv2
import numpy as np
import pytest

from cliqa.training.sharpness.point_spreads import (
    LARGEST,
    aperture,
    draw_spread,
    gaussian,
    haloed,
    moments,
    shaken,
    straight,
)


@pytest.mark.parametrize("sigma", [0.6, 1.5, 4.0])
def test_a_gaussian_is_that_of_opencv(sigma):
    impulse = np.zeros((61, 61), np.float32)
    impulse[30, 30] = 1
    found = cv2.filter2D(impulse, -1, gaussian(sigma).kernel)
    np.testing.assert_allclose(found, cv2.GaussianBlur(impulse, (61, 61), sigma), atol=2e-3)
    assert gaussian(sigma).sigma == sigma and gaussian(sigma).motion == 0


def test_a_disc_is_a_gaussian_of_half_its_radius():
    for radius in (3.0, 6.0, 10.0):
        spread = aperture(radius)
        assert spread.sigma == pytest.approx(radius / 2, rel=0.08)  # its antialiased rim adds a little
        assert moments(spread.kernel)[0] == pytest.approx(radius**2 / 4, rel=0.06)
    assert aperture(6.0, 6).sigma < aperture(6.0).sigma  # a hexagon lies within the circle


def test_a_faint_halo_changes_the_sigma_little_and_the_second_moment_much():
    spread = haloed(1.5, 0.15, 3.0)
    assert 1.5 < spread.sigma < 1.9 and np.sqrt(moments(spread.kernel)[0]) > 2


@pytest.mark.parametrize("angle", [0, 35, 90, 150])
def test_a_straight_path_has_its_length_and_angle(angle):
    spread = straight(14, angle, 0.5)
    assert spread.motion == pytest.approx(14, rel=0.03) and abs((spread.angle - angle + 90) % 180 - 90) < 1
    assert spread.sigma == pytest.approx(np.sqrt((14**2 / 12 + 2 * 0.5**2 + 1 / 6 * 2) / 2), rel=0.05)


def test_spreads_sum_to_one_and_say_how_large_they_are():
    rng = np.random.default_rng(0)
    families = set()
    for _ in range(150):
        spread = draw_spread(rng)
        assert spread.kernel.sum() == pytest.approx(1, abs=1e-4) and spread.kernel.min() >= 0
        assert all(side % 2 for side in spread.kernel.shape) and 0.2 < spread.sigma < 1.4 * LARGEST
        large, small, _ = moments(spread.kernel)
        if spread.family in ("motion", "shake"):
            assert spread.sigma == pytest.approx(np.sqrt((large + small) / 2), rel=1e-3)
        families.add(spread.family)
    assert families == {"gaussian", "stretched", "disc", "polygon", "haloed", "motion", "shake"}


def test_shaken_paths_have_their_arc():
    rng = np.random.default_rng(1)
    assert 0 < shaken(rng, 20, 0.3).sigma < 20 / np.sqrt(12)
