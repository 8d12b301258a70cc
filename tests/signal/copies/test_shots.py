"""Two shots of one scene are told from copies by their pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from cliqa.signal.copies.shots import Shots, compare, light_apart
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
    assert between(before, jpeg(after, 90)) == Shots(turned=False, beyond=False, swayed=False, moved=True)


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


@pytest.mark.parametrize("ev", [-1.3, -0.4, 0.7])
def test_light_is_told_in_ev(ev: float) -> None:
    image = np.asarray(window(fine_scene(4)), np.float32) / 255
    other = np.clip(image * 2 ** (ev / 2.2), 0, 1)
    first, second = (np.rint(each * 255).astype(np.uint8) for each in (image, other))
    assert light_apart(first, second, WHOLE) == pytest.approx(ev, abs=0.05)
    assert light_apart(second, first, WHOLE) == pytest.approx(-ev, abs=0.05)


def test_light_of_an_over_exposed_picture_is_told_by_what_is_left() -> None:
    image = np.asarray(window(fine_scene(4)), np.float32) / 255 * 0.9 + 0.5
    first, second = (np.rint(np.clip(image * 2 ** (ev / 2.2), 0, 1) * 255).astype(np.uint8) for ev in (0.0, 0.8))
    assert light_apart(first, second, WHOLE) >= 0.3


def test_what_one_alone_has_clipped_tells_of_another_exposure() -> None:
    rng = np.random.default_rng(4)
    bright = np.clip(rng.normal(243, 4, (90, 90)), 0, 255).astype(np.uint8)
    brighter = np.clip(bright * 2 ** (0.6 / 2.2), 0, 255).astype(np.uint8)
    assert light_apart(bright, brighter, WHOLE) >= 0.5 and light_apart(brighter, bright, WHOLE) <= -0.5
    assert abs(light_apart(bright, np.clip(bright + 2, 0, 255).astype(np.uint8), WHOLE)) < 0.1  # what a codec does


def test_black_and_white_have_no_light_to_tell() -> None:
    page = np.full((100, 100), 255, np.uint8)
    assert light_apart(page, page, WHOLE) == light_apart(0 * page, 0 * page, WHOLE) == 0.0
