"""A printer's screen is told from an enlargement by the lines that the picture itself has."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from cliqa.signal.resampling.screens import is_screened
from cliqa.signal.resampling.spectra import luma, picture_evidence
from tests.rough_pictures import colored


def seen(image: Image.Image) -> bool:
    return is_screened(picture_evidence(luma(np.asarray(image.crop((0, 0, 512, 512))))).power)


def printed(pitch: float, angle: float) -> Image.Image:
    grey = np.asarray(Image.fromarray(colored(512, 512)).convert("L").filter(ImageFilter.GaussianBlur(4)))
    down, right = np.mgrid[0:512, 0:512]
    along, across = (right * np.cos(angle) + down * np.sin(angle)), (down * np.cos(angle) - right * np.sin(angle))
    distance = np.hypot(along / pitch % 1 - 0.5, across / pitch % 1 - 0.5)
    ink = np.where(distance < np.sqrt((1 - grey / 255) / np.pi), 20, 245).astype(np.uint8)
    return Image.fromarray(ink).filter(ImageFilter.GaussianBlur(0.7)).convert("RGB")


@pytest.mark.parametrize(("pitch", "angle"), [(3.7, 0.3), (4.8, 0.0), (6.2, 0.8), (8.5, 1.2)])
def test_a_screen_has_lines_along_both_axes(pitch: float, angle: float) -> None:
    assert seen(printed(pitch, angle))


def test_lines_along_one_axis_are_no_screen() -> None:
    pixels = colored(512, 512).astype(float) / 2 + 60 * np.sin(np.arange(512) * 2 * np.pi / 5)[None, :, None]
    assert not seen(Image.fromarray(np.clip(pixels + 64, 0, 255).astype(np.uint8)))


@pytest.mark.parametrize("factor", [1.0, 1.3, 1.7, 2.0, 8.0])
@pytest.mark.parametrize("kernel", [Image.Resampling.NEAREST, Image.Resampling.BICUBIC])
def test_an_enlargement_has_none(factor: float, kernel: Image.Resampling) -> None:
    small = Image.fromarray(colored(round(512 / factor), round(512 / factor)))
    assert not seen(small.resize((512, 512), kernel))
