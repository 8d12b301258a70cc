"""Blur is told from enlargements by the lines that it has not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from cliqa.signal.resampling.lineless import lineless
from cliqa.signal.resampling.spectra import luma, picture_evidence
from tests.rough_pictures import colored


def rough(side: int) -> Image.Image:
    return Image.fromarray(colored(side, side))


def seen(image: Image.Image, factor: float) -> bool:
    found = picture_evidence(luma(np.asarray(image.crop((0, 0, 512, 512)))))
    return lineless(found.lines, found.power, (factor, factor))


@pytest.mark.parametrize("radius", [2, 3])
def test_strong_blur_has_no_line(radius: float) -> None:
    assert seen(rough(512).filter(ImageFilter.GaussianBlur(radius)), 2.0)


@pytest.mark.parametrize("factor", [1.3, 1.5, 1.7, 2.0, 3.0])
@pytest.mark.parametrize("kernel", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
def test_an_enlargement_has_one(factor: float, kernel: Image.Resampling) -> None:
    side = round(512 * factor) // 512 * 512 or 512
    small = rough(round(side / factor))
    assert not seen(small.resize((side, side), kernel), min(factor, 2.0))


def test_one_axis_is_enough() -> None:
    assert not seen(rough(512).crop((0, 0, 341, 512)).resize((512, 512), Image.Resampling.BICUBIC), 1.5)


def test_nothing_is_said_of_what_a_codec_or_noise_touched() -> None:
    soft = rough(512).filter(ImageFilter.GaussianBlur(3))
    stream = io.BytesIO()
    soft.save(stream, "JPEG", quality=60)
    noise = np.random.default_rng(4).normal(0, 3, (512, 512, 3))
    noisy = Image.fromarray(np.clip(np.rint(np.asarray(soft) + noise), 0, 255).astype(np.uint8))
    assert not seen(Image.open(stream).convert("RGB"), 2.0)
    assert not seen(noisy, 2.0)


def test_nothing_is_said_of_an_emptier_band() -> None:
    assert not seen(rough(512).filter(ImageFilter.GaussianBlur(6)), 2.0)
