"""Two shots of one scene are told from copies by their pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from cliqa.signal.copies.shots import Shots, compare
from tests.signal.copies.scenes import fine_scene
from tests.signal.copies.test_motion import WHOLE, window

SEEDS = [1, 2, 3]


def between(first: Image.Image, second: Image.Image, box: tuple[float, float, float, float] = WHOLE) -> Shots:
    return compare(np.asarray(first.convert("L")), np.asarray(second.convert("L")), box)


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_turn_that_smaller_pictures_do_not_show_is_seen(seed: int) -> None:
    scene = fine_scene(seed)
    assert between(window(scene), jpeg(window(scene, turn=0.1), 90)).turned


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pixel_beyond_the_border_is_seen(seed: int) -> None:
    scene = fine_scene(seed)
    assert between(window(scene), jpeg(window(scene, 1, 1), 90)).beyond


@pytest.mark.parametrize("seed", SEEDS)
def test_copies_are_one_shot(seed: int) -> None:
    image = window(fine_scene(seed))
    assert not between(image, image).two
    assert not between(image, jpeg(image, 40)).two
    assert not between(image, image.resize((170, 170), Image.Resampling.LANCZOS)).two
    assert not between(image.resize((900, 900), Image.Resampling.BICUBIC), image).two
    assert not between(image, ImageEnhance.Contrast(ImageEnhance.Brightness(image).enhance(1.3)).enhance(1.3)).two
    box = (20 / 480, 14 / 480, 455 / 480, 470 / 480)
    assert not between(image, jpeg(image.crop((20, 14, 455, 470)), 80), box).two


@pytest.mark.parametrize("seed", SEEDS)
def test_a_watermark_has_not_moved(seed: int) -> None:
    image = window(fine_scene(seed))
    marked = image.convert("RGB")
    ImageDraw.Draw(marked, "RGBA").text((60, 300), "© Photographer", font_size=50, fill=(255, 255, 255, 200))
    assert not between(image, jpeg(marked, 90)).two


@pytest.mark.parametrize("seed", SEEDS)
def test_a_subject_that_moved_is_seen(seed: int) -> None:
    before, after = window(fine_scene(seed)), window(fine_scene(seed))
    subject = fine_scene(seed + 9).crop((100, 100, 180, 200))
    before.paste(subject, (100, 200))
    after.paste(subject, (250, 190))
    found = between(before, jpeg(after, 90))
    assert found.moved and not (found.turned or found.beyond or found.swayed)


@pytest.mark.parametrize("seed", SEEDS)
def test_leaves_in_the_wind_are_seen(seed: int) -> None:
    image = window(fine_scene(seed))
    rng = np.random.default_rng(seed)
    x, y = (
        np.asarray(
            Image.fromarray(rng.normal(0, 2.5, (9, 9)).astype(np.float32)).resize((480, 480), Image.Resampling.BICUBIC)
        )
        for _ in range(2)
    )
    rows, columns = np.mgrid[:480, :480]
    places = np.clip(np.rint(rows + y), 0, 479).astype(int), np.clip(np.rint(columns + x), 0, 479).astype(int)
    assert between(image, Image.fromarray(np.asarray(image)[places])).two


def test_flat_and_tiny_pictures_are_one_shot() -> None:
    flat = Image.new("L", (480, 300), 128)
    assert not between(flat, flat).two
    tiny = fine_scene(1).resize((40, 60))
    assert not between(tiny, tiny).two


def test_copies_are_found_where_who_aligned_them_was_misled() -> None:
    image = window(fine_scene(4))
    found = between(image, jpeg(image, 60), (0.15, -0.12, 1.1, 0.9))
    assert not found.two and found.box == pytest.approx(WHOLE, abs=1e-3) and found.tones < 1
