"""Light and tones of two pictures of one scene are compared."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from cliqa.signal.copies.light import OTHER_TONES, light_apart, tones_apart
from tests.signal.copies.scenes import fine_scene
from tests.signal.copies.test_motion import window
from tests.signal.copies.test_shots import jpeg


@pytest.mark.parametrize("ev", [-1.3, -0.4, 0.7])
def test_light_is_told_in_ev(ev: float) -> None:
    image = np.asarray(window(fine_scene(4)), np.float32) / 255
    other = np.clip(image * 2 ** (ev / 2.2), 0, 1)
    first, second = (np.rint(each * 255).astype(np.uint8) for each in (image, other))
    assert light_apart(first, second) == pytest.approx(ev, abs=0.05)
    assert light_apart(second, first) == pytest.approx(-ev, abs=0.05)


def test_light_of_an_over_exposed_picture_is_told_by_what_is_left() -> None:
    image = np.asarray(window(fine_scene(4)), np.float32) / 255 * 0.9 + 0.5
    first, second = (np.rint(np.clip(image * 2 ** (ev / 2.2), 0, 1) * 255).astype(np.uint8) for ev in (0.0, 0.8))
    assert light_apart(first, second) >= 0.3


def test_what_one_alone_has_clipped_tells_of_another_exposure() -> None:
    rng = np.random.default_rng(4)
    bright = np.clip(rng.normal(243, 4, (90, 90)), 0, 255).astype(np.uint8)
    brighter = np.clip(bright * 2 ** (0.6 / 2.2), 0, 255).astype(np.uint8)
    assert light_apart(bright, brighter) >= 0.5 and light_apart(brighter, bright) <= -0.5
    assert abs(light_apart(bright, np.clip(bright + 2, 0, 255).astype(np.uint8))) < 0.1  # what a codec does


def test_black_and_white_have_no_light_to_tell() -> None:
    page = np.full((100, 100), 255, np.uint8)
    assert light_apart(page, page) == light_apart(0 * page, 0 * page) == 0.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_copies_have_the_same_tones(seed: int) -> None:
    image = window(fine_scene(seed))
    small = image.resize((150, 150), Image.Resampling.LANCZOS)
    for copy in (image, jpeg(image, 30), jpeg(small, 60), ImageEnhance.Sharpness(image).enhance(2.0)):
        assert tones_apart(np.asarray(image), np.asarray(copy.convert("L"))) < OTHER_TONES


@pytest.mark.parametrize("ev", [-2.0, -1 / 3, 1 / 3, 0.7, 2.0])
@pytest.mark.parametrize("base", [0.35, 1.0, 1.5])
def test_exposures_have_other_tones(ev: float, base: float) -> None:
    """Dark, middling and bright scenes, of which the last is clipped at 2 EV more."""
    linear = (np.asarray(window(fine_scene(4)), np.float32) / 255) ** 2.2 * base
    first, second = (np.rint(255 * np.clip(linear * 2**by, 0, 1) ** (1 / 2.2)).astype(np.uint8) for by in (0, ev))
    assert tones_apart(first, second) >= OTHER_TONES
