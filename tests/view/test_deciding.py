"""The place that decided: where it was put, in whatever way the picture is turned, and in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from cliqa.images.loading import load_image
from cliqa.view.deciding import Reasons, reasons

NOISY = {"grain_noise.psnr": 30.0}
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
}  # fmt: skip


def smooth(width: int, height: int) -> Image.Image:
    coarse = np.random.default_rng(1).integers(60, 190, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def noisy_at(left: int, top: int, side: int = 256) -> Image.Image:
    """A smooth picture of 1024x768 with one square of noise."""
    pixels = np.asarray(smooth(1024, 768)).astype(int)
    pixels[top : top + side, left : left + side] += np.random.default_rng(0).normal(0, 14, (side, side, 3)).astype(int)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def saved(image: Image.Image, path: Path, orientation: int = 1) -> str:
    """A PNG that is `image` once its orientation is applied."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    (image.transpose(TURNS[orientation]) if orientation in TURNS else image).save(path, exif=exif)
    return str(path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_noisiest_part_is_found_however_the_picture_is_turned(tmp_path: Path, orientation: int) -> None:
    told = Reasons().of(saved(noisy_at(512, 256), tmp_path / "a.png", orientation), NOISY)
    assert (told["width"], told["height"]) == (1024, 768)
    (reason,) = told["reasons"]
    left, top, right, bottom = reason["box"]
    assert left >= 384 and top >= 128 and right <= 896 and bottom <= 640, reason["box"]
    middle = ((left + right) / 2, (top + bottom) / 2)
    assert 512 <= middle[0] <= 768 and 256 <= middle[1] <= 512
    assert reason["fault"] and "30 dB" in reason["sentence"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_map_of_sharpness_lies_as_the_picture_is_seen(tmp_path: Path, orientation: int) -> None:
    rng = np.random.default_rng(3)
    blocks = Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)).resize(
        (768, 576), Image.Resampling.NEAREST
    )
    image = blocks.filter(ImageFilter.GaussianBlur(4))
    image.paste(blocks.crop((0, 0, 256, 192)), (0, 0))  # the upper left is sharp
    scores = {"sharpness.blur": 0.5, "sharpness.confidence": 1.0}
    (reason,) = Reasons().of(saved(image, tmp_path / "a.png", orientation), scores)["reasons"]
    cells = np.array(reason["cells"], np.float64)
    assert cells.shape == (9, 12)
    assert reason["box"][2] <= 320 and reason["box"][3] <= 256
    assert np.nanmean(cells[:2, :3]) + 1 < np.nanmean(cells[4:, 5:])


@pytest.mark.parametrize("orientation", (1, 6, 7))
def test_the_darkest_part_is_found_however_the_picture_is_turned(tmp_path: Path, orientation: int) -> None:
    image = smooth(800, 600)
    ImageDraw.Draw(image).rectangle((600, 450, 799, 599), fill=(1, 1, 1))
    scores = {"exposure.too_dark_level": 4, "exposure.contrast_too_low_level": 1}
    (reason,) = Reasons().of(saved(image, tmp_path / "a.png", orientation), scores)["reasons"]
    left, top, right, bottom = reason["box"]
    assert left >= 595 and top >= 445 and right <= 805 and bottom <= 605
    assert reason["fault"] and "far too dark" in reason["sentence"] and "100%" in reason["sentence"]


def test_levels_are_told_in_plain_words(tmp_path: Path) -> None:
    image = load_image(saved(smooth(300, 200), tmp_path / "a.png"))

    def said(label: str, level: int) -> str:
        (reason,) = reasons(image, {f"exposure.{label}_level": level})
        assert reason.fault == (level > 2)
        return reason.sentence

    assert [said("too_dark", level).partition(".")[0] for level in (2, 3, 4)] == [
        "It is rather dark",
        "It is too dark",
        "It is far too dark",
    ]
    assert said("contrast_too_low", 2).startswith("It has rather low contrast:")
    assert said("highlights_clipped", 4).startswith("Its lights are badly clipped.")
    assert said("highlights_over_suppressed", 3).startswith("Its lights are greyed:")


@pytest.mark.parametrize(("blur", "doubted"), [(None, False), (0.8, False), (3.9, True)])
def test_a_blur_that_reads_as_an_enlargement_is_told(tmp_path: Path, blur: float | None, doubted: bool) -> None:
    image = load_image(saved(smooth(300, 200), tmp_path / "a.png"))
    told = {reason.column: reason for reason in reasons(image, {"scale_factor.scale": 1.98, "sharpness.blur": blur})}
    assert "1.98 times" in told["scale_factor.quality"].sentence
    assert ("or only blurred" in told["scale_factor.quality"].sentence) == doubted


def test_a_jpeg_in_a_corner_is_pointed_at(tmp_path: Path) -> None:
    whole = Image.open(Path(__file__).parents[2] / "examples/photos/stone.png").convert("RGB")
    whole.crop((0, 0, 256, 256)).save(tmp_path / "corner.jpg", quality=35)
    whole.paste(Image.open(tmp_path / "corner.jpg"), (0, 0))
    whole.save(tmp_path / "a.png")
    (reason,) = Reasons().of(str(tmp_path / "a.png"), {"jpeg_quality.quality": 40.0})["reasons"]
    assert reason["box"] == (0, 0, 256, 256) and "quality 40" in reason["sentence"]


def test_what_has_no_place_has_a_sentence_and_what_has_no_score_nothing(tmp_path: Path) -> None:
    image = load_image(saved(smooth(300, 200), tmp_path / "a.png"))
    assert reasons(image, {}) == []
    (reason,) = reasons(image, {"grepq.quality": 20.0})
    assert reason.box is None and reason.fault and "20 of 100" in reason.sentence
    (reason,) = reasons(image, {"grain_noise.psnr": 50.0})
    assert not reason.fault


def test_a_picture_smaller_than_a_part(tmp_path: Path) -> None:
    (reason,) = Reasons().of(saved(smooth(90, 70), tmp_path / "a.png"), NOISY)["reasons"]
    assert reason["box"] == (0, 0, 90, 70)
