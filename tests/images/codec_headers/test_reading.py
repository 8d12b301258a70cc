"""Headers of files that were just encoded say what was asked; damaged ones say less, and none raises."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cliqa.images.codec_headers import CodecHeader, read_codec_header
from cliqa.images.codec_headers.webp import asked_quality
from cliqa.images.loading import load_image, read_header
from tests.jpeg_pictures import textured

NAMES = {"webp": "WEBP", "avif": "AVIF", "heic": "HEIF", "jpeg2000": "JPEG2000"}


def encoded(format: str, size: int = 200, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    if format == "HEIF":
        heif = pytest.importorskip("pillow_heif")
        heif.from_pillow(Image.fromarray(textured(5, size))).save(buffer, **settings)
    else:
        Image.fromarray(textured(5, size)).save(buffer, format, **settings)
    return buffer.getvalue()


def told(data: bytes, format: str) -> CodecHeader:
    found = read_codec_header(io.BytesIO(data), format)
    assert found is not None
    return found


@pytest.mark.parametrize("quality", [0, 10, 33, 50, 75, 80, 90, 97, 100])
@pytest.mark.parametrize("method", [0, 4, 6])
def test_webp_tells_the_quality_that_was_asked(quality: int, method: int) -> None:
    found = told(encoded("WEBP", quality=quality, method=method), "WEBP")
    assert (found.codec, found.lossless) == ("webp", False)
    assert found.quality == pytest.approx(quality, abs=2)


def test_webp_without_loss_with_alpha_and_animated() -> None:
    assert told(encoded("WEBP", lossless=True), "WEBP") == CodecHeader("webp", None, True)
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([textured(5), textured(5)[..., :1]])).save(buffer, "WEBP", quality=60)
    assert told(buffer.getvalue(), "WEBP").quality == pytest.approx(60, abs=2)
    frames = [Image.fromarray(textured(seed)) for seed in (5, 6)]
    frames[0].save(buffer := io.BytesIO(), "WEBP", quality=60, save_all=True, append_images=frames[1:])
    assert told(buffer.getvalue(), "WEBP").quality == pytest.approx(60, abs=2)


def test_segments_that_share_the_finest_quantizer_were_clipped_there() -> None:
    assert asked_quality([42, 32, 23, 23]) == pytest.approx(50, abs=2)  # an embossed drawing at 50
    assert asked_quality([36, 36, 36, 26]) == pytest.approx(75, abs=2)
    assert asked_quality([0]) == 100


@pytest.mark.parametrize(("quality", "index"), [(0, 255), (50, 148), (80, 60), (95, 16)])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_avif_tells_its_base_quantizer_index(quality: int, index: int, subsampling: str) -> None:
    data = encoded("AVIF", quality=quality, speed=10, subsampling=subsampling)
    assert told(data, "AVIF") == CodecHeader("avif", index, False)


@pytest.mark.parametrize(("quality", "quantizer"), [(10, 42), (50, 22), (90, 2)])
@pytest.mark.parametrize("chroma", [420, 444])
def test_heic_tells_the_first_slices_quantizer(quality: int, quantizer: int, chroma: int) -> None:
    assert told(encoded("HEIF", quality=quality, chroma=chroma), "HEIF") == CodecHeader("heic", quantizer, False)


def test_jpeg2000_tells_its_wavelet() -> None:
    assert told(encoded("JPEG2000", irreversible=True), "JPEG2000") == CodecHeader("jpeg2000", None, False)
    assert told(encoded("JPEG2000"), "JPEG2000").lossless is None


def test_jpeg_xl_in_xyb_is_lossy() -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    pixels = textured(5)
    assert told(imagecodecs.jpegxl_encode(pixels, distance=1.0), "JXL") == CodecHeader("jxl", None, False)
    assert told(imagecodecs.jpegxl_encode(pixels, lossless=True), "JXL").lossless is None


def test_other_formats_have_no_such_header() -> None:
    assert read_codec_header(io.BytesIO(encoded("PNG")), "PNG") is None
    assert load_image(encoded("PNG")).header.coding is None


def test_it_comes_with_the_decoded_image_and_alone() -> None:
    data = encoded("WEBP", quality=40)
    assert load_image(data).header.coding == read_header(data).coding == told(data, "WEBP")


@pytest.mark.parametrize("name", list(NAMES))
def test_no_damage_makes_it_fail(name: str) -> None:
    good, rng = encoded(NAMES[name], size=64), np.random.default_rng(3)
    for _ in range(400):
        data = bytearray(good[: int(rng.integers(1, len(good) + 1))])
        for place in rng.integers(0, min(len(data), 700), int(rng.integers(0, 12))):
            data[place] = int(rng.integers(256))
        found = read_codec_header(io.BytesIO(bytes(data)), NAMES[name])
        assert found is not None and found.codec == name
