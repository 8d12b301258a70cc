"""Sidecars: made, merged without loss, hardened; read back by exiftool and exiv2 where they are installed."""

import json
import shutil
import subprocess

import pytest

from cliqa.errors import PlacingError

pytest.importorskip("lxml")
from cliqa.outputs.xmp import merged, write_sidecar

EXISTING = b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmp:Rating="4" xmp:Label="Red">
<dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li>M\xc3\xb6we</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


def test_a_new_sidecar_lies_beside_the_image(tmp_path):
    assert not write_sidecar(str(tmp_path / "IMG.JPG"), "accepted")
    text = (tmp_path / "IMG.JPG.xmp").read_text()
    assert 'digiKam:PickLabel="3"' in text
    assert "Rating" not in text


def test_merging_keeps_what_is_there_and_a_persons_rating():
    kept = merged(EXISTING, "pending").decode()
    for piece in ('xmp:Rating="4"', 'xmp:Label="Red"', "<rdf:li>Möwe</rdf:li>", "W5M0MpCehiHzreSzNTczkc9d", 'end="w"'):
        assert piece in kept
    assert ">2</digiKam:PickLabel>" in kept
    rejected = merged(EXISTING, "rejected").decode()
    assert 'xmp:Rating="4"' in rejected
    assert 'xmp:Label="Red"' in rejected
    assert ">1</digiKam:PickLabel>" in rejected


def test_a_label_is_replaced_not_added_and_a_rejection_can_be_taken_back():
    rejected = merged(None, "rejected")
    assert b'xmp:Rating="-1"' in rejected
    once = merged(rejected, "accepted").decode()
    assert once.count('digiKam:PickLabel="3"') == 1
    assert "xmp:Rating" not in once


def test_a_rating_that_somebody_changed_since_is_theirs():
    ours = merged(None, "rejected")
    theirs = ours.replace(b'xmp:Rating="-1"', b'xmp:Rating="2"')
    for label in ("accepted", "rejected"):
        assert b'xmp:Rating="2"' in merged(theirs, label)


def test_properties_written_as_elements_stay_elements():
    ours = merged(None, "rejected")
    given = ours.replace(b' xmp:Rating="-1"', b"").replace(
        b"/></rdf:RDF>", b"><xmp:Rating>-1</xmp:Rating></rdf:Description></rdf:RDF>"
    )
    assert given != ours
    assert b"<xmp:Rating>-1</xmp:Rating>" in merged(given, "rejected")
    assert b"Rating>" not in merged(given, "accepted")


def test_a_persons_marks_anywhere_are_not_contradicted(tmp_path):
    (tmp_path / "a.xmp").write_bytes(EXISTING)  # by the other naming, with four stars
    marks = write_sidecar(str(tmp_path / "a.jpg"), "rejected")
    assert marks.rating == 4 and marks.label == "Red"
    assert not (tmp_path / "a.jpg.xmp").exists()
    assert b'xmp:Rating="4"' in (tmp_path / "a.xmp").read_bytes()
    assert b">1</digiKam:PickLabel>" in (tmp_path / "a.xmp").read_bytes()
    write_sidecar(str(tmp_path / "copy.jpg"), "rejected", original=str(tmp_path / "a.jpg"))
    assert b"Rating" not in (tmp_path / "copy.jpg.xmp").read_bytes()


def test_a_persons_pick_is_left_alone(tmp_path):
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(
        EXISTING.replace(b'xmp:Label="Red"', b'xmlns:digiKam="http://www.digikam.org/ns/1.0/" digiKam:PickLabel="3"')
    )
    before = sidecar.read_bytes()
    assert write_sidecar(str(tmp_path / "a.jpg"), "rejected").pick == "accepted"
    assert sidecar.read_bytes() == before


@pytest.mark.parametrize(("naming", "name"), [("full", "a.jpg.xmp"), ("stem", "a.xmp")])
def test_the_naming_is_the_users_choice(tmp_path, naming, name):
    write_sidecar(str(tmp_path / "a.jpg"), "pending", naming)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    write_sidecar(str(tmp_path / "a.jpg"), "accepted", "stem" if naming == "full" else "full")
    assert [path.name for path in tmp_path.iterdir()] == [name]  # the one that is there is updated


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "entities"),
        (b"<a/>", "no XMP"),
        (b"not xml", "no XML"),
    ],
)
def test_hostile_or_foreign_sidecars_are_left_alone(tmp_path, content, message):
    (tmp_path / "a.jpg.xmp").write_bytes(content)
    with pytest.raises(PlacingError, match=message):
        write_sidecar(str(tmp_path / "a.jpg"), "pending")
    assert (tmp_path / "a.jpg.xmp").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg.xmp"]


def test_a_link_is_never_followed(tmp_path):
    (tmp_path / "elsewhere.xmp").write_bytes(EXISTING)
    (tmp_path / "a.jpg.xmp").symlink_to(tmp_path / "elsewhere.xmp")
    with pytest.raises(PlacingError, match="link"):
        write_sidecar(str(tmp_path / "a.jpg"), "rejected")
    assert (tmp_path / "elsewhere.xmp").read_bytes() == EXISTING


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_exiftool_reads_it_back(tmp_path):
    (tmp_path / "a.jpg.xmp").write_bytes(EXISTING)
    write_sidecar(str(tmp_path / "a.jpg"), "rejected")
    path = str(tmp_path / "a.jpg.xmp")
    found = json.loads(subprocess.run(["exiftool", "-j", "-n", path], check=True, capture_output=True).stdout)[0]
    assert (found["PickLabel"], found["Rating"], found["Label"]) == (1, 4, "Red")
    assert found["Subject"] == ["sea", "Möwe"]


@pytest.mark.skipif(shutil.which("exiv2") is None, reason="exiv2 is not installed")
def test_exiv2_reads_it_back(tmp_path):
    write_sidecar(str(tmp_path / "a.jpg"), "rejected")
    path = str(tmp_path / "a.jpg.xmp")
    out = subprocess.run(["exiv2", "-PXkv", path], check=True, capture_output=True, text=True).stdout
    found = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert (found["Xmp.digiKam.PickLabel"], found["Xmp.xmp.Rating"]) == ("1", "-1")
