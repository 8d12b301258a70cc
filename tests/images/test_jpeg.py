from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from cliqa.errors import ImageError, ImageIssue
from cliqa.images import jpeg as decoder
from cliqa.images.jpeg import without_stray_bytes
from cliqa.images.loading import load_image, load_thumbnail
from cliqa.metrics import View
from cliqa.metrics.base import Metric, Observation
from cliqa.pipeline.settings import PipelineSettings
from cliqa.pipeline.worker import Observed, observe_file
from cliqa.records import Issue, Source
from tests.conftest import encode
from tests.jpeg_pictures import textured


class Mean(Metric):
    """Sees all pixels."""

    name = "mean"

    @classmethod
    def observe(cls, view: View) -> Observation:
        return {"mean": np.array(view.pixels.mean())}


def coded(**options: object) -> bytes:
    return encode(textured(1, 256), "JPEG", quality=90, **options)


def scan(data: bytes) -> int:
    return data.index(b"\xff\xda") + 20


DAMAGES = {
    "a zeroed block": lambda data: data[: scan(data) + 4000] + bytes(300) + data[scan(data) + 4300 :],
    "half of it, closed": lambda data: data[: len(data) // 2] + b"\xff\xd9",
    "half of it": lambda data: data[: len(data) // 2],
    "a marker in the middle": lambda data: data[: scan(data) + 3000] + b"\xff\xd7" + data[scan(data) + 3002 :],
}


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


SOUND = {
    "as it is": lambda data: data,
    "zeros after its end": lambda data: data + bytes(5000),
    "a video after its end": lambda data: data + b"\0\0\0\x18ftypmp42" + np.random.default_rng(0).bytes(9000),
    "another picture after its end": lambda data: data + data,
    "EXIF that is none": lambda data: data[:2] + segment(0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff") + data[2:],
    "segments that nobody knows": lambda data: data[:2] + segment(0xEF, b"\xff\xd9" * 200) + data[2:],
    "fill bytes": lambda data: data[:2] + b"\xff" * 7 + data[2:],
}


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


def test_rows_are_used_again_when_nobody_holds_them():
    first = load_image(jpeg(1))
    place, shape = first.pixels.ctypes.data, first.pixels.shape
    assert not first.pixels.flags.writeable
    assert np.array_equal(first.pixels, np.asarray(first.stored))
    part = first.pixels[5:9]
    before = part.copy()
    del first
    second = load_image(jpeg(2))
    assert second.pixels.ctypes.data != place
    assert np.array_equal(part, before)
    place = second.pixels.ctypes.data
    del second
    assert load_image(jpeg(3)).pixels.ctypes.data == place
    assert load_image(jpeg(3)).pixels.shape == shape


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


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_jpegs_are_issues_or_have_a_note(damage: str, progressive: bool, tmp_path: Path) -> None:
    data = DAMAGES[damage](coded(progressive=progressive))
    with pytest.raises(ImageError, match="damaged image data"):
        load_image(data)
    image = load_image(data, damaged=True)
    assert image.pixels.shape == (256, 256, 3)
    assert len(image.notes) == 1 and image.notes[0].startswith("damaged image data: ")
    assert load_thumbnail(data, 64).size == (64, 64)  # it can be looked at
    (tmp_path / "a.jpg").write_bytes(data)
    source = Source(str(tmp_path / "a.jpg"))
    assert isinstance(observe_file(source, PipelineSettings(), [Mean]), Issue)
    found = observe_file(source, PipelineSettings(score_damaged=True), [Mean])
    assert isinstance(found, Observed) and found.notes == image.notes


@pytest.mark.parametrize("oddity", SOUND)
@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0}, {"keep_rgb": True}, {"optimize": True}],
)
def test_odd_but_sound_jpegs_are_decoded_without_a_word(oddity: str, options: dict[str, object]) -> None:
    whole = coded(**options)
    image = load_image(SOUND[oddity](whole))
    assert image.notes == []
    np.testing.assert_array_equal(image.pixels, np.asarray(Image.open(io.BytesIO(whole)).convert("RGB")))


@pytest.mark.parametrize("progressive", [False, True])
def test_harmless_faults_of_jpegs_are_notes(progressive: bool) -> None:
    whole = coded(progressive=progressive)
    expected = load_image(whole).pixels
    endless = load_image(whole[:-2])
    assert endless.notes == ["it ends without its end marker"]
    padded = whole[:20] + bytes(9) + whole[20:]  # behind the JFIF segment
    assert without_stray_bytes(padded) == whole
    stray = load_image(padded)
    assert stray.notes == ["stray bytes between the parts of its header"]
    both = load_image(padded[:-2])
    assert len(both.notes) == 1 and "; " in both.notes[0]
    for image in (endless, stray, both):
        np.testing.assert_array_equal(image.pixels, expected)
    with pytest.raises(ImageError, match="damaged"):  # what is harmless hides no damage
        load_image(padded[: len(padded) // 2] + b"\xff\xd9")


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("size", [33, 256])
def test_pixels_are_those_of_pillow(mode: str, size: int) -> None:
    for options in ({"quality": 30}, {"quality": 95, "subsampling": 1}, {"progressive": True}):
        data = encode(Image.fromarray(textured(3, size)).convert(mode), "JPEG", **options)
        np.testing.assert_array_equal(load_image(data).pixels, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def test_a_sampling_that_the_strict_decoder_has_no_name_for() -> None:
    """3x1 samples for the first component: legal, and decoded by Pillow."""
    data = bytearray(coded(subsampling=0))
    frame = data.index(b"\xff\xc0")
    data[frame + 11] = 0x31
    with pytest.raises(ValueError, match="subsampling"):
        simplejpeg.decode_jpeg_header(bytes(data))
    image = load_image(bytes(data))
    np.testing.assert_array_equal(image.pixels, np.asarray(Image.open(io.BytesIO(bytes(data)))))


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_damaged_jpeg_data_inside_a_tiff(mode: str) -> None:
    picture = Image.fromarray(np.concatenate([textured(2, 200)] * 2)).convert(mode)
    whole = encode(picture, "TIFF", compression="jpeg", quality=85)
    assert load_image(whole).notes == []
    with Image.open(io.BytesIO(whole)) as opened:
        start = opened.tag_v2[273][0] + opened.tag_v2[279][0] // 2  # type: ignore[attr-defined]
    data = whole[:start] + bytes(400) + whole[start + 400 :]
    with pytest.raises(ImageError, match="damaged image data"):
        load_image(data)
    assert "damaged image data" in load_image(data, damaged=True).notes[0]
