"""Files that are not read are called by their right name."""

from __future__ import annotations

import pytest

from cliqa.errors import ImageError
from cliqa.images.loading import load_image

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
