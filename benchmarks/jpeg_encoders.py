"""JPEG encoders of other libraries that this machine has, for the conditions of `jpeg_qf`: each saves by IJG tables and decodes.

mozjpeg, libjpeg 6b and 9e come with the package jpeglib, ImageMagick as the command `convert` or `magick`. None is needed:
`installed` names those that are there.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Encoder = Callable[[Pixels, int, str], Pixels]


def _jpeglib(version: str, flags: tuple[str, ...], pixels: Pixels, quality: int, sampling: str) -> Pixels:
    import jpeglib

    from cliqa.signal.jpeg.quantization import CHROMA_TABLES, LUMA_TABLES

    tables = np.stack([LUMA_TABLES[quality - 1], CHROMA_TABLES[quality - 1]]).reshape(2, 8, 8).astype(np.uint16)
    with tempfile.TemporaryDirectory() as folder, jpeglib.version(version):
        path = Path(folder) / "saved.jpg"
        picture = jpeglib.from_spatial(np.ascontiguousarray(pixels))
        picture.samp_factor = sampling
        picture.write_spatial(str(path), qt=tables, flags=list(flags))
        return np.asarray(Image.open(path).convert("RGB"))


def _imagemagick(program: str, pixels: Pixels, quality: int, sampling: str) -> Pixels:
    bitmap = io.BytesIO()
    Image.fromarray(pixels).save(bitmap, "PPM")
    options = ["-quality", str(quality), "-sampling-factor", "1x1" if sampling == "4:4:4" else "2x2"]
    found = subprocess.run(
        [program, "ppm:-", *options, "jpg:-"], input=bitmap.getvalue(), capture_output=True, check=True
    )
    return np.asarray(Image.open(io.BytesIO(found.stdout)).convert("RGB"))


@lru_cache(maxsize=1)
def installed() -> dict[str, Encoder]:
    """Encoders that work here, by name: each takes pixels (h, w, 3), an IJG quality and "4:4:4" or "4:2:0"."""
    candidates: dict[str, Encoder] = {
        "mozjpeg, trellis": partial(_jpeglib, "mozjpeg403", ("+TRELLIS_QUANT",)),
        "mozjpeg, no trellis": partial(_jpeglib, "mozjpeg403", ("-TRELLIS_QUANT",)),
        "libjpeg 6b": partial(_jpeglib, "6b", ()),
        "libjpeg 9e": partial(_jpeglib, "9e", ()),
    }
    for name in ("magick", "convert"):
        for folder in ("/usr/bin", None):
            program = shutil.which(name, path=folder)
            if program is not None and "ImageMagick" not in candidates:
                candidates["ImageMagick"] = partial(_imagemagick, program)
    ramp = np.add.outer(np.arange(32), np.arange(32))[..., None].repeat(3, axis=2).astype(np.uint8)
    works: dict[str, Encoder] = {}
    for name, encoder in candidates.items():
        try:
            encoder(ramp, 80, "4:2:0")
        except (ImportError, OSError, ValueError, subprocess.CalledProcessError, RuntimeError):
            continue
        works[name] = encoder
    return works
