"""Files that are not read are called by their right name."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

from cliqa.errors import ImageError
from cliqa.images.loading import load_image, read_header
from tests.conftest import Pixels

KINDS = {
    "PSD": b"8BPS\0\1" + bytes(600),
    "MP4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(600),
    "MOV": b"\0\0\0\x14ftypqt  " + bytes(600),
    "Matroska": b"\x1aE\xdf\xa3" + bytes(600),
    "AVI": b"RIFF\x24\x10\0\0AVI LIST" + bytes(600),
    "PDF": b"%PDF-1.7\n" + bytes(600),
    "SVG": b'<?xml version="1.0"?>\n<!-- made --><svg xmlns="http://www.w3.org/2000/svg">',
    "ZIP": b"PK\x03\x04" + bytes(600),
    "EXR": b"\x76\x2f\x31\x01" + bytes(600),
    "web page": b"<!DOCTYPE html><html>",
}


@pytest.mark.parametrize("kind", KINDS)
def test_known_kinds_are_named(kind: str) -> None:
    with pytest.raises(ImageError, match=kind):
        load_image(KINDS[kind])


def encoded_jxl(pixels: np.ndarray, **options: object) -> bytes:
    data: bytes = pytest.importorskip("imagecodecs").jpegxl_encode(pixels, **options)
    return data


def test_jpeg_xl_is_read_through_the_extra(pixels: Pixels) -> None:
    for options in ({}, {"usecontainer": True}):
        data = encoded_jxl(pixels, lossless=True, **options)
        image = load_image(data)
        assert (image.header.format, image.header.bits) == ("JXL", 8)
        np.testing.assert_array_equal(image.pixels, pixels)
    deep = load_image(encoded_jxl(pixels.astype(np.uint16) * 257, lossless=True))
    assert deep.header.bits == 16
    np.testing.assert_array_equal(deep.pixels, pixels)
    grey = load_image(encoded_jxl(np.ascontiguousarray(pixels[..., 0]), lossless=True))
    assert grey.header.mode == "L"
    np.testing.assert_array_equal(grey.pixels[..., 1], pixels[..., 0])
    with pytest.raises(ImageError):
        load_image(data[: len(data) // 2])


def test_jpeg_xl_without_the_extra_is_an_issue_that_names_it() -> None:
    for head in (b"\xff\x0a" + bytes(50), b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50)):
        with (
            mock.patch("importlib.util.find_spec", return_value=None),
            pytest.raises(ImageError, match=r"JPEG XL.*cliqa\[jxl\]"),
        ):
            load_image(head)


@pytest.mark.parametrize("size", [(32, 64), (37, 4001), (640, 480), (1000, 1000), (1920, 1080), (123, 45)])
def test_the_size_of_a_jpeg_xl_is_read_before_it_is_decoded(size: tuple[int, int]) -> None:
    data = encoded_jxl(np.zeros((size[1], size[0], 3), np.uint8), lossless=True)
    with mock.patch("imagecodecs.jpegxl_decode", side_effect=AssertionError("decoded")):
        header = read_header(data)
    assert (header.width, header.height) == size
