"""The metric `fingerprint`: what a picture is known by among its copies. It scores nothing; `cliqa.duplicates` compares it.

The perceptual hash is PDQ (256 bits, Meta 2019) by the package `pdqhash`, of the whole picture and of its inside: a crop's whole
resembles its original's inside. The thumbnail tells crops from look-alikes afterwards; weak contrast is stretched in it, so that a bare
wall has its own unevenness to be known by. A closer one tells copies from frames of one scene. The hash of the pixels finds files that
differ in their packing alone.
"""

from __future__ import annotations

import base64
import hashlib
import io
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.errors import ImageSkipped
from cliqa.metrics.base import Field, Metric, Observation, Value, View
from cliqa.signal.copies.alignment import SIDE
from cliqa.signal.copies.motion import SIDE as CLOSER_SIDE

PICTURE_SIDE = 384  # the thumbnail that the encoder's metrics see: made once for all
FULL_RANGE = 160.0  # levels from the darkest to the lightest of the thumbnail's pixels from which it is left as it is
NO_RANGE = 3.0  # levels that count as that many: below, what a codec rounds is all there is
INSET = 0.04  # of each side that the inside leaves out: half way to the crops of 8 % that are to be found
CLOSER_QUALITY = 85  # of the closer picture's JPEG: 2.6 kB; a tenth less hides small turns, none tells no more frames


class Fingerprint(Metric):
    """PDQ hashes, a tiny thumbnail, a hash of the pixels."""

    name: ClassVar[str] = "fingerprint"
    architecture: ClassVar[str] = "pdq"
    version: ClassVar[int] = 3
    summary: ClassVar[str] = "perceptual hash by which copies of a picture are found; no score"
    weights: ClassVar[bool] = False
    in_worker = True
    fields: ClassVar[tuple[Field, ...]] = (
        Field("whole", "PDQ hash of the picture, an x and 64 hexadecimal digits", kind="str", opaque=True),
        Field("inside", "PDQ hash of the picture without 4 % of each side", kind="str", opaque=True),
        Field(
            "framed", "PDQ hash of the picture with its bars or frame; empty where it has none", kind="str", opaque=True
        ),
        Field("detail", "PDQ's own quality of the hash; below 50 it tells little", 0, 100, "", "", "int"),
        Field("thumbnail", f"grey picture of {SIDE}x{SIDE} pixels, base64", kind="str", opaque=True),
        Field("closer", f"grey picture of {CLOSER_SIDE}x{CLOSER_SIDE} pixels, JPEG, base64", kind="str", opaque=True),
        Field(
            "pixels", "SHA-256 of the decoded pixels, an x and the first 32 hexadecimal digits", kind="str", opaque=True
        ),
    )

    @classmethod
    def observe(cls, view: View) -> Observation:
        """The hashes, uint8 (32,) each, the thumbnail, uint8 (SIDE, SIDE), the closer one's JPEG, and 16 bytes of the pixels' SHA-256.

        `framed` may be empty.

        Raises:
            ImageSkipped: the package `pdqhash` is not installed.
        """
        try:
            import pdqhash
        except ImportError as error:
            raise ImageSkipped("the fingerprint needs the extra: pip install 'cliqa[duplicates]'") from error
        picture = view.thumbnail(PICTURE_SIDE)
        whole, detail = pdqhash.compute(np.ascontiguousarray(picture))
        inside, _ = pdqhash.compute(np.ascontiguousarray(_inside(picture)))
        framed = np.zeros(0, np.uint8)
        if view.image.content_box is not None:
            framed, _ = pdqhash.compute(np.ascontiguousarray(view.image.as_seen(PICTURE_SIDE, framed=True)))
        return {
            "whole": np.packbits(whole),
            "inside": np.packbits(inside),
            "framed": np.packbits(framed),
            "detail": np.int32(detail)[None],
            "thumbnail": _small(picture, SIDE),
            "closer": np.frombuffer(_coded(_small(picture, CLOSER_SIDE)), np.uint8),
            "pixels": np.frombuffer(_pixel_hash(view), np.uint8),
        }

    def score(self, observation: Observation) -> dict[str, Value]:
        """The same as text."""
        return {
            "whole": "x" + observation["whole"].tobytes().hex(),
            "inside": "x" + observation["inside"].tobytes().hex(),
            "framed": "x" + observation["framed"].tobytes().hex() if len(observation["framed"]) else "",
            "detail": int(observation["detail"][0]),
            "thumbnail": base64.b64encode(observation["thumbnail"].tobytes()).decode(),
            "closer": base64.b64encode(observation["closer"].tobytes()).decode(),
            "pixels": "x" + observation["pixels"].tobytes().hex(),  # a letter first: no table takes it for a number
        }


def _inside(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    y, x = round(height * INSET), round(width * INSET)
    return picture[y : height - y, x : width - x]


def _small(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Grey, side x side, uint8; weak contrast is stretched before it is rounded."""
    grey = Image.fromarray(np.asarray(Image.fromarray(picture).convert("L"), np.float32))
    small = np.asarray(grey.resize((side, side), Image.Resampling.BILINEAR))
    low, high = float(small.min()), float(small.max())
    if high - low < FULL_RANGE:
        small = (small - (low + high) / 2) * (FULL_RANGE / max(high - low, NO_RANGE)) + 127.5
    result: NDArray[np.uint8] = np.clip(np.rint(small), 0, 255).astype(np.uint8)
    return result


def _coded(grey: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=CLOSER_QUALITY)
    return stream.getvalue()


def _pixel_hash(view: View) -> bytes:
    pixels = np.ascontiguousarray(view.pixels)
    digest = hashlib.sha256(f"{pixels.shape} {view.header.orientation} ".encode())
    digest.update(pixels.data)
    return digest.digest()[:16]
