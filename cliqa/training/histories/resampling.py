"""Resizing as the world does it: kernels, antialiasing and sample phases of several libraries.

A `Resampler` is a kernel as one library applies it. `resize` gives the pixels and the exact factor of each axis, which is what
the sampling positions obey (with aligned corners that is (out - 1) / (in - 1), not out / in).

`separable` is this module's own implementation for kernels that no library offers: any radially cut kernel, with or
without antialiasing, for three conventions of where samples lie.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Phase = Literal["centers", "corners", "origin"]
Kernel = tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]], float]  # (function of distance >= 0, support)
Size = tuple[int, int]  # height, width


def cubic(b: float, c: float) -> Kernel:
    """The cubic family of Mitchell and Netravali (1988): (0, 0.5) Catmull-Rom, (1, 0) B-spline, (0, 0) Hermite."""

    def weigh(t: NDArray[np.float64]) -> NDArray[np.float64]:
        near = (12 - 9 * b - 6 * c) * t**3 + (-18 + 12 * b + 6 * c) * t**2 + (6 - 2 * b)
        far = (-b - 6 * c) * t**3 + (6 * b + 30 * c) * t**2 + (-12 * b - 48 * c) * t + (8 * b + 24 * c)
        return np.where(t < 1, near, np.where(t < 2, far, 0.0)) / 6.0

    return weigh, 2.0


def lanczos(lobes: float) -> Kernel:
    """Sinc windowed by the central lobe of a wider sinc."""
    return lambda t: np.where(t < lobes, np.sinc(t) * np.sinc(t / lobes), 0.0), float(lobes)


def windowed_sinc(lobes: float, window: str) -> Kernel:
    """Sinc under a cosine-sum window ("hann", "blackman") or none ("box")."""

    def weigh(t: NDArray[np.float64]) -> NDArray[np.float64]:
        u = np.minimum(t / lobes, 1.0)
        shape = {
            "hann": 0.5 + 0.5 * np.cos(np.pi * u),
            "blackman": 0.42 + 0.5 * np.cos(np.pi * u) + 0.08 * np.cos(2 * np.pi * u),
            "box": np.ones_like(u),
        }[window]
        return np.where(t < lobes, np.sinc(t) * shape, 0.0)

    return weigh, float(lobes)


def triangle() -> Kernel:
    """Linear interpolation."""
    return lambda t: np.maximum(1.0 - t, 0.0), 1.0


def box() -> Kernel:
    """One source sample; with antialiasing, the mean of the covered ones."""
    return lambda t: np.where(t <= 0.5, 1.0, 0.0), 0.5


def gaussian(deviation: float) -> Kernel:
    """A Gaussian cut at three deviations, as ImageMagick's blurring filters."""
    return lambda t: np.exp(-0.5 * (t / deviation) ** 2), 3.0 * deviation


def axis_weights(
    source: int, target: int, kernel: Kernel, antialias: bool, phase: Phase = "centers", factor: float | None = None
) -> tuple[NDArray[np.intp], NDArray[np.float32], float]:
    """Which source samples make each target sample.

    Args:
        source, target: lengths.
        antialias: widen the kernel by 1 / factor when the picture shrinks.
        phase: "centers" maps pixel centres (x + 1/2) * step - 1/2, "corners" first onto first and last onto last,
            "origin" x * step.
        factor: target / source per sample where it is not the ratio of the lengths.

    Returns:
        indices (target, taps), weights (target, taps) summing to 1, and the factor.
    """
    if factor is None:
        factor = (target - 1) / max(source - 1, 1) if phase == "corners" else target / source
    positions = np.arange(target)
    centers = (positions + 0.5) / factor - 0.5 if phase == "centers" else positions / factor
    stretch = max(1.0, 1.0 / factor) if antialias else 1.0
    weigh, support = kernel
    reach = support * stretch
    taps = int(np.ceil(2 * reach)) + 1
    first = np.floor(centers - reach).astype(np.intp)
    indices = first[:, None] + np.arange(taps)[None, :]
    weights = weigh(np.abs(indices - centers[:, None]) / stretch)
    if support <= 0.5:  # a tie on the edge of the box goes to one side only
        weights *= (indices - centers[:, None]) / stretch < 0.5 - 1e-9
    total = weights.sum(axis=1, keepdims=True)
    weights = np.where(np.abs(total) > 1e-9, weights / np.where(total == 0, 1.0, total), 0.0)
    return np.clip(indices, 0, source - 1), weights.astype(np.float32), float(factor)


def _along_rows(values: NDArray[np.float32], indices: NDArray[np.intp], weights: NDArray[np.float32]) -> Any:
    out = values[indices[:, 0]] * weights[:, :1].reshape(-1, *([1] * (values.ndim - 1)))
    for tap in range(1, indices.shape[1]):
        out += values[indices[:, tap]] * weights[:, tap].reshape(-1, *([1] * (values.ndim - 1)))
    return out


def separable(
    pixels: NDArray[np.uint8], size: Size, kernel: Kernel, antialias: bool = True, phase: Phase = "centers",
    gamma: float = 1.0, step: tuple[float, float] | None = None,
) -> tuple[NDArray[np.uint8], tuple[float, float]]:  # fmt: skip
    """Resize uint8 (height, width, 3); `gamma` 2.2 works in roughly linear light. Returns pixels, (y, x) factors."""
    given = step or (None, None)
    values = pixels.astype(np.float32) if gamma == 1.0 else np.power(pixels.astype(np.float32) / 255, gamma) * 255
    rows = axis_weights(pixels.shape[0], size[0], kernel, antialias, phase, given[0])
    columns = axis_weights(pixels.shape[1], size[1], kernel, antialias, phase, given[1])
    values = _along_rows(values, rows[0], rows[1])
    values = _along_rows(np.ascontiguousarray(values.swapaxes(0, 1)), columns[0], columns[1]).swapaxes(0, 1)
    values = np.clip(values, 0, 255)
    if gamma != 1.0:
        values = np.power(values / 255, 1 / gamma) * 255
    return np.ascontiguousarray(np.rint(values).astype(np.uint8)), (rows[2], columns[2])


@dataclass(frozen=True)
class Resampler:
    """One way to resize. `library` and `method` choose the code; `kernel` is the family's name for breakdowns."""

    kernel: str
    library: str
    method: str = ""
    antialias: bool = False
    phase: Phase = "centers"
    parameters: tuple[float, ...] = ()
    gamma: float = 1.0

    def resize(self, pixels: NDArray[np.uint8], size: Size) -> tuple[NDArray[np.uint8], tuple[float, float]]:
        """uint8 (height, width, 3) -> the same of `size` (height, width), and the (y, x) factors."""
        pixels = np.ascontiguousarray(pixels)
        return _LIBRARIES[self.library](self, pixels, size), self.factors(pixels.shape[:2], size)

    def factors(self, before: Size, after: Size) -> tuple[float, float]:
        """The exact (y, x) factors between two sizes."""
        if self.phase == "corners":
            factors = tuple((b - 1) / max(a - 1, 1) for a, b in zip(before, after, strict=True))
        else:
            factors = tuple(b / a for a, b in zip(before, after, strict=True))
        return factors[0], factors[1]


def _pillow(how: Resampler, pixels: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    from PIL import Image

    filters = Image.Resampling.__members__
    return np.asarray(Image.fromarray(pixels).resize((size[1], size[0]), filters[how.method]))


def _opencv(how: Resampler, pixels: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    import cv2

    return np.asarray(cv2.resize(pixels, (size[1], size[0]), interpolation=getattr(cv2, how.method)), dtype=np.uint8)


def _torch(how: Resampler, pixels: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    import torch
    from torch.nn.functional import interpolate

    values = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None]
    if how.method in ("nearest", "nearest-exact", "area"):
        done = interpolate(values, size=size, mode=how.method)
    else:
        done = interpolate(
            values, size=size, mode=how.method, align_corners=how.phase == "corners", antialias=how.antialias
        )
    result: NDArray[np.uint8] = done[0].round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    return result


def _scipy(how: Resampler, pixels: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    from scipy import ndimage

    values: NDArray[np.float32] = pixels.astype(np.float32)
    order = int(how.method)
    zoom = (size[0] / values.shape[0], size[1] / values.shape[1])
    if how.antialias and min(zoom) < 1:
        sigma = [max(0.0, (1 / each - 1) / 2) for each in zoom]
        values[:] = ndimage.gaussian_filter(values, (*sigma, 0.0), mode="nearest")
    planes = [
        ndimage.zoom(values[..., channel], zoom, order=order, mode="nearest", grid_mode=how.phase == "centers")
        for channel in range(3)
    ]
    done: NDArray[np.uint8] = np.clip(np.rint(np.stack(planes, axis=2)), 0, 255).astype(np.uint8)
    return done


def _own(how: Resampler, pixels: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    makers: dict[str, Callable[..., Kernel]] = {
        "box": box, "triangle": triangle, "cubic": cubic, "lanczos": lanczos, "gaussian": gaussian,
        "hann": lambda lobes: windowed_sinc(lobes, "hann"), "blackman": lambda lobes: windowed_sinc(lobes, "blackman"),
        "sinc": lambda lobes: windowed_sinc(lobes, "box"),
    }  # fmt: skip
    return separable(pixels, size, makers[how.method](*how.parameters), how.antialias, how.phase, how.gamma)[0]


_LIBRARIES: dict[str, Callable[[Resampler, NDArray[np.uint8], Size], NDArray[np.uint8]]] = {
    "pillow": _pillow, "opencv": _opencv, "torch": _torch, "scipy": _scipy, "own": _own,
}  # fmt: skip


def resamplers() -> list[Resampler]:
    """Every library's methods, each once; `sample_resampler` adds the continuous families."""
    found = [
        Resampler("nearest", "pillow", "NEAREST"), Resampler("nearest", "opencv", "INTER_NEAREST"),
        Resampler("nearest", "torch", "nearest"), Resampler("nearest", "torch", "nearest-exact"),
        Resampler("box", "pillow", "BOX", True), Resampler("box", "opencv", "INTER_AREA", True),
        Resampler("box", "torch", "area", True), Resampler("bilinear", "pillow", "BILINEAR", True),
        Resampler("bilinear", "pillow", "HAMMING", True), Resampler("bilinear", "opencv", "INTER_LINEAR"),
        Resampler("bilinear", "torch", "bilinear"), Resampler("bilinear", "torch", "bilinear", True),
        Resampler("bilinear", "torch", "bilinear", False, "corners"), Resampler("bicubic", "pillow", "BICUBIC", True),
        Resampler("bicubic", "opencv", "INTER_CUBIC"), Resampler("bicubic", "torch", "bicubic"),
        Resampler("bicubic", "torch", "bicubic", True), Resampler("bicubic", "torch", "bicubic", False, "corners"),
        Resampler("lanczos3", "pillow", "LANCZOS", True), Resampler("lanczos4", "opencv", "INTER_LANCZOS4"),
    ]  # fmt: skip
    for order in ("1", "2", "3", "4", "5"):
        kernel = "bilinear" if order == "1" else "spline"
        found += [
            Resampler(kernel, "scipy", order, True, "centers"),
            Resampler(kernel, "scipy", order, False, "corners"),
        ]
    return found


_FIXED = {
    kernel: [each for each in resamplers() if each.kernel == kernel]
    for kernel in ("nearest", "box", "bilinear", "bicubic", "lanczos3", "lanczos4", "spline")
}
FAMILIES = ("nearest", "box", "bilinear", "bicubic", "lanczos2", "lanczos3", "lanczos4", "spline", "sinc", "gaussian")
_CUBICS = ((0.0, 0.5), (1 / 3, 1 / 3), (1.0, 0.0), (0.0, 0.75), (0.0, 0.6), (0.0, 0.0), (0.0, 1.0), (0.3782, 0.3109),
           (0.2620, 0.3690), (0.5, 0.25))  # fmt: skip
_WEIGHTS = (0.07, 0.07, 0.17, 0.25, 0.07, 0.13, 0.09, 0.08, 0.05, 0.02)


def sample_resampler(rng: np.random.Generator, kernel: str | None = None) -> Resampler:
    """A random way to resize: the family first (or the one given), then a library or our own code with its variants."""
    kernel = kernel or str(rng.choice(FAMILIES, p=np.array(_WEIGHTS) / sum(_WEIGHTS)))
    fixed = _FIXED.get(kernel, [])
    if fixed and (rng.random() < 0.6 or kernel in ("spline", "box")):
        return fixed[rng.integers(len(fixed))]
    antialias = bool(rng.random() < 0.5)
    phase: Phase = ("centers", "corners", "origin")[int(rng.choice(3, p=(0.7, 0.15, 0.15)))]
    gamma = 2.2 if rng.random() < 0.1 else 1.0
    if kernel == "bicubic":
        pair = _CUBICS[rng.integers(len(_CUBICS))] if rng.random() < 0.7 else tuple(rng.uniform(0, 1, 2))
        return Resampler(kernel, "own", "cubic", antialias, phase, (float(pair[0]), float(pair[1])), gamma)
    if kernel == "sinc":
        method = ("hann", "blackman", "sinc")[rng.integers(3)]
        return Resampler(kernel, "own", method, antialias, phase, (float(rng.integers(2, 5)),), gamma)
    if kernel == "gaussian":
        return Resampler(kernel, "own", "gaussian", antialias, phase, (float(rng.uniform(0.45, 0.6)),), gamma)
    if kernel.startswith("lanczos"):
        return Resampler(kernel, "own", "lanczos", antialias, phase, (float(kernel[7:]),), gamma)
    method = "triangle" if kernel == "bilinear" else "box"
    return Resampler(kernel, "own", method, antialias, phase, (), gamma)
