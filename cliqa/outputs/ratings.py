"""What a person said of a picture in other programs: ratings and labels in sidecars and in the file itself. Read, never written.

A sidecar is `IMG.JPG.xmp` (digiKam, darktable) or `IMG.xmp` (Lightroom, Bridge). A rating is xmp:Rating (-1 rejected, 0 unrated, 1-5),
Microsoft's percentage or EXIF's Rating; a pick is digiKam:PickLabel; a label is xmp:Label or digiKam:ColorLabel.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from cliqa.errors import ImageIssue
from cliqa.files.atomic import open_regular
from cliqa.images.formats import opened
from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
DIGIKAM = "http://www.digikam.org/ns/1.0/"
MICROSOFT = "http://ns.microsoft.com/photo/1.0/"
OWN = "urn:cliqa:1.0"  # its `wrote` says which values this program put into a sidecar
PICKS = {"1": "rejected", "2": "pending", "3": "accepted"}
LARGEST_SIDECAR = 16 << 20  # bytes; chosen by hand: sidecars have kilobytes
_EXIF_RATING, _EXIF_RATING_PERCENT = 0x4746, 0x4749
_RATING, _PICK = f"{{{XMP}}}Rating", f"{{{DIGIKAM}}}PickLabel"
_LABELS = (f"{{{XMP}}}Label", f"{{{DIGIKAM}}}ColorLabel")


@dataclass(frozen=True)
class Marks:
    """A person's marks of a picture; None where there is none. `rating` -1 (rejected) to 5, `pick` rejected, pending or accepted."""

    rating: int | None = None
    pick: str | None = None
    label: str | None = None

    def __bool__(self) -> bool:
        return (self.rating, self.pick, self.label) != (None, None, None)

    def over(self, other: Marks) -> Marks:
        """These, and the other's where these say nothing."""
        return Marks(
            other.rating if self.rating is None else self.rating,
            other.pick if self.pick is None else self.pick,
            other.label if self.label is None else self.label,
        )


def sidecars(image: str, naming: str = "full") -> tuple[str, str]:
    """Where sidecars of an image may lie, that of `naming` (full: IMG.JPG.xmp, stem: IMG.xmp) first."""
    full, stem = f"{image}.xmp", f"{os.path.splitext(image)[0]}.xmp"
    return (full, stem) if naming == "full" else (stem, full)


def read_marks(image: str) -> Marks:
    """A person's marks of an image, from its sidecars, then from the file itself. What can't be read says nothing."""
    found = Marks()
    for path in sidecars(image):
        try:
            with open_regular(path) as stream:
                content = stream.read(LARGEST_SIDECAR + 1)
        except (ImageIssue, OSError, ValueError):
            continue
        if len(content) <= LARGEST_SIDECAR:
            found = found.over(marks_of_xmp(content))
    return found.over(_embedded(image))


def marks_of_xmp(packet: bytes) -> Marks:
    """A person's marks in an XMP packet: all but what this program says that it wrote and nobody has changed since."""
    properties = xmp_properties(packet)
    own = written_by_us(properties)
    rating, pick = properties.get(_RATING), properties.get(_PICK)
    percent = properties.get(f"{{{MICROSOFT}}}Rating")
    label = next((properties[name] for name in _LABELS if properties.get(name) not in (None, "", "0")), None)
    if rating is None and percent is not None and re.fullmatch(r"\d{1,3}", percent):
        rating = str(_of_percent(int(percent)))
    return Marks(
        rating=_rating(rating) if own.get("Rating") != rating else None,
        pick=PICKS.get(pick or "") if own.get("PickLabel") != pick else None,
        label=label,
    )


def written_by_us(properties: Mapping[str, str]) -> dict[str, str]:
    """`Rating=-1 PickLabel=1` of a sidecar -> {"Rating": "-1", "PickLabel": "1"}."""
    pairs = (word.partition("=") for word in properties.get(f"{{{OWN}}}wrote", "").split())
    return {name: value for name, _, value in pairs}


def xmp_properties(packet: bytes) -> dict[str, str]:
    """The simple properties of an XMP packet by their full names; none where it is no XMP or declares a document type."""
    packet = packet.strip(b"\0 \r\n\t")
    if b"<!DOCTYPE" in packet or b"<!ENTITY" in packet or b"\0" in packet:  # UTF-16 could hide them
        return {}
    try:
        root = ElementTree.fromstring(packet)
    except (ElementTree.ParseError, ValueError):
        return {}
    return dict(_properties(root))


def _properties(root: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for description in root.iter(f"{{{RDF}}}Description"):
        yield from ((name, value.strip()) for name, value in description.attrib.items())
        yield from ((child.tag, (child.text or "").strip()) for child in description if len(child) == 0)


def _embedded(image: str) -> Marks:
    try:
        with opened(image, DEFAULT_MAX_IMAGE_PIXELS) as found:
            picture = found.image
            packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or b""
            marks = marks_of_xmp(packet.encode() if isinstance(packet, str) else bytes(packet))
            if marks.rating is None and not (picture.format == "PNG" and "exif" not in picture.info):
                exif = picture.getexif()
                rating = exif.get(_EXIF_RATING)
                percent = exif.get(_EXIF_RATING_PERCENT)
                if rating is None and isinstance(percent, int):
                    rating = _of_percent(percent)
                marks = marks.over(Marks(rating=_rating(str(rating)) if rating is not None else None))
            return marks
    except Exception:  # foreign metadata: whatever is wrong with it, it says nothing
        return Marks()


def _rating(text: str | None) -> int | None:
    """-1 to 5; None for no rating. A 0 is "unrated", which is what no rating means too."""
    try:
        value = round(float(text or ""))
    except ValueError:
        return None
    return value if -1 <= value <= 5 and value != 0 else None


def _of_percent(percent: int) -> int:
    """Windows' 1, 25, 50, 75, 99 -> 1 to 5 stars; 0 -> 0."""
    return 0 if percent <= 0 else min(5, 1 + round(percent / 25) if percent > 12 else 1)
