"""Histories as the web makes them, for `accuracy.py --wild`: what was done to a photograph, and what each metric should say then.

The code here is not the training generator's: other fonts, other curves, other orders. A history makes a picture (pixels, or the
bytes of a file) and its truth: `quality` (lowest of the JPEG saves, 100 for none), and `last` where a JPEG was the last to touch the
pixels.
"""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import conditions_wild_scale
import numpy as np
from conditions import Scored, Truth
from conditions_jpeg_quality import Pixels, save
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from cliqa.signal.jpeg.other_tables import ROBIDOUX
from cliqa.signal.jpeg.quantization import nearest_quality, scale_table
from cliqa.training import codecs
from cliqa.training.photos import Photo

Rng = np.random.Generator
Made = tuple[Pixels | bytes, Truth]
Make = Callable[[Rng, Pixels, Sequence[Photo]], Made]


@dataclass(frozen=True)
class Wild:
    """One row: its name, how it is made, from which kinds of photographs, and the bar of each metric that has one."""

    name: str
    make: Make
    bars: dict[str, str]
    kinds: tuple[str, ...] = ("lossless",)


def first_save(rng: Rng, pixels: Pixels) -> tuple[Pixels, int]:
    quality = int(rng.integers(25, 86))
    return save(pixels, quality, str(rng.choice(["4:4:4", "4:2:0"]))), quality


def scaled(rng: Rng, pixels: Pixels, factor: float) -> Pixels:
    """By a kernel of Pillow or OpenCV."""
    import cv2

    size = (round(pixels.shape[1] * factor), round(pixels.shape[0] * factor))
    if rng.random() < 0.6:
        return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling(int(rng.choice([1, 2, 3])))))
    ways = [cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA if factor < 1 else cv2.INTER_LANCZOS4]
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=int(rng.choice(ways))), np.uint8)


def fitted(pixels: Pixels, factor: float, most: int = 1000) -> Pixels:
    """A part that is no larger than `most` after an enlargement."""
    limit = int(most / max(factor, 1))
    return np.ascontiguousarray(pixels[:limit, :limit])


def resized(low: float, high: float, then: str, saved: bool = True, cut: str = "") -> Make:
    """One save, a resize, and then PNG, JPEG 88-96 or WebP 90; `cut` before or after the resize."""

    def make(rng: Rng, pixels: Pixels, others: Sequence[Photo]) -> Made:
        del others
        factor = float(rng.uniform(low, high))
        pixels = fitted(pixels, factor)
        quality = 100
        if saved:
            pixels, quality = first_save(rng, pixels)
        where = str(rng.choice(["before", "after"])) if cut else ""
        top, left, bottom, right = (int(value) for value in rng.integers(1, 50, 4))
        if where == "before":
            pixels = pixels[top:-bottom, left:-right]
        pixels = scaled(rng, pixels, factor)
        if where == "after":
            pixels = pixels[top:-bottom, left:-right]
        truth: Truth = {"quality": quality}
        if then == "JPEG":
            last = int(rng.integers(88, 97))
            pixels = save(pixels, last, "4:2:0")
            truth = {"quality": min(quality, last) if saved else 100, "last": last}
        elif then == "WebP":
            pixels = codecs.decode(codecs.encode_webp(pixels, 90))
        return np.ascontiguousarray(pixels), truth

    return make


def toned(rng: Rng, pixels: Pixels) -> Pixels:
    """A curve through three points, as an editor draws it."""
    middle, low = rng.uniform(95, 160), rng.uniform(0, 15)
    table = np.interp(np.arange(256), [0, 128, 255], [low, middle, 255 - rng.uniform(0, 10)])
    return np.clip(np.rint(table), 0, 255).astype(np.uint8)[pixels]


def edited(edit: Callable[[Rng, Pixels], Pixels], then: int = 0, saved: bool = True) -> Make:
    """One save (or none), an edit, and then PNG or a JPEG of that quality."""

    def make(rng: Rng, pixels: Pixels, others: Sequence[Photo]) -> Made:
        del others
        quality = 100
        if saved:
            pixels, quality = first_save(rng, pixels)
        pixels = edit(rng, pixels)
        truth: Truth = {"quality": quality}
        if then:
            pixels, truth = save(pixels, then, "4:2:0"), {"quality": quality, "last": then}
        return np.ascontiguousarray(pixels), truth

    return make


def sharpened(rng: Rng, pixels: Pixels) -> Pixels:
    mask = ImageFilter.UnsharpMask(float(rng.uniform(0.8, 2)), int(rng.integers(50, 140)), 2)
    return np.asarray(Image.fromarray(pixels).filter(mask))


def blurred(rng: Rng, pixels: Pixels) -> Pixels:
    del rng
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.6)))


def turned(rng: Rng, pixels: Pixels) -> Pixels:
    return np.rot90(pixels, int(rng.choice([1, 3])))


def few_colours(rng: Rng, pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).quantize(int(rng.choice([64, 128, 256]))).convert("RGB"))


def webp_90(rng: Rng, pixels: Pixels) -> Pixels:
    del rng
    return codecs.decode(codecs.encode_webp(pixels, 90))


def in_page(rng: Rng, pixels: Pixels) -> Pixels:
    """In a page set in DejaVu, with a heading and a table's lines."""
    height, width = min(pixels.shape[0], 480), min(pixels.shape[1], 620)
    page = Image.new("RGB", (width + 380, height + 620), "white")
    draw, size = ImageDraw.Draw(page), int(rng.integers(12, 19))
    draw.text((30, 20), "Annual report of the harbour office", fill="black", font=ImageFont.load_default(30))
    words = [
        "ships",
        "berths",
        "tonnage",
        "quay",
        "pilot",
        "season",
        "harbour",
        "wharf",
        "cargo",
        "freight",
        "customs",
        "anchor",
    ]
    for top in range(80, page.height - 40, round(size * 1.5)):
        line = " ".join(rng.choice(words, 16))
        draw.text((30, top), line, fill=(25, 25, 25), font=ImageFont.load_default(size))
    place = int(rng.integers(20, 340)), int(rng.integers(90, 560))
    page.paste(Image.fromarray(pixels[:height, :width]), place)
    return np.asarray(page)


def collage(rng: Rng, pixels: Pixels, others: Sequence[Photo]) -> Made:
    """One of four; the others were never saved."""
    pixels, quality = first_save(rng, pixels)
    height, width, gap = 360, 460, int(rng.integers(0, 12))
    cells = [others[int(index)].pixels() for index in rng.choice(len(others), 3, replace=False)]
    cells.insert(int(rng.integers(4)), pixels)
    canvas = np.full((2 * height + gap, 2 * width + gap, 3), 240, np.uint8)
    for number, cell in enumerate(cells):
        y, x = divmod(number, 2)
        part = cell[:height, :width]
        canvas[y * (height + gap) :, x * (width + gap) :][: part.shape[0], : part.shape[1]] = part
    return canvas, {"quality": quality}


def three_saves(rng: Rng, pixels: Pixels, others: Sequence[Photo]) -> Made:
    """On three grids, the first the lowest."""
    del others
    pixels, quality = first_save(rng, pixels)
    for low, high in ((quality + 5, 95), (88, 97)):
        down, right = divmod(int(rng.integers(1, 64)), 8)
        last = int(rng.integers(low, high))
        pixels = save(np.ascontiguousarray(pixels[down:, right:]), last, "4:2:0")
    return pixels, {"quality": quality, "last": last}


def never(edit: Callable[[Rng, Pixels], Pixels]) -> Make:
    return edited(edit, saved=False)


def lossy(codec: str, low: float, high: float) -> Callable[[Rng, Pixels], Pixels]:
    """By a codec that is no JPEG."""

    def encode(rng: Rng, pixels: Pixels) -> Pixels:
        quality = float(rng.uniform(low, high))
        if codec == "avif":
            return codecs.decode(codecs.encode_avif(pixels, int(quality), speed=int(rng.choice([4, 6, 9]))))
        if codec == "jxl":
            return codecs.decode(codecs.encode_jxl(pixels, quality))
        encoder = codecs.encode_webp if codec == "webp" else codecs.encode_heic
        return codecs.decode(encoder(pixels, int(quality)))

    return encode


def replicated(rng: Rng, pixels: Pixels) -> Pixels:
    factor = int(rng.integers(2, 17))
    return pixels[: 640 // factor, : 640 // factor].repeat(factor, axis=0).repeat(factor, axis=1)


def pixel_art(rng: Rng, pixels: Pixels) -> Pixels:
    few = Image.fromarray(pixels).resize((80, 64), Image.Resampling.BOX).quantize(20, dither=Image.Dither.NONE)
    factor = int(rng.integers(3, 13))
    return np.asarray(few.convert("RGB")).repeat(factor, axis=0).repeat(factor, axis=1)


def gradient(rng: Rng, pixels: Pixels) -> Pixels:
    del pixels
    v, u = np.mgrid[0:600, 0:800]
    ramp = (u * rng.normal() + v * rng.normal()) / 1000 if rng.random() < 0.6 else np.hypot(u - 400, v - 200) / 700
    ends = rng.integers(0, 256, (2, 3))
    values = ends[0] + (ramp[..., None] - ramp.min()) * (ends[1] - ends[0])
    values = values + rng.normal(0, rng.uniform(0, 1.5), (600, 800, 1))
    made: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return made


def halftone(rng: Rng, pixels: Pixels) -> Pixels:
    grey = np.asarray(Image.fromarray(pixels).convert("L"), np.float64)
    v, u = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]]
    period, angle = rng.uniform(3, 8), rng.uniform(0, np.pi / 2)
    along, across = u * np.cos(angle) + v * np.sin(angle), v * np.cos(angle) - u * np.sin(angle)
    dots = np.cos(2 * np.pi * along / period) * np.cos(2 * np.pi * across / period)
    ink = Image.fromarray(np.where(grey / 255 + dots / 2 > 0.5, 255, 0).astype(np.uint8))
    return np.asarray(ink.filter(ImageFilter.GaussianBlur(0.7)).convert("RGB"))


def stored(kind: str) -> Make:
    """A JPEG in a file of some kind, as the bytes of that file."""

    def make(rng: Rng, pixels: Pixels, others: Sequence[Photo]) -> Made:
        del others
        quality, picture, stream = int(rng.integers(20, 96)), Image.fromarray(pixels), io.BytesIO()
        if kind == "CMYK":
            picture.convert("CMYK").save(stream, "JPEG", quality=quality)
        elif kind == "RGB":
            picture.save(stream, "JPEG", quality=quality, keep_rgb=True)
        elif kind == "TIFF":
            picture.save(stream, "TIFF", compression="jpeg", quality=quality)
        elif kind == "turned":
            picture.save(stream, "JPEG", quality=quality)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "a.jpg"
                path.write_bytes(stream.getvalue())
                command = ["jpegtran", "-rotate", "90", "-trim", str(path)]
                data = subprocess.run(command, capture_output=True, check=True).stdout
            return data, {"quality": quality, "last": quality}
        elif kind == "mozjpeg":
            table = scale_table(ROBIDOUX, quality)
            picture.save(stream, "JPEG", qtables=[table.tolist()] * 2, subsampling=2)
            quality = nearest_quality(table)
        return stream.getvalue(), {"quality": quality, "last": quality}

    return make


def jpeg_quality(scored: list[Scored]) -> str:
    """MAE and share below 90 of those at 75 or less; of never-JPEG pictures the share at 97 or more."""
    truth = np.array([float(each["quality"]) for each, _ in scored])
    found = np.array([float(fields["quality"] or 0) for _, fields in scored])
    if (truth == 100).all():
        return f"{np.mean(found >= 97):.0%} at 97+"
    low = truth <= 75
    return f"MAE {np.abs(truth - found).mean():.1f}; {np.mean(found[low] < 90):.0%} below 90"


def jpeg_qf(scored: list[Scored]) -> str:
    """Share within 1 (and 3) of the last save where one is the last to touch the pixels, else the share that claims a JPEG."""
    last = [(float(truth["last"]), float(fields["qf"] or 0)) for truth, fields in scored if "last" in truth]
    if last:
        away = np.array([abs(a - b) for a, b in last])
        return f"within 1: {np.mean(away <= 1):.0%}, 3: {np.mean(away <= 3):.0%}"
    if all(float(truth["quality"]) == 100 for truth, _ in scored):
        return f"{np.mean([float(fields['confidence'] or 0) > 0.5 for _, fields in scored]):.0%} confident"
    return ""


JUDGES: dict[str, Callable[[list[Scored]], str]] = {
    "jpeg_quality": jpeg_quality,
    "jpeg_qf": jpeg_qf,
    "scale_factor": conditions_wild_scale.judge,
}
NEVER = {"jpeg_quality": "97 % at 97+", "jpeg_qf": "none confident"}


def plain(rng: Rng, pixels: Pixels) -> Pixels:
    del rng
    return pixels


HISTORIES = [
    Wild("saved, reduced 0.55-0.95, PNG", resized(0.55, 0.95, "PNG"), {"jpeg_quality": "MAE 4; 95 %"}),
    Wild("saved, reduced, JPEG 88-96", resized(0.55, 0.95, "JPEG"), {"jpeg_quality": "MAE 8; 85 %"}),
    Wild("saved, reduced, WebP 90", resized(0.55, 0.95, "WebP"), {}),
    Wild("saved, enlarged 1.1-2, PNG", resized(1.1, 2, "PNG"), {"jpeg_quality": "MAE 1; 99 %"}),
    Wild("saved, enlarged, JPEG 88-96", resized(1.1, 2, "JPEG"), {"jpeg_quality": "MAE 2; 97 %"}),
    Wild("saved, cropped and reduced, PNG", resized(0.55, 0.95, "PNG", cut="any"), {"jpeg_quality": "MAE 8; 85 %"}),
    Wild("saved, cropped and enlarged, PNG", resized(1.1, 2, "PNG", cut="any"), {"jpeg_quality": "MAE 2; 85 %"}),
    Wild("saved, tone curve, JPEG 95", edited(toned, 95), {"jpeg_quality": "MAE 3; 98 %"}),
    Wild("saved, sharpened", edited(sharpened), {"jpeg_quality": "MAE 4; 98 %"}),
    Wild("saved, blurred 0.6", edited(blurred), {"jpeg_quality": "MAE 4; 98 %"}),
    Wild("saved, turned by 90 degrees", edited(turned), {"jpeg_quality": "MAE 0.5; 99 %"}),
    Wild("saved, palette", edited(few_colours), {"jpeg_quality": "MAE 3; 95 %"}),
    Wild("saved, WebP 90", edited(webp_90), {"jpeg_quality": "MAE 1.5; 98 %"}),
    Wild("saved, in a page of text", edited(in_page), {"jpeg_quality": "MAE 6; 90 %"}),
    Wild("saved, one of four in a collage", collage, {"jpeg_quality": "MAE 6; 90 %"}),
    Wild("three saves on three grids", three_saves, {"jpeg_quality": "MAE 6; 95 %"}),
    Wild("never: plain", never(plain), NEVER),
    Wild("never: reduced", resized(0.5, 0.95, "PNG", saved=False), NEVER),
    Wild("never: enlarged", resized(1.1, 2, "PNG", saved=False), NEVER),
    Wild("never: toned", never(toned), NEVER),
    Wild("never: sharpened", never(sharpened), NEVER),
    Wild("never: in a page", never(in_page), NEVER),
    Wild("never: palette", never(few_colours), NEVER),
    Wild("never: gradients", never(gradient), NEVER),
    Wild("never: halftone", never(halftone), NEVER),
    Wild("never: nearest neighbour x2-x16", never(replicated), NEVER),
    Wild("never: pixel art", never(pixel_art), NEVER),
    Wild("never: drawings", never(plain), NEVER, kinds=("drawn",)),
    Wild("never: WebP 40-95", never(lossy("webp", 40, 95)), NEVER),
    Wild("never: AVIF 40-90", never(lossy("avif", 40, 90)), NEVER),
    Wild("never: HEIC 40-90", never(lossy("heic", 40, 90)), NEVER),
    Wild("never: JPEG XL, distance 0.5-4", never(lossy("jxl", 0.5, 4)), NEVER),
    Wild("file: JPEG turned without loss", stored("turned"), {"jpeg_qf": "97 % within 1"}),
    Wild("file: CMYK JPEG", stored("CMYK"), {"jpeg_qf": "97 % within 1"}),
    Wild("file: RGB-coded JPEG", stored("RGB"), {"jpeg_qf": "97 % within 1"}),
    Wild("file: JPEG in TIFF", stored("TIFF"), {"jpeg_qf": "97 % within 1"}),
    Wild("file: mozjpeg's own tables", stored("mozjpeg"), {"jpeg_qf": "95 % within 3"}),
    *(Wild(*row) for row in conditions_wild_scale.ROWS),
]
