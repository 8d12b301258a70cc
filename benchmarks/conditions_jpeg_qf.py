"""Conditions of `jpeg_qf`: the quality factor to the digit, by encoder, crop, size; the grid; an earlier save."""

from __future__ import annotations

import io

import numpy as np
from conditions import Condition, Scored, Truth
from conditions_jpeg_quality import Pixels, image, sampling_of, save
from jpeg_encoders import installed
from PIL import Image, ImageFilter

from cliqa.images.loading import LoadedImage
from cliqa.signal.jpeg.quantization import CHROMA_TABLES, LUMA_TABLES
from cliqa.training.histories.numpy_codec import numpy_save
from cliqa.training.photos import Photo

Made = tuple[LoadedImage, Truth]


def pillow(rng: np.random.Generator, photo: Photo) -> Made:
    quality = int(rng.integers(1, 101))
    return image(save(photo.pixels(), quality, sampling_of(rng)), quality=quality)


def other_encoder(rng: np.random.Generator, photo: Photo) -> Made:
    """OpenCV; mozjpeg-like zeroing of levels; float DCT with plain upsampling."""
    import cv2

    quality, sampling = int(rng.integers(1, 101)), sampling_of(rng)
    encoder = str(rng.choice(["OpenCV", "trellis", "float DCT"]))
    if encoder == "OpenCV":
        factor = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if sampling == "4:4:4" else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
        settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
        _, stream = cv2.imencode(".jpg", np.ascontiguousarray(photo.pixels()[..., ::-1]), settings)
        pixels: Pixels = np.asarray(Image.open(io.BytesIO(stream.tobytes())).convert("RGB"))
    else:
        tables = LUMA_TABLES[quality - 1], CHROMA_TABLES[quality - 1]
        trellis = 0.25 if encoder == "trellis" else 0.0
        pixels = numpy_save(photo.pixels(), rng, *tables, sampling, trellis=trellis, upsampling="plain")
    return image(pixels, quality=quality, encoder=encoder)


def installed_encoder(rng: np.random.Generator, photo: Photo) -> Made | None:
    """One of the encoders that are installed here; None where there is none."""
    encoders = installed()
    if not encoders:
        return None
    quality, sampling = int(rng.integers(1, 101)), sampling_of(rng)
    name = str(rng.choice(sorted(encoders)))
    return image(encoders[name](photo.pixels(), quality, sampling), quality=quality, encoder=name)


def hard_picture(rng: np.random.Generator, photo: Photo) -> Made:
    """Dark, overexposed or smooth pictures, half of them at a quality of 1-30."""
    quality = int(rng.integers(1, 31 if rng.random() < 0.5 else 101))
    kind = str(rng.choice(["night", "overexposed", "smooth"]))
    pixels = photo.pixels().astype(np.float64)
    if kind == "night":
        pixels = pixels**2 / 255 * rng.uniform(0.2, 0.7)
    elif kind == "overexposed":
        pixels = pixels * rng.uniform(1.3, 2.2) + rng.uniform(0, 40)
    else:
        blur = ImageFilter.GaussianBlur(float(rng.uniform(2, 10)))
        pixels = np.asarray(Image.fromarray(photo.pixels()).filter(blur)).astype(np.float32)
    made = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    return image(save(made, quality, str(rng.choice(["4:4:4", "4:2:2", "4:2:0"]))), quality=quality, kind=kind)


def cropped(rng: np.random.Generator, photo: Photo) -> Made:
    quality = int(rng.integers(1, 101))
    x, y = (int(value) for value in rng.integers(0, 8, 2))
    pixels = save(photo.pixels(), quality, sampling_of(rng))[y:, x:]
    return image(pixels, quality=quality, grid_x=-x % 8, grid_y=-y % 8)


def grey_or_small(rng: np.random.Generator, photo: Photo) -> Made:
    quality, pixels = int(rng.integers(1, 101)), photo.pixels()
    if rng.random() < 0.5:
        stream = io.BytesIO()
        Image.fromarray(pixels).convert("L").save(stream, "JPEG", quality=quality)
        return image(np.asarray(Image.open(stream).convert("RGB")), quality=quality, kind="grey")
    height, width = (int(value) for value in rng.integers(128, 257, 2))
    y, x = int(rng.integers(0, pixels.shape[0] - height + 1)), int(rng.integers(0, pixels.shape[1] - width + 1))
    cut = np.ascontiguousarray(pixels[y : y + height, x : x + width])
    return image(save(cut, quality, sampling_of(rng)), quality=quality, kind="small")


def twice(rng: np.random.Generator, photo: Photo) -> Made:
    first, sampling = int(rng.integers(20, 89)), sampling_of(rng)
    second = int(rng.integers(first + 10, 99))
    return image(save(save(photo.pixels(), first, sampling), second, sampling), quality=second, first=first)


def exactness(scored: list[Scored]) -> dict[str, float]:
    error = np.array([abs(float(fields["qf"] or 0) - float(truth["quality"])) for truth, fields in scored])
    exact = np.array([fields["qf_final"] == truth["quality"] for truth, fields in scored])
    return {"exact": float(exact.mean()), "within 1": float((error <= 1).mean()), "MAE": float(error.mean())}


def exactness_and_grid(scored: list[Scored]) -> dict[str, float]:
    grid = [
        fields["grid_x"] == truth["grid_x"] and fields["grid_y"] == truth["grid_y"]
        for truth, fields in scored
        if float(truth["quality"]) <= 95
    ]
    return {**exactness(scored), "grid, QF <= 95": float(np.mean(grid))}


def previous_right(scored: list[Scored]) -> dict[str, float]:
    right = [abs(float(fields["previous_qf"] or -9) - float(truth["first"])) <= 2 for truth, fields in scored]
    return {"previous within 2": float(np.mean(right)), "last exact": exactness(scored)["exact"]}


def previous_reported(scored: list[Scored]) -> dict[str, float]:
    return {"reported": float(np.mean([fields["previous_qf"] is not None for _, fields in scored]))}


PLOT = ("quality", "qf")
CONDITIONS = [
    Condition("one save by Pillow", "exact 99 %, within 1 99.9 %, MAE <= 0.02", pillow, exactness, plot=PLOT),
    Condition("other encoders", "exact 97 %, MAE <= 0.1", other_encoder, exactness, breakdown=("encoder",)),
    Condition("cropped", "exact 97 %, grid 99 %", cropped, exactness_and_grid),
    Condition("grey, or 128-256 pixels", "exact 95 %", grey_or_small, exactness, breakdown=("kind",)),
    Condition("two saves, same grid", "previous within 2: 80 %", twice, previous_right),
    Condition("one save: earlier one reported", "at most 2 %", pillow, previous_reported),
    Condition("installed encoders", "as other encoders", installed_encoder, exactness, breakdown=("encoder",)),
    Condition("dark, overexposed, smooth pictures", "none", hard_picture, exactness, breakdown=("kind",)),
    Condition("drawings, one save", "none", pillow, exactness, kinds=("drawn",)),
]
