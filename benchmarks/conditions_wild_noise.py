"""Rows of `accuracy.py --wild` for `grain_noise`: noise that went through codecs, pages and frames, and clean pictures that did.

The noise is that of `noise_sources`, not of the training generator, drawn by strength; the truth is the PSNR that it has before the
codec, in grey and in colour, of the photograph alone where it lies in a page. Some encoders were in no training (`codec_programs`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from codec_programs import installed
from conditions import Scored, Truth, share
from noise_sources import FAMILIES, WITHOUT_NOISE, Noise, Pixels, shaped
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from wild_edits import Made, Make, Rng, Wild

from cliqa.signal.noise.psnr import chroma_psnr, grey_psnr
from cliqa.training import codecs
from cliqa.training.ordinal_scores import spearman
from cliqa.training.photos import Photo

SIDE = 640  # pixels at most
LOW, HIGH, CLEAN = 20.0, 49.0, 50.0  # dB


def colour_alone(rng: Rng, image: np.ndarray, strength: float) -> np.ndarray:
    """Noise in Cb and Cr that leaves luma as it is, from fine to blotchy."""
    size = rng.uniform(0.0, 2.0)
    field = shaped(rng, (*image.shape[:2], 2), size) if size > 0.3 else rng.standard_normal((*image.shape[:2], 2))
    cb, cr = np.moveaxis(field, 2, 0)
    added: np.ndarray = image + strength * np.dstack([1.402 * cr, -0.344 * cb - 0.714 * cr, 1.772 * cb])
    return added


SIX: dict[str, tuple[Noise, float]] = {  # and how much stronger than in grey it has to be for the same PSNR
    "white, grey": (FAMILIES["white, grey"], 1.0),
    "white, colour": (FAMILIES["white, colour"], 1.7),
    "Poisson-Gaussian": (FAMILIES["Poisson-Gaussian"], 1.7),
    "demosaiced": (FAMILIES["demosaiced"], 1.5),
    "grain": (FAMILIES["grain, medium"], 2.0),
    "chroma": (colour_alone, 1.4),
}


def part(rng: Rng, pixels: Pixels) -> Pixels:
    top, left = (int(rng.integers(max(0, length - SIDE) + 1)) for length in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + SIDE, left : left + SIDE])


def noise_of(rng: Rng, pixels: Pixels, families: Sequence[str] = tuple(SIX)) -> tuple[Pixels, Truth]:
    """A part of the picture with noise of one family, and its truth."""
    pixels = part(rng, pixels)
    while True:
        family, seed = str(rng.choice(families)), int(rng.integers(1 << 30))
        noise, gain = SIX[family]
        strength = gain * 10 ** (-rng.uniform(21, 46) / 20)
        quiet = WITHOUT_NOISE.get(family)
        pair = [
            np.clip(np.rint(255 * make(np.random.default_rng(seed), pixels / 255, strength)), 0, 255).astype(np.uint8)
            for make in ((quiet, noise) if quiet else (noise,))
        ]
        before, after = pair if quiet else (pixels, pair[0])
        psnr = grey_psnr(before, after)
        if LOW <= psnr < HIGH:
            return after, {"psnr": psnr, "chroma": chroma_psnr(before, after), "family": family, "quality": 100}


Save = Callable[[Rng, Pixels], tuple[Pixels, Truth]]  # the truth: what the save changes of it


def saved(codec: str, low: int, high: int) -> Save:
    """By Pillow's encoders (HEIC by pillow-heif)."""

    def save(rng: Rng, pixels: Pixels) -> tuple[Pixels, Truth]:
        quality = int(rng.integers(low, high + 1))
        if codec == "jpeg":
            data = codecs.encode_jpeg(pixels, quality, subsampling=str(rng.choice(["4:4:4", "4:2:0"])))
            return codecs.decode(data), {"quality": quality, "last": quality}
        if codec == "webp":
            return codecs.decode(codecs.encode_webp(pixels, quality, method=int(rng.choice([2, 4, 6])))), {}
        if codec == "avif":
            return codecs.decode(codecs.encode_avif(pixels, quality, speed=int(rng.choice([6, 8])))), {}
        return codecs.decode(codecs.encode_heic(pixels, quality)), {}

    return save


def by_program(name: str, low: int, high: int) -> Save:
    """By an encoder that training never saw."""

    def save(rng: Rng, pixels: Pixels) -> tuple[Pixels, Truth]:
        if name not in installed():
            raise FileNotFoundError(name)
        return installed()[name][1](pixels, int(rng.integers(low, high + 1)), rng), {}

    return save


def png(rng: Rng, pixels: Pixels) -> tuple[Pixels, Truth]:
    del rng
    return pixels, {}


def png_or_jpeg(rng: Rng, pixels: Pixels) -> tuple[Pixels, Truth]:
    return png(rng, pixels) if rng.random() < 0.5 else saved("jpeg", 80, 99)(rng, pixels)


def noisy(save: Save, families: Sequence[str] = tuple(SIX)) -> Make:
    def make(rng: Rng, pixels: Pixels, others: Sequence[Photo]) -> Made:
        del others
        after, truth = noise_of(rng, pixels, families)
        done, changed = save(rng, after)
        return done, truth | changed

    return make


def clean(edit: Callable[[Rng, Pixels], Pixels] | None = None, save: Save = png) -> Make:
    def make(rng: Rng, pixels: Pixels, others: Sequence[Photo]) -> Made:
        del others
        done, changed = save(rng, edit(rng, pixels) if edit else pixels)
        return np.ascontiguousarray(done), {"psnr": CLEAN, "chroma": CLEAN, "quality": 100} | changed

    return make


def sharpened(rng: Rng, pixels: Pixels) -> Pixels:
    mask = ImageFilter.UnsharpMask(float(rng.uniform(0.6, 2)), int(rng.integers(40, 130)), 0)
    return np.asarray(Image.fromarray(pixels).filter(mask))


def halved(rng: Rng, pixels: Pixels) -> Pixels:
    image, ways = Image.fromarray(pixels), (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BOX)
    return np.asarray(image.resize((image.width // 2, image.height // 2), ways[int(rng.integers(3))]))


def in_page(rng: Rng, pixels: Pixels) -> Pixels:
    """Between columns of DejaVu on white or tinted paper."""
    picture = Image.fromarray(pixels[:420, :520])
    paper = tuple(int(value) for value in rng.choice([[255, 255, 255], [248, 244, 235], [28, 28, 32]]))
    ink = (20, 20, 20) if sum(paper) > 300 else (225, 225, 225)
    page = Image.new("RGB", (picture.width + 420, picture.height + 560), paper)
    draw, size = ImageDraw.Draw(page), int(rng.integers(11, 18))
    words = ["harvest", "valley", "granary", "of", "the", "under", "river", "mill", "a", "barley", "weights", "and"]
    for top in range(24, page.height - 20, round(size * 1.4)):
        draw.text((24, top), " ".join(rng.choice(words, 22)), fill=ink, font=ImageFont.load_default(size))
    page.paste(picture, (int(rng.integers(10, 400)), int(rng.integers(10, 540))))
    return np.asarray(page)


def in_frame(rng: Rng, pixels: Pixels) -> Pixels:
    """With a wide border, of two colours in half of the cases."""
    wide = int(rng.integers(40, 201))
    colours = [tuple(int(value) for value in rng.choice([[255] * 3, [0] * 3, [120, 30, 40]])) for _ in range(2)]
    size = (pixels.shape[1] + 2 * wide, pixels.shape[0] + 2 * wide)
    canvas, line = Image.new("RGB", size, colours[0]), int(rng.integers(0, 2)) * 12
    canvas.paste(colours[1], (wide - line, wide - line, size[0] - wide + line, size[1] - wide + line))
    canvas.paste(Image.fromarray(pixels), (wide, wide))
    return np.asarray(canvas)


def inside(edit: Callable[[Rng, Pixels], Pixels], save: Save = png_or_jpeg) -> Save:
    """Put into a page or a frame, and saved."""
    return lambda rng, pixels: save(rng, edit(rng, pixels))


def grain_noise(scored: list[Scored]) -> str:
    """MAE, Spearman, share on the wrong side of 40 dB; of clean pictures the share below 40 dB."""
    pairs = [(truth, fields) for truth, fields in scored if "psnr" in truth]
    if not pairs:
        return ""
    truth = np.array([float(each["psnr"]) for each, _ in pairs])
    found = np.array([float(fields["psnr"] or 0) for _, fields in pairs])
    if (truth == CLEAN).all():
        return f"{share(found < 40, 1)} below 40 dB"
    away = np.abs(truth - 40) >= 1.5
    wrong = share((found < 40)[away] != (truth < 40)[away], 1)
    text = f"MAE {np.abs(truth - found).mean():.2f}, Spearman {spearman(found, truth):.3f}; wrong side {wrong}"
    if "chroma_psnr" not in pairs[0][1]:
        return text
    colour = [abs(float(each["chroma"]) - float(fields["chroma_psnr"] or 0)) for each, fields in pairs]
    return f"{text}; chroma MAE {np.mean(colour):.2f}"


def _bar(text: str) -> dict[str, str]:
    return {"grain_noise": text}


WRONG, BELOW = "8 % wrong", _bar("4 % below")
HISTORIES = [
    Wild("noise: six families, PNG", noisy(png), _bar("MAE 1.2, 0.97")),
    Wild("noise: six families, JPEG 80-99", noisy(saved("jpeg", 80, 99)), _bar("MAE 1.2, 0.97")),
    *(Wild(f"noise: {name}, PNG or JPEG 80-99", noisy(png_or_jpeg, (name,)), _bar("MAE 1.2")) for name in SIX),
    Wild("noise: WebP 50-92", noisy(saved("webp", 50, 92)), _bar(f"MAE 2.0; {WRONG}")),
    Wild("noise: AVIF 50-85", noisy(saved("avif", 50, 85)), _bar(f"MAE 2.5; {WRONG}")),
    Wild("noise: JPEG 50-79", noisy(saved("jpeg", 50, 79)), _bar(f"MAE 1.8; {WRONG}")),
    Wild("noise: HEIC 50-85 (never trained on)", noisy(saved("heic", 50, 85)), {}),
    *(
        Wild(f"noise: {name} 50-90 (never trained on)", noisy(by_program(name, 50, 90)), {})
        for name in ("cwebp with other settings", "avifenc aom 3.6", "avifenc rav1e", "mozjpeg, trellis")
    ),
    Wild("noise: in a page, PNG or JPEG 80-99", noisy(inside(in_page)), {}),
    Wild("noise: in a frame of 40-200 pixels, PNG or JPEG 80-99", noisy(inside(in_frame)), {}),
    Wild("clean: plain", clean(), _bar("2 % below")),
    Wild("clean: JPEG 80-99", clean(save=saved("jpeg", 80, 99)), _bar("2 % below")),
    Wild("clean: WebP 50-92", clean(save=saved("webp", 50, 92)), BELOW),
    Wild("clean: AVIF 50-85", clean(save=saved("avif", 50, 85)), BELOW),
    Wild("clean: JPEG 30-79", clean(save=saved("jpeg", 30, 79)), BELOW),
    Wild("clean: HEIC 50-85", clean(save=saved("heic", 50, 85)), {}),
    Wild("clean: sharpened", clean(sharpened), BELOW),
    Wild("clean: halved", clean(halved), BELOW),
    Wild("clean: in a page, PNG or JPEG 80-99", clean(save=inside(in_page)), {}),
    Wild("clean: in a frame, PNG or JPEG 80-99", clean(save=inside(in_frame)), {}),
]  # fmt: skip

JUDGES = {"grain_noise": grain_noise}
