"""What a picture's pixels say without any network: light, colour, detail and how it is spread, fifteen numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.library import compiled
from cliqa.signal.colour import LUMA32

BLOCK = 32  # pixels; detail is compared between blocks
STATISTICS = (
    "luma_mean", "luma_deviation", "colourfulness", "saturation", "log_laplacian_variance", "log_gradient_energy",
    "block_detail_10", "block_detail_50", "block_detail_90", "luma_1", "luma_5", "luma_95", "luma_99", "dark_share", "bright_share",
)  # fmt: skip
TONES = ("luma_deviation", "log_laplacian_variance", "luma_5")  # the ones that `tone_statistics` gives


def picture_statistics(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The numbers named in `STATISTICS`, for uint8 (h, w, 3) of at least 3x3.

    Colourfulness is that of Hasler and Suesstrunk (2003); saturation (max - min) / (max + 1); detail the magnitude of the Sobel
    gradient, per block the mean of its log(1 + x), and percentiles of the blocks; dark is luma below 8, bright above 247.
    """
    rgb = pixels.astype(np.float32)
    luma = rgb @ LUMA32
    red_green, yellow_blue = rgb[..., 0] - rgb[..., 1], 0.5 * (rgb[..., 0] + rgb[..., 1]) - rgb[..., 2]
    spread = np.hypot(red_green.std(), yellow_blue.std())
    colourfulness = spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean())
    highest, lowest = rgb.max(axis=2), rgb.min(axis=2)
    horizontal, vertical = _sobel(luma)
    squares = horizontal**2 + vertical**2
    found = [
        luma.mean(), luma.std(), colourfulness, ((highest - lowest) / (highest + 1)).mean(),
        _log_laplacian_variance(luma), np.log1p(squares.mean()),
        *np.percentile(_block_means(np.log1p(np.sqrt(squares))), [10, 50, 90]),
        *np.percentile(luma, [1, 5, 95, 99]), (luma < 8).mean(), (luma > 247).mean(),
    ]  # fmt: skip
    return np.array(found, dtype=np.float32)


def tone_statistics(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Those of `picture_statistics` that `TONES` names, at a fraction of their cost."""
    luma = pixels.astype(np.float32) @ LUMA32
    library = compiled()
    if library is None:
        found = [luma.std(), _log_laplacian_variance(luma), np.percentile(luma, 5)]
        return np.array(found, dtype=np.float32)
    variances, neighbours = np.empty(2), np.empty(2, np.float32)
    library.variances(luma, *luma.shape, variances)
    place = 0.05 * (luma.size - 1)
    if library.neighbours_in_order(luma, luma.size, int(place), neighbours):
        raise MemoryError("not enough memory for a picture's tones")
    lower, upper = neighbours.tolist()
    found = [variances[0] ** 0.5, np.log1p(max(variances[1], 0.0)), lower + (upper - lower) * (place % 1)]
    return np.array(found, dtype=np.float32)


def _log_laplacian_variance(luma: NDArray[np.float32]) -> float:
    """ln(1 + variance) of the four-neighbour Laplacian of (h, w)."""
    laplacian = luma[1:-1, :-2] + luma[1:-1, 2:] + luma[:-2, 1:-1] + luma[2:, 1:-1] - 4 * luma[1:-1, 1:-1]
    return float(np.log1p(laplacian.var()))


def _sobel(x: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Horizontal and vertical 3x3 Sobel derivative of (h, w), the border left out: (h - 2, w - 2)."""
    across, down = x[:, 2:] - x[:, :-2], x[2:] - x[:-2]
    return across[:-2] + 2 * across[1:-1] + across[2:], down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]


def _block_means(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of the whole blocks of (h, w); the mean of everything where there are none."""
    rows, columns = x.shape[0] // BLOCK, x.shape[1] // BLOCK
    if not rows or not columns:
        return np.asarray(x.mean(keepdims=True).ravel())
    blocks = x[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return np.asarray(blocks.mean(axis=(1, 3)).ravel())
