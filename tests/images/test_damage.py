"""Files that a decoder shows although their data are damaged; and sound ones with odd features, which are not refused."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from cliqa.errors import ImageError
from cliqa.images.jpeg import without_stray_bytes
from cliqa.images.loading import load_image, load_thumbnail
from cliqa.metrics import View
from cliqa.metrics.base import Metric, Observation
from cliqa.pipeline.observe import Observed, observe_file
from cliqa.pipeline.settings import PipelineSettings
from cliqa.records import Issue, Source
from tests.conftest import encode
from tests.image_bytes import png_chunk
from tests.jpeg_pictures import textured


class Mean(Metric):
    """Sees all pixels."""

    name = "mean"

    @classmethod
    def observe(cls, view: View) -> Observation:
        return {"mean": np.array(view.pixels.mean())}


def jpeg(**options: object) -> bytes:
    return encode(textured(1, 256), "JPEG", quality=90, **options)


def scan(data: bytes) -> int:
    return data.index(b"\xff\xda") + 20


DAMAGES = {
    "a zeroed block": lambda data: data[: scan(data) + 4000] + bytes(300) + data[scan(data) + 4300 :],
    "half of it, closed": lambda data: data[: len(data) // 2] + b"\xff\xd9",
    "half of it": lambda data: data[: len(data) // 2],
    "a marker in the middle": lambda data: data[: scan(data) + 3000] + b"\xff\xd7" + data[scan(data) + 3002 :],
}


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_jpegs_are_issues_or_have_a_note(damage: str, progressive: bool, tmp_path: Path) -> None:
    data = DAMAGES[damage](jpeg(progressive=progressive))
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


@pytest.mark.parametrize("oddity", SOUND)
@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0}, {"keep_rgb": True}, {"optimize": True}],
)
def test_odd_but_sound_jpegs_are_decoded_without_a_word(oddity: str, options: dict[str, object]) -> None:
    whole = jpeg(**options)
    image = load_image(SOUND[oddity](whole))
    assert image.notes == []
    np.testing.assert_array_equal(image.pixels, np.asarray(Image.open(io.BytesIO(whole)).convert("RGB")))


@pytest.mark.parametrize("progressive", [False, True])
def test_harmless_faults_of_jpegs_are_notes(progressive: bool) -> None:
    whole = jpeg(progressive=progressive)
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
    data = bytearray(jpeg(subsampling=0))
    frame = data.index(b"\xff\xc0")
    data[frame + 11] = 0x31
    with pytest.raises(ValueError, match="subsampling"):
        simplejpeg.decode_jpeg_header(bytes(data))
    image = load_image(bytes(data))
    np.testing.assert_array_equal(image.pixels, np.asarray(Image.open(io.BytesIO(bytes(data)))))


def parts(data: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        found.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    return found


def png_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, body) for kind, body in chunks)


def test_damaged_pngs_are_issues_or_have_a_note() -> None:
    whole = encode(textured(2, 200), "PNG")
    pixels = b"".join(body for kind, body in parts(whole) if kind == b"IDAT")
    head = parts(whole)[0]
    wrong_sum = bytearray(whole)
    wrong_sum[whole.index(b"IDAT") + 4 + len(parts(whole)[1][1])] ^= 1
    bad_adler = png_of([head, (b"IDAT", pixels[:-4] + b"abcd"), (b"IEND", b"")])
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 8
    short = png_of([head, (b"IDAT", pixels[: len(pixels) // 2]), (b"IEND", b"")])
    for data in (bytes(wrong_sum), bad_adler, bytes(changed), short, whole[: len(whole) // 2]):
        with pytest.raises(ImageError, match="damaged image data"):
            load_image(data)
    for data in (bytes(wrong_sum), short, whole[: len(whole) // 2]):
        image = load_image(data, damaged=True)
        assert image.pixels.shape == (200, 200, 3) and any("damaged image data" in note for note in image.notes)


def test_harmless_faults_of_pngs_are_notes() -> None:
    whole = encode(textured(2, 60), "PNG")
    end = whole.index(b"IEND") - 4
    comment = bytearray(png_chunk(b"tEXt", b"Comment\0words"))
    comment[-1] ^= 1
    for data, words in (
        (whole[:end], "without its end marker"),
        (whole + b"more", "bytes after its end"),
        (whole[:end] + bytes(comment) + whole[end:], "checksum in its tEXt"),
        (whole[:33] + bytes(comment) + whole[33:], "checksum in its tEXt"),
    ):
        image = load_image(data)
        assert len(image.notes) == 1 and words in image.notes[0]
        np.testing.assert_array_equal(image.pixels, textured(2, 60))


@pytest.mark.parametrize("place", [b"IDAT", b"IEND"])
def test_png_metadata_of_any_size_is_left_out(place: bytes) -> None:
    whole = encode(textured(4, 50), "PNG")
    start = whole.index(place) - 4
    text = zlib.compress(b"words " * 500_000)
    for chunk in (
        png_chunk(b"zTXt", b"workflow\0\0" + text),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + text),
        b"".join(png_chunk(b"zTXt", b"XML:com.adobe.xmp\0\0" + zlib.compress(bytes(900_000))) for _ in range(90)),
        png_chunk(b"tEXt", b"prompt\0" + b"x" * 3_000_000),
    ):
        image = load_image(whole[:start] + chunk + whole[start:])
        assert image.notes == []
        np.testing.assert_array_equal(image.pixels, textured(4, 50))


@pytest.mark.parametrize("lossless", [False, True])
def test_damaged_webps_are_issues(lossless: bool) -> None:
    whole = encode(textured(2, 200), "WEBP", lossless=lossless, quality=80)
    for share in (0.3, 0.9, 0.999):
        with pytest.raises(ImageError):
            load_image(whole[: int(len(whole) * share)])
    assert load_image(whole + b"more than one byte").notes == ["bytes after its end"]
    assert load_image(whole).notes == []


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
