"""Histories of JPEG saves as the web makes them, and what `jpeg_quality` and `jpeg_qf` should say then.

A history makes a picture (pixels, or the bytes of a file) and its truth: `quality` (lowest of the JPEG saves, 100 for none), and `last`
where a JPEG was the last to touch the pixels.
"""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from conditions import Scored, Truth
from conditions_jpeg_quality import Pixels, save
from PIL import Image
from wild_edits import (
    Edit,
    Made,
    Make,
    Rng,
    Wild,
    blurred,
    few_colours,
    first_save,
    fitted,
    gradient,
    halftone,
    in_page,
    lossy,
    pixel_art,
    plain,
    replicated,
    scaled,
    sharpened,
    toned,
    turned,
    webp_90,
)  # fmt: skip

from cliqa.signal.jpeg.other_tables import ROBIDOUX
from cliqa.signal.jpeg.quantization import first_table, nearest_quality, scale_table
from cliqa.training import codecs
from cliqa.training.photos import Photo


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
        elif then == "AVIF":
            pixels = codecs.decode(codecs.encode_avif(pixels, int(rng.integers(75, 91)), speed=6))
        return np.ascontiguousarray(pixels), truth

    return make


def stretched(rng: Rng, pixels: Pixels) -> Pixels:
    """By a factor of its own for each axis."""
    across, down = rng.uniform(0.65, 1.6, 2)
    pixels = fitted(pixels, float(max(across, down)), 800)
    size = (round(pixels.shape[1] * across), round(pixels.shape[0] * down))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def edited(edit: Edit, then: int = 0, saved: bool = True) -> Make:
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


def never(edit: Edit) -> Make:
    return edited(edit, saved=False)


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


def other_tables(rng: Rng, pixels: Pixels, others: Sequence[Photo]) -> Made:
    """Tables that grow with the frequency by a formula, as some cameras' do; the pixels alone."""
    del others
    v, u = np.mgrid[0:8, 0:8]
    steps = rng.uniform(2, 12) * (1 + rng.uniform(0.05, 0.4) * (u + v) ** rng.uniform(0.9, 1.3))
    luma = np.clip(np.rint(steps), 1, 255).astype(int).ravel()
    chroma = np.clip(np.rint(steps * 1.6), 1, 255).astype(int).ravel()
    stream = io.BytesIO()
    Image.fromarray(pixels).save(
        stream, "JPEG", qtables=[luma.tolist(), chroma.tolist()], subsampling=int(rng.choice([0, 2]))
    )
    quality = nearest_quality(luma)
    return np.asarray(Image.open(stream).convert("RGB")), {"quality": quality, "last": quality}


def jpegli(rng: Rng, pixels: Pixels, others: Sequence[Photo]) -> Made:
    """As `other_tables`, by jpegli."""
    del others
    data = codecs.encode_jpegli(pixels, int(rng.integers(60, 96)))
    table = first_table(read_tables(data))
    quality = nearest_quality(table or ())
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), {"quality": quality, "last": quality}


def jpegli_file(rng: Rng, pixels: Pixels, others: Sequence[Photo]) -> Made:
    """By jpegli, the file itself."""
    del others
    data = codecs.encode_jpegli(pixels, int(rng.integers(60, 96)))
    quality = nearest_quality(first_table(read_tables(data)) or ())
    return data, {"quality": quality, "last": quality}


def read_tables(data: bytes) -> dict[int, tuple[int, ...]]:
    """The quantization tables of a JPEG stream."""
    with Image.open(io.BytesIO(data)) as picture:
        return {number: tuple(table) for number, table in picture.quantization.items()}


def video(rng: Rng, pixels: Pixels) -> Pixels:
    return codecs.video_frame(pixels, "libx264", crf=int(rng.integers(16, 33)), preset="fast")[1]


def jpeg_quality(scored: list[Scored]) -> str:
    """MAE and share below 90 of those at 75 or less; of never-JPEG pictures the share at 97 or more."""
    scored = [pair for pair in scored if "quality" in pair[0]]
    if not scored:
        return ""
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
    if all(float(truth.get("quality", 0)) == 100 for truth, _ in scored):
        return f"{np.mean([float(fields['confidence'] or 0) > 0.5 for _, fields in scored]):.0%} confident"
    return ""


JUDGES: dict[str, Callable[[list[Scored]], str]] = {"jpeg_quality": jpeg_quality, "jpeg_qf": jpeg_qf}
NEVER = {"jpeg_quality": "97 % at 97+", "jpeg_qf": "none confident"}


HISTORIES = [
    Wild("saved, reduced 0.55-0.95, PNG", resized(0.55, 0.95, "PNG"), {"jpeg_quality": "MAE 4; 95 %"}),
    Wild("saved, reduced, JPEG 88-96", resized(0.55, 0.95, "JPEG"), {"jpeg_quality": "MAE 8; 85 %"}),
    Wild("saved, reduced, WebP 90", resized(0.55, 0.95, "WebP"), {}),
    Wild("saved, reduced, AVIF 75-90", resized(0.55, 0.95, "AVIF"), {}),
    Wild("saved, factors of its own for each axis, PNG", edited(stretched), {}),
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
    Wild("never: video frames, x264", never(video), NEVER),
    Wild("pixels alone: tables by a formula", other_tables, {"jpeg_qf": "95 % within 3"}),
    Wild("pixels alone: jpegli 60-95", jpegli, {"jpeg_qf": "95 % within 3"}),
    Wild("file: JPEG turned without loss", stored("turned"), {"jpeg_qf": "97 % within 1"}),
    Wild("file: CMYK JPEG", stored("CMYK"), {"jpeg_qf": "97 % within 1"}),
    Wild("file: RGB-coded JPEG", stored("RGB"), {"jpeg_qf": "97 % within 1"}),
    Wild("file: JPEG in TIFF", stored("TIFF"), {"jpeg_qf": "97 % within 1"}),
    Wild("file: jpegli 60-95", jpegli_file, {"jpeg_qf": "95 % within 3"}),
    Wild("file: mozjpeg's own tables", stored("mozjpeg"), {"jpeg_qf": "95 % within 3"}),
]
