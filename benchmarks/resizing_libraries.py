"""Resizing by the libraries themselves, apart from the training generator: uint8 (height, width, 3) and a size in, pixels out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.training.histories.resampling import Kernel, axis_weights, cubic, lanczos, windowed_sinc

Pixels = NDArray[np.uint8]


def _pillow(method: Image.Resampling) -> Callable[[Pixels, int, int], Pixels]:
    return lambda pixels, height, width: np.asarray(Image.fromarray(pixels).resize((width, height), method))


def _opencv(name: str) -> Callable[[Pixels, int, int], Pixels]:
    def resize(pixels: Pixels, height: int, width: int) -> Pixels:
        import cv2

        return np.asarray(cv2.resize(pixels, (width, height), interpolation=getattr(cv2, name)))

    return resize


def _torch(mode: str, corners: bool, antialias: bool) -> Callable[[Pixels, int, int], Pixels]:
    def resize(pixels: Pixels, height: int, width: int) -> Pixels:
        import torch
        from torch.nn.functional import interpolate

        planes = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float()
        done = interpolate(planes, size=(height, width), mode=mode, align_corners=corners, antialias=antialias)
        return np.asarray(done[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy())

    return resize


def _skimage_like(order: int) -> Callable[[Pixels, int, int], Pixels]:
    """Spline interpolation on pixel centres, Gaussian prefilter when it shrinks, as scikit-image's `resize`."""

    def resize(pixels: Pixels, height: int, width: int) -> Pixels:
        from scipy import ndimage

        zoom = (height / pixels.shape[0], width / pixels.shape[1], 1.0)
        values = pixels.astype(np.float32)
        if min(zoom) < 1:
            values = ndimage.gaussian_filter(values, [max(0.0, (1 / each - 1) / 2) for each in zoom], mode="mirror")
        done = ndimage.zoom(values, zoom, order=order, mode="mirror", grid_mode=True)
        return np.asarray(np.clip(np.rint(done), 0, 255), dtype=np.uint8)

    return resize


def _magick(kernel: Kernel) -> Callable[[Pixels, int, int], Pixels]:
    """Dense weight matrices on pixel centres with antialiasing, as ImageMagick resizes."""

    def matrix(source: int, target: int) -> NDArray[np.float32]:
        indices, weights, _ = axis_weights(source, target, kernel, antialias=True)
        dense = np.zeros((target, source), np.float32)
        np.add.at(dense, (np.arange(target)[:, None], indices), weights)
        return dense

    def resize(pixels: Pixels, height: int, width: int) -> Pixels:
        rows, columns = matrix(pixels.shape[0], height), matrix(pixels.shape[1], width)
        planes = [rows @ pixels[..., channel].astype(np.float32) @ columns.T for channel in range(3)]
        return np.asarray(np.clip(np.rint(np.stack(planes, axis=2)), 0, 255), dtype=np.uint8)

    return resize


KERNELS: dict[str, Callable[[Pixels, int, int], Pixels]] = {
    "nearest, Pillow": _pillow(Image.Resampling.NEAREST),
    "nearest, OpenCV": _opencv("INTER_NEAREST"),
    "box, Pillow": _pillow(Image.Resampling.BOX),
    "area, OpenCV": _opencv("INTER_AREA"),
    "bilinear, Pillow": _pillow(Image.Resampling.BILINEAR),
    "bilinear, OpenCV": _opencv("INTER_LINEAR"),
    "bilinear, torch corners": _torch("bilinear", True, False),
    "bicubic, Pillow": _pillow(Image.Resampling.BICUBIC),
    "bicubic, OpenCV": _opencv("INTER_CUBIC"),
    "bicubic, torch": _torch("bicubic", False, False),
    "bicubic, torch corners": _torch("bicubic", True, False),
    "bicubic, torch antialias": _torch("bicubic", False, True),
    "Mitchell": _magick(cubic(1 / 3, 1 / 3)),
    "Catmull-Rom": _magick(cubic(0.0, 0.5)),
    "Robidoux": _magick(cubic(0.3782, 0.3109)),
    "B-spline filter": _magick(cubic(1.0, 0.0)),
    "lanczos2": _magick(lanczos(2)),
    "lanczos3, Pillow": _pillow(Image.Resampling.LANCZOS),
    "lanczos3": _magick(lanczos(3)),
    "lanczos4": _magick(lanczos(4)),
    "lanczos4, OpenCV": _opencv("INTER_LANCZOS4"),
    "sinc blackman": _magick(windowed_sinc(4, "blackman")),
    "spline 2": _skimage_like(2),
    "spline 3": _skimage_like(3),
    "spline 5": _skimage_like(5),
}
CORNERS = ("bilinear, torch corners", "bicubic, torch corners")
