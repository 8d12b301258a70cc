"""What is known of each picture of a store that bears on copies: fingerprint, facts and the scores that tell which is better."""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
import shlex
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.errors import UsageError
from cliqa.metrics import left_out
from cliqa.results.store import Store
from cliqa.signal.copies.alignment import SIDE
from cliqa.signal.copies.motion import SIDE as CLOSER_SIDE
from cliqa.text import display

PRINTS = (
    "fingerprint.whole",
    "fingerprint.inside",
    "fingerprint.detail",
    "fingerprint.thumbnail",
    "fingerprint.pixels",
)
FRAMED, CLOSER = "fingerprint.framed", "fingerprint.closer"  # of stores that were written since there are such
FACTS = (
    "path",
    "size",
    "sha256",
    "format",
    "width",
    "height",
    "orientation",
    "content_box",
    "bits",
    "taken",
    "camera",
    "grey",
    "exposure_value",
    "compression.codec",
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

    @property
    def content(self) -> tuple[float, float, float, float]:
        """Where the picture lies within bars and frames: left, top, right, bottom in shares of the stored file's sides."""
        try:
            x, y, width, height = (int(number) for number in str(self.values.get("content_box") or "").split(","))
            wide, high = int(self.values["width"]), int(self.values["height"])
            return x / wide, y / high, (x + width) / wide, (y + height) / high
        except (ValueError, TypeError, KeyError, ZeroDivisionError):
            return 0.0, 0.0, 1.0, 1.0

    @property
    def shown(self) -> float:
        """The share of its pixels that lies within bars and frames."""
        left, top, right, bottom = self.content
        return max(1e-6, (right - left) * (bottom - top))


@dataclass(frozen=True)
class Prints:
    """Fingerprints of n pictures: hashes uint8 (n, 32), `detail` (n,), `thumbnails` uint8 (n, SIDE, SIDE), `pixels` n texts.

    `framed` are hashes (m, 32) of those that have bars or a frame, with them; `framed_of` (m,) tells whose. `closer` reads the closer
    pictures' texts by index, of the indices given as far as there are any, from the store when asked; `decoded` makes pictures of them.
    """

    whole: NDArray[np.uint8]
    inside: NDArray[np.uint8]
    detail: NDArray[np.int32]
    thumbnails: NDArray[np.uint8]
    pixels: list[str]
    framed: NDArray[np.uint8]
    framed_of: NDArray[np.int64]
    closer: Callable[[Sequence[int]], dict[int, str]] = lambda _: {}


def read_pictures(store: Store) -> tuple[list[Picture], Prints]:
    """All rows that have a fingerprint; the store has to stay open. Raises UsageError for a store without any."""
    if not set(PRINTS) <= set(store.columns):
        extra = left_out().get("fingerprint")
        install = f"install the extra, pip install 'cliqa[{extra}]', then " if extra else ""
        name = shlex.quote(display(str(store.path)))
        again = f"score its files for them, cliqa score INPUT --results {name} --resume --metrics fingerprint"
        raise UsageError(f"{display(str(store.path))} has no fingerprints; {install}{again}")
    names = [name for name in (FRAMED, *FACTS, *SCORES) if name in store.columns]
    pictures: list[Picture] = []
    whole, inside, detail, thumbnails, pixels = bytearray(), bytearray(), [], bytearray(), []
    framed, framed_of = bytearray(), []
    numbers = array("q")
    for row in _sound(store.rows([*PRINTS, *names, "id"])):
        numbers.append(row[-1])
        hashes, values = row[: len(PRINTS)], dict(zip(names, row[len(PRINTS) : -1], strict=True))
        whole += hashes[0]
        inside += hashes[1]
        detail.append(int(hashes[2]))
        thumbnails += hashes[3]
        pixels.append(str(hashes[4]))
        with contextlib.suppress(ValueError):
            bars = bytes.fromhex(str(values.pop(FRAMED, None) or "").removeprefix("x"))
            framed += bars if len(bars) == 32 else b""
            framed_of += [len(pictures)] if len(bars) == 32 else []
        pictures.append(Picture(str(values["path"]), values))
    n = len(pictures)
    return pictures, Prints(
        np.frombuffer(whole, np.uint8).reshape(n, 32),
        np.frombuffer(inside, np.uint8).reshape(n, 32),
        np.array(detail, np.int32),
        np.frombuffer(thumbnails, np.uint8).reshape(n, SIDE, SIDE),
        pixels,
        np.frombuffer(framed, np.uint8).reshape(-1, 32),
        np.array(framed_of, np.int64),
        closer_of(store, numbers) if CLOSER in store.columns else lambda _: {},
    )


def closer_of(store: Store, numbers: Sequence[int]) -> Callable[[Sequence[int]], dict[int, str]]:
    """A reader of the closer pictures' texts; `numbers` are the store's own of each picture."""

    def read(indices: Sequence[int]) -> dict[int, str]:
        index_of = {numbers[index]: index for index in indices}
        return {index_of[number]: str(text or "") for number, text in store.at(list(index_of), [CLOSER])}

    return read


def decoded(text: str) -> NDArray[np.uint8] | None:
    """A closer picture, uint8 (CLOSER_SIDE, CLOSER_SIDE); None where there is none."""
    with contextlib.suppress(ValueError, OSError, Image.DecompressionBombError):
        image = Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=("JPEG",))
        if image.size == (CLOSER_SIDE, CLOSER_SIDE):
            return np.asarray(image.convert("L"))
    return None


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
