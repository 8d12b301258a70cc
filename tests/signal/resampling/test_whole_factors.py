"""Enlargements by exactly 3 and 4 are told by their lines where the band is empty, and nothing else is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from cliqa.signal.resampling.spectra import luma, picture_evidence
from cliqa.signal.resampling.whole_factors import whole_factor
from tests.rough_pictures import colored


def seen(image: Image.Image, factor: float = 1.0) -> float:
    found = picture_evidence(luma(np.asarray(image)))
    return whole_factor(found.lines, found.power, (factor, factor))


def enlarged(factor: float, kernel: Image.Resampling = Image.Resampling.BICUBIC) -> Image.Image:
    side = round(512 / factor)
    return Image.fromarray(colored(side, side)).resize((512, 512), kernel)


def saved(image: Image.Image, format: str, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, format, quality=quality)
    return Image.open(stream).convert("RGB")


@pytest.mark.parametrize(
    ("factor", "kernel"),
    [
        (3, Image.Resampling.BICUBIC),
        (3, Image.Resampling.LANCZOS),
        (4, Image.Resampling.BILINEAR),
        (4, Image.Resampling.LANCZOS),
    ],
)
def test_whole_factors_are_told(factor: int, kernel: Image.Resampling) -> None:
    side = 512 // factor * factor
    small = Image.fromarray(colored(side // factor, side // factor))
    assert seen(small.resize((side, side), kernel)) >= 4 / 3


def test_what_is_read_larger_stands() -> None:
    side = 510
    picture = Image.fromarray(colored(170, 170)).resize((side, side), Image.Resampling.BICUBIC)
    assert seen(picture, 1.5) > 1.0
    assert seen(picture, 1.8) == 1.0


@pytest.mark.parametrize("radius", [0.0, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_nothing_is_seen_in_what_was_not_enlarged(radius: float, format: str) -> None:
    picture = Image.fromarray(colored(512, 512)).filter(ImageFilter.GaussianBlur(radius))
    assert seen(saved(picture, format, 80)) == 1.0


def test_noise_hides_it() -> None:
    noise = np.random.default_rng(3).normal(0, 4, (512, 512, 3))
    noisy = np.clip(np.rint(np.asarray(enlarged(4)) + noise), 0, 255).astype(np.uint8)
    assert seen(Image.fromarray(noisy)) == 1.0


def test_other_factors_are_no_whole_ones() -> None:
    assert seen(enlarged(2)) == 1.0
    assert seen(enlarged(1.7)) == 1.0
