"""Conditions of `compression`: files themselves, pixels alone, histories, pictures that lost nothing, encoders that training never saw.

The truth is SSIMULACRA 2 between the picture at the end and its uncompressed twin, which everything but the saves happens to as well.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from copy import deepcopy

import numpy as np
from codec_programs import installed
from conditions import Condition, Scored, Truth
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from web_pages import available, screenshot

from cliqa.images.loading import LoadedImage, load_image
from cliqa.signal.statistics.correlation import srcc
from cliqa.training import codecs
from cliqa.training.compression.fidelity import fidelity
from cliqa.training.histories.filters import retouched
from cliqa.training.histories.geometry import rescaled, trimmed
from cliqa.training.histories.graph import Step
from cliqa.training.histories.picture import Picture
from cliqa.training.photos import Photo

Pixels = NDArray[np.uint8]
Made = tuple[LoadedImage, Truth]
NEAR_LOSSLESS = 95.0


def encoded(rng: np.random.Generator, pixels: Pixels, codec: str, low: int = 0) -> tuple[bytes, float]:
    """A file of that codec and the quality asked, evenly over the codec's range from `low` percent of it."""
    quality = int(rng.integers(low, 101))
    if codec == "jpeg":
        sampling = str(rng.choice(["4:2:0", "4:4:4"]))
        return codecs.encode_jpeg(pixels, max(1, quality), subsampling=sampling), max(1, quality)
    if codec == "webp":
        return codecs.encode_webp(pixels, quality, method=int(rng.integers(0, 7))), quality
    if codec == "avif":
        sampling = str(rng.choice(["4:2:0", "4:2:0", "4:4:4"]))
        return codecs.encode_avif(pixels, quality, speed=int(rng.integers(6, 11)), subsampling=sampling), quality
    if codec == "heic":
        return codecs.encode_heic(pixels, quality), quality
    if codec == "jpeg2000":
        return codecs.encode_jpeg2000(pixels, 25 + 0.25 * quality), quality
    return codecs.encode_jxl(pixels, 0.1 * 100 ** (1 - quality / 100)), quality


def main_codec(rng: np.random.Generator) -> str:
    return str(rng.choice(["jpeg", "webp", "avif", "heic"]))


def drawn(step: Step, rng: np.random.Generator) -> Callable[[Pixels], Pixels]:
    """What a step does, drawn now, as a function of pixels: for steps that draw the same whatever the picture."""
    own = deepcopy(rng)
    step(rng, Picture(np.zeros((96, 96, 3), np.uint8)))
    return lambda pixels: step(deepcopy(own), Picture(pixels)).pixels


def truth_of(twin: Pixels, now: Pixels, codec: str, **tags: float | str) -> Truth:
    return {"fidelity": float(np.clip(fidelity(twin, now), 0, 100)), "codec": codec, **tags}


def file_itself(rng: np.random.Generator, photo: Photo) -> Made:
    codec, pixels = main_codec(rng), photo.pixels()
    data, quality = encoded(rng, pixels, codec)
    image = load_image(data)
    return image, truth_of(pixels, image.pixels, codec, asked=quality)


def pixels_alone(rng: np.random.Generator, photo: Photo) -> Made:
    codec, pixels = main_codec(rng), photo.pixels()
    now, crop = codecs.decode(encoded(rng, pixels, codec)[0]), drawn(trimmed, rng)
    return LoadedImage.from_array(crop(now)), truth_of(crop(pixels), crop(now), codec)


def wavelets_and_jxl(rng: np.random.Generator, photo: Photo) -> Made:
    codec, pixels = str(rng.choice(["jpeg2000", "jxl"])), photo.pixels()
    now, crop = codecs.decode(encoded(rng, pixels, codec)[0]), drawn(trimmed, rng)
    return LoadedImage.from_array(crop(now)), truth_of(crop(pixels), crop(now), codec)


def saved_again(rng: np.random.Generator, photo: Photo) -> Made:
    """A bad save, then a good one by another codec, across a crop or not; the file itself."""
    pixels, codec = photo.pixels(), main_codec(rng)
    now = codecs.decode(encoded(rng, pixels, codec)[0])
    if rng.random() < 0.5:
        crop = drawn(trimmed, rng)
        pixels, now = crop(pixels), crop(now)
    image = load_image(encoded(rng, now, main_codec(rng), low=75)[0])
    return image, truth_of(pixels, image.pixels, codec)


def resized(rng: np.random.Generator, photo: Photo) -> Made:
    pixels, codec, change = photo.pixels(), main_codec(rng), drawn(rescaled, rng)
    now = change(codecs.decode(encoded(rng, pixels, codec)[0]))
    return LoadedImage.from_array(now), truth_of(change(pixels), now, codec)


def edited(rng: np.random.Generator, photo: Photo) -> Made:
    pixels, codec, change = photo.pixels(), main_codec(rng), drawn(retouched, rng)
    now = change(codecs.decode(encoded(rng, pixels, codec)[0]))
    return LoadedImage.from_array(now), truth_of(change(pixels), now, codec)


def lossless(rng: np.random.Generator, photo: Photo) -> Made:
    """As it is, cropped, resized, sharpened, toned or turned; as a PNG or as a lossless WebP."""
    pixels = photo.pixels()
    kind = str(rng.choice(["as it is", "cropped", "resized", "edited", "both"]))
    if kind == "cropped":
        pixels = drawn(trimmed, rng)(pixels)
    if kind in ("resized", "both"):
        pixels = drawn(rescaled, rng)(pixels)
    if kind in ("edited", "both"):
        pixels = drawn(retouched, rng)(pixels)
    buffer = io.BytesIO()
    settings = {"lossless": True} if rng.random() < 0.3 else {}
    Image.fromarray(pixels).save(buffer, "WEBP" if settings else "PNG", **settings)
    return load_image(buffer.getvalue()), {"fidelity": 100.0, "codec": "none", "kind": kind}


def screen(rng: np.random.Generator, photo: Photo) -> Made:
    """A page of text with the photograph in it."""
    width, height = 1000, 700
    back, ink = ((255, 255, 255), (20, 20, 20)) if rng.random() < 0.7 else ((30, 32, 38), (210, 210, 215))
    canvas = Image.new("RGB", (width, height), back)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, width, 48), fill=tuple(int(value) for value in rng.integers(0, 256, 3)))
    size, words = (
        int(rng.integers(11, 24)),
        "the of and to in a is that for it as was with be by on not he his but at are this have",
    )
    for line in range(60, height - size, round(size * 1.5)):
        text = " ".join(rng.choice(words.split(), int(rng.integers(4, 18))))
        draw.text((24, line), text, fill=ink, font_size=size)
    if rng.random() < 0.5:
        inset = Image.fromarray(photo.pixels()[:300, :360])
        canvas.paste(inset, (int(rng.integers(300, 620)), int(rng.integers(80, 380))))
    return LoadedImage.from_pil(canvas), {"fidelity": 100.0, "codec": "none", "kind": "screen"}


def web_page(rng: np.random.Generator, photo: Photo) -> Made | None:
    """A page as a browser draws it, half of them resized or cropped."""
    if not available():
        return None
    pixels, kind = screenshot(rng, photo.pixels()), str(rng.choice(["as it is", "as it is", "cropped", "resized"]))
    step = {"cropped": trimmed, "resized": rescaled}.get(kind)
    return LoadedImage.from_array(drawn(step, rng)(pixels) if step else pixels), {
        "fidelity": 100.0, "codec": "none", "kind": kind,
    }  # fmt: skip


def web_page_saved(rng: np.random.Generator, photo: Photo) -> Made | None:
    """The same saved once, pixels alone."""
    if not available():
        return None
    codec, pixels = main_codec(rng), screenshot(rng, photo.pixels())
    now, crop = codecs.decode(encoded(rng, pixels, codec)[0]), drawn(trimmed, rng)
    return LoadedImage.from_array(crop(now)), truth_of(crop(pixels), crop(now), codec)


def any_history(rng: np.random.Generator, photo: Photo) -> Made:
    """What there is on the web: a fifth lossless, the rest files and pixels of one save, saved again, resized."""
    makers: list[Callable[[np.random.Generator, Photo], Made]] = [
        lossless, lossless, file_itself, file_itself, pixels_alone, pixels_alone, pixels_alone, saved_again, resized, edited,
    ]  # fmt: skip
    return makers[int(rng.integers(len(makers)))](rng, photo)


def none_or_one(rng: np.random.Generator, photo: Photo) -> Made:
    """Pixels alone of one save above a tenth of its codec's range, or of none (a fifth)."""
    return lossless(rng, photo) if rng.random() < 0.2 else pixels_alone(rng, photo)


def webp_quality(rng: np.random.Generator, photo: Photo) -> Made:
    data, quality = encoded(rng, photo.pixels(), "webp")
    return load_image(data), {"asked": quality, "lossless": 0.0}


def webp_lossless(rng: np.random.Generator, photo: Photo) -> Made:
    buffer = io.BytesIO()
    Image.fromarray(photo.pixels()).save(buffer, "WEBP", lossless=True)
    return load_image(buffer.getvalue()), {"lossless": 1.0}


def unseen(rng: np.random.Generator, photo: Photo) -> Made | None:
    """Pixels alone of an encoder, version or setting that training never saw."""
    programs = installed()
    if not programs:
        return None
    name = str(rng.choice(sorted(programs)))
    codec, encode = programs[name]
    pixels, crop = photo.pixels(), drawn(trimmed, rng)
    now = encode(pixels, int(rng.integers(10, 98)), rng)
    pixels = np.ascontiguousarray(pixels[: now.shape[0], : now.shape[1]])
    return LoadedImage.from_array(crop(now)), truth_of(crop(pixels), crop(now), codec, encoder=name)


def errors(scored: list[Scored]) -> dict[str, float]:
    """MAE of the fidelity, its bias, rank correlation and codecs named right."""
    truth = np.array([float(each["fidelity"]) for each, _ in scored])
    found = np.array([float(fields["fidelity"] or 0) for _, fields in scored])
    right = np.mean([each["codec"] == fields["codec"] for each, fields in scored])
    rank = srcc(found, truth) if len(scored) > 2 and np.ptp(truth) > 0 else 0.0
    return {
        "MAE": float(np.abs(found - truth).mean()),
        "bias": float((found - truth).mean()),
        "Spearman": rank,
        "codec right": float(right),
    }


def kept(scored: list[Scored]) -> dict[str, float]:
    """How many lossless pictures are told so."""
    found = np.array([float(fields["fidelity"] or 0) for _, fields in scored])
    return {
        "at 95 or more": float((found >= NEAR_LOSSLESS).mean()),
        "lowest": float(found.min()),
        "codec none": float(np.mean([fields["codec"] == "none" for _, fields in scored])),
    }


def named(scored: list[Scored]) -> dict[str, float]:
    return {"codec right": errors(scored)["codec right"]}


def told(scored: list[Scored]) -> dict[str, float]:
    right = [
        fields["file_lossless"] == truth["lossless"]
        and ("asked" not in truth or abs(float(fields["file_quality"] or 0) - float(truth["asked"])) <= 2)
        for truth, fields in scored
    ]
    return {"right": float(np.mean(right))}


BOTH = ("lossless", "drawn")
CONDITIONS = [
    Condition("file itself", "MAE <= 6", file_itself, errors, repeats=5, breakdown=("codec",), plot=("fidelity", "fidelity")),
    Condition("pixels alone, cropped off the grid", "MAE <= 9", pixels_alone, errors, repeats=5, breakdown=("codec",)),
    Condition("any history", "Spearman >= 0.93", any_history, errors, repeats=5, plot=("fidelity", "fidelity")),
    Condition("no save or one, pixels alone", "codec right >= 90 %", none_or_one, named, repeats=5, breakdown=("codec",)),
    Condition("JPEG 2000 and JPEG XL, pixels alone", "", wavelets_and_jxl, errors, repeats=2, breakdown=("codec",)),
    Condition("saved again by another codec", "", saved_again, errors, repeats=3),
    Condition("resized by up to a third", "", resized, errors, repeats=3, breakdown=("codec",)),
    Condition("sharpened, toned, turned", "", edited, errors, repeats=2),
    Condition("encoders that training never saw, pixels alone", "MAE <= 9", unseen, errors, repeats=5, breakdown=("encoder",)),
    Condition("drawings, one save, pixels alone", "", pixels_alone, errors, kinds=("drawn",), repeats=5),
    Condition("lossless photographs", "97 % at 95 or more", lossless, kept, repeats=5, breakdown=("kind",)),
    Condition("lossless drawings", "97 % at 95 or more", lossless, kept, kinds=("drawn",), repeats=10, breakdown=("kind",)),
    Condition("screens with text", "97 % at 95 or more", screen, kept, repeats=3),
    Condition("pages by a browser", "97 % at 95 or more", web_page, kept, repeats=4, breakdown=("kind",)),
    Condition("pages by a browser, one save, pixels alone", "", web_page_saved, errors, repeats=2, breakdown=("codec",)),
    Condition("file_quality of WebP within 2", "99 %", webp_quality, told, kinds=BOTH, repeats=6),
    Condition("VP8L told as lossless", "99 %", webp_lossless, told, kinds=BOTH, repeats=1),
]  # fmt: skip
