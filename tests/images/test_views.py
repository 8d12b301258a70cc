"""The picture as a person sees it: orientation, colour profiles, thumbnails; and the stored one left alone."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from PIL import Image, ImageCms

from cliqa.images.loading import LoadedImage, load_image, read_header
from tests.conftest import Pixels, encode, make_pixels
from tests.image_bytes import exif_of, png_chunk, swapped_profile


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("format_name", "options"),
    [("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("WEBP", {"lossless": True})],
)
def test_orientation_turns_the_upright_view_alone(
    format_name: str, options: dict[str, object], orientation: int, pixels: Pixels
) -> None:
    data = encode(pixels, format_name, exif=exif_of(orientation), **options)
    image = load_image(data)
    np.testing.assert_array_equal(image.pixels, pixels)
    assert (image.header.width, image.header.height, image.header.orientation) == (64, 48, orientation)
    assert (read_header(data).width, read_header(data).height) == (64, 48)
    steps = {1: [], 2: [np.fliplr], 3: [np.rot90] * 2, 4: [np.flipud], 5: [np.rot90, np.flipud]}
    steps |= {6: [np.rot90] * 3, 7: [np.rot90, np.fliplr], 8: [np.rot90]}
    upright = pixels
    for step in steps[orientation]:
        upright = step(upright)
    np.testing.assert_array_equal(np.asarray(image.upright), upright)
    assert image.thumbnail(32).shape == ((24, 32, 3) if orientation < 5 else (32, 24, 3))


def test_png_orientation_after_the_pixels_is_seen(pixels: Pixels) -> None:
    data = encode(pixels, "PNG")
    end = data.index(b"IEND") - 4
    late = data[:end] + png_chunk(b"eXIf", exif_of(6).tobytes()[6:]) + data[end:]
    assert load_image(late).header.orientation == 6
    with mock.patch("PIL.ImageFile.ImageFile.load", side_effect=AssertionError("decoded")):
        assert read_header(late).orientation == 1  # the header alone decodes nothing


def test_nonsense_orientation_and_exif_are_ignored(pixels: Pixels) -> None:
    assert load_image(encode(pixels, "PNG", exif=exif_of(77))).header.orientation == 1
    assert load_image(encode(pixels, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).header.orientation == 1


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_icc_profile_changes_the_upright_view_alone(mode: str) -> None:
    picture = Image.new("RGB", (40, 40), (200, 60, 30))
    picture = picture.quantize(2) if mode == "P" else picture.convert(mode)
    image = load_image(encode(picture, "PNG", icc_profile=swapped_profile()))
    np.testing.assert_array_equal(image.pixels[5, 5], (200, 60, 30))
    np.testing.assert_allclose(np.asarray(image.upright)[5, 5], (60, 200, 30), atol=2)
    np.testing.assert_allclose(image.thumbnail(20)[5, 5], (60, 200, 30), atol=2)
    assert not image.icc_ignored


def test_srgb_profile_changes_nothing(pixels: Pixels) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = load_image(encode(pixels, "PNG", icc_profile=profile))
    np.testing.assert_array_equal(np.asarray(image.upright), pixels)


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_unusable_profiles_are_ignored_and_noted(mode: str) -> None:
    picture = Image.new(mode, (40, 40), (10, 20, 30, 40)[: len(mode)] if mode != "L" else 10)
    profile = b"no profile" * 20 if mode == "RGB" else ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    image = load_image(encode(picture, "TIFF", icc_profile=profile))
    assert not image.icc_ignored  # nobody has looked yet
    np.testing.assert_array_equal(np.asarray(image.upright), image.pixels)
    assert image.icc_ignored


def test_thumbnails_keep_the_aspect_ratio(pixels: Pixels) -> None:
    image = LoadedImage.from_array(make_pixels(300, 50))
    assert image.thumbnail(100).shape == (17, 100, 3)
    assert LoadedImage.from_array(pixels).thumbnail(500).shape == (48, 64, 3)
    assert LoadedImage.from_array(make_pixels(640, 32)).thumbnail(10).shape == (1, 10, 3)
