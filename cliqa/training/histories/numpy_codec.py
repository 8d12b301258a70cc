"""A JPEG codec in the coefficient domain, without the stream: what it leaves of the pixels.

Float DCT, several chroma downsamplings, trellis-like zeroing of single coefficients, plain or smooth chroma upsampling.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.signal.colour import LUMA32
from cliqa.signal.dct import dct_matrix
from cliqa.training.histories.tables import Table

Pixels = NDArray[np.uint8]

# How many luma samples share a chroma sample: (across, down).
SAMPLINGS = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:2:0": (2, 2), "4:4:0": (1, 2), "4:1:1": (4, 1)}

DCT: NDArray[np.float32] = dct_matrix().astype(np.float32)
"""float32 (8, 8), orthonormal DCT-II; a JPEG coefficient block is DCT @ block @ DCT.T."""


def _blocks(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = plane.shape[0] // 8, plane.shape[1] // 8
    return np.ascontiguousarray(plane.reshape(rows, 8, columns, 8).swapaxes(1, 2))


def _plane(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = blocks.shape[:2]
    return np.ascontiguousarray(blocks.swapaxes(1, 2)).reshape(rows * 8, columns * 8)


def _quantize(
    plane: NDArray[np.float32], table: Table, rng: np.random.Generator, trellis: float
) -> NDArray[np.float32]:
    """The decoded plane (before rounding) of a plane whose sides are multiples of 8; values around 0."""
    steps = table.reshape(8, 8).astype(np.float32)
    scaled = (DCT @ _blocks(plane) @ DCT.T) / steps
    levels = np.rint(scaled)
    if trellis > 0:
        # What rate-distortion optimisation does: single levels whose rounding was a near thing go to 0 or towards it,
        # the more so at high frequencies, where a level costs a long run of zeros.
        v, u = np.mgrid[0:8, 0:8]
        slack = trellis * np.clip((u + v) / 6, 0, 1).astype(np.float32)
        lowered = np.abs(scaled) < np.abs(levels) - 0.5 + slack * (1.0 / (1.0 + 0.5 * (np.abs(levels) - 1).clip(0)))
        levels = np.where(lowered & (levels != 0), levels - np.sign(levels), levels)
    return _plane(DCT.T @ (levels * steps) @ DCT)


def _down(plane: NDArray[np.float32], h: int, v: int, kind: str) -> NDArray[np.float32]:
    height, width = plane.shape
    if kind == "drop":  # camera hardware: every second sample
        return plane[::v, ::h]
    if kind == "box" or (h, v) == (1, 1):
        return np.asarray(plane.reshape(height // v, v, width // h, h).mean(axis=(1, 3)), dtype=np.float32)
    resample = Image.Resampling.BICUBIC if kind == "bicubic" else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(plane).resize((width // h, height // v), resample), dtype=np.float32)


def _up(plane: NDArray[np.float32], h: int, v: int, kind: str) -> NDArray[np.float32]:
    if kind == "plain":
        return plane.repeat(v, axis=0).repeat(h, axis=1)
    if kind == "triangle":  # libjpeg's "fancy": 3/4 of the nearer sample, 1/4 of the next
        for axis, factor in ((0, v), (1, h)):
            if factor == 2:
                moved = np.moveaxis(plane, axis, 0)
                padded = np.concatenate([moved[:1], moved, moved[-1:]])
                doubled = np.empty((2 * len(moved), *moved.shape[1:]), np.float32)
                doubled[0::2] = 0.75 * moved + 0.25 * padded[:-2]
                doubled[1::2] = 0.75 * moved + 0.25 * padded[2:]
                plane = np.moveaxis(doubled, 0, axis)
            elif factor > 1:
                plane = plane.repeat(factor, axis=axis)
        return np.ascontiguousarray(plane)
    size = (plane.shape[1] * h, plane.shape[0] * v)
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC), dtype=np.float32)


def numpy_save(
    pixels: Pixels,
    rng: np.random.Generator,
    luma: Table,
    chroma: Table,
    subsampling: str,
    *,
    trellis: float = 0.0,
    downsampling: str = "box",
    upsampling: str = "triangle",
    round_planes: bool = True,
) -> Pixels:
    """What a save and a decode leave of `pixels`, uint8 (height, width, 3), by a float DCT.

    Args:
        trellis: 0 plain rounding; up to about 0.35, how far single levels are lowered.
        downsampling: "box", "bilinear", "bicubic" or "drop", of the chroma planes.
        upsampling: "plain", "triangle" or "bicubic".
        round_planes: whether decoded planes are rounded to 8 bits before they become RGB (libjpeg does).
    """
    h, v = SAMPLINGS[subsampling]
    height, width = pixels.shape[:2]
    unit_h, unit_v = 8 * h, 8 * v
    pad = ((0, -height % unit_v), (0, -width % unit_h), (0, 0))
    rgb = np.pad(pixels, pad, mode="edge").astype(np.float32)
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    y = LUMA32[0] * r + LUMA32[1] * g + LUMA32[2] * b
    cb, cr = (b - y) / 1.772, (r - y) / 1.402
    planes = [np.rint(y) - 128, np.rint(cb), np.rint(cr)] if rng.random() < 0.7 else [y - 128, cb, cr]
    decoded = [_quantize(planes[0], luma, rng, trellis)]
    for plane in planes[1:]:
        small = np.ascontiguousarray(_down(plane, h, v, downsampling))
        decoded.append(_quantize(small, chroma, rng, trellis))
    if round_planes:
        decoded = [np.clip(np.rint(plane), -128, 127) for plane in decoded]
    y = decoded[0] + 128
    cb, cr = (_up(plane, h, v, upsampling) for plane in decoded[1:])
    if round_planes:
        cb, cr = np.rint(cb), np.rint(cr)
    out = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=-1)
    rgb8: Pixels = np.clip(np.rint(out), 0, 255).astype(np.uint8)[:height, :width]
    return rgb8
