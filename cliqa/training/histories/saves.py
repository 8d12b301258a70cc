"""Lossy saves as the world makes them: many codecs, encoders, tables and samplings, each a step with its truth.

`save` makes a step of any encoder of `cliqa.training.codecs` and of draws of its settings. JPEG has more: `random_jpeg` draws among
encoders, IJG's tables and those of `tables`, and the codec of `numpy_codec`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from cliqa.signal.jpeg.quantization import CHROMA_TABLES, LUMA_TABLES, nearest_quality
from cliqa.training import codecs
from cliqa.training.histories.draws import Draw, drawn, pick
from cliqa.training.histories.graph import Step
from cliqa.training.histories.numpy_codec import numpy_save
from cliqa.training.histories.picture import Picture, Pixels, Rng, Save
from cliqa.training.histories.tables import Table, draw_tables

ImageFile.MAXBLOCK = 1 << 24  # bytes: noisy pictures under fine tables fill more than Pillow's own buffer

SAMPLING_WEIGHTS = {"4:4:4": 0.36, "4:2:2": 0.14, "4:2:0": 0.44, "4:4:0": 0.05, "4:1:1": 0.01}

# Encoders that use IJG's tables, and so have an exact quality; and how often `random_jpeg` takes each.
IJG_ENCODERS = {"pillow": 0.55, "opencv": 0.15, "numpy": 0.3}
PILLOW_SAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")


def save(codec: str, encode: Callable[..., bytes], **settings: Any) -> Step:
    """A step that saves by `encode(pixels, **settings)` and decodes.

    Args:
        codec: one of `cliqa.signal.compression.codecs.CODECS`.
        settings: `quality` and whatever else the encoder takes, as values or as draws of them, which are made in the order written.
    """

    def step(rng: Rng, picture: Picture) -> Picture:
        given = {name: drawn(rng, value) for name, value in settings.items()}
        return coded(picture, codec, given["quality"], encode(picture.pixels, **given), given.get("subsampling", ""))

    return step


def coded(picture: Picture, codec: str, quality: float, data: bytes, sampling: str = "", encoder: str = "") -> Picture:
    """The picture after a save as `data`."""
    table = 0
    if codec == "jpeg":
        with Image.open(io.BytesIO(data)) as image:
            table = nearest_quality(np.array(image.quantization[0]))  # type: ignore[attr-defined]
    return picture.saved(codecs.decode(data), Save(codec, quality, encoder, sampling, table, data))


def draw_sampling(rng: Rng) -> str:
    """A chroma subsampling, as often as files have it."""
    return pick(rng, SAMPLING_WEIGHTS)


def encode_jpeg(
    pixels: Pixels,
    rng: Rng,
    quality: int,
    subsampling: str = "4:2:0",
    encoder: str = "pillow",
    tables: tuple[Table, Table] | None = None,
) -> bytes:
    """A JPEG stream.

    Args:
        pixels: uint8 (height, width, 3) RGB, or (height, width) grey.
        rng: decides what leaves no trace in the pixels (progressive, optimised).
        quality: IJG 1-100; unused where `tables` are given.
        subsampling: a key of `SAMPLING_WEIGHTS`; Pillow knows 4:4:4, 4:2:2 and 4:2:0, others go through OpenCV.
        encoder: "pillow" or "opencv".
        tables: luma and chroma table instead of IJG's (Pillow only).
    """
    if encoder == "opencv" or (subsampling not in PILLOW_SAMPLINGS and tables is None):
        bgr = np.ascontiguousarray(pixels[..., ::-1]) if pixels.ndim == 3 else pixels
        return codecs.opencv_jpeg(bgr, quality, subsampling, optimize=bool(rng.random() < 0.2))
    options: dict[str, Any] = {"optimize": rng.random() < 0.2, "progressive": rng.random() < 0.1}
    if tables is not None:
        options["qtables"] = [[int(step) for step in table] for table in tables]
    else:
        options["quality"] = quality
    if pixels.ndim == 3:
        options["subsampling"] = subsampling if subsampling in PILLOW_SAMPLINGS else "4:2:0"
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", **options)
    return stream.getvalue()


def random_jpeg(
    rng: Rng,
    picture: Picture,
    low: int = 1,
    high: int = 100,
    *,
    sampling: str | None = None,
    ijg_only: bool = False,
    asked: int | None = None,
) -> Picture:
    """Save as JPEG by a random encoder, at a quality drawn evenly from `low`-`high`; the file is not kept.

    Tables that are not IJG's (3 in 10, unless `ijg_only`) aim at the drawn quality and may be nearest to a neighbour of it;
    the truth says what they are nearest to, and may lie outside `low`-`high` by a few. `asked` stands in it for the drawn quality.
    """
    quality = int(rng.integers(low, high + 1))
    sampling = sampling or draw_sampling(rng)
    luma, chroma, family = LUMA_TABLES[quality - 1], CHROMA_TABLES[quality - 1], "ijg"
    if not ijg_only and rng.random() < 0.3:
        luma, chroma, family = draw_tables(rng, quality)
    encoder = pick(rng, IJG_ENCODERS)
    if encoder == "opencv" and family == "ijg":
        out = codecs.decode(encode_jpeg(picture.pixels, rng, quality, sampling, "opencv"))
    elif encoder == "pillow" and sampling in PILLOW_SAMPLINGS:
        tables = None if family == "ijg" else (luma, chroma)
        out = codecs.decode(encode_jpeg(picture.pixels, rng, quality, sampling, tables=tables))
    else:
        encoder = "numpy"
        out = numpy_save(
            picture.pixels,
            rng,
            luma,
            chroma,
            sampling,
            trellis=float(rng.uniform(0.1, 0.35)) if rng.random() < 0.4 else 0.0,
            downsampling=pick(rng, {"box": 0.6, "bilinear": 0.15, "bicubic": 0.15, "drop": 0.1}),
            upsampling=pick(rng, {"plain": 0.55, "triangle": 0.35, "bicubic": 0.1}),
            round_planes=bool(rng.random() < 0.7),
        )
    return picture.saved(out, Save("jpeg", asked or quality, f"{encoder}/{family}", sampling, nearest_quality(luma)))


def jpeg(low: int = 1, high: int = 100, *, ijg_only: bool = False) -> Step:
    """A step: `random_jpeg` of any sampling, which is drawn before the quality."""
    return lambda rng, picture: random_jpeg(rng, picture, low, high, sampling=draw_sampling(rng), ijg_only=ijg_only)


def turbo_jpeg(quality: Draw[int]) -> Step:
    """A step: by libjpeg-turbo with IJG's tables, any sampling; the quality is drawn first."""

    def step(rng: Rng, picture: Picture) -> Picture:
        asked, sampling = quality(rng), draw_sampling(rng)
        return coded(picture, "jpeg", asked, encode_jpeg(picture.pixels, rng, asked, sampling), sampling)

    return step


def plain_jpeg(quality: Draw[int]) -> Step:
    """A step: by libjpeg-turbo through Pillow, or through OpenCV with red and blue exchanged, as programs do that mistake RGB for BGR.

    Samplings 4:4:4, 4:2:2 and 4:2:0; the quality is drawn first.
    """

    def step(rng: Rng, picture: Picture) -> Picture:
        asked = quality(rng)
        sampling = pick(rng, {"4:4:4": 0.4, "4:2:2": 0.1, "4:2:0": 0.5})
        if rng.random() < 0.3:
            data = codecs.opencv_jpeg(picture.pixels, asked, sampling)
            return picture.saved(codecs.opencv_decoded(data), Save("jpeg", asked, "opencv", sampling, asked))
        data = codecs.encode_jpeg(picture.pixels, asked, subsampling=sampling, progressive=bool(rng.random() < 0.2))
        return coded(picture, "jpeg", asked, data, sampling)

    return step


def other_tables(quality: Draw[int], *families: str) -> Step:
    """A step: by Pillow at 4:2:0 with tables of `draw_tables`, any of the families; the quality is drawn first."""

    def step(rng: Rng, picture: Picture) -> Picture:
        asked = quality(rng)
        tables = draw_tables(rng, asked, families[int(rng.integers(len(families)))])[:2]
        return coded(picture, "jpeg", asked, encode_jpeg(picture.pixels, rng, asked, tables=tables), "4:2:0")

    return step


def rolled(rng: Rng, picture: Picture) -> Picture:
    """Moved by 0-7 pixels down and to the right, what leaves coming in again: the grid is anywhere then."""
    down, right = (int(value) for value in rng.integers(0, 8, 2))
    grid = picture.grid and ((picture.grid[0] + right) % 8, (picture.grid[1] + down) % 8)
    return replace(picture.changed(rng, lambda rng, pixels: np.roll(pixels, (down, right), (0, 1))), grid=grid)
