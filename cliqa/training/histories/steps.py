"""The steps of a history: each draws its own settings and moves a `State` on.

`KEPT_OUT` names the kinds that are never drawn for training: whole encoders, kernels and steps, on which results are reported apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from cliqa.signal.jpeg.other_tables import ROBIDOUX
from cliqa.signal.jpeg.quantization import nearest_quality, scale_table
from cliqa.training import codecs
from cliqa.training.histories.state import Pixels, Save, State
from cliqa.training.jpeg.numpy_codec import numpy_save
from cliqa.training.jpeg.saves import draw_sampling, random_save
from cliqa.training.noise.families import FAMILIES, draw_family
from cliqa.training.scale.resampling import sample_resampler

Rng = np.random.Generator
Step = Callable[[Rng, State], State]

KEPT_OUT = {
    "encoders": ("heic", "jxl", "mozjpeg"),
    "kernels": ("lanczos4", "spline", "gaussian"),
    "steps": ("palette", "collage"),
}
SMALLEST = 160
"""Pixels a side below which no step may bring a picture."""
LARGEST = 1600


def save_jpeg(rng: Rng, state: State, low: int = 20, high: int = 98) -> State:
    """JPEG by Pillow, OpenCV or the own codec, any sampling, IJG tables in 7 of 10."""
    done, truth = random_save(rng, state.pixels, low, high, sampling=draw_sampling(rng))
    return state.saved("save jpeg", lambda pixels: done, Save("jpeg", truth.quality, truth.encoder, truth.sampling))


def save_mozjpeg(rng: Rng, state: State, low: int = 20, high: int = 98) -> State:
    """JPEG as mozjpeg makes it: its default tables, levels lowered as by its trellis."""
    tables = scale_table(ROBIDOUX, int(rng.integers(low, high + 1)))
    sampling = str(rng.choice(["4:2:0", "4:4:4"]))
    done = numpy_save(state.pixels, rng, tables, tables, sampling, trellis=float(rng.uniform(0.1, 0.35)))
    return state.saved("save mozjpeg", lambda pixels: done, Save("jpeg", nearest_quality(tables), "mozjpeg", sampling))


def save_webp(rng: Rng, state: State) -> State:
    """Lossy WebP, 40-95."""
    quality, method = int(rng.integers(40, 96)), int(rng.integers(0, 7))
    done = codecs.decode(codecs.encode_webp(state.pixels, quality, method=method))
    return state.saved("save webp", lambda pixels: done, Save("webp", quality))


def save_avif(rng: Rng, state: State) -> State:
    """AVIF by aom, 40-90, by its faster speeds."""
    quality, speed = int(rng.integers(40, 91)), int(rng.choice([6, 8, 9, 10]))
    done = codecs.decode(codecs.encode_avif(state.pixels, quality, speed=speed))
    return state.saved("save avif", lambda pixels: done, Save("avif", quality))


def save_heic(rng: Rng, state: State) -> State:
    """HEIC by x265, 40-90."""
    quality = int(rng.integers(40, 91))
    done = codecs.decode(codecs.encode_heic(state.pixels, quality))
    return state.saved("save heic", lambda pixels: done, Save("heic", quality))


def save_jxl(rng: Rng, state: State) -> State:
    """JPEG XL at a distance of 0.5-4."""
    distance = float(rng.uniform(0.5, 4))
    done = codecs.decode(codecs.encode_jxl(state.pixels, distance))
    return state.saved("save jxl", lambda pixels: done, Save("jxl", distance))


def resize(rng: Rng, state: State, low: float = 0.5, high: float = 2.0, *, every_kernel: bool = False) -> State:
    """By a kernel of some library; in 15 of 100 with factors of their own for both axes.

    Args:
        every_kernel: also those that are kept out of training.
    """
    height, width = state.pixels.shape[:2]
    factor = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    if rng.random() < 0.2:
        factor = float(rng.choice([0.5, 2 / 3, 0.75, 0.8, 1.25, 1.5, 2.0]))
    other = factor * float(rng.uniform(0.9, 1.1)) if rng.random() < 0.15 else factor
    size = tuple(int(np.clip(round(n * f), SMALLEST, LARGEST)) for n, f in ((height, other), (width, factor)))
    while True:
        how = sample_resampler(rng)
        if how.kernel != "nearest" and (every_kernel or how.kernel not in KEPT_OUT["kernels"]):
            break
    return state.resized(
        f"resize {how.kernel}",
        lambda pixels: how.resize(pixels, (size[0], size[1]))[0],
        (size[1] / width, size[0] / height),
    )


def replicate(rng: Rng, state: State) -> State:
    """Enlarged by nearest neighbour to a whole factor of 2-16, after a crop that keeps it small."""
    factor = int(rng.choice([2, 2, 3, 4, 6, 8, 16]))
    rows, columns = (min(n, max(SMALLEST, LARGEST // 2) // factor) for n in state.pixels.shape[:2])
    done = state.resized(
        "replicate",
        lambda pixels: pixels[:rows, :columns].repeat(factor, axis=0).repeat(factor, axis=1),
        (factor, factor),
    )
    return done


def crop(rng: Rng, state: State) -> State:
    """A few up to 80 pixels from each side."""
    height, width = state.pixels.shape[:2]
    most = [max(0, min(80, (n - SMALLEST) // 2)) for n in (height, width)]
    top, bottom = (int(value) for value in rng.integers(0, most[0] + 1, 2))
    left, right = (int(value) for value in rng.integers(0, most[1] + 1, 2))
    return state.through("crop", lambda pixels: pixels[top : height - bottom, left : width - right])


def turn(rng: Rng, state: State) -> State:
    """By 90, 180 or 270 degrees, or mirrored."""
    quarter, mirrored = int(rng.integers(0, 4)), bool(rng.random() < 0.4)

    def apply(pixels: Pixels) -> Pixels:
        turned = np.rot90(pixels, quarter)
        return np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)

    done = state.through("turn", apply)
    if quarter % 2:
        done = replace(done, band=(done.band[1], done.band[0]), since=(done.since[1], done.since[0]))
    return done


def tone(rng: Rng, state: State) -> State:
    """A gamma and a soft S-curve of contrast."""
    value = np.arange(256) / 255
    curve = value ** rng.uniform(0.7, 1.4)
    curve = curve + rng.uniform(-0.25, 0.25) * np.sin(2 * np.pi * curve) / (2 * np.pi)
    table = np.clip(np.rint(255 * curve), 0, 255).astype(np.uint8)
    return state.through("tone", lambda pixels: table[pixels])


def sharpen(rng: Rng, state: State) -> State:
    """An unsharp mask."""
    radius, amount = float(rng.uniform(0.5, 2.5)), int(rng.integers(30, 160))
    mask = ImageFilter.UnsharpMask(radius, amount, int(rng.integers(0, 4)))
    return state.through("sharpen", lambda pixels: np.asarray(Image.fromarray(pixels).filter(mask)))


def blur(rng: Rng, state: State) -> State:
    """A Gaussian of 0.3-1.2 pixels."""
    kernel = ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.2)))
    return state.through("blur", lambda pixels: np.asarray(Image.fromarray(pixels).filter(kernel)))


def noise(rng: Rng, state: State) -> State:
    """One of the families of `grain_noise`, at a PSNR of 26-48 dB."""
    name, psnr, seed = draw_family(rng), float(rng.uniform(26, 48)), int(rng.integers(1 << 31))

    def apply(pixels: Pixels) -> Pixels:
        _, noisy = FAMILIES[name].make(np.random.default_rng(seed), pixels.astype(np.float32), psnr)
        done: Pixels = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        return done

    return state.noisy(f"noise {name}", apply)


def watermark(rng: Rng, state: State) -> State:
    """A line of half transparent text."""
    height, width = state.pixels.shape[:2]
    place = int(rng.integers(0, max(1, width - 120))), int(rng.integers(0, max(1, height - 40)))
    size, strength = int(rng.integers(14, 40)), int(rng.integers(60, 200))

    def apply(pixels: Pixels) -> Pixels:
        layer = Image.new("L", (width, height))
        ImageDraw.Draw(layer).text(place, "© photo stock", fill=strength, font_size=size)
        return np.asarray(Image.composite(Image.new("RGB", (width, height), "white"), Image.fromarray(pixels), layer))

    return state.through("watermark", apply)


def frame(rng: Rng, state: State) -> State:
    """A border of one colour, 8-120 pixels."""
    sides = [int(value) for value in rng.integers(8, 121, 4)]
    colour = rng.choice([0, 255]) if rng.random() < 0.6 else rng.integers(0, 256, 3)

    def apply(pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        canvas = np.empty((height + sides[0] + sides[1], width + sides[2] + sides[3], 3), np.uint8)
        canvas[:] = colour
        canvas[sides[0] : sides[0] + height, sides[2] : sides[2] + width] = pixels
        return canvas

    return _inside(state, state.through("frame", apply))


def page(rng: Rng, state: State) -> State:
    """In a page of text, white or nearly so."""
    height, width = state.pixels.shape[:2]
    size = (width + int(rng.integers(150, 600)), height + int(rng.integers(200, 700)))
    place = int(rng.integers(0, size[0] - width + 1)), int(rng.integers(0, size[1] - height + 1))
    canvas = Image.new("RGB", size, tuple(int(value) for value in rng.integers(235, 256, 3)))
    draw, pitch = ImageDraw.Draw(canvas), int(rng.integers(14, 34))
    for top in range(10, size[1] - pitch, pitch):
        letters = "".join(chr(int(code)) for code in rng.choice([32, *range(97, 123)], size[0] // 7))
        draw.text((12, top), letters, fill=(30, 30, 30), font_size=pitch * 0.7)

    def apply(pixels: Pixels) -> Pixels:
        whole = canvas.copy()
        whole.paste(Image.fromarray(pixels), place)
        return np.asarray(whole)

    return _inside(state, state.through("page", apply))


def collage(rng: Rng, state: State) -> State:
    """One of four: beside its own mirrored and toned parts, which were never saved; only that one's history counts."""
    height, width = (n // 2 * 2 for n in state.pixels.shape[:2])
    others = [
        np.clip(rng.normal(rng.uniform(60, 190), 25, (height, width, 3)), 0, 255).astype(np.uint8) for _ in range(3)
    ]
    place, gap = int(rng.integers(4)), int(rng.integers(0, 13))

    def apply(pixels: Pixels) -> Pixels:
        cells = [*others[:place], pixels[:height, :width], *others[place:]]
        canvas = np.full((2 * height + gap, 2 * width + gap, 3), 255, np.uint8)
        for number, cell in enumerate(cells):
            y, x = divmod(number, 2)
            canvas[y * (height + gap) :, x * (width + gap) :][:height, :width] = cell
        return canvas

    return _inside(state, state.through("collage", apply))


def palette(rng: Rng, state: State) -> State:
    """At most 64, 128 or 256 colours, dithered or not."""
    colours = int(rng.choice([64, 128, 256]))
    dither = Image.Dither.FLOYDSTEINBERG if rng.random() < 0.5 else Image.Dither.NONE

    def apply(pixels: Pixels) -> Pixels:
        few = Image.fromarray(pixels).quantize(colours, dither=dither)
        return np.asarray(few.convert("RGB"))

    return state.through("palette", apply)


def _inside(before: State, after: State) -> State:
    """With the share of the picture that the content covers now."""
    ratio = before.pixels.shape[0] * before.pixels.shape[1] / (after.pixels.shape[0] * after.pixels.shape[1])
    return replace(after, share=before.share * ratio)


STEPS: dict[str, Step] = {
    "jpeg": save_jpeg, "mozjpeg": save_mozjpeg, "webp": save_webp, "avif": save_avif, "heic": save_heic, "jxl": save_jxl,
    "resize": resize, "replicate": replicate, "crop": crop, "turn": turn, "tone": tone, "sharpen": sharpen, "blur": blur,
    "noise": noise, "watermark": watermark, "frame": frame, "page": page, "collage": collage, "palette": palette,
}  # fmt: skip
