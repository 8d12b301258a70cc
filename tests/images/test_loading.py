"""Every format and every rule of `cliqa.images.loading`, by exact pixels where the format is lossless."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import numpy as np
import pytest
from PIL import Image, ImageCms

from cliqa.errors import ImageError
from cliqa.images.loading import LoadedImage, load_image, read_header
from tests.conftest import Pixels, encode, make_pixels
from tests.image_bytes import exif_of, png_chunk, swapped_profile

LOSSLESS = {
    "PNG": ("PNG", {}),
    "BMP": ("BMP", {}),
    "TIFF raw": ("TIFF", {}),
    "TIFF LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "WebP lossless": ("WEBP", {"lossless": True}),
    "PPM": ("PPM", {}),
    "JPEG 2000": ("JPEG2000", {"irreversible": False}),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_give_the_exact_pixels(name: str, pixels: Pixels) -> None:
    format_name, options = LOSSLESS[name]
    image = load_image(encode(pixels, format_name, **options))
    assert image.header.format == format_name
    assert (image.header.width, image.header.height, image.header.bits) == (64, 48, 8)
    assert image.header.frames == 1
    np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize(
    ("format_name", "options"),
    [("JPEG", {"quality": 95}), ("JPEG", {"progressive": True}), ("WEBP", {"quality": 90}), ("AVIF", {"quality": 90})],
)
def test_lossy_formats_come_close(format_name: str, options: dict[str, int], pixels: Pixels) -> None:
    image = load_image(encode(pixels, format_name, **options))
    assert image.header.format == format_name
    assert image.header.progressive == ("progressive" in options)
    assert np.abs(image.pixels.astype(int) - pixels).mean() < 8


def test_heic_is_read_through_the_extra(pixels: Pixels) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    data = encode(pixels, "HEIF", quality=90)
    assert np.abs(load_image(data).pixels.astype(int) - pixels).mean() < 8
    with mock.patch.dict("sys.modules", {"pillow_heif": None}), pytest.raises(ImageError, match=r"cliqa\[heif\]"):
        load_image(data)


def test_avif_with_a_general_brand_is_not_taken_for_heic(pixels: Pixels) -> None:
    data = bytearray(encode(pixels, "AVIF"))
    data[8:12] = b"mif1"  # the brands that follow still say avif
    assert load_image(bytes(data)).header.format == "AVIF"


def test_grey_jpeg_has_three_equal_channels(pixels: Pixels) -> None:
    image = load_image(encode(Image.fromarray(pixels).convert("L"), "JPEG"))
    assert image.header.mode == "L"
    assert (image.pixels[..., 0] == image.pixels[..., 2]).all()


def test_cmyk_is_complemented_and_adobe_inversion_is_undone() -> None:
    inks = np.empty((40, 40, 4), np.uint8)
    inks[:] = (40, 120, 200, 30)
    expected = [round((255 - ink) * (255 - 30) / 255) for ink in (40, 120, 200)]
    for data in (
        encode(Image.fromarray(inks, "CMYK"), "TIFF"),
        encode(Image.fromarray(inks, "CMYK"), "JPEG", quality=100),  # Pillow writes the Adobe marker: stored inverted
    ):
        image = load_image(data)
        assert image.header.mode == "CMYK"
        np.testing.assert_allclose(image.pixels[20, 20], expected, atol=2)


def test_ycck_jpeg(pixels: Pixels) -> None:
    """Adobe's transform 2: the first three components are the inks turned to YCC, the fourth is black's complement."""
    inks = np.dstack([255 - pixels, np.zeros(pixels.shape[:2], np.uint8)])
    ycc = np.asarray(Image.fromarray(255 - pixels).convert("YCbCr"))
    stored = np.dstack([ycc, np.full(pixels.shape[:2], 255, np.uint8)])
    # Pillow stores `255 - ink` of what it is given, and marks it CMYK (transform 0): give it the wished bytes, then mark it.
    data = bytearray(encode(Image.fromarray(255 - stored, "CMYK"), "JPEG", quality=100, subsampling=0))
    marker = data.index(b"Adobe")
    assert data[marker + 11] == 0
    data[marker + 11] = 2
    image = load_image(bytes(data))
    expected = np.asarray(Image.fromarray(inks, "CMYK").convert("RGB")).astype(int)
    assert np.abs(image.pixels.astype(int) - expected).mean() < 3


@pytest.mark.parametrize(
    ("format_name", "options"),
    [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("AVIF", {"quality": 95}), ("MPO", {})],
)
def test_animations_give_their_first_frame(format_name: str, options: dict[str, object]) -> None:
    first, second = (Image.new("RGB", (40, 40), colour) for colour in ((200, 30, 30), (30, 30, 200)))
    image = load_image(encode(first, format_name, save_all=True, append_images=[second], **options))
    assert image.header.frames == 2
    assert image.facts()["frames"] == 2
    np.testing.assert_allclose(image.pixels[20, 20], (200, 30, 30), atol=4)
    if format_name == "MPO":
        assert image.header.format == "JPEG" and image.header.quantization


def test_arrays_and_pil_images_are_wrapped(pixels: Pixels) -> None:
    np.testing.assert_array_equal(LoadedImage.from_array(pixels).pixels, pixels)
    np.testing.assert_array_equal(LoadedImage.from_array(pixels[..., 0]).pixels[..., 2], pixels[..., 0])
    for bad in (pixels.astype(float), pixels[..., :2], pixels.ravel()):
        with pytest.raises(ImageError, match="uint8"):
            LoadedImage.from_array(bad)


def test_threads_that_decode_at_once_do_not_share_pixels() -> None:
    files = [encode(np.full((400, 500, 3), 10 * shade, np.uint8), "JPEG", quality=95) for shade in range(24)]

    def darkest_and_brightest(shade: int) -> tuple[int, int, int]:
        pixels = load_image(files[shade]).pixels
        return shade, int(pixels.min()), int(pixels.max())

    with ThreadPoolExecutor(4) as pool:
        for shade, low, high in pool.map(darkest_and_brightest, [*range(24)] * 20):
            assert low == high and abs(low - 10 * shade) <= 2, (shade, low, high)


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
