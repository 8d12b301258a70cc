"""What is opened and what is refused: broken files, limits, bombs, and paths that are no files."""

from __future__ import annotations

import io
import os
import tracemalloc
import zlib
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from cliqa.errors import ImageError, ImageSkipped
from cliqa.images.loading import load_image
from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS
from tests.conftest import Pixels, encode
from tests.image_bytes import png, png_chunk, png_rows

BROKEN = {
    "empty": (b"", "empty"),
    "text": (b"this is no picture " * 9, "not an image"),
    "html": (b"<!DOCTYPE html><html>", "not an image"),
    "postscript": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n",
        "PostScript document: not a format that is read",
    ),
    "jpeg magic only": (b"\xff\xd8\xff\xe0", "header can't be read"),
    "png magic only": (b"\x89PNG\r\n\x1a\n", "header can't be read"),
    "gif magic only": (b"GIF89a", "header can't be read"),
    "webp magic only": (b"RIFF\0\0\0\0WEBPVP8 ", "header can't be read"),
    "heic magic only": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "header can't be read"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_issues_with_a_reason(name: str) -> None:
    data, reason = BROKEN[name]
    with pytest.raises(ImageError, match=reason):
        load_image(data)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
def test_truncated_files_are_issues(format_name: str) -> None:
    whole = encode(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8), format_name)
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(ImageError) as caught:
            load_image(whole[: int(len(whole) * share)])
        assert "\n" not in str(caught.value)


def test_size_limits_come_before_decoding() -> None:
    bomb = png(60_000, 60_000, 8, 2, b"")
    with mock.patch("PIL.ImageFile.ImageFile.load", side_effect=AssertionError("decoded")):
        for data, limit in ((bomb, DEFAULT_MAX_IMAGE_PIXELS), (png(100, 100, 8, 2, b""), 9_999)):
            with pytest.raises(ImageSkipped, match=f"limit of {limit}"):
                load_image(data, limit)
        with pytest.raises(ImageSkipped, match="31x400 is smaller"):
            load_image(png(31, 400, 8, 2, b""))
    assert load_image(encode(Image.new("RGB", (32, 400)), "PNG"), 32 * 400).pixels.shape == (400, 32, 3)


def test_a_limit_above_pillows_own_is_kept() -> None:
    data = png(20_000, 20_000, 8, 0, b"")  # 400 megapixels; Pillow refuses above 358
    with mock.patch("PIL.Image.MAX_IMAGE_PIXELS", 178_956_970), pytest.raises(ImageError):
        load_image(data, 500_000_000)  # passes both limits, and then has no pixels


def test_metadata_bombs_are_left_out() -> None:
    bomb = zlib.compress(bytes(300 << 20), 9)
    rows = png_rows(np.zeros((40, 40), np.uint8))
    for chunk in (
        png_chunk(b"zTXt", b"Comment\0\0" + bomb),
        png_chunk(b"iCCP", b"profile\0\0" + bomb),
    ):
        tracemalloc.start()
        image = load_image(png(40, 40, 8, 0, rows, chunk))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert image.pixels.max() == 0 and most < 16 << 20
        assert image.icc_ignored == (chunk[4:8] == b"iCCP")


def test_files_that_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    expected = {
        "folder.jpg": "folder",
        "dangling.jpg": "no such file",
        "loop.jpg": "symbolic links",
        "gone.jpg": "no such",
    }
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.jpg")
        expected["pipe.jpg"] = "not a regular file"
    for name, reason in expected.items():
        with pytest.raises(ImageError, match=reason):
            load_image(tmp_path / name)
    with pytest.raises(ImageError, match="can't be opened"):
        load_image("zero\0byte.jpg")
    with pytest.raises(ImageError, match="too long"):
        load_image(tmp_path / ("x" * 5000))


def test_unreadable_files_are_issues(tmp_path: Path, pixels: Pixels) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encode(pixels, "PNG"))
    with (
        mock.patch("os.open", side_effect=PermissionError(13, "Permission denied")),
        pytest.raises(ImageError, match="permission denied"),
    ):
        load_image(path)


def test_read_errors_while_decoding_are_issues(tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 2000 or size is None or size < 0:
                raise OSError(5, "Input/output error")
            return super().read(size)

    data = encode(np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8), "PNG")
    with (
        mock.patch("cliqa.images.formats.open_regular", return_value=Failing(data)),
        pytest.raises(ImageError, match=r"Input/output"),
    ):
        load_image(tmp_path / "a.png")


def test_formats_are_told_by_content(tmp_path: Path, pixels: Pixels) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(encode(pixels, "PNG"))
    assert load_image(path).header.format == "PNG"


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
