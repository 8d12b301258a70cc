"""XMP sidecars with digiKam's pick label and the rating, merged into what is there. Needs lxml (extra `xmp`).

digiKam: namespace http://www.digikam.org/ns/1.0/, PickLabel 0 none, 1 rejected, 2 pending, 3 accepted. xmp:Rating is -1 for
rejected. What a person set stays; what this program wrote is marked in its own namespace and may be updated while nobody changed it.
"""

from __future__ import annotations

import os
from typing import Any

from cliqa.errors import ImageError, PlacingError, UsageError
from cliqa.files.atomic import open_regular, replacing
from cliqa.outputs.placed import Entry, PlacedRecord
from cliqa.outputs.ratings import (
    DIGIKAM,
    LARGEST_SIDECAR,
    OWN,
    PICKS,
    RDF,
    XMP,
    Marks,
    read_marks,
    sidecars,
    written_by_us,
    xmp_properties,
)
from cliqa.text import reason

PICK_LABELS = {label: number for number, label in PICKS.items()}
META = "adobe:ns:meta/"
_EMPTY = (
    f'<x:xmpmeta xmlns:x="{META}"><rdf:RDF xmlns:rdf="{RDF}">'
    f'<rdf:Description rdf:about="" xmlns:xmp="{XMP}" xmlns:digiKam="{DIGIKAM}" xmlns:cliqa="{OWN}"/></rdf:RDF></x:xmpmeta>'
)


def check_available() -> None:
    """Raises UsageError when lxml is not installed."""
    try:
        import lxml.etree  # noqa: F401
    except ImportError:
        raise UsageError("--xmp needs the extra: pip install 'cliqa[xmp]'") from None


def write_sidecar(
    image: str, label: str, naming: str = "full", original: str | None = None, record: PlacedRecord | None = None
) -> Marks:
    """Set the pick label in the image's sidecar, and the rating -1 of a rejected one, creating it where there is none.

    What a person said stays and is not contradicted: with a rating or label of theirs (in a sidecar of either naming, in the file, or
    beside or in the `original` of a copy) only the pick label is written, and none over theirs. Everything else in an existing
    sidecar stays too. The file is replaced in one step.

    Args:
        image: the file that the sidecar is of.
        label: rejected, pending or accepted.
        naming: "full" for IMG.JPG.xmp, "stem" for IMG.xmp; a sidecar that exists under the other name is the one updated.
        original: the file of which `image` is a copy.
        record: of the output folder in which `image` lies. It is told of a sidecar that runs have made, so that it can be taken away
            as the copy can; a link to the original's sidecar that a run has placed there becomes a file of its own.

    Returns:
        the person's marks that were found, falsy where there are none.

    Raises:
        PlacingError: the sidecar is a link, is no XMP, declares entities, or can't be written.
    """
    marks = read_marks(image)
    if original is not None:
        marks = marks.over(read_marks(original))
    if marks.pick is not None:
        return marks
    preferred, other = sidecars(image, naming)
    path = other if os.path.lexists(other) and not os.path.lexists(preferred) else preferred
    placed = _placed(path, record)
    if os.path.islink(path) and placed is None:
        raise PlacingError(f"{path} is a link and is left alone")
    existing = _read(path)
    content = merged(existing, label, path, rated=bool(marks))
    if content == existing and not os.path.islink(path):
        return marks
    try:
        with replacing(path) as part:
            with open(part, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            if record is not None and (placed is not None or existing is None):
                record.add(_entry(path, part, placed, record, os.path.realpath(original or image)))
    except OSError as error:
        raise PlacingError(f"{path} can't be written: {reason(error)}") from error
    return marks


def _placed(path: str, record: PlacedRecord | None) -> Entry | None:
    """What the folder's record says of a sidecar that lies there as a run left it, or of a link that a run was about to replace."""
    found = record.at(os.path.relpath(path, record.folder)) if record is not None else None
    if found is None or record is None:
        return None
    is_link = os.path.islink(path) and bool(found.source) and os.readlink(path) == found.source
    return found if is_link or record.lies(found) else None


def _entry(path: str, part: str, placed: Entry | None, record: PlacedRecord, picture: str) -> Entry:
    """The line for the finished file `part` that is about to get the name `path`."""
    status = os.stat(part)
    mine = (status.st_size, status.st_mtime_ns)
    size, mtime_ns = mine if placed is None else (placed.size, placed.mtime_ns)
    source = "" if placed is None else placed.source
    return Entry(
        os.path.relpath(path, record.folder), source, picture, "written", size, mtime_ns,
        placed_ns=mine[1], placed_size=mine[0],
    )  # fmt: skip


def _read(path: str) -> bytes | None:
    try:
        with open_regular(path) as stream:
            content = stream.read(LARGEST_SIDECAR + 1)
    except FileNotFoundError:
        return None
    except ImageError as error:
        raise PlacingError(f"{path} is left alone: {error}") from error
    except OSError as error:
        raise PlacingError(f"{path} can't be read: {reason(error)}") from error
    if len(content) > LARGEST_SIDECAR:
        raise PlacingError(f"{path} is larger than {LARGEST_SIDECAR >> 20} MiB and is left alone")
    return content


def merged(existing: bytes | None, label: str, path: str = "the sidecar", rated: bool = False) -> bytes:
    """The sidecar with the label set; `rated` where a person has rated the picture, and no rating is written. Raises PlacingError."""
    from lxml import etree

    # No entities, no network, no document type: a sidecar is foreign data.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(existing if existing is not None else _EMPTY.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise PlacingError(f"{path} is no XML and is left alone: {error}") from error
    tree = root.getroottree()
    if tree.docinfo.doctype or any(isinstance(node, etree._Entity) for node in root.iter()):
        raise PlacingError(f"{path} declares a document type or entities and is left alone")
    rdf = root if root.tag == f"{{{RDF}}}RDF" else root.find(f".//{{{RDF}}}RDF")
    if rdf is None:
        raise PlacingError(f"{path} is no XMP and is left alone")
    descriptions = rdf.findall(f"{{{RDF}}}Description")
    if not descriptions:
        descriptions = [etree.SubElement(rdf, f"{{{RDF}}}Description", {f"{{{RDF}}}about": ""})]
    wrote = {"PickLabel": PICK_LABELS[label]}
    _set(descriptions, f"{{{DIGIKAM}}}PickLabel", PICK_LABELS[label], "digiKam")
    rating = _get(descriptions, f"{{{XMP}}}Rating")
    ours = rating is not None and written_by_us(xmp_properties(existing or b"")).get("Rating") == rating
    if label == "rejected" and not rated and (rating is None or ours):
        _set(descriptions, f"{{{XMP}}}Rating", "-1", "xmp")
        wrote["Rating"] = "-1"
    elif ours:
        _set(descriptions, f"{{{XMP}}}Rating", None, "xmp")
    _set(descriptions, f"{{{OWN}}}wrote", " ".join(f"{name}={value}" for name, value in wrote.items()), "cliqa")
    body: bytes = etree.tostring(
        tree, xml_declaration=existing is None or existing.lstrip().startswith(b"<?xml "), encoding="UTF-8"
    )
    return body


def _get(descriptions: list[Any], name: str) -> str | None:
    """A simple property, written as an attribute or as an element."""
    for description in descriptions:
        if name in description.attrib:
            return str(description.attrib[name])
        element = description.find(name)
        if element is not None:
            return (element.text or "").strip()
    return None


def _set(descriptions: list[Any], name: str, value: str | None, prefix: str) -> None:
    """Set (None: remove) a simple property in the form that it already has; as an attribute where it is new."""
    from lxml import etree

    done = value is None
    for description in descriptions:
        if name in description.attrib:
            if done:
                del description.attrib[name]
            else:
                description.attrib[name] = value
                done = True
        for element in description.findall(name):
            if done:
                description.remove(element)
            else:
                for child in list(element):
                    element.remove(child)
                element.text = value
                done = True
    if done:
        return
    namespace = name[1:].split("}")[0]
    if namespace not in descriptions[0].nsmap.values():
        # The property as an element of its own, which carries its namespace under the usual prefix.
        element = etree.SubElement(descriptions[0], name, nsmap={prefix: namespace})
        element.text = value
    else:
        descriptions[0].attrib[name] = value
