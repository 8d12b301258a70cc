"""JPEG XL through its extra, and its size before it is decoded."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

from cliqa.errors import ImageError
from cliqa.images.loading import load_image, read_header
from tests.conftest import Pixels


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
