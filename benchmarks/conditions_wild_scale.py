"""Rows of the table of histories for `scale_factor`: told from codecs, and through codecs.

Nothing here is shared with the training generator: codecs are called as Pillow, ImageMagick and x265 offer them, kernels as their
libraries apply them. A truth has `scale`, what the picture was enlarged by (1 for not), and `quality`, its lowest JPEG save.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from conditions import Scored, Truth, share
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from resizing_libraries import CORNERS, KERNELS
from wild_edits import Wild

from cliqa.training.photos import Photo

Rng = np.random.Generator
Pixels = NDArray[np.uint8]
Made = tuple[Pixels | bytes, Truth]
Make = Callable[[Rng, Pixels, Sequence[Photo]], Made]
Edit = Callable[[Rng, Pixels], tuple[Pixels, float]]
"""Pixels in; pixels and the quality of a JPEG save (100 for none) out."""
LARGEST = 720  # pixels a side after an enlargement
WEIGHT = 0.5  # of `learned` from which the command drops a picture
QUALITY = 95.0  # below which it does


def kept(rng: Rng, pixels: Pixels) -> tuple[Pixels, float]:
    del rng
    return pixels, 100.0


def coded(format: str, low: int, high: int) -> Edit:
    """Through a codec of Pillow's at a quality of that range, with its own settings at random; HEIC and JPEG XL by their packages."""

    def edit(rng: Rng, pixels: Pixels) -> tuple[Pixels, float]:
        quality, stream = int(rng.integers(low, high + 1)), io.BytesIO()
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        settings: dict[str, Any] = {"quality": quality}
        if format == "HEIC":
            import pillow_heif

            pillow_heif.from_pillow(picture).save(stream, quality=quality, chroma=420)
            return np.asarray(pillow_heif.open_heif(stream.getvalue()).to_pillow().convert("RGB")), 100.0
        if format == "JXL":
            import imagecodecs

            data = imagecodecs.jpegxl_encode(np.ascontiguousarray(pixels), distance=quality / 10, lossless=False)
            return np.asarray(imagecodecs.jpegxl_decode(data), dtype=np.uint8), 100.0
        if format == "WEBP":
            settings |= {"method": int(rng.choice([2, 4, 6]))}
        elif format == "AVIF":
            settings |= {"speed": int(rng.choice([7, 9]))}
        else:
            settings |= {"subsampling": str(rng.choice(["4:2:0", "4:4:4"]))}
        picture.save(stream, format, **settings)
        with Image.open(stream) as done:
            return np.asarray(done.convert("RGB")), quality if format == "JPEG" else 100.0

    return edit


def jpeg_then_reduced(rng: Rng, pixels: Pixels) -> tuple[Pixels, float]:
    """A JPEG of 30-95, reduced to 0.5-0.95 afterwards; half of them saved once more."""
    pixels, quality = coded("JPEG", 30, 95)(rng, pixels)
    factor, kernel = float(rng.uniform(0.5, 0.95)), str(rng.choice(_REDUCING))
    pixels = KERNELS[kernel](pixels, round(pixels.shape[0] * factor), round(pixels.shape[1] * factor))
    if rng.random() < 0.5:
        pixels, last = coded("JPEG", 85, 96)(rng, pixels)
        quality = min(quality, last)
    return pixels, quality


_REDUCING = [
    "bicubic, Pillow",
    "lanczos3, Pillow",
    "bilinear, Pillow",
    "area, OpenCV",
    "bicubic, torch antialias",
    "Mitchell",
]


def noisy(rng: Rng, pixels: Pixels) -> tuple[Pixels, float]:
    """White, grey or shot noise of 3-16 levels; two in three then JPEG 85-95."""
    level, how = float(rng.uniform(3, 16)), int(rng.integers(3))
    values = pixels.astype(np.float64)
    if how == 2:
        electrons = (255 / level) ** 2
        values = 255 * (rng.poisson((values / 255) ** 2.2 * electrons) / electrons) ** (1 / 2.2)
    else:
        values = values + rng.normal(0, level, (*pixels.shape[:2], 3 if how else 1))
    pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return coded("JPEG", 85, 95)(rng, pixels) if rng.random() < 0.67 else (pixels, 100.0)


def sky(rng: Rng, pixels: Pixels) -> tuple[Pixels, float]:
    """No photograph at all: a gradient between two colours, with noise of 0, 0.7 or 3 levels; half saved at 92."""
    del pixels
    v, u = np.mgrid[0:700, 0:1000]
    low, high, t = rng.integers(40, 120, 3), rng.integers(140, 230, 3), (v / 700)[..., None]
    values = low * (1 - t) + high * t + (u / 1000 * rng.uniform(-40, 40))[..., None]
    values = values + rng.normal(0, 1, values.shape) * float(rng.choice([0, 0.7, 3]))
    made: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return coded("JPEG", 92, 92)(rng, made) if rng.random() < 0.5 else (made, 100.0)


def screened(rng: Rng, pixels: Pixels) -> tuple[Pixels, float]:
    """A newspaper's screen: round dots that grow with the darkness, scanned a little softly."""
    grey = np.asarray(Image.fromarray(pixels).convert("L"), np.float64)
    v, u = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]]
    pitch, angle = rng.uniform(3, 9), rng.uniform(0, np.pi / 2)
    a, b = u * np.cos(angle) + v * np.sin(angle), v * np.cos(angle) - u * np.sin(angle)
    distance = np.hypot(a / pitch % 1 - 0.5, b / pitch % 1 - 0.5)
    radius = np.sqrt((1 - grey / 255) / np.pi)
    ink = Image.fromarray(np.where(distance < radius, 20, 245).astype(np.uint8))
    return np.asarray(ink.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1)))).convert("RGB")), 100.0


def framed(rng: Rng, pixels: Pixels) -> tuple[Pixels, float]:
    """A border of 40-200 pixels: black, white or of a colour, now and then with a line in it; a third saved as JPEG 85-95."""
    colour = (
        (0, 0, 0)
        if rng.random() < 0.35
        else (255, 255, 255)
        if rng.random() < 0.5
        else tuple(map(int, rng.integers(0, 256, 3)))
    )
    sides = rng.integers(40, 201, 4) if rng.random() < 0.5 else np.full(4, rng.integers(40, 201))
    left, top, right, bottom = (int(side) for side in sides)
    canvas = Image.new("RGB", (pixels.shape[1] + left + right, pixels.shape[0] + top + bottom), colour)
    if rng.random() < 0.25:
        box = (left // 2, top // 2, canvas.width - right // 2, canvas.height - bottom // 2)
        ImageDraw.Draw(canvas).rectangle(box, outline=(120, 110, 90), width=2)
    canvas.paste(Image.fromarray(np.ascontiguousarray(pixels)), (left, top))
    made = np.asarray(canvas)
    return coded("JPEG", 85, 95)(rng, made) if rng.random() < 0.33 else (made, 100.0)


_WORDS = ("the", "committee", "heard", "that", "rainfall", "in", "March", "had", "filled", "both", "reservoirs", "to", "91", "percent",
          "of", "capacity", "and", "asked", "for", "a", "second", "survey")  # fmt: skip


def in_page(rng: Rng, pixels: Pixels) -> tuple[Pixels, float]:
    """In two columns of text under a coloured bar, the picture across one of them or both; a third saved as JPEG 85-95."""
    high, wide = min(pixels.shape[0], 520), min(pixels.shape[1], 640)
    paper = (255, 255, 255) if rng.random() < 0.6 else (250, 247, 238) if rng.random() < 0.6 else (28, 30, 34)
    ink = (20, 20, 24) if paper[0] > 128 else (225, 225, 220)
    page = Image.new("RGB", (wide + int(rng.integers(240, 560)), high + int(rng.integers(320, 760))), paper)
    draw, size = ImageDraw.Draw(page), int(rng.integers(11, 22))
    font = ImageFont.load_default(size)
    for column in range(2):
        left = 24 + column * page.width // 2
        for top in range(70, page.height - size, round(size * rng.uniform(1.25, 1.6))):
            line = ""
            while draw.textlength(line, font) < page.width // 2 - 90:
                line += f"{_WORDS[int(rng.integers(len(_WORDS)))]} "
            draw.text((left, top), line, ink, font)
    draw.rectangle((0, 0, page.width, 52), tuple(map(int, rng.integers(20, 160, 3))))
    place = int(rng.integers(16, page.width - wide - 16)), int(rng.integers(70, page.height - high - 16))
    page.paste(Image.fromarray(np.ascontiguousarray(pixels[:high, :wide])), place)
    made = np.asarray(page)
    return coded("JPEG", 85, 95)(rng, made) if rng.random() < 0.33 else (made, 100.0)


def untouched(edit: Edit) -> Make:
    """Never enlarged."""

    def make(rng: Rng, pixels: Pixels, others: Sequence[Photo]) -> Made:
        del others
        done, quality = edit(rng, np.ascontiguousarray(pixels[:1000, :1000]))
        return done, {"scale": 1.0, "quality": quality}

    return make


def enlarged(edit: Edit, low: float = 1.15, high: float = 2.0, kernels: Sequence[str] = ()) -> Make:
    """By one factor of that range, mostly by a kernel of an ordinary library; then `edit`."""

    def make(rng: Rng, pixels: Pixels, others: Sequence[Photo]) -> Made:
        del others
        factor = float(rng.uniform(low, high))
        names = kernels or list(KERNELS)
        kernel = str(names[int(rng.integers(len(names)))])
        part = np.ascontiguousarray(_content(pixels, int(LARGEST / factor)))
        size = round(part.shape[0] * factor), round(part.shape[1] * factor)
        large = _magick(part, *size, "Gaussian") if kernel == "Gaussian" else KERNELS[kernel](part, *size)
        done, quality = edit(rng, large)
        return done, {"scale": min(factor, 2.0), "quality": quality}

    return make


def _content(pixels: Pixels, side: int) -> Pixels:
    """The middle of the picture; where little is wanted, of a thumbnail of it, so that something is in it."""
    if side * 3 < min(pixels.shape[:2]):
        small = 2 * side / min(pixels.shape[:2])
        size = round(pixels.shape[1] * small), round(pixels.shape[0] * small)
        pixels = np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.LANCZOS))
    top, left = (max(0, (length - side) // 2) for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def _magick(pixels: Pixels, height: int, width: int, kernel: str) -> Pixels:
    """By ImageMagick."""
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.png", Path(folder) / "out.png"
        Image.fromarray(pixels).save(source)
        subprocess.run(
            ["convert", str(source), "-filter", kernel, "-resize", f"{width}x{height}!", str(target)],
            check=True,
            capture_output=True,
        )
        with Image.open(target) as done:
            return np.asarray(done.convert("RGB"))


def judge(scored: list[Scored]) -> str:
    """Share that `filter_low_quality_resize` drops: "caught" of enlarged pictures, "rejected" of others; MAE where both are known."""
    pairs = [(float(truth["scale"]), fields) for truth, fields in scored if "scale" in truth]
    if not pairs:
        return ""
    dropped = np.array([float(f["quality"] or 0) < QUALITY or float(f["learned"] or 0) >= WEIGHT for _, f in pairs])
    if all(scale == 1.0 for scale, _ in pairs):
        return f"{share(dropped)} rejected"
    error = np.mean([abs(scale - float(fields["scale"] or 0)) for scale, fields in pairs])
    return f"{share(dropped)} caught; MAE {error:.2f}"


def _no(most: int) -> dict[str, str]:
    return {"scale_factor": f"{most} % rejected"}


def _yes(least: int) -> dict[str, str]:
    return {"scale_factor": f"{least} % caught"}


_SMOOTH = [name for name in KERNELS if "nearest" not in name and name not in CORNERS]
_NEAREST = [name for name in KERNELS if "nearest" in name]
ROWS: list[tuple[str, Make, dict[str, str]]] = [
    ("not enlarged: WebP 40-92", untouched(coded("WEBP", 40, 92)), _no(5)),
    ("not enlarged: AVIF 40-85", untouched(coded("AVIF", 40, 85)), _no(5)),
    ("not enlarged: HEIC 40-90, never in training", untouched(coded("HEIC", 40, 90)), _no(5)),
    ("not enlarged: JPEG XL, distance 0.5-4, never in training", untouched(coded("JXL", 5, 40)), _no(5)),
    ("not enlarged: JPEG 20-70", untouched(coded("JPEG", 20, 70)), _no(5)),
    ("not enlarged: JPEG, then reduced", untouched(jpeg_then_reduced), _no(5)),
    ("not enlarged: noisy", untouched(noisy), _no(5)),
    ("not enlarged: skies", untouched(sky), _no(5)),
    ("not enlarged: halftone", untouched(screened), _no(5)),
    ("not enlarged: in a frame", untouched(framed), _no(5)),
    ("not enlarged: in a page", untouched(in_page), _no(5)),
    ("enlarged 1.15-2, PNG", enlarged(kept), {}),
    ("enlarged 1.15-2, WebP 40-92", enlarged(coded("WEBP", 40, 92)), _yes(90)),
    ("enlarged 1.15-2, AVIF 40-85", enlarged(coded("AVIF", 40, 85)), _yes(85)),
    ("enlarged 1.15-2, HEIC 40-90, never in training", enlarged(coded("HEIC", 40, 90)), {}),
    ("enlarged 1.15-2, JPEG XL, never in training", enlarged(coded("JXL", 5, 40)), {}),
    ("enlarged 1.15-2, JPEG 60-80", enlarged(coded("JPEG", 60, 80)), _yes(90)),
    ("enlarged 1.15-2, noisy", enlarged(noisy), _yes(90)),
    ("enlarged 1.15-2 by a Gaussian, never in training", enlarged(kept, kernels=["Gaussian"]), {}),
    ("enlarged 1.15-2 by lanczos4, never in training, JPEG 80-95",
     enlarged(coded("JPEG", 80, 95), kernels=["lanczos4", "lanczos4, OpenCV"]), {}),
    ("enlarged 1.15-2, in a frame", enlarged(framed), _yes(97)),
    ("enlarged 1.15-2, in a page", enlarged(in_page), _yes(90)),
    ("enlarged 8 times by any kernel", enlarged(kept, 8, 8), _yes(95)),
    ("enlarged 2-16 times, JPEG 75-95", enlarged(coded("JPEG", 75, 95), 2.01, 16, _SMOOTH), _yes(95)),
    ("enlarged 2-16 times by nearest neighbour", enlarged(kept, 2, 16, _NEAREST), _yes(95)),
    ("enlarged 2-16 times by nearest neighbour, JPEG 75-95", enlarged(coded("JPEG", 75, 95), 2, 16, _NEAREST), _yes(95)),
]  # fmt: skip
"""Name, how it is made, bars: of photographs that were never compressed."""
HISTORIES = [Wild(*row) for row in ROWS]
JUDGES = {"scale_factor": judge}
