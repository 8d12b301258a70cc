"""Frames of one scene are told from copies by what moved between them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from cliqa.signal.copies.motion import SIDE, motion
from tests.signal.copies.scenes import fine_scene

WHOLE = (0.0, 0.0, 1.0, 1.0)


def small(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=None))


def between(first: Image.Image, second: Image.Image, box: tuple[float, ...] = WHOLE) -> tuple[bool, bool, bool]:
    found = motion(small(first)[None], small(second)[None], np.array([box], np.float32))
    return bool(found.turned[0]), bool(found.beyond[0]), bool(found.moved[0])


def window(image: Image.Image, right: float = 0.0, down: float = 0.0, turn: float = 0.0) -> Image.Image:
    """What a camera sees of a scene of 600 pixels: 480 of them."""
    turned = image.rotate(turn, Image.Resampling.BICUBIC, center=(300 + right, 300 + down))
    return turned.transform(
        (480, 480), Image.Transform.AFFINE, (1, 0, 60 + right, 0, 1, 60 + down), Image.Resampling.BICUBIC
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_camera_that_turned_is_seen(seed: int) -> None:
    scene = fine_scene(seed)
    assert between(window(scene), window(scene, turn=0.4))[0]
    assert not any(between(window(scene), window(scene)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_shows_what_the_other_does_not_where_the_camera_moved(seed: int) -> None:
    scene = fine_scene(seed)
    assert between(window(scene), window(scene, 8, 3)) == (False, True, False)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_crop_shows_nothing_beyond_its_original(seed: int) -> None:
    image = window(fine_scene(seed))
    crop = image.crop((20, 14, 455, 470))
    box = (20 / 480, 14 / 480, 455 / 480, 470 / 480)
    assert not any(between(image, crop, tuple(np.add(box, 0.01))))
    assert not any(between(crop, image, (-0.046, -0.031, 1.057, 1.022)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_tones_and_watermarks_are_no_motion(seed: int) -> None:
    image = window(fine_scene(seed))
    assert not any(between(image, ImageEnhance.Contrast(ImageEnhance.Brightness(image).enhance(1.3)).enhance(1.3)))
    marked = image.copy()
    ImageDraw.Draw(marked).rectangle((60, 300, 300, 330), fill=255)
    assert not any(between(image, marked))


def test_most_subjects_that_moved_are_seen() -> None:
    found = []
    for seed in range(8):
        before, after = window(fine_scene(seed)), window(fine_scene(seed))
        subject = fine_scene(seed + 9).crop((100, 100, 220, 240))
        before.paste(subject, (100, 200))
        after.paste(subject, (250, 190))
        found.append(between(before, after) == (False, False, True))
    assert sum(found) >= 5


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_a_tone_curve_clips_has_not_moved(seed: int) -> None:
    image = window(fine_scene(seed))
    assert not any(between(image, ImageEnhance.Brightness(image).enhance(1.8)))
    assert not any(between(image, image.point(lambda value: max(0, 3 * value - 200))))


def test_no_pairs_give_nothing() -> None:
    nothing = np.zeros((0, SIDE, SIDE), np.uint8)
    assert len(motion(nothing, nothing, np.zeros((0, 4), np.float32)).turned) == 0


def test_flat_pictures_have_not_moved() -> None:
    flat = Image.new("L", (480, 480), 128)
    assert not any(between(flat, flat))
