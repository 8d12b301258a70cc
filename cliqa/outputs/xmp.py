"""XMP sidecars (`IMG.JPG.xmp`) with digiKam's pick label and the rating, merged into what is there. Needs lxml (extra `xmp`).

digiKam: namespace http://www.digikam.org/ns/1.0/, PickLabel 0 none, 1 rejected, 2 pending, 3 accepted. xmp:Rating is -1 for
rejected; other ratings are a person's own and stay as they are.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from cliqa.errors import ImageError, PlacingError, UsageError
from cliqa.files.atomic import open_regular

PICK_LABELS = {"rejected": "1", "pending": "2", "accepted": "3"}
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
DIGIKAM = "http://www.digikam.org/ns/1.0/"
META = "adobe:ns:meta/"
_LARGEST = 16 << 20  # bytes; sidecars have kilobytes
_EMPTY = (
    f'<x:xmpmeta xmlns:x="{META}"><rdf:RDF xmlns:rdf="{RDF}">'
    f'<rdf:Description rdf:about="" xmlns:xmp="{XMP}" xmlns:digiKam="{DIGIKAM}"/></rdf:RDF></x:xmpmeta>'
)


def sidecar_path(image: str) -> str:
    """Where the sidecar of an image lies."""
    return f"{image}.xmp"


def check_available() -> None:
    """Raises UsageError when lxml is not installed."""
    try:
        import lxml.etree  # noqa: F401
    except ImportError:
        raise UsageError("--xmp needs the extra: pip install 'cliqa[xmp]'") from None


def write_sidecar(image: str, label: str) -> str:
    """Set pick label and rating in the image's sidecar, creating it where there is none; returns its path.

    Everything else in an existing sidecar stays. A rating of -1 that no longer holds is removed. The file is replaced in one step.

    Raises:
        PlacingError: the sidecar is a link, is no XMP, declares entities, or can't be written.
    """
    path = sidecar_path(image)
    if os.path.islink(path):
        raise PlacingError(f"{path} is a link and is left alone")
    content = merged(_read(path), label, path)
    part = f"{path}.{os.getpid()}.part"
    try:
        with open(part, "xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise PlacingError(f"{path} can't be written: {error.strerror}") from error
    return path


def _read(path: str) -> bytes | None:
    try:
        with open_regular(path) as stream:
            content = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    except ImageError as error:
        raise PlacingError(f"{path} is left alone: {error}") from error
    except OSError as error:
        raise PlacingError(f"{path} can't be read: {error.strerror}") from error
    if len(content) > _LARGEST:
        raise PlacingError(f"{path} is larger than {_LARGEST >> 20} MiB and is left alone")
    return content


def merged(existing: bytes | None, label: str, path: str = "the sidecar") -> bytes:
    """The sidecar's bytes with the label set. Raises PlacingError."""
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
    _set(descriptions, f"{{{DIGIKAM}}}PickLabel", PICK_LABELS[label], "digiKam")
    if label == "rejected":
        _set(descriptions, f"{{{XMP}}}Rating", "-1", "xmp")
    elif _get(descriptions, f"{{{XMP}}}Rating") == "-1":
        _set(descriptions, f"{{{XMP}}}Rating", None, "xmp")
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
