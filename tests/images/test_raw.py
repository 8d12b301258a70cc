"""Cameras' raw files: recognised whatever they are called, scored by their preview or not at all."""

from __future__ import annotations

import struct
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from cliqa.errors import ImageError, ImageSkipped
from cliqa.images.loading import load_image
from cliqa.images.raw import MIN_PREVIEW
from cliqa.metrics.base import Metric, Observation, View
from cliqa.pipeline.settings import PipelineSettings
from cliqa.pipeline.worker import Observed, observe_file
from cliqa.records import Issue, Source
from tests.conftest import encode
from tests.image_bytes import dng, tiff_directory
from tests.jpeg_pictures import textured

HEADS = {
    "CR2": b"II*\0\x10\0\0\0CR\x02\0" + bytes(100),
    "CR3": b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom" + bytes(100),
    "ORF": b"IIRO\x08\0\0\0" + bytes(100),
    "RW2": b"IIU\0\x08\0\0\0" + bytes(100),
    "RAF": b"FUJIFILMCCD-RAW 0201" + bytes(100),
    "X3F": b"FOVb" + bytes(100),
    "CRW": b"II\x1a\0\0\0HEAPCCDR" + bytes(100),
}


def thumbnail_first(make: bytes, sub: dict[int, tuple[str, list[int]]]) -> bytes:
    """A TIFF whose first directory is a small picture, with another directory below it."""
    pixels = bytes(64 * 48 * 3)
    below = 8 + len(pixels)
    inner = tiff_directory(">", below, sub)
    first = below + len(inner)
    outer = tiff_directory(">", first, {
        254: ("I", [1]), 256: ("I", [64]), 257: ("I", [48]), 258: ("H", [8, 8, 8]), 259: ("H", [1]), 262: ("H", [2]),
        271: ("s", [*make, 0]), 273: ("I", [8]), 277: ("H", [3]), 278: ("I", [48]), 279: ("I", [len(pixels)]), 330: ("I", [below]),
    })  # fmt: skip
    return b"MM\0*" + struct.pack(">I", first) + pixels + inner + outer


SENSOR = {254: ("I", [0]), 256: ("I", [4000]), 257: ("I", [3000]), 259: ("H", [34713]), 262: ("H", [32803])}
PICTURE = {254: ("I", [0]), 256: ("I", [4000]), 257: ("I", [3000]), 259: ("H", [1]), 262: ("H", [1])}


@pytest.mark.parametrize("kind", HEADS)
def test_raw_files_are_told_by_their_first_bytes(kind: str) -> None:
    with (
        mock.patch.dict("sys.modules", {"rawpy": None}),
        pytest.raises(ImageError, match=rf"raw file \({kind}\).*cliqa\[raw\]"),
    ):
        load_image(HEADS[kind])
    pytest.importorskip("rawpy")
    with pytest.raises(ImageError, match=rf"raw file \({kind}\)"):  # nothing but a head
        load_image(HEADS[kind])


@pytest.mark.parametrize(
    ("make", "kind"), [(b"NIKON CORPORATION", "NEF"), (b"SONY", "ARW"), (b"PENTAX", "PEF"), (b"Nobody", "RAW")]
)
@pytest.mark.parametrize("sub", [SENSOR, PICTURE])
def test_the_thumbnail_of_a_tiff_like_raw_file_is_never_scored(make: bytes, kind: str, sub: dict) -> None:
    named = "raw file" if kind == "RAW" else rf"raw file \({kind}\)"
    with mock.patch.dict("sys.modules", {"rawpy": None}), pytest.raises(ImageError, match=named):
        load_image(thumbnail_first(make, sub))


def test_tiffs_with_smaller_pages_are_no_raw_files() -> None:
    pages = [Image.fromarray(textured(1, side)) for side in (256, 64)]
    assert load_image(encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])).header.format == "TIFF"


class Grid(Metric):
    """Measures the pixel grid."""

    name = "grid"
    reads_grid = True

    @classmethod
    def observe(cls, view: View) -> Observation:
        return {"pixels": view.pixels}


class Picture(Grid):
    """Looks at the picture."""

    name = "picture"
    reads_grid = False


def test_the_preview_is_scored_for_the_metrics_of_the_picture_alone(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    preview = encode(textured(2, 640)[:512], "JPEG", quality=90)
    path = tmp_path / "a.jpg"
    path.write_bytes(dng(preview, (640, 512), 6))
    source = Source(str(path))
    found = observe_file(source, PipelineSettings(), [Grid, Picture])
    assert isinstance(found, Observed)
    assert (found.facts["format"], found.facts["width"], found.facts["orientation"]) == ("DNG", 640, 6)
    assert found.notes == ["preview: scored by its embedded JPEG of 640x512 pixels"]
    assert isinstance(found.observations["grid"], ImageSkipped)
    seen = found.observations["picture"]
    assert isinstance(seen, dict)
    np.testing.assert_array_equal(seen["pixels"], load_image(preview).pixels)
    assert load_image(path).upright.size == (512, 640)
    alone = observe_file(source, PipelineSettings(), [Grid])
    assert isinstance(alone, Issue) and "preview" in alone.message


def test_a_tiny_preview_is_not_scored() -> None:
    pytest.importorskip("rawpy")
    side = MIN_PREVIEW // 2
    with pytest.raises(ImageError, match=f"preview has {side}x{side}"):
        load_image(dng(encode(textured(2, side), "JPEG"), (side, side)))
