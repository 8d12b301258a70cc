"""Decoded files as plain RGB: damage, depth, alpha, palettes, by one rule each."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from cliqa.errors import ImageError
from cliqa.images.loading import LoadedImage, load_image
from tests.conftest import Pixels, encode
from tests.image_bytes import png, png_rows
from tests.jpeg_pictures import textured


@pytest.mark.parametrize("lossless", [False, True])
def test_damaged_webps_are_issues(lossless: bool) -> None:
    whole = encode(textured(2, 200), "WEBP", lossless=lossless, quality=80)
    for share in (0.3, 0.9, 0.999):
        with pytest.raises(ImageError):
            load_image(whole[: int(len(whole) * share)])
    assert load_image(whole + b"more than one byte").notes == ["bytes after its end"]
    assert load_image(whole).notes == []


@pytest.mark.parametrize("by", [-1000, -2, 2, 1000])
@pytest.mark.parametrize("alpha", [False, True])
def test_webps_whose_sizes_are_not_those_of_their_parts_are_issues(by: int, alpha: bool) -> None:
    """Of the file, of the part with the picture, and of the first partition inside it, where that leads out of the part."""
    picture = Image.fromarray(textured(2, 200))
    if alpha:
        picture.putalpha(picture.getchannel(0))
    whole = encode(picture, "WEBP", quality=80)
    part = whole.index(b"VP8 ") + 4
    for at in (4, part):
        size = int.from_bytes(whole[at : at + 4], "little") + by
        with pytest.raises(ImageError):
            load_image(whole[:at] + size.to_bytes(4, "little") + whole[at + 4 :])
    tag = int.from_bytes(whole[part + 4 : part + 7], "little") & 31 | 0x7FFFF << 5
    with pytest.raises(ImageError):
        load_image(whole[: part + 4] + tag.to_bytes(3, "little") + whole[part + 7 :])


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
