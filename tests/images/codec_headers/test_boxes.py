"""Boxes of AVIF and HEIC files, whole and broken."""

from __future__ import annotations

import io

import pytest

from cliqa.images.codec_headers.boxes import boxes, coded_item
from tests.conftest import encode, make_pixels


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def test_boxes_of_every_length_are_told_apart() -> None:
    large = b"\0\0\0\1" + b"wide" + (19).to_bytes(8, "big") + b"xyz"
    last = b"\0\0\0\0" + b"rest" + b"to the end"
    data = box(b"ftyp", b"avif") + large + last
    assert list(boxes(data)) == [(b"ftyp", b"avif"), (b"wide", b"xyz"), (b"rest", b"to the end")]


def test_a_broken_box_ends_them() -> None:
    assert list(boxes(box(b"ftyp", b"avif") + (99).to_bytes(4, "big") + b"moov")) == [(b"ftyp", b"avif")]
    assert list(boxes((4).to_bytes(4, "big") + b"moov")) == []


def test_the_item_of_an_avif_file_has_settings_and_data() -> None:
    item = coded_item(io.BytesIO(encode(make_pixels(), "AVIF", quality=60)))
    assert (item.kind, item.parts) == ("av01", 1) and item.settings and item.data


def test_a_file_without_a_description_of_items_is_refused() -> None:
    with pytest.raises(ValueError, match="no description"):
        coded_item(io.BytesIO(box(b"ftyp", b"avif")))
