"""What one picture lacks at a place is looked for elsewhere in it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cliqa.signal.copies.elsewhere import blurred, content_elsewhere, toned
from tests.signal.copies.scenes import fine_scene


def pixels(seed: int) -> np.ndarray:
    return np.asarray(fine_scene(seed).crop((60, 60, 540, 540)), np.float32)


def test_content_that_has_moved_is_found_and_new_content_is_not() -> None:
    before, after, logo = pixels(1), pixels(1), pixels(1)
    subject = np.asarray(fine_scene(10).crop((100, 100, 180, 200)), np.float32)
    before[200:300, 100:180] = subject
    after[190:290, 250:330] = subject
    logo[200:300, 100:180] = subject
    assert content_elsewhere(before, after)
    assert not content_elsewhere(pixels(1), logo)


def test_a_part_that_bends_is_found_nearby() -> None:
    before, after = pixels(2), pixels(2)
    rows, columns = np.mgrid[100:200, 100:200]
    across = np.rint(8 * np.sin(np.pi * (rows - 100) / 100) * np.sin(np.pi * (columns - 100) / 100)).astype(int)
    after[100:200, 100:200] = before[rows, columns + across]
    assert content_elsewhere(before, after)


def test_a_tone_curve_is_undone() -> None:
    image = pixels(3)
    curved = (255 * (image / 255) ** 1.7).astype(np.float32)
    assert np.abs(toned(image, curved) - curved).mean() < 1.5
    flat = np.full((80, 80), 9, np.float32)
    assert np.all(toned(flat, flat + 4) == 13)


def test_a_blur_keeps_shape_and_mean() -> None:
    image = np.asarray(Image.fromarray(pixels(4)).resize((90, 70)))
    assert blurred(image, 2.0).shape == (70, 90)
    assert abs(blurred(image, 2.0).mean() - image.mean()) < 1
