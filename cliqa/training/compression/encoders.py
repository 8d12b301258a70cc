"""One lossy save by a random encoder with random settings: the file, its pixels, and which codec it was.

Kept out of these on purpose, for the report on what training never saw: AVIF at speeds 0-3 and by svt and rav1e, x265's slow presets,
mozjpeg, VP9, the programs `cwebp`, `avifenc` and `heif-enc` of Debian, JPEG 2000 by a ratio instead of a PSNR. (svt is left out
also because it gives its process real-time priority, and may then spin for ever.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.compression.codecs import CODECS
from cliqa.training import codecs
from cliqa.training.histories.tables import draw_tables
from cliqa.training.jpeg.saves import IJG_ENCODERS, decode_jpeg, draw_sampling, random_save, save_jpeg

Pixels = NDArray[np.uint8]

SHARES = {"jpeg": 0.29, "webp": 0.22, "avif": 0.2, "heic": 0.13, "jpeg2000": 0.05, "jxl": 0.07, "other": 0.04}
AVIF_SPEEDS = {4: 0.01, 5: 0.03, 6: 0.36, 7: 0.12, 8: 0.22, 9: 0.13, 10: 0.13}  # slower ones take seconds


@dataclass(frozen=True)
class Save:
    """`codec` is one of `CODECS`; `data` the file, empty where it is none that cliqa reads; `quality` on the encoder's own scale."""

    codec: str
    encoder: str
    quality: float
    data: bytes
    pixels: Pixels


def draw_save(rng: np.random.Generator, pixels: Pixels, *, codec: str = "", low: float = 0.0) -> Save:
    """Save once by a random encoder.

    Args:
        pixels: uint8 (height, width, 3); a video encoder may cut an odd last row or column off.
        codec: one of `SHARES`, or "" for any.
        low: lowest position on the codec's range of qualities, 0-1.
    """
    name = codec or str(rng.choice(list(SHARES), p=np.array(list(SHARES.values())) / sum(SHARES.values())))
    position = float(rng.uniform(low, 1.0)) if rng.random() < 0.7 else float(rng.uniform(max(low, 0.4), 0.97))
    return _SAVES[name](rng, pixels, position)


def _jpeg(rng: np.random.Generator, pixels: Pixels, position: float) -> Save:
    quality, kind = round(1 + 99 * position), rng.random()
    if kind < 0.1:
        data = codecs.encode_jpegli(pixels, max(5, quality))
        return Save("jpeg", "jpegli", quality, data, codecs.decode(data))
    if kind < 0.25:  # trellis, other ways to sample the chroma, other tables: pixels only
        found, truth = random_save(rng, pixels, quality, quality)
        return Save("jpeg", truth.encoder, quality, b"", found)
    sampling = draw_sampling(rng)
    tables = draw_tables(rng, quality)[:2] if rng.random() < 0.2 else None
    encoder = "opencv" if rng.random() < IJG_ENCODERS["opencv"] else "pillow"
    data = save_jpeg(pixels, rng, quality, sampling, encoder, tables)
    return Save("jpeg", f"{encoder} {sampling}{' tables' if tables else ''}", quality, data, decode_jpeg(data))


def _webp(rng: np.random.Generator, pixels: Pixels, position: float) -> Save:
    quality = round(100 * position)
    if rng.random() < 0.05:
        index = round(4 + 59 * (1 - position))
        speed = {"b:v": "50M", "cpu-used": str(rng.integers(0, 6))}
        _, found = codecs.video_frame(pixels, "vp8", subsampling="420", qmin=index, qmax=index, crf=index, **speed)
        return Save("webp", "vp8 frame", quality, b"", found)
    method, sharp = int(rng.integers(0, 7)), bool(rng.random() < 0.2)
    data = codecs.encode_webp(pixels, quality, method=method, sharp_yuv=sharp)
    return Save("webp", f"libwebp {method}{' sharp' if sharp else ''}", quality, data, codecs.decode(data))


def _avif(rng: np.random.Generator, pixels: Pixels, position: float) -> Save:
    quality, kind = round(100 * position), rng.random()
    sampling = str(rng.choice(["4:2:0", "4:4:4", "4:2:2"], p=[0.7, 0.25, 0.05]))
    speed = int(rng.choice(list(AVIF_SPEEDS), p=list(AVIF_SPEEDS.values())))
    if kind < 0.1:
        data = codecs.encode_avif10(pixels, quality, speed=speed, subsampling=sampling)
        return Save("avif", f"aom 10 bits {speed} {sampling}", quality, data, codecs.decode(data))
    tuning = {"tune": str(rng.choice(["ssim", "iq", "psnr"]))} if rng.random() < 0.2 else {}
    full = "full" if rng.random() < 0.8 else "limited"
    data = codecs.encode_avif(
        pixels, quality, speed=speed, subsampling=sampling, range=full, max_threads=1, advanced=tuning or None
    )
    return Save("avif", f"aom {speed} {sampling}{' tuned' if tuning else ''}", quality, data, codecs.decode(data))


def _heic(rng: np.random.Generator, pixels: Pixels, position: float) -> Save:
    quality = round(100 * position)
    preset = str(rng.choice(["ultrafast", "superfast", "veryfast", "fast", "medium"], p=[0.1, 0.15, 0.2, 0.25, 0.3]))
    tune = str(rng.choice(["ssim", "psnr", "grain", "fastdecode"], p=[0.6, 0.2, 0.1, 0.1]))
    chroma = int(rng.choice([420, 422, 444], p=[0.8, 0.05, 0.15]))
    settings = {"preset": preset, "tune": tune, "x265:pools": "none"}
    data = codecs.encode_heic(pixels, quality, chroma=chroma, enc_params=settings)
    return Save("heic", f"x265 {preset} {tune} {chroma}", quality, data, codecs.decode(data))


def _jpeg2000(rng: np.random.Generator, pixels: Pixels, position: float) -> Save:
    level = 24 + 26 * position
    settings = {} if rng.random() < 0.7 else {"mct": False}
    data = codecs.encode_jpeg2000(pixels, level, **settings)
    return Save("jpeg2000", "openjpeg", level, data, codecs.decode(data))


def _jxl(rng: np.random.Generator, pixels: Pixels, position: float) -> Save:
    distance, effort = 0.1 * 100 ** (1 - position), int(rng.choice([3, 4, 5, 6, 7], p=[0.2, 0.2, 0.2, 0.15, 0.25]))
    data = codecs.encode_jxl(pixels, distance, effort=effort, numthreads=1)
    return Save("jxl", f"libjxl {effort}", distance, data, codecs.decode(data))


def _other(rng: np.random.Generator, pixels: Pixels, position: float) -> Save:
    if rng.random() < 0.6:
        crf, preset = round(48 - 44 * position), str(rng.choice(["veryfast", "fast", "medium", "slow"]))
        sampling = "420" if rng.random() < 0.85 else "444"
        _, found = codecs.video_frame(pixels, "libx264", subsampling=sampling, crf=crf, preset=preset, threads=1)
        return Save("other", f"x264 {preset} {sampling}", crf, b"", found)
    name, scale = str(rng.choice(["mpeg4", "mpeg2video"])), round(1 + 30 * (1 - position) ** 2)
    _, found = codecs.video_frame(pixels, name, qmin=max(2, scale), qmax=max(2, scale), b="200M")
    return Save("other", name, scale, b"", found)


_SAVES: dict[str, Callable[[np.random.Generator, Pixels, float], Save]] = {
    "jpeg": _jpeg, "webp": _webp, "avif": _avif, "heic": _heic, "jpeg2000": _jpeg2000, "jxl": _jxl, "other": _other,
}  # fmt: skip
assert set(_SAVES) <= set(CODECS)
