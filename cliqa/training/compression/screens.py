"""Screens: windows and pages of text, bars, tables, buttons, charts and pictures, drawn as interfaces draw them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from cliqa.training.jpeg.sources import source
from cliqa.training.photos import Photo, Split, photos_of_kind

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]
FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSansMono",
    "STIXGeneral", "STIXGeneralBol", "cmr10", "cmss10", "cmtt10",
)  # fmt: skip
"""Of Matplotlib. Pillow's own is left to the benchmarks."""
SCALES = (1.0, 1.0, 1.0, 1.25, 1.5, 2.0)  # of displays: how large letters, lines and margins are
LETTERS = np.array(list("eeeeeettttaaaooiinnsshhrrddllucmfwypvbgkqjxz"))
FILTER = (
    np.array([1, 2, 3, 2, 1]) / 9
)  # over thirds of a pixel, as FreeType smooths letters for displays with subpixels


@lru_cache(maxsize=512)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"), size)


def screen_source(rng: np.random.Generator, folder: Path, split: Split, side: int) -> Pixels:
    """A screen of `side` pixels and a third of the time twice that, never compressed; photographs and drawings may lie in it."""
    width = side * (2 if rng.random() < 0.3 else 1)
    height = side
    scale, dark = float(rng.choice(SCALES)), bool(rng.random() < 0.35)
    canvas = Image.new("RGB", (width, height), _ground(rng, dark))
    for _ in range(int(rng.integers(0, 6))):
        _PARTS[int(rng.integers(len(_PARTS)))](rng, canvas, scale)
    if rng.random() < 0.45:
        inset = source(rng, folder, split, int(rng.integers(120, max(130, side * 2 // 3))))
        x, y = int(rng.integers(0, max(1, width - 100))), int(rng.integers(0, max(1, height - 100)))
        canvas.paste(Image.fromarray(inset), (x, y))
    letters, name = str(rng.choice(["grey", "subpixels", "two levels"], p=[0.6, 0.3, 0.1])), str(rng.choice(FONTS))
    for _ in range(int(rng.integers(1, 5))):  # most programs have one way to draw letters, and one font or two
        _paragraph(rng, canvas, dark, scale, name if rng.random() < 0.6 else str(rng.choice(FONTS)), letters)
    kind = rng.random()
    if kind < 0.05:  # screenshots of 256 colours
        canvas = canvas.quantize(int(rng.choice([16, 64, 256])), dither=Image.Dither(int(rng.choice([0, 3])))).convert(
            "RGB"
        )
    elif kind < 0.1:  # pixels made large
        canvas = canvas.resize((width * 2, height * 2), Image.Resampling.NEAREST).crop((0, 0, width, height))
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


def _ground(rng: np.random.Generator, dark: bool) -> Colour:
    """A screen's ground: half of them plain white or a neutral dark grey."""
    colour = rng.integers(15, 60, 3) if dark else rng.integers(235, 256, 3)
    if rng.random() < 0.5:
        return (int(colour.mean()),) * 3 if dark else (255, 255, 255)
    return int(colour[0]), int(colour[1]), int(colour[2])


def _colour(rng: np.random.Generator) -> Colour:
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return red, green, blue


def _place(rng: np.random.Generator, canvas: Image.Image) -> tuple[int, int, int, int]:
    """Left, top, width and height of a part."""
    x, y = int(rng.integers(0, canvas.width - 20)), int(rng.integers(0, canvas.height - 20))
    return x, y, int(rng.integers(20, canvas.width)), int(rng.integers(12, max(13, canvas.height // 3)))


def _bar(rng: np.random.Generator, canvas: Image.Image, scale: float) -> None:
    """A bar over the whole width, flat or a gradient."""
    _, y, _, height = _place(rng, canvas)
    colours = np.array([_colour(rng), _colour(rng)], np.float64)
    if rng.random() < 0.6:
        colours[1] = colours[0]
    elif rng.random() < 0.7:
        colours[1] = np.clip(colours[0] + rng.integers(-50, 51), 0, 255)
    ramp = np.linspace(0, 1, height)[:, None, None] if rng.random() < 0.7 else np.linspace(0, 1, canvas.width)[:, None]
    rows = np.broadcast_to(colours[0] + ramp * (colours[1] - colours[0]), (height, canvas.width, 3))
    canvas.paste(Image.fromarray(np.rint(rows).astype(np.uint8)), (0, y))


def _button(rng: np.random.Generator, canvas: Image.Image, scale: float) -> None:
    """A panel or button with round corners, smooth or not, half of them with a soft shadow, at times half transparent."""
    x, y, width, height = _place(rng, canvas)
    fine = 4 if rng.random() < 0.7 else 1
    mask = Image.new("L", (width * fine, height * fine), 0)
    radius = min(int(rng.integers(0, 12) * scale), height // 2) * fine
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, width * fine - 1, height * fine - 1), radius, fill=255)
    mask = mask.resize((width, height), Image.Resampling.BOX)
    if rng.random() < 0.5:
        spread = float(rng.uniform(1, 8)) * scale
        margin = int(3 * spread)
        shade = Image.new("L", (width + 2 * margin, height + 2 * margin), 0)
        shade.paste(mask.point([value * 2 // 5 for value in range(256)]), (margin, margin))
        shade = shade.filter(ImageFilter.GaussianBlur(spread))
        canvas.paste((0, 0, 0), (x - margin, y - margin + int(spread)), shade)
    if rng.random() < 0.2:
        mask = mask.point([value * 3 // 5 for value in range(256)])
    canvas.paste(_colour(rng), (x, y), mask)


def _table(rng: np.random.Generator, canvas: Image.Image, scale: float) -> None:
    """The lines of a table or a form, at times with cells of another ground or rows in turn."""
    x, y, width, height = _place(rng, canvas)
    draw, line = ImageDraw.Draw(canvas), (int(rng.integers(100, 225)),) * 3
    step, thick = max(12, height // 2), max(1, int(scale))
    bottom = min(canvas.height, y + int(rng.integers(2, 12)) * step)
    if rng.random() < 0.4:
        tint = tuple(int(value) for value in rng.integers(225, 256, 3))
        for top in range(y, bottom, 2 * step):
            draw.rectangle((x, top, x + width, top + step - 1), fill=tint)
    for row in range(y, bottom, step):
        draw.line((x, row, x + width, row), fill=line, width=thick)
    if rng.random() < 0.6:
        for column in range(x, min(canvas.width, x + width), int(rng.integers(24, 140))):
            draw.line((column, y, column, bottom), fill=line, width=thick)


def _chart(rng: np.random.Generator, canvas: Image.Image, scale: float) -> None:
    """Lines, points or columns of a chart, smooth or in steps."""
    x, y, width, height = _place(rng, canvas)
    fine = 4 if rng.random() < 0.75 else 1
    width, height = max(60, width), max(40, height)
    mask = Image.new("L", (width * fine, height * fine), 0)
    draw, count = ImageDraw.Draw(mask), int(rng.integers(4, 40))
    across = np.linspace(0, width * fine - 1, count)
    down = np.clip(0.5 + np.cumsum(rng.normal(0, 0.15, count)), 0.05, 0.95) * height * fine
    kind, thick = int(rng.integers(3)), round(float(rng.uniform(1, 3)) * fine * scale)
    if kind == 0:
        draw.line(list(zip(across.tolist(), down.tolist(), strict=True)), fill=255, width=thick, joint="curve")
    else:
        for left, top in zip(across.tolist(), down.tolist(), strict=True):
            reach = (0.35 * width * fine / count) if kind == 1 else thick * 2
            low = height * fine if kind == 1 else top + reach
            shape = draw.rectangle if kind == 1 else draw.ellipse
            shape((left - reach, top if kind == 1 else top - reach, left + reach, low), fill=255)
    canvas.paste(_colour(rng), (x, y), mask.resize((width, height), Image.Resampling.BOX))


def _icons(rng: np.random.Generator, canvas: Image.Image, scale: float) -> None:
    """A row of equal small signs."""
    x, y, _, _ = _place(rng, canvas)
    side = int(rng.integers(10, 25) * scale)
    icon = Image.new("L", (side * 4, side * 4), 0)
    draw = ImageDraw.Draw(icon)
    for _ in range(int(rng.integers(1, 4))):
        ends = np.sort(rng.integers(0, side * 4, (2, 2)), axis=0)
        box = (int(ends[0, 0]), int(ends[0, 1]), int(ends[1, 0]) + 1, int(ends[1, 1]) + 1)
        (draw.ellipse, draw.rectangle, draw.line)[int(rng.integers(3))](box, fill=255)
    icon = icon.resize((side, side), Image.Resampling.LANCZOS)
    colour, down = _colour(rng), bool(rng.random() < 0.5)
    for number in range(int(rng.integers(3, 20))):
        apart = number * (side + side // 2)
        canvas.paste(colour, (x, y + apart) if down else (x + apart, y), icon)


def _squares(rng: np.random.Generator, canvas: Image.Image, scale: float) -> None:
    """The pattern of squares or stripes that stands for transparency, selection or nothing."""
    x, y, width, height = _place(rng, canvas)
    rows, columns = np.mgrid[:height, :width] // int(rng.choice([1, 2, 4, 8, 10]))
    even = ((rows + columns) % 2 if rng.random() < 0.7 else rows % 2)[..., None]
    pair = np.array([_colour(rng), _colour(rng)]) if rng.random() < 0.3 else np.array([[255] * 3, [204] * 3])
    canvas.paste(Image.fromarray(np.where(even, pair[0], pair[1]).astype(np.uint8)), (x, y))


_PARTS: tuple[Callable[[np.random.Generator, Image.Image, float], None], ...] = (
    _bar, _bar, _button, _button, _table, _table, _chart, _icons, _squares,
)  # fmt: skip


def _paragraph(
    rng: np.random.Generator, canvas: Image.Image, dark: bool, scale: float, name: str, letters: str
) -> None:
    """Some lines of words, in one ink or, as code is, in several; `letters`: "grey", "subpixels" or "two levels"."""
    width, height = canvas.size
    size = round(float(rng.integers(9, 20) if rng.random() < 0.8 else rng.integers(20, 40)) * scale)
    x, y = int(rng.integers(0, max(1, width // 2))), int(rng.integers(0, max(1, height - 40)))
    if rng.random() < 0.3:
        x = y = int(rng.integers(0, 24))
    reach = int(rng.integers(2, 14 * (width // 260 + 1)))
    lines = [
        " ".join("".join(rng.choice(LETTERS, int(rng.integers(1, 10)))) for _ in range(int(rng.integers(1, reach))))
        for _ in range(int(rng.integers(1, max(3, height // size))))
    ]
    inks = [rng.integers(190, 256, 3) if dark else rng.integers(0, 80, 3)]
    if rng.random() < 0.3:
        inks += [rng.integers(0, 256, 3) for _ in range(int(rng.integers(1, 4)))]
    step = round(size * float(rng.uniform(1.15, 1.7)))
    for number, ink in enumerate(inks):
        mask = Image.new("L", canvas.size, 0)
        draw = ImageDraw.Draw(mask)
        draw.fontmode = "1" if letters == "two levels" else "L"
        for row, line in enumerate(lines):
            if row % len(inks) == number:
                draw.text((x, y + row * step), line, fill=255, font=_font(name, size))
        cover: NDArray[np.float32] = np.asarray(mask, np.float32)[..., None] / np.float32(255)
        if letters == "subpixels":
            thirds = np.asarray(mask.resize((width * 3, height), Image.Resampling.BICUBIC), np.float32) / 255
            cover = np.convolve(thirds.ravel(), FILTER, "same").astype(np.float32).reshape(height, width, 3)
        under = np.asarray(canvas, np.float32)
        canvas.paste(Image.fromarray(np.clip(np.rint(under + cover * (ink - under)), 0, 255).astype(np.uint8)))
