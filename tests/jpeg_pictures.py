"""Pictures with a known JPEG history, for the tests of the JPEG metrics."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def textured(seed: int, side: int = 256, width: int | None = None) -> np.ndarray:
    """Noise with a falling spectrum, coloured, hardly clipped: uint8 (side, width, 3), something like a photograph."""
    rng = np.random.default_rng(seed)
    shape = (side, width or side)
    spectrum = np.fft.fftn(rng.normal(size=(*shape, 3)), axes=(0, 1))
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None, :])[..., None]
    planes = np.fft.ifftn(spectrum / (frequency + 0.01), axes=(0, 1)).real
    planes /= planes.std(axis=(0, 1))
    mixed = planes[..., :1] * 30 + planes * 12 + rng.normal(0, 1.5, planes.shape)
    return np.clip(np.rint(128 + mixed), 1, 254).astype(np.uint8)


def stream(pixels: np.ndarray, quality: int, sampling: str = "4:4:4") -> bytes:
    """A JPEG stream by Pillow."""
    target = io.BytesIO()
    options = {} if pixels.ndim == 2 else {"subsampling": sampling}
    Image.fromarray(pixels).save(target, "JPEG", quality=quality, **options)
    return target.getvalue()


def saved(pixels: np.ndarray, quality: int, sampling: str = "4:4:4") -> np.ndarray:
    """Saved by Pillow and decoded, uint8 (h, w, 3)."""
    return np.asarray(Image.open(io.BytesIO(stream(pixels, quality, sampling))).convert("RGB"))


def tiles(pixels: np.ndarray, size: int = 128) -> np.ndarray:
    """All whole tiles, uint8 (n, 3, size, size)."""
    rows, columns = pixels.shape[0] // size, pixels.shape[1] // size
    cut = pixels[: rows * size, : columns * size].reshape(rows, size, columns, size, 3)
    return np.ascontiguousarray(cut.transpose(0, 2, 4, 1, 3)).reshape(-1, 3, size, size)
