"""Every format and every rule of `cliqa.images.loading`, by exact pixels where the format is lossless."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from cliqa.errors import ImageError
from cliqa.images.loading import LoadedImage, load_image, read_header
from tests.conftest import Pixels, encode, make_pixels
from tests.image_bytes import png, png_rows

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


def test_jpeg_header_tells_tables_and_subsampling(pixels: Pixels) -> None:
    for sampling, name in enumerate(("4:4:4", "4:2:2", "4:2:0")):
        header = read_header(encode(pixels, "JPEG", quality=50, subsampling=sampling))
        assert header.sampling == name
        assert header.quantization[0][:4] == (16, 11, 10, 16)  # ITU T.81 table K.1 is quality 50
    assert read_header(encode(Image.fromarray(pixels).convert("L"), "JPEG")).sampling == "4:0:0"


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


def test_16_bit_png_keeps_the_high_byte() -> None:
    rng = np.random.default_rng(1)
    colour = rng.integers(0, 65536, (40, 40, 3)).astype(">u2")
    image = load_image(png(40, 40, 16, 2, png_rows(colour)))
    assert image.header.bits == 16
    np.testing.assert_array_equal(image.pixels, colour >> 8)
    grey = rng.integers(0, 65536, (40, 40)).astype(">u2")
    image = load_image(png(40, 40, 16, 0, png_rows(grey)))
    assert image.header.bits == 16
    np.testing.assert_array_equal(image.pixels[..., 1], grey >> 8)


def test_16_bit_png_with_alpha() -> None:
    samples = np.empty((40, 40, 4), ">u2")
    samples[..., :3] = (0x40FF, 0x80FF, 0xC0FF)
    samples[..., 3] = 0xFFFF
    samples[:20, :, 3] = 0
    image = load_image(png(40, 40, 16, 6, png_rows(samples)))
    assert image.header.bits == 16
    np.testing.assert_array_equal(image.pixels[30, 0], (0x40, 0x80, 0xC0))
    np.testing.assert_array_equal(image.pixels[0, 0], (255, 255, 255))


def test_16_bit_tiff_keeps_the_high_byte() -> None:
    values = np.random.default_rng(2).integers(0, 65536, (40, 40), dtype=np.uint16)
    image = load_image(encode(Image.fromarray(values), "TIFF"))
    assert image.header.bits == 16
    np.testing.assert_array_equal(image.pixels[..., 0], values >> 8)


def test_12_bit_tiff_keeps_the_high_8_bits() -> None:
    values = (np.arange(40 * 40, dtype=np.uint16).reshape(40, 40) * 2) & 4095
    first, second = values[:, 0::2], values[:, 1::2]
    packed = np.stack([first >> 4, ((first & 15) << 4) | (second >> 8), second & 255], axis=-1).astype(np.uint8)
    tags = [
        (256, 3, 40),
        (257, 3, 40),
        (258, 3, 12),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 3, 40),
        (279, 4, 2400),
    ]
    body = packed.tobytes()
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag[:2], 1, tag[2]) for tag in tags)
    image = load_image(b"II*\0" + struct.pack("<I", 8 + len(body)) + body + directory + b"\0\0\0\0")
    assert image.header.bits == 12
    np.testing.assert_array_equal(image.pixels[..., 0], values >> 4)


def test_bits_are_told_by_the_raw_mode_alone() -> None:
    """Strides and offsets hold a 16 too, and a 16-bit BMP has 5 or 6 bits per channel."""
    assert read_header(encode(make_pixels(1616, 48), "BMP")).bits == 8
    assert read_header(encode(make_pixels(1616, 48), "TIFF", compression="tiff_lzw")).bits == 8
    assert read_header(encode(Image.new("1", (40, 40)), "PNG")).bits == 1


def test_float_and_32_bit_pixels_are_issues() -> None:
    with pytest.raises(ImageError, match="floating-point"):
        load_image(encode(Image.new("F", (40, 40), 0.5), "TIFF"))
    with pytest.raises(ImageError, match="32-bit"):
        load_image(encode(Image.new("I", (40, 40), 1 << 20), "TIFF"))


def test_alpha_is_composited_over_white() -> None:
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[..., :3] = (10, 20, 30)
    rgba[:, :10, 3], rgba[:, 10:20, 3], rgba[:, 20:, 3] = 0, 128, 255
    for data in (
        encode(Image.fromarray(rgba), "PNG"),
        encode(Image.fromarray(rgba), "WEBP", lossless=True, exact=True),
    ):
        image = load_image(data)
        assert image.header.has_alpha
        np.testing.assert_array_equal(image.pixels[0, 30], (10, 20, 30))
        np.testing.assert_array_equal(image.pixels[0, 0], (255, 255, 255))
        np.testing.assert_allclose(image.pixels[0, 15], [255 + (v - 255) * 128 / 255 for v in (10, 20, 30)], atol=1)


def test_palettes_are_expanded_with_their_transparency(pixels: Pixels) -> None:
    palette = Image.fromarray(pixels).quantize(16)
    image = load_image(encode(palette, "PNG"))
    assert image.header.mode == "P"
    np.testing.assert_array_equal(image.pixels, np.asarray(palette.convert("RGB")))
    clear = load_image(encode(palette, "PNG", transparency=int(np.asarray(palette)[0, 0])))
    np.testing.assert_array_equal(clear.pixels[0, 0], (255, 255, 255))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA"])
def test_modes_with_alpha_become_rgb(mode: str) -> None:
    image = LoadedImage.from_pil(Image.new("RGBA", (40, 40), (200, 200, 200, 255)).convert(mode))
    np.testing.assert_allclose(image.pixels[5, 5], 200, atol=1)


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
        assert image.header.is_jpeg and image.header.quantization


def test_a_broken_second_frame_leaves_the_first() -> None:
    frames = [Image.new("RGB", (40, 40), (value, 0, 0)) for value in (200, 100)]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    image = load_image(data[: len(data) - 30])
    np.testing.assert_array_equal(image.pixels[20, 20], (200, 0, 0))


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
