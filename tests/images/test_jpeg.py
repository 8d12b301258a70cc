from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cliqa.errors import ImageIssue
from cliqa.images import jpeg as decoder
from cliqa.images.loading import load_image
from cliqa.metrics import View
from cliqa.metrics.base import Metric, Observation
from cliqa.pipeline.observe import Observed, observe_file
from cliqa.pipeline.settings import PipelineSettings
from cliqa.records import Source
from tests.jpeg_pictures import textured


class Everything(Metric):
    """Sees all pixels."""

    name = "everything"

    @classmethod
    def observe(cls, view: View) -> Observation:
        return {"pixels": view.pixels}


def jpeg(seed: int, mode: str = "RGB", size: int = 200, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(textured(seed, size)).convert(mode).save(stream, "JPEG", **options)  # type: ignore[arg-type]
    return stream.getvalue()


def decoded(data: bytes, spare: bytes | None) -> np.ndarray | None:
    """Pixels of a file, decoded into the memory of another where that fits; None where it can't be decoded."""
    decoder._spare.clear()
    if spare is not None:
        decoder.hand_on(load_image(spare).stored)
    try:
        return load_image(data).pixels
    except ImageIssue:
        return None


@pytest.fixture(autouse=True)
def _no_spare():
    decoder._spare.clear()
    yield
    decoder._spare.clear()


def test_memory_is_used_again_for_a_picture_of_the_same_size():
    first = load_image(jpeg(1)).stored
    core = first.im
    decoder.hand_on(first)
    assert load_image(jpeg(2)).stored.im is core
    assert load_image(jpeg(3)).stored.im is not core  # it was handed on once


@pytest.mark.parametrize("other", [jpeg(2, size=208), jpeg(2, "L"), jpeg(2, "CMYK")])
def test_pictures_of_another_kind_get_their_own(other: bytes):
    assert np.array_equal(decoded(other, jpeg(1)), decoded(other, None))
    assert not decoder._spare


def test_other_formats_get_their_own():
    stream = io.BytesIO()
    Image.fromarray(textured(4, 200)).save(stream, "PNG")
    first = load_image(jpeg(1)).stored
    decoder.hand_on(first)
    assert load_image(stream.getvalue()).stored.im is not first.im


@pytest.mark.parametrize("progressive", [False, True])
def test_damaged_files_show_nothing_of_an_earlier_picture(progressive: bool):
    whole, spare = jpeg(5, progressive=progressive), jpeg(6)
    rng = np.random.default_rng(0)
    for _ in range(60):
        data = bytearray(whole)
        if rng.random() < 0.5:
            data = data[: int(rng.integers(200, len(data)))] + b"\xff\xd9"
        for place in rng.integers(200, len(data) - 2, int(rng.integers(0, 4))):
            data[place] = int(rng.integers(256))
        fresh, used = decoded(bytes(data), None), decoded(bytes(data), spare)
        assert (fresh is None) == (used is None)
        assert fresh is None or np.array_equal(fresh, used)


def test_a_file_without_scans_shows_nothing_of_an_earlier_picture():
    whole = jpeg(5)
    assert decoded(whole[: whole.index(b"\xff\xda")] + b"\xff\xd9", jpeg(6)) is None


def test_files_observed_one_after_another_keep_their_pixels(tmp_path: Path):
    found = []
    for seed in range(3):
        path = tmp_path / f"{seed}.jpg"
        path.write_bytes(jpeg(seed))
        found.append(observe_file(Source(str(path)), PipelineSettings(), [Everything]))
    for seed, item in enumerate(found):
        assert isinstance(item, Observed)
        observed = item.observations["everything"]
        assert isinstance(observed, dict)
        assert np.array_equal(observed["pixels"], np.asarray(Image.open(io.BytesIO(jpeg(seed)))))


def test_huge_pictures_are_not_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decoder, "MOST_PIXELS", 100)
    decoder.hand_on(load_image(jpeg(1)).stored)
    assert not decoder._spare
