"""Encoders that training never saw, for the conditions of `compression`: Debian's programs, mozjpeg, VP9, slow or other settings.

None is needed: `installed` names those that are there. Each takes pixels, a quality 0-100 of its own and a source of random
settings, and gives the decoded pixels.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jpeg_encoders import installed as jpeg_encoders
from numpy.typing import NDArray
from PIL import Image

from cliqa.training import codecs

Pixels = NDArray[np.uint8]
Encode = Callable[[Pixels, int, np.random.Generator], Pixels]


def _program(command: list[str], suffix: str, pixels: Pixels) -> Pixels:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.png", Path(folder) / f"out{suffix}"
        Image.fromarray(pixels).save(source)
        filled = [part.format(source=source, target=target) for part in command]
        subprocess.run(filled, check=True, capture_output=True, timeout=60)
        return codecs.decode(target.read_bytes())


def cwebp(pixels: Pixels, quality: int, rng: np.random.Generator) -> Pixels:
    settings = [
        ["-m", str(rng.integers(0, 7))], ["-preset", str(rng.choice(["photo", "picture", "drawing", "text"]))],
        ["-sns", str(rng.integers(0, 101))], ["-f", str(rng.integers(0, 101)), "-strong"], ["-segments", "1"],
        ["-pass", "4", "-af"],
    ]  # fmt: skip
    chosen = settings[int(rng.integers(len(settings)))]
    return _program(["cwebp", *chosen, "-q", str(quality), "{source}", "-o", "{target}"], ".webp", pixels)


def avifenc(codec: str, speed: int) -> Encode:
    def encode(pixels: Pixels, quality: int, rng: np.random.Generator) -> Pixels:
        index = str(round(63 * (1 - quality / 100)))
        layout = str(rng.choice(["420", "444"]))
        command = ["avifenc", "-c", codec, "-s", str(speed), "-j", "1", "--min", index, "--max", index, "-y", layout]
        return _program([*command, "{source}", "{target}"], ".avif", pixels)

    return encode


def heif_enc(pixels: Pixels, quality: int, rng: np.random.Generator) -> Pixels:
    preset = str(rng.choice(["slow", "slower", "medium"]))
    return _program(
        ["heif-enc", "-q", str(quality), "-p", f"preset={preset}", "{source}", "-o", "{target}"], ".heic", pixels
    )


def vp9(pixels: Pixels, quality: int, rng: np.random.Generator) -> Pixels:
    crf = round(62 - 0.6 * quality)
    settings: dict[str, Any] = {"b:v": "0", "deadline": "good", "cpu-used": int(rng.integers(2, 6))}
    return codecs.video_frame(pixels, "libvpx-vp9", crf=crf, **settings)[1]


def slow_avif(pixels: Pixels, quality: int, rng: np.random.Generator) -> Pixels:
    return codecs.decode(codecs.encode_avif(pixels, quality, speed=3, max_threads=1))


@lru_cache(maxsize=1)
def installed() -> dict[str, tuple[str, Encode]]:
    """Encoders that work here, by name: the codec that `compression` should name, and the encoder."""
    candidates: dict[str, tuple[str, Encode]] = {"aom, speed 3": ("avif", slow_avif), "VP9 frame": ("other", vp9)}
    if shutil.which("cwebp"):
        candidates["cwebp with other settings"] = ("webp", cwebp)
    if shutil.which("avifenc"):
        candidates["avifenc aom 3.6"] = ("avif", avifenc("aom", 7))
        candidates["avifenc rav1e"] = ("avif", avifenc("rav1e", 9))
    if shutil.which("heif-enc"):
        candidates["heif-enc, slow presets"] = ("heic", heif_enc)
    for name, encoder in jpeg_encoders().items():
        if name in ("mozjpeg, trellis", "ImageMagick"):
            candidates[name] = ("jpeg", _jpeg(encoder))
    works: dict[str, tuple[str, Encode]] = {}
    ramp = np.add.outer(np.arange(64), np.arange(64))[..., None].repeat(3, axis=2).astype(np.uint8)
    for name, (codec, encode) in candidates.items():
        try:
            encode(ramp, 60, np.random.default_rng(0))
        except (ImportError, OSError, ValueError, RuntimeError, subprocess.SubprocessError):
            continue
        works[name] = codec, encode
    return works


def _jpeg(encoder: Callable[[Pixels, int, str], Pixels]) -> Encode:
    return lambda pixels, quality, rng: encoder(pixels, quality, str(rng.choice(["4:4:4", "4:2:0"])))
