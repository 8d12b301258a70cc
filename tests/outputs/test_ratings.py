"""A person's ratings and labels, read from sidecars and files as other programs write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from cliqa.outputs.ratings import Marks, marks_of_xmp, read_marks
from tests.image_bytes import PACKET


@pytest.mark.parametrize(
    ("properties", "marks"),
    [
        ('xmp:Rating="5"/>', Marks(rating=5)),
        ('xmp:Rating="-1"/>', Marks(rating=-1)),
        ('xmp:Rating="0"/>', Marks()),
        ("><xmp:Rating>3</xmp:Rating></rdf:Description>", Marks(rating=3)),
        ('MP:Rating="99"/>', Marks(rating=5)),
        ('MP:Rating="25"/>', Marks(rating=2)),
        ('digiKam:PickLabel="3" xmp:Label="Green"/>', Marks(pick="accepted", label="Green")),
        ('xmp:Rating="-1" digiKam:PickLabel="1" cliqa:wrote="PickLabel=1 Rating=-1"/>', Marks()),
        ('xmp:Rating="4" digiKam:PickLabel="1" cliqa:wrote="PickLabel=1 Rating=-1"/>', Marks(rating=4)),
        ('xmp:Rating="many"/>', Marks()),
    ],
)
def test_marks_of_a_packet(properties: str, marks: Marks) -> None:
    assert marks_of_xmp((PACKET % properties).encode()) == marks


@pytest.mark.parametrize(
    "packet", [b"", b"no xml", b"<!DOCTYPE x [<!ENTITY e 'e'>]><x>&e;</x>", "<!DOCTYPE x><x/>".encode("utf-16")]
)
def test_what_is_no_xmp_says_nothing(packet: bytes) -> None:
    assert not marks_of_xmp(packet)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_marks_inside_a_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    packet = (PACKET % 'xmp:Rating="5"/>').encode()
    image = Image.new("RGB", (40, 40), "grey")
    if suffix == "png":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet.decode())
        image.save(path, pnginfo=info)
    elif suffix == "tif":
        image.save(path, tiffinfo={700: packet})
    else:
        image.save(path, xmp=packet)
    assert read_marks(str(path)) == Marks(rating=5)


@pytest.mark.parametrize(("tag", "value", "stars"), [(0x4746, 4, 4), (0x4749, 99, 5), (0x4749, 1, 1), (0x4749, 50, 3)])
def test_exif_ratings(tmp_path: Path, tag: int, value: int, stars: int) -> None:
    exif = Image.Exif()
    exif[tag] = value
    Image.new("RGB", (40, 40)).save(tmp_path / "a.jpg", exif=exif)
    assert read_marks(str(tmp_path / "a.jpg")).rating == stars


def test_the_sidecar_goes_before_the_file_and_either_naming_counts(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "a.jpg", xmp=(PACKET % 'xmp:Rating="2" xmp:Label="Red"/>').encode())
    (tmp_path / "a.xmp").write_text(PACKET % 'xmp:Rating="5"/>')
    assert read_marks(str(tmp_path / "a.jpg")) == Marks(rating=5, label="Red")


def test_missing_and_broken_files_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "b.jpg").write_bytes(b"no image")
    assert read_marks(str(tmp_path / "a.jpg")) == read_marks(str(tmp_path / "b.jpg")) == Marks()
