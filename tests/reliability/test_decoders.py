"""Mutated files of every format: each ends as one record or one issue, in time, in memory, and no worker dies of it."""

from __future__ import annotations

import io
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cliqa.errors import ImageError, ImageSkipped
from cliqa.images.loading import load_image
from cliqa.pipeline.pool import WorkerPool
from cliqa.pipeline.settings import PipelineSettings
from cliqa.pipeline.worker import Observed, observe_file
from cliqa.records import Issue, Source
from tests.image_bytes import exif_of, png, png_chunk
from tests.reliability.fuzzing import fuzz
from tests.reliability.mutations import mutated
from tests.reliability.seeds import FORMATS, seeds
from tests.reliability.touching_metric import Touching


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_mutated_file_is_one_record_or_one_issue(format_name: str, tmp_path: Path) -> None:
    if format_name == "HEIF":
        pytest.importorskip("pillow_heif")
    outcome = fuzz(format_name, 60, tmp_path)
    assert outcome.unexpected == []
    assert outcome.records + outcome.issues == outcome.files == 60 and outcome.records >= 3 and outcome.issues >= 10
    assert outcome.seconds <= 10.5 and outcome.mebibytes < 1024


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_seeds_are_sound_and_a_mutation_is_made_again_from_its_number(format_name: str) -> None:
    if format_name == "HEIF":
        pytest.importorskip("pillow_heif")
    for sound in seeds(format_name):
        assert load_image(sound).header.format == format_name
    first, again = (
        [mutated(sound, seeds("PNG"), np.random.default_rng(5)) for sound in seeds(format_name)] for _ in (1, 2)
    )
    assert first == again


def answer(data: bytes, tmp_path: Path) -> Observed | Issue:
    """What a worker says of one file."""
    path = tmp_path / "bomb"
    path.write_bytes(data)
    with WorkerPool([Touching({}, {})], PipelineSettings(1)) as pool:
        pool.submit(0, Source(str(path)))
        ((_, found),) = list(pool.results())
    return found


def test_bombs_get_no_memory_that_their_bytes_do_not_back(tmp_path: Path) -> None:
    """A valid PNG of 175 megapixels with alpha in under a megabyte: sound, within the limit of pixels, and a gigabyte and a half."""
    side = 13_200
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packed.compress(bytes(4 * side + 1)) + packed.flush(
        zlib.Z_FULL_FLUSH
    )  # a row of zeros, alike in every place
    checksum = 1
    for _ in range(side):
        checksum = zlib.adler32(bytes(4 * side + 1), checksum)
    body = b"\x78\xda" + block * side + b"\x03\0" + checksum.to_bytes(4, "big")
    head = png(side, side, 8, 6, b"")
    start = head.index(b"IDAT") - 4
    found = answer(head[:start] + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b""), tmp_path)
    assert isinstance(found, Issue) and "memory" in found.message


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_text_and_profiles_without_end_do_not_matter(format_name: str, tmp_path: Path) -> None:
    """Metadata of megabytes, in every place that a format has for it."""
    stream = io.BytesIO()
    exif = exif_of(1)
    exif[0x010E] = "text " * 12_000
    picture = Image.new("RGB", (64, 64), (9, 9, 9))
    picture.save(stream, format_name, icc_profile=os.urandom(2_000_000), exif=exif)
    (tmp_path / "a").write_bytes(stream.getvalue())
    found = observe_file(Source(str(tmp_path / "a")), PipelineSettings(), [Touching])
    assert isinstance(found, (Observed, Issue))


def test_what_is_not_a_format_of_ours_is_never_opened_by_another_reader() -> None:
    """Readers that run programs (EPS), follow paths or fetch (FPX, WMF, MIC, fit) are not among ours, whatever a file says."""
    for head in (
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"SIMPLE  =",
        b"\x01\0\0\0\x6c\0\0\0",
        b"8BPS\0\1",
        b"\xd0\xcf\x11\xe0" + bytes(600),
    ):
        with pytest.raises((ImageError, ImageSkipped), match=r"not a format|not an image|header"):
            load_image(head + bytes(200))
