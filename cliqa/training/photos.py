"""The photographs that training and evaluation start from, kept apart by source photograph.

A data folder holds sub-folders by kind: `lossless/` (never compressed), `camera/` (camera JPEGs at native resolution),
`drawn/` (line art, flat colour); a folder without these is all `lossless`. An optional `manifest.csv` gives `file`, `kind`,
`source`, `original` and `split` (train or val). Three sets come out: `val` as the manifest says (or an eighth by hash), `test` an
eighth of the rest by hash of the source photograph, `train` what remains. Recipes fit on `train`, choose on `val` and
report on `test`.
"""

from __future__ import annotations

import csv
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cliqa.errors import UsageError
from cliqa.images.loading import load_image
from cliqa.inputs.folders import IMAGE_SUFFIXES

Split = Literal["train", "val", "test"]
KINDS = ("lossless", "camera", "drawn")


@dataclass(frozen=True)
class Photo:
    """One source photograph. `origin` is the same for all crops of one original."""

    path: Path
    kind: str
    origin: str
    split: Split
    header_quality: int | None = None
    iso: int | None = None

    def pixels(self) -> NDArray[np.uint8]:
        """Decoded, as stored: uint8 (height, width, 3)."""
        return load_image(self.path).pixels


def read_photos(
    folder: str | os.PathLike[str], split: Split | None = None, kinds: tuple[str, ...] = KINDS
) -> list[Photo]:
    """All photographs of a data folder, sorted by path. Raises UsageError when there are none."""
    root = Path(folder)
    if not root.is_dir():
        raise UsageError(f"there is no data folder {root}")
    rows = _manifest(root)
    found = []
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() not in IMAGE_SUFFIXES or not path.is_file():
            continue
        name = path.relative_to(root).as_posix()
        row = rows.get(name, {})
        kind = row.get("kind") or (name.split("/")[0] if name.split("/")[0] in KINDS else "lossless")
        origin = f"{row['source']}/{row['original']}" if row.get("original") else name
        photo = Photo(path, kind, origin, _split(origin, row), _number(row, "source_jpeg_quality"), _number(row, "iso"))
        if kind in kinds and split in (None, photo.split):
            found.append(photo)
    if not found:
        raise UsageError(f"there are no photographs of kind {', '.join(kinds)} in {root}")
    return found


def photos_of_kind(folder: str | os.PathLike[str], split: Split, kind: str) -> list[Photo]:
    """A split's photographs of one kind; where it has none, all of them: not everybody's folder has drawings."""
    found = read_photos(folder, split)
    return [photo for photo in found if photo.kind == kind] or found


def _manifest(root: Path) -> dict[str, dict[str, str]]:
    path = root / "manifest.csv"
    if not path.is_file():
        return {}
    with open(path, newline="", encoding="utf-8") as stream:
        return {row["file"]: row for row in csv.DictReader(stream)}


def _split(origin: str, row: dict[str, str]) -> Split:
    bucket = hashlib.sha256(origin.encode("utf-8", "surrogateescape")).digest()[0] % 8
    if row.get("split") == "val" or (not row.get("split") and bucket == 1):
        return "val"
    return "test" if bucket == 0 else "train"


def _number(row: dict[str, str], key: str) -> int | None:
    text = row.get(key, "")
    return int(text) if text.isdigit() else None
