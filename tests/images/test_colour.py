"""Profiles are told by what they do; 16 bits go through them whole; PQ and HLG are brought down to what a screen shows."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from cliqa.images.colour import HLG, PQ, from_profile, nclx_of, tone_mapping
from cliqa.images.loading import load_image
from tests.conftest import encode
from tests.image_bytes import png, png_chunk, png_rows, swapped_profile
from tests.jpeg_pictures import textured


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def linear_profile() -> bytes:
    """sRGB's profile with a straight line for its curves, and its name left as it is."""
    data = bytearray(srgb_profile())
    for index in range(struct.unpack(">I", data[128:132])[0]):
        entry = 132 + 12 * index
        if data[entry : entry + 4] in (b"rTRC", b"gTRC", b"bTRC"):
            (place,) = struct.unpack_from(">I", data, entry + 4)
            data[place : place + 12] = b"curv" + bytes(8)  # no entries: the identity
            data[entry + 8 : entry + 12] = struct.pack(">I", 12)
    return bytes(data)


def coded(linear: np.ndarray) -> np.ndarray:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055)


def test_a_profile_is_told_by_what_it_does() -> None:
    assert from_profile(srgb_profile(), "RGB") is None
    renamed = srgb_profile().replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
    assert from_profile(renamed, "RGB") is None
    lying = swapped_profile().replace("swap".encode("utf-16-be"), "sRGB".encode("utf-16-be"))
    image = load_image(encode(Image.new("RGB", (40, 40), (200, 60, 30)), "PNG", icc_profile=lying))
    np.testing.assert_allclose(np.asarray(image.upright)[5, 5], (60, 200, 30), atol=2)
    with pytest.raises(ValueError, match="profile"):
        from_profile(b"no profile at all", "RGB")


@pytest.mark.parametrize("grey", [False, True])
def test_16_bits_go_through_the_profile_before_they_become_8(grey: bool) -> None:
    """Shadows of linear light: the first 8 bits hold 13 levels of sRGB, the 16 all of them."""
    values = np.linspace(0, 800, 64 * 48).astype(">u2").reshape(48, 64)
    samples = values if grey else np.repeat(values[..., None], 3, 2)
    iccp = png_chunk(b"iCCP", b"linear\0\0" + zlib.compress(linear_profile()))
    image = load_image(png(64, 48, 16, 0 if grey else 2, png_rows(samples), iccp))
    assert image.header.bits == 16
    np.testing.assert_array_equal(image.pixels[..., 1], values >> 8)
    seen = np.asarray(image.upright)
    expected = coded(values.astype(float) / 65535) * 255
    assert len(np.unique(seen)) > 25
    np.testing.assert_allclose(seen[..., 0], expected, atol=1.6)


def pq(light: np.ndarray) -> np.ndarray:
    """Light, 1 at 203 cd/m2 -> code 0-1."""
    power = (light * 203 / 10000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def linear_of(pixels: np.ndarray) -> np.ndarray:
    u = pixels / 255
    return np.where(u <= 0.04045, u / 12.92, ((u + 0.055) / 1.055) ** 2.4)


def test_pq_is_tone_mapped() -> None:
    picture = textured(3, 96)
    light = linear_of(picture)
    code = np.rint(pq(light) * 255).astype(np.uint8)
    mapped = np.asarray(tone_mapping(PQ, 1)(Image.fromarray(code))).astype(float)
    dark = light.max(axis=2) < 0.7
    assert dark.mean() > 0.1
    assert np.abs(mapped - picture)[dark].mean() < 2  # below the knee it is the picture again
    ramp = np.asarray(
        tone_mapping(PQ, 9)(Image.fromarray(np.arange(256, dtype=np.uint8)[None].repeat(3, 0)[..., None].repeat(3, 2)))
    )
    assert (np.diff(ramp[0, :, 0].astype(int)) >= 0).all() and ramp[0, 0, 0] == 0 and ramp[0, -1, 0] > 245


def test_hlg_reference_white_is_bright_and_no_brighter() -> None:
    white = np.full((32, 32, 3), 191, np.uint8)  # 75 %, BT.2408
    mapped = np.asarray(tone_mapping(HLG, 9)(Image.fromarray(white)))
    assert mapped.min() >= 225 and mapped.max() <= 245


def test_the_pictures_views_are_tone_mapped_and_the_stored_one_is_not() -> None:
    code = np.rint(pq(linear_of(textured(3, 96))) * 255).astype(np.uint8)
    plain = encode(code, "PNG")
    start = plain.index(b"IDAT") - 4
    image = load_image(plain[:start] + png_chunk(b"cICP", bytes((9, PQ, 0, 1))) + plain[start:])
    np.testing.assert_array_equal(image.pixels, code)
    assert image.thumbnail(96).std() > 1.5 * code.std()
    np.testing.assert_array_equal(load_image(plain).thumbnail(96), code)


def test_avif_tells_its_transfer_function() -> None:
    assert nclx_of(b"\0\0\0\x13colrnclx\0\x09\0\x10\0\x09\x80 more") == (9, PQ)
    assert nclx_of(b"nothing") is None
    data = bytearray(encode(np.full((64, 64, 3), 190, np.uint8), "AVIF", quality=90))
    sdr = load_image(bytes(data)).thumbnail(64).mean()
    place = data.index(b"colrnclx")
    data[place + 8 : place + 12] = b"\0\x09\0\x10"
    assert load_image(bytes(data)).thumbnail(64).mean() > sdr + 30  # PQ's 190 of 255 are 970 cd/m2
