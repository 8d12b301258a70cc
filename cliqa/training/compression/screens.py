"""Screens: pages of text with bars, tables, buttons and pictures in them, drawn as interfaces draw them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cliqa.training.jpeg.histories import source
from cliqa.training.photos import Photo, Split, photos_of_kind

Pixels = NDArray[np.uint8]
FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSansMono", "STIXGeneral", "")  # "": Pillow's own
LETTERS = np.array(list("eeeeeettttaaaooiinnsshhrrddllucmfwypvbgkqjxz"))


@lru_cache(maxsize=256)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if not name:
        return ImageFont.load_default(size)
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"), size)


def screen_source(rng: np.random.Generator, folder: Path, split: Split, side: int) -> Pixels:
    """A screen of `side` pixels, never compressed; photographs and drawings of the data folder may lie in it."""
    dark = rng.random() < 0.35
    back = tuple(int(value) for value in (rng.integers(15, 60, 3) if dark else rng.integers(235, 256, 3)))
    if rng.random() < 0.5:
        back = (int(np.mean(back)),) * 3 if dark else (255, 255, 255)
    canvas = Image.new("RGB", (side, side), back)
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(1, 6))):
        _panel(rng, draw, side)
    if rng.random() < 0.45:
        inset = source(rng, folder, split, int(rng.integers(120, max(130, side * 2 // 3))))
        x, y = (int(rng.integers(0, max(1, side - 100))) for _ in range(2))
        canvas.paste(Image.fromarray(inset), (x, y))
    for _ in range(int(rng.integers(1, 5))):
        _paragraph(rng, canvas, dark)
    return np.asarray(canvas)


def drawing(rng: np.random.Generator, folder: Path, split: Split, side: int) -> Pixels:
    """A crop of a drawing, at most `side` pixels, perhaps mirrored and reduced."""
    photos = _drawings(folder, split)
    image = Image.fromarray(photos[int(rng.integers(len(photos)))].pixels())
    if rng.random() < 0.3:
        factor = float(rng.uniform(0.5, 0.95))
        image = image.resize((max(96, round(image.width * factor)), max(96, round(image.height * factor))))
    pixels = np.asarray(image)
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    y, x = (int(rng.integers(0, max(1, length - side + 1))) for length in pixels.shape[:2])
    return np.ascontiguousarray(pixels[y : y + side, x : x + side])


@lru_cache(maxsize=4)
def _drawings(folder: Path, split: Split) -> list[Photo]:
    return photos_of_kind(folder, split, "drawn")


def _panel(rng: np.random.Generator, draw: ImageDraw.ImageDraw, side: int) -> None:
    """A bar, a button, the lines of a table, or an icon."""
    x, y = (int(value) for value in rng.integers(0, side - 20, 2))
    width, height = int(rng.integers(20, side)), int(rng.integers(12, side // 3))
    colour = tuple(int(value) for value in rng.integers(0, 256, 3))
    kind = int(rng.integers(4))
    if kind == 0:
        draw.rectangle((0, y, side, y + height), fill=colour)
    elif kind == 1:
        draw.rounded_rectangle(
            (x, y, x + width, y + height), radius=min(8, height // 2), fill=colour, outline=(120, 120, 120)
        )
    elif kind == 2:
        for line in range(y, min(side, y + 10 * height), max(12, height // 2)):
            draw.line((x, line, x + width, line), fill=(170, 170, 175))
    else:
        draw.ellipse((x, y, x + height, y + height), fill=colour)


def _paragraph(rng: np.random.Generator, canvas: Image.Image, dark: bool) -> None:
    """Some lines of text; with colour fringes, as displays with subpixels have them, in a third of cases."""
    side = canvas.width
    size, name = int(rng.integers(10, 30)), str(rng.choice(FONTS))
    x, y = int(rng.integers(0, side // 2)), int(rng.integers(0, side - 40))
    lines = [
        " ".join("".join(rng.choice(LETTERS, int(rng.integers(1, 10)))) for _ in range(int(rng.integers(2, 14))))
        for _ in range(int(rng.integers(1, 16)))
    ]
    ink = rng.integers(190, 256, 3) if dark else rng.integers(0, 80, 3)
    if rng.random() < 0.2:
        ink = rng.integers(0, 256, 3)
    mask = Image.new("L", (side, side), 0)
    ImageDraw.Draw(mask).multiline_text((x, y), "\n".join(lines), fill=255, font=_font(name, size), spacing=size // 3)
    if rng.random() < 0.35:  # each colour takes a third of a pixel's width
        cover = (
            np.asarray(mask.resize((side * 3, side), Image.Resampling.BICUBIC), np.float32).reshape(side, side, 3) / 255
        )
    else:
        cover = np.asarray(mask, np.float32)[..., None] / 255
    under = np.asarray(canvas, np.float32)
    canvas.paste(Image.fromarray(np.clip(np.rint(under + cover * (ink - under)), 0, 255).astype(np.uint8)))
