"""What is known of each picture of a store that bears on copies: fingerprint, facts and the scores that tell which is better."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.errors import UsageError
from cliqa.results.store import Store
from cliqa.signal.copies.alignment import SIDE

PRINTS = (
    "fingerprint.whole",
    "fingerprint.inside",
    "fingerprint.detail",
    "fingerprint.thumbnail",
    "fingerprint.pixels",
)
FACTS = (
    "path",
    "size",
    "sha256",
    "format",
    "width",
    "height",
    "orientation",
    "bits",
    "taken",
    "camera",
    "exposure_value",
)
SCORES = (
    "jpeg_quality.quality",
    "jpeg_quality.qf_header",
    "jpeg_quality.resized",
    "scale_factor.scale",
    "scale_factor.learned",
    "compression.fidelity",
    "compression.file_lossless",
    "grain_noise.psnr",
)


@dataclass(frozen=True)
class Picture:
    """One row of a store: facts and scores by name, None where the store has none."""

    path: str
    values: dict[str, Any]

    def number(self, name: str) -> float | None:
        """A number, None where there is none."""
        value = self.values.get(name)
        return float(value) if isinstance(value, (int, float)) else None

    @property
    def taken(self) -> datetime | None:
        """When it was taken, as far as EXIF tells."""
        try:
            return datetime.fromisoformat(str(self.values.get("taken") or ""))
        except ValueError:
            return None

    @property
    def sides(self) -> tuple[int, int]:
        """Width and height as a person sees it."""
        width, height = int(self.values.get("width") or 1), int(self.values.get("height") or 1)
        return (height, width) if int(self.values.get("orientation") or 1) >= 5 else (width, height)


@dataclass(frozen=True)
class Prints:
    """Fingerprints of n pictures: hashes uint8 (n, 32), `detail` (n,), `thumbnails` uint8 (n, SIDE, SIDE), `pixels` n texts."""

    whole: NDArray[np.uint8]
    inside: NDArray[np.uint8]
    detail: NDArray[np.int32]
    thumbnails: NDArray[np.uint8]
    pixels: list[str]


def read_pictures(store: Store) -> tuple[list[Picture], Prints]:
    """All rows that have a fingerprint. Raises UsageError for a store without any."""
    if not set(PRINTS) <= set(store.columns):
        raise UsageError(f"{store.path} has no fingerprints; score it with --metrics fingerprint (and --resume)")
    names = [name for name in (*FACTS, *SCORES) if name in store.columns]
    pictures: list[Picture] = []
    whole, inside, detail, thumbnails, pixels = bytearray(), bytearray(), [], bytearray(), []
    for row in _sound(store.rows([*PRINTS, *names])):
        hashes, values = row[: len(PRINTS)], dict(zip(names, row[len(PRINTS) :], strict=True))
        whole += hashes[0]
        inside += hashes[1]
        detail.append(int(hashes[2]))
        thumbnails += hashes[3]
        pixels.append(str(hashes[4]))
        pictures.append(Picture(str(values["path"]), values))
    n = len(pictures)
    return pictures, Prints(
        np.frombuffer(bytes(whole), np.uint8).reshape(n, 32),
        np.frombuffer(bytes(inside), np.uint8).reshape(n, 32),
        np.array(detail, np.int32),
        np.frombuffer(bytes(thumbnails), np.uint8).reshape(n, SIDE, SIDE),
        pixels,
    )


def _sound(rows: Iterator[tuple[Any, ...]]) -> Iterator[Sequence[Any]]:
    """The rows whose fingerprint is whole, its texts as bytes."""
    for row in rows:
        try:
            whole, inside = (bytes.fromhex(str(text).removeprefix("x")) for text in row[:2])
            thumbnail = base64.b64decode(str(row[3]), validate=True)
        except (ValueError, binascii.Error):
            continue
        if len(whole) == len(inside) == 32 and len(thumbnail) == SIDE * SIDE:
            yield [whole, inside, row[2], thumbnail, *row[4:]]
