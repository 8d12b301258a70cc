"""What follows the encoder's maps, in NumPy: pooling, windows and the small heads. Their twins that train are in `encoder`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.metrics.encoder_layout import DEVIATION, MEAN, POOLED_CHANNELS

Tensors = Mapping[str, NDArray[Any]]
Array = NDArray[np.float32]

_LEVELS: Array = (np.arange(256, dtype=np.float32) - np.array(MEAN, np.float32)[:, None]) / np.array(
    DEVIATION, np.float32
)[:, None]
"""What a byte of red, green and blue is to the encoder: (3, 256)."""


def standardised(picture: NDArray[np.uint8]) -> Array:
    """What the encoder reads of a picture (h, w, 3): (3, h, w)."""
    height, width, _ = picture.shape
    library = compiled()
    if library is None:
        return np.stack([np.take(levels, picture[..., channel]) for channel, levels in enumerate(_LEVELS)])
    values = np.empty((3, height, width), np.float32)
    whole = np.ascontiguousarray(picture)
    library.looked_up(whole, height * width, _LEVELS, values)
    return values


def pool_statistics(x: Array) -> Array:
    """Map (channels, h, w) -> mean of every channel, then standard deviation: (2 * channels,)."""
    pixels = x.reshape(len(x), -1)
    library = compiled()
    if library is not None:
        found = np.empty(2 * len(x), np.float32)
        whole = np.ascontiguousarray(pixels, np.float32)
        library.channel_statistics(whole, *whole.shape, found)
        return found
    mean = pixels.mean(axis=1)
    variance = np.square(pixels - mean[:, None]).mean(axis=1)
    return np.concatenate([mean, np.sqrt(variance + np.float32(1e-6))])


def join_pooled(statistics: Sequence[Array]) -> Array:
    """Statistics of several maps side by side, square root with sign, which evens out their scales: (POOLED_WIDTH,)."""
    joined = np.concatenate(list(statistics))
    return np.asarray(np.sign(joined) * np.sqrt(np.abs(joined) + np.float32(1e-6)))


def balance() -> Array:
    """(POOLED_WIDTH,): what pooled features are multiplied by so that every map's means, and deviations, have a like say."""
    return np.concatenate([np.full(2 * channels, channels**-0.5, np.float32) for channels in POOLED_CHANNELS])


def window_features(maps: Sequence[Array], window: int, stride: int) -> Array:
    """Statistics of the trunk's maps in square windows of the picture: what the low-level score reads of a patch.

    Args:
        maps: the trunk's, (channels, rows, columns) each.
        window, stride: in pixels of the picture; the stride a multiple of 8, the window one of the stride. A smaller picture is one
            window.

    Returns:
        (windows, WINDOW_WIDTH): mean of every channel, then standard deviation, square root with sign.
    """
    means, deviations = [], []
    for x in maps:
        cell = round(maps[-1].shape[1] * 8 / x.shape[1]) if x is not maps[-1] else 8
        level, mean, square = _about_level(x, stride // cell, window // stride)
        means.append(mean + level)
        deviations.append(np.sqrt(np.maximum(square - np.square(mean), 0.0) + np.float32(1e-6)))
    rows, columns = (min(x.shape[axis] for x in means) for axis in (1, 2))  # maps round odd sizes up
    joined = np.concatenate([x[:, :rows, :columns] for x in means + deviations])
    joined = np.sign(joined) * np.sqrt(np.abs(joined) + np.float32(1e-6))
    return np.asarray(joined.reshape(len(joined), -1).T)


def _about_level(x: Array, step: int, steps: int) -> tuple[Array, Array, Array]:
    """Means of the channels (n, 1, 1); and in windows those of what differs from them, and of its squares, see `_windows`."""
    channels, height, width = x.shape
    library = compiled()
    if library is None or min(height, width) < step * steps:
        # Without it the squares of large means would cost the variance its digits
        level = x.mean(axis=(1, 2), keepdims=True)
        return level, _windows(x - level, step, steps), _windows(np.square(x - level), step, steps)
    level = np.empty((channels, 1, 1), np.float32)
    sums = np.empty((2, channels, height // step, width // step), np.float32)
    whole = np.ascontiguousarray(x, np.float32)
    if library.cell_sums(whole, *x.shape, step, level, *sums):
        raise MemoryError("not enough memory for the encoder's windows")
    mean, square = _joined(_joined(sums, 2, steps), 3, steps) / np.float32((step * steps) ** 2)
    return level, mean, square


def _windows(x: Array, step: int, steps: int) -> Array:
    """Means of windows of `steps` steps a side, one every step; along a shorter side one window of all of it."""
    for axis in (1, 2):
        x = np.moveaxis(x, axis, 1)
        count = x.shape[1] // step
        if count < steps:
            x = x.mean(axis=1, keepdims=True)
        else:
            sums = x[:, : count * step].reshape(len(x), count, step, -1).sum(axis=2)
            x = _joined(sums, 1, steps) / np.float32(step * steps)
        x = np.moveaxis(x, 1, axis)
    return np.ascontiguousarray(x, np.float32)


def _joined(sums: Array, axis: int, steps: int) -> Array:
    """Sums of every `steps` neighbours along an axis."""
    sums = np.moveaxis(sums, axis, 0)
    windows = len(sums) - steps + 1
    found = sum((sums[first : first + windows] for first in range(1, steps)), sums[:windows])
    return np.moveaxis(np.asarray(found), 0, axis)


class RatedHead:
    """Pooled features -> standardised -> 256 -> opinion (0-1), logit of "curated", logits of the three classes."""

    def __init__(self, tensors: Tensors, prefix: str) -> None:
        """Raises KeyError for a missing tensor."""
        names = ("mean", "scale", "hidden.weight", "hidden.bias", "out.weight", "out.bias")
        self._parts = [tensors[f"{prefix}{name}"].astype(np.float32) for name in names]

    def __call__(self, features: Array) -> tuple[Array, Array]:
        """(POOLED_WIDTH,) -> hidden (256,), outputs (5,)."""
        mean, scale, weight, bias, out_weight, out_bias = self._parts
        hidden = np.maximum(weight @ ((features - mean) / scale).clip(-6.0, 6.0) + bias, 0.0)
        return hidden, out_weight @ hidden + out_bias


class LowHead:
    """Statistics of a patch -> standardised -> 256 -> 128."""

    def __init__(self, tensors: Tensors, prefix: str) -> None:
        """Raises KeyError for a missing tensor."""
        names = ("mean", "scale", "first.weight", "first.bias", "second.weight", "second.bias")
        self._parts = [tensors[f"{prefix}{name}"].astype(np.float32) for name in names]

    def __call__(self, x: Array) -> Array:
        """(n, WINDOW_WIDTH) -> (n, 128)."""
        mean, scale, weight, bias, out_weight, out_bias = self._parts
        hidden = np.maximum(((x - mean) / scale).clip(-6.0, 6.0) @ weight.T + bias, 0.0)
        return np.asarray(hidden @ out_weight.T + out_bias)
