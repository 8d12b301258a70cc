"""Noise as cameras, scanners and film make it, scaled to a wanted PSNR.

The strength of noise is one number here: the PSNR of the grey images (mean of R, G, B) before and after. Every family
is a function `(rng, image, psnr) -> (base, noisy)`: `image` is float32 (height, width, 3) in 0-255, `base` is the image without
the noise (softened where demosaicing or denoising softens it) and `noisy` the same with it, both before rounding.

Sources of the models: Poisson-Gaussian noise in linear light (Foi et al. 2008); demosaicing bilinear, gradient-corrected
(Malvar, He, Cutler 2004) and edge-aware; grain whose deviation peaks in the mid-tones, in several sizes, or log-normal.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Noise = Callable[[np.random.Generator, Image, float], tuple[Image, Image]]
Generator = np.random.Generator

GAMMA = np.float32(2.2)  # a plain power: the exact curve is each camera's own
_GREEN = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]], np.float32) / 4
_RED_BLUE = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / 4


def _log_uniform(rng: Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


# Building blocks -----------------------------------------------------------------------------------------------------


def add_scaled(base: Image, residual: Image, psnr: float) -> Image:
    """base + gain * residual, with the gain that gives `psnr` dB in grey after clipping to 0-255."""
    wanted = 255.0**2 / 10 ** (psnr / 10)
    gain = np.sqrt(wanted / max(float(np.mean(np.square(residual.mean(axis=2)))), 1e-12))
    for _ in range(3):
        noisy: Image = np.clip(base + np.float32(gain) * residual, 0, 255)
        got = float(np.mean(np.square((noisy - base).mean(axis=2))))
        if abs(got / wanted - 1) < 0.02 or got <= 0:
            break
        gain *= min(np.sqrt(wanted / got), 2.0)
    return noisy


def white(rng: Generator, shape: tuple[int, ...]) -> Image:
    """White noise of unit variance: mostly Gaussian, now and then Laplacian or uniform."""
    kind = rng.random()
    if kind < 0.86:
        return rng.standard_normal(shape, dtype=np.float32)
    if kind < 0.93:
        return rng.laplace(0, np.sqrt(0.5), shape).astype(np.float32)
    return np.asarray(rng.uniform(-np.sqrt(3), np.sqrt(3), shape), np.float32)


def blur(field: Image, sigma: float, sigma_y: float | None = None) -> Image:
    """Gaussian blur that keeps the shape (height, width, channels)."""
    return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma, sigmaY=sigma_y or sigma), np.float32).reshape(field.shape)


def coloured(rng: Generator, shape: tuple[int, ...], low: float = 0.35, high: float = 1.6) -> Image:
    """Correlated noise of unit deviation: blurred, directional, band-passed, box-filtered, or two sizes mixed."""
    field = white(rng, shape)
    kind, sigma = rng.random(), _log_uniform(rng, low, high)
    if kind < 0.5:
        field = blur(field, sigma)
    elif kind < 0.65:
        field = blur(field, sigma, sigma * rng.uniform(0.4, 2.5))
    elif kind < 0.75:
        field = blur(field, sigma) - blur(field, sigma * rng.uniform(1.5, 3))
    elif kind < 0.85:
        field = np.asarray(cv2.blur(field, (int(rng.integers(1, 4)), int(rng.integers(1, 4)))), np.float32).reshape(
            shape
        )
    else:
        other = blur(white(rng, shape), sigma * rng.uniform(1, 2))
        field = np.float32(rng.uniform(0.2, 1)) * field + other / other.std()
    result: Image = field / max(float(field.std()), 1e-6)
    return result


def linearise(image: Image) -> Image:
    """Display values 0-255 -> linear light 0-1."""
    return np.asarray(np.power(image / np.float32(255), GAMMA), np.float32)


def encode(linear: Image) -> Image:
    """Linear light 0-1 -> display values 0-255, clipped."""
    return np.asarray(np.power(np.clip(linear, 0, 1), 1 / GAMMA) * np.float32(255), np.float32)


def sensor_noise(rng: Generator, linear: Image, deviation: float) -> Image:
    """Shot noise (variance proportional to light) and read noise, about `deviation` of full scale at mid-grey."""
    shot = np.float32(rng.uniform(0, 1) ** 0.3)
    variance = shot * np.maximum(linear, 0) / np.float32(0.2) + (1 - shot) * np.float32(rng.uniform(0.1, 1))
    return np.asarray(rng.standard_normal(linear.shape, dtype=np.float32) * np.sqrt(variance) * np.float32(deviation))


def _deviation(psnr: float) -> float:
    """Linear-light deviation that is about `psnr` at mid-grey, where the slope of the gamma curve is near 1."""
    return float(10 ** (-psnr / 20))


def line_noise(rng: Generator, height: int, width: int) -> Image:
    """One value for each row, each column, or both, white or correlated: float32 (height, width, 1), unit deviation."""
    field = np.zeros((height, width, 1), np.float32)
    both = rng.random() < 0.2
    vertical = rng.random() < 0.5
    for axis in (0, 1):
        if both or vertical == (axis == 1):
            line = rng.standard_normal((height, 1, 1) if axis == 0 else (1, width, 1)).astype(np.float32)
            if rng.random() < 0.4:
                line = blur(line, _log_uniform(rng, 0.5, 6)).reshape(line.shape)
            field = field + line / max(float(line.std()), 1e-6)
    return field


# Demosaicing ---------------------------------------------------------------------------------------------------------


def _planes(raw: Image) -> Image:
    """RGGB mosaic (height, width) -> (height, width, 3) with zeros where a colour was not measured."""
    planes = np.zeros((*raw.shape, 3), np.float32)
    planes[0::2, 0::2, 0] = raw[0::2, 0::2]
    planes[0::2, 1::2, 1] = raw[0::2, 1::2]
    planes[1::2, 0::2, 1] = raw[1::2, 0::2]
    planes[1::2, 1::2, 2] = raw[1::2, 1::2]
    return planes


def mosaic(image: Image) -> Image:
    """RGGB samples of (height, width, 3): float32 (height, width)."""
    return np.asarray((_planes_mask(image.shape[0], image.shape[1]) * image).sum(axis=2), np.float32)


def _planes_mask(height: int, width: int) -> Image:
    return _planes(np.ones((height, width), np.float32))


def bilinear(raw: Image) -> Image:
    """Bilinear demosaicing."""
    planes = _planes(raw)
    return np.dstack([cv2.filter2D(planes[..., i], -1, _GREEN if i == 1 else _RED_BLUE) for i in range(3)])


def edge_aware(raw: Image) -> Image:
    """Green along the weaker gradient with a Laplacian correction; red and blue by bilinear colour differences."""
    horizontal = cv2.filter2D(raw, -1, np.array([[-1, 2, 2, 2, -1]], np.float32) / 4)
    vertical = cv2.filter2D(raw, -1, np.array([[-1], [2], [2], [2], [-1]], np.float32) / 4)
    across = np.abs(cv2.filter2D(raw, -1, np.array([[1, 0, -1]], np.float32)))
    along = np.abs(cv2.filter2D(raw, -1, np.array([[1], [0], [-1]], np.float32)))
    green = np.where(across < along, horizontal, np.where(along < across, vertical, (horizontal + vertical) / 2))
    mask = _planes_mask(*raw.shape)
    green = np.where(mask[..., 1] > 0, raw, green)
    difference = cv2.filter2D(mask[..., ::2] * (raw - green)[..., None], -1, _RED_BLUE)
    return np.dstack([green + difference[..., 0], green, green + difference[..., 1]]).astype(np.float32)


def opencv_demosaic(raw: Image) -> Image:
    """OpenCV's demosaicing in 16 bits (its edge-aware variant)."""
    levels = np.clip(raw * 49152 + 8192, 0, 65535).astype(np.uint16)
    rgb = cv2.cvtColor(levels, cv2.COLOR_BayerBG2RGB_EA)
    return np.asarray((rgb.astype(np.float32) - 8192) / np.float32(49152), np.float32)


_DEMOSAICS = (bilinear, edge_aware, edge_aware, opencv_demosaic)


# Denoising, for its residues -----------------------------------------------------------------------------------------


def denoise(kind: float, image: Image, deviation: float) -> Image:
    """One of five denoisers on float32 0-255; `deviation` is that of the noise. `kind` in 0-1 picks it (the same for a pair)."""
    strength = np.float32(deviation * 2.0)
    if kind < 0.3:
        wide = kind < 0.15
        return np.asarray(
            cv2.bilateralFilter(image, 7 if wide else 5, float(strength) * 2.5, 2.5 if wide else 1.5), np.float32
        )
    if kind < 0.5:  # wavelet-like shrinkage: soft threshold of a band-pass pyramid
        return _shrink(image, float(deviation), levels=3)
    if kind < 0.65:  # guided by itself: flat areas smoothed, edges kept
        mean = cv2.blur(image, (5, 5))
        variance = cv2.blur(image * image, (5, 5)) - mean * mean
        share = np.maximum(variance - strength * strength, 0) / np.maximum(variance, 1e-3)
        return np.asarray(mean + share * (image - mean), np.float32)
    if kind < 0.8:  # luma a little, chroma strongly, as cameras do
        luma = image.mean(axis=2, keepdims=True)
        chroma = blur(image - luma, 2.0)
        return np.asarray(_shrink(luma, float(deviation) * 0.6, 2) + chroma, np.float32)
    if kind < 0.9:
        return np.asarray(cv2.medianBlur(image, 3), np.float32)
    levels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    smooth = cv2.fastNlMeansDenoisingColored(levels, None, float(strength), float(strength), 3, 9)
    return np.asarray(smooth, np.float32)


def _shrink(image: Image, deviation: float, levels: int) -> Image:
    """Soft-threshold differences of Gaussians, from fine to coarse."""
    coarse, result = image, np.zeros_like(image)
    for level in range(levels):
        smoother = blur(coarse, 0.8 * 2**level)
        detail = coarse - smoother
        limit = np.float32(1.5 * deviation / 2**level)
        result += np.sign(detail) * np.maximum(np.abs(detail) - limit, 0)
        coarse = smoother
    return np.asarray(result + coarse, np.float32)


# Families ------------------------------------------------------------------------------------------------------------


def gaussian(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """White or correlated noise: grey, independent by channel, of different strengths, or partly shared."""
    height, width, _ = image.shape
    make = white if rng.random() < 0.6 else coloured
    kind = rng.random()
    if kind < 0.3:
        residual = np.repeat(make(rng, (height, width, 1)), 3, axis=2)
    elif kind < 0.65:
        residual = make(rng, (height, width, 3))
    elif kind < 0.85:
        residual = make(rng, (height, width, 3)) * rng.uniform(0.1, 1, 3).astype(np.float32)
    else:
        shared = np.float32(rng.uniform(0, 1))
        residual = make(rng, (height, width, 3)) * (1 - shared) + make(rng, (height, width, 1)) * shared
    return image, add_scaled(image, residual, psnr)


def poisson_gaussian(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """Shot and read noise in linear light, without a mosaic, each channel with its own gain."""
    linear = linearise(image)
    gains = rng.uniform(0.5, 1.5, 3).astype(np.float32) if rng.random() < 0.5 else np.ones(3, np.float32)
    residual = sensor_noise(rng, linear, _deviation(psnr)) * gains
    if rng.random() < 0.2:
        residual = blur(residual, rng.uniform(0.3, 0.8))
    return image, add_scaled(image, encode(linear + residual) - image, psnr)


def camera(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """Bayer sensor: white balance and colour matrix undone, noise, demosaicing, colours, gamma."""
    image = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
    to_display = np.diag([rng.uniform(1.2, 2.6), 1.0, rng.uniform(1.2, 2.6)]).astype(np.float32)
    if rng.random() < 0.5:  # rows sum to 1: grey stays grey, colours and their noise spread
        spread = rng.uniform(0.0, 0.5, (3, 3))
        np.fill_diagonal(spread, 0)
        to_display = (to_display @ (np.eye(3) * (1 + spread.sum(axis=0)) - spread)).astype(np.float32)
    raw = mosaic(linearise(image) @ np.linalg.inv(to_display).astype(np.float32))
    deviation = _deviation(psnr)
    noisy = raw + sensor_noise(rng, raw, deviation)
    if rng.random() < 0.2:
        noisy = noisy + line_noise(rng, *raw.shape)[..., 0] * np.float32(deviation * rng.uniform(0.05, 0.4))
    demosaic = _DEMOSAICS[int(rng.integers(len(_DEMOSAICS)))]
    soft, rough = encode(demosaic(raw) @ to_display), encode(demosaic(noisy) @ to_display)
    base = soft if rng.random() < 0.7 else image
    return base, add_scaled(base, rough - soft, psnr)


def denoised(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """What a camera's denoiser leaves of stronger noise: coarse blotches in flat areas, more of it along edges and in texture."""
    before = psnr - rng.uniform(2, 11)
    family = (camera, camera, camera, poisson_gaussian, gaussian)[int(rng.integers(5))]
    base, noisy = family(rng, image, before)
    deviation = 255 / 10 ** (before / 20) * (1.0 if family is gaussian else 1.4)
    kind, strength = rng.random(), rng.uniform(0.4, 1.6)
    soft, rough = (denoise(kind, picture, deviation * strength) for picture in (base, noisy))
    if rng.random() < 0.3:  # some tools blend the original back in
        blend = np.float32(rng.uniform(0.1, 0.4))
        soft, rough = soft + blend * (base - soft), rough + blend * (noisy - rough)
    if rng.random() < 0.4:  # and most cameras sharpen
        radius, amount = rng.uniform(0.6, 1.5), np.float32(rng.uniform(0.3, 1.5))
        soft, rough = (picture + amount * (picture - blur(picture, radius)) for picture in (soft, rough))
    soft = np.clip(soft, 0, 255)
    residual = rough - soft
    if rng.random() < 0.25:  # denoisers work at one scale: what is coarser stays
        blotches = coloured(rng, (*soft.shape[:2], 1), 2.0, 6.0)
        residual = residual + blotches * residual.std() * np.float32(rng.uniform(0.1, 0.6))
    return soft, add_scaled(soft, residual, psnr)


def chroma(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """Colour noise, fine to blotchy, with little luma noise. Strong levels of it don't occur: at least 26 dB in grey."""
    height, width, _ = image.shape
    colour = coloured(rng, (height, width, 2), 0.4, 4.0) * rng.uniform(0.4, 1, 2).astype(np.float32)
    luma = white(rng, (height, width, 1)) * np.float32(rng.uniform(0, 1.0))
    cb, cr = colour[..., 0], colour[..., 1]
    residual = np.dstack([1.402 * cr, -0.344 * cb - 0.714 * cr, 1.772 * cb]).astype(np.float32) + luma
    if rng.random() < 0.5:  # stronger in the shadows
        residual = residual * (1.2 - image.mean(axis=2, keepdims=True) / 255).astype(np.float32)
    return image, add_scaled(image, residual, max(psnr, 26.0))


def grain(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """Film grain: one or several sizes, strongest in the mid-tones or multiplicative, grey or by dye layer."""
    height, width, _ = image.shape
    channels = 1 if rng.random() < 0.5 else 3
    field = np.zeros((height, width, channels), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        layer = white(rng, (height, width, channels))
        size = _log_uniform(rng, 0.3, 2.5)
        layer = blur(layer, size)
        field += layer / layer.std() * np.float32(rng.uniform(0.3, 1))
    field /= field.std()
    if rng.random() < 0.15:  # opaque grains: blobs with hard edges
        field = np.tanh(field * np.float32(rng.uniform(1, 4)))
    tone = image / np.float32(255)
    kind = rng.random()
    if kind < 0.4:
        peak, low = np.float32(rng.uniform(0.3, 0.7)), np.float32(rng.uniform(0, 0.5))
        residual = field * (low + (1 - low) * np.exp(-np.square((tone - peak) / np.float32(rng.uniform(0.2, 0.5)))))
    elif kind < 0.6:
        residual = (np.exp(field * np.float32(0.3 * 10 ** ((30 - psnr) / 20))) - 1) * (tone + np.float32(0.02))
    elif kind < 0.8:  # in density: noise multiplies light, and dark film shows more of it
        residual = field * np.sqrt(np.maximum(tone * (1 - tone), 0.01))
    else:
        residual = np.broadcast_to(field, image.shape)
    return image, add_scaled(image, np.asarray(np.broadcast_to(residual, image.shape), np.float32), psnr)


def structured(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """Banding, fixed patterns, interference, impulses, dither and posterising."""
    height, width, _ = image.shape
    kind = rng.random()
    if kind < 0.3:
        residual = line_noise(rng, height, width) + np.float32(rng.uniform(0, 0.7)) * white(rng, (height, width, 1))
        if rng.random() < 0.3:
            residual = residual * rng.uniform(0.2, 1, 3).astype(np.float32)
    elif kind < 0.5:  # interference: one or two waves, some with white noise
        y, x = np.mgrid[:height, :width].astype(np.float32)
        residual = np.zeros((height, width, 1), np.float32)
        for _ in range(int(rng.integers(1, 3))):
            angle, period = rng.uniform(0, np.pi), _log_uniform(rng, 2.1, 14)
            wave = np.cos(2 * np.pi / period * (x * np.cos(angle) + y * np.sin(angle)) + rng.uniform(0, 6.3))
            residual = residual + wave[..., None].astype(np.float32)
        residual = residual + np.float32(rng.uniform(0, 1)) * white(rng, (height, width, 1))
    elif kind < 0.6:  # a small tile that repeats
        side = int(rng.choice([2, 3, 4, 5, 8]))
        tile = rng.standard_normal((side, side, 1 if rng.random() < 0.6 else 3)).astype(np.float32)
        residual = np.tile(tile, (height // side + 1, width // side + 1, 1))[:height, :width]
    elif kind < 0.8:
        return image, _impulses(rng, image, psnr)
    elif kind < 0.9:
        return image, _few_levels(rng, image, psnr)
    else:  # speckle: multiplies the light
        residual = (image + 10) * white(rng, (height, width, 1 if rng.random() < 0.5 else 3))
    return image, add_scaled(image, np.broadcast_to(residual, image.shape).astype(np.float32), psnr)


def _impulses(rng: Generator, image: Image, psnr: float) -> Image:
    """Salt and pepper, or hot pixels: as many as give the wanted PSNR."""
    height, width, _ = image.shape
    order = rng.random((height, width, 1 if rng.random() < 0.6 else 3), dtype=np.float32)
    if rng.random() < 0.6:
        values = np.where(rng.random(order.shape) < rng.uniform(0.2, 0.8), 255, 0).astype(np.float32)
    else:
        values = rng.uniform(0, 255, order.shape).astype(np.float32)
    full = float(np.mean(np.square((values - image).mean(axis=2)))) / (1 if order.shape[2] == 1 else 3)
    share = min(255.0**2 / 10 ** (psnr / 10) / max(full, 1.0), 1.0)
    return np.where(order < share, values, image).astype(np.float32)


def _few_levels(rng: Generator, image: Image, psnr: float) -> Image:
    """Fewer grey levels, dithered at random or by a Bayer matrix. A uniform step s errs by s / sqrt(12), dithered by s / sqrt(6)."""
    height, width, _ = image.shape
    error = 255 / 10 ** (psnr / 20)
    if rng.random() < 0.5:
        dither = rng.random((height, width, 1 if rng.random() < 0.5 else 3), dtype=np.float32)
    else:
        matrix: Image = np.array(
            [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32
        ) / np.float32(16) + np.float32(1 / 32)
        dither = np.tile(matrix, (height // 4 + 1, width // 4 + 1))[:height, :width, None]
    step = np.float32(max(error * np.sqrt(6), 1.0))
    return np.asarray(np.floor(image / step + dither) * step, np.float32)


def mixture(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """A high-ISO picture: sensor noise, blotches of colour and banding together."""
    base, noisy = camera(rng, image, psnr)
    residual = noisy - base
    height, width, _ = base.shape
    scale = np.float32(residual.std())
    blotches = chroma(rng, np.full_like(base, 128), 30.0)[1] - 128
    residual = residual + blotches / max(float(blotches.std()), 1e-6) * scale * np.float32(rng.uniform(0, 1))
    if rng.random() < 0.5:
        residual = residual + line_noise(rng, height, width) * scale * np.float32(rng.uniform(0, 0.4))
    return base, add_scaled(base, residual, psnr)


# Each family with its share of the noisy examples.
FAMILIES: dict[str, tuple[Noise, float]] = {
    "gaussian": (gaussian, 0.15),
    "poisson_gaussian": (poisson_gaussian, 0.13),
    "camera": (camera, 0.16),
    "denoised": (denoised, 0.20),
    "chroma": (chroma, 0.06),
    "grain": (grain, 0.14),
    "structured": (structured, 0.11),
    "mixture": (mixture, 0.05),
}


def draw_family(rng: Generator) -> str:
    """The name of a family, by its share."""
    shares = np.array([share for _, share in FAMILIES.values()])
    return str(rng.choice(list(FAMILIES), p=shares / shares.sum()))
