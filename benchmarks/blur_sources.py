"""Blur for the conditions of `sharpness`, made by other means than in training: in colour, in the frequency domain, other families.

Apertures have rounded blades, a cat's eye or an obstruction; hands shake along a random walk with inertia (as Boracchi and Foi, 2012,
make them). Images are uint8 (height, width, 3); point spreads are float64 arrays with odd sides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Pixels = NDArray[np.uint8]
Spread = NDArray[np.float64]
Generator = np.random.Generator

_LIGHT = np.where(
    np.arange(256) <= 10, np.arange(256) / 255 / 12.92, ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4
).astype(np.float32)  # sRGB


def encoded(light: NDArray[np.float32]) -> Pixels:
    """Linear light 0-1 -> sRGB."""
    light = np.clip(light, 0, 1)
    tone = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(tone * 255), np.uint8)


def blurred(pixels: Pixels, spread: Spread) -> Pixels:
    """Convolved with a point spread in linear light, by Fourier transforms over mirrored borders."""
    half = spread.shape[0] // 2, spread.shape[1] // 2
    light = np.pad(_LIGHT[pixels], ((half[0], half[0]), (half[1], half[1]), (0, 0)), mode="reflect")
    shape = light.shape[:2]
    kernel = np.zeros(shape)
    kernel[: spread.shape[0], : spread.shape[1]] = spread / spread.sum()
    kernel = np.roll(kernel, (-half[0], -half[1]), (0, 1))
    transfer = np.fft.rfft2(kernel)[..., None]
    found = np.fft.irfft2(np.fft.rfft2(light, axes=(0, 1)) * transfer, shape, axes=(0, 1))
    return encoded(found[half[0] : shape[0] - half[0], half[1] : shape[1] - half[1]].astype(np.float32))


def gaussian_blurred(pixels: Pixels, sigma: float, linear: bool = True) -> Pixels:
    """By SciPy's filter, in linear light or, as programs do, in the encoded picture."""
    if linear:
        return encoded(ndimage.gaussian_filter(_LIGHT[pixels], (sigma, sigma, 0), mode="mirror"))
    found = ndimage.gaussian_filter(pixels.astype(np.float32), (sigma, sigma, 0), mode="mirror")
    return np.asarray(np.rint(found), np.uint8)


def disc(radius: float) -> Spread:
    """Evenly lit, its rim antialiased by the distance to it."""
    half = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    return np.asarray(np.clip(radius + 0.5 - np.hypot(x, y), 0, 1), np.float64)


def lens_aperture(rng: Generator, radius: float) -> Spread:
    """Rounded blades, at times with an obstruction in the middle (mirror lenses), a brighter rim or a cat's eye (vignetting)."""
    half, fine = int(np.ceil(1.3 * radius)) + 1, 5
    side = 2 * half + 1
    y, x = (np.mgrid[: side * fine, : side * fine] + 0.5) / fine - side / 2
    distance, angle = np.hypot(x, y), np.arctan2(y, x) + rng.uniform(0, 7)
    blades = int(rng.integers(5, 10))
    sector = (angle % (2 * np.pi / blades)) - np.pi / blades
    polygon = np.cos(np.pi / blades) / np.cos(sector)
    rim = radius * (polygon + (1 - polygon) * rng.uniform(0, 1))
    light = (distance <= rim).astype(float)
    light *= 1 + rng.uniform(-0.3, 0.6) * (distance / radius) ** 2
    kind = rng.random()
    if kind < 0.2:
        light[distance < rng.uniform(0.25, 0.5) * radius] = 0
    elif kind < 0.45:
        turn, shift = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.6) * radius
        light[np.hypot(x - shift * np.cos(turn), y - shift * np.sin(turn)) > radius] = 0
    return np.asarray(light.reshape(side, fine, side, fine).sum(axis=(1, 3)), np.float64)


def straight_path(length: float, angle: float) -> Spread:
    """A straight even movement, `angle` in degrees: a line one pixel wide."""
    half = int(np.ceil(length / 2)) + 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    along, across = np.abs(x * cosine + y * sine), np.abs(y * cosine - x * sine)
    return np.asarray(np.clip(length / 2 + 0.5 - along, 0, 1) * np.clip(1 - across, 0, 1), np.float64)


def shaken_path(rng: Generator, length: float) -> Spread:
    """A random walk with inertia and now and then a jerk; its larger side is about `length` pixels."""
    steps = 600
    speed = np.exp(2j * np.pi * rng.random())
    place, places = 0j, []
    inertia, jerks = rng.uniform(0.7, 1.0), rng.uniform(0, 0.01)
    for _ in range(steps):
        if rng.random() < jerks:
            speed *= 2 * np.exp(1j * (np.pi + rng.normal(0, 0.7)))
        speed += rng.normal(0, 0.09) + 1j * rng.normal(0, 0.09) - (1 - inertia) * 0.02 * place
        speed /= max(abs(speed), 1e-9)
        place += speed
        places.append(place)
    path = np.array(places)
    path -= (path.real.max() + path.real.min()) / 2 + 1j * (path.imag.max() + path.imag.min()) / 2
    extent = max(np.ptp((path * np.exp(-1j * turn)).real) for turn in np.linspace(0, np.pi, 12))
    path *= length / extent
    half = int(np.ceil(length / 2)) + 3
    found, _, _ = np.histogram2d(path.imag, path.real, np.arange(-half - 0.5, half + 1))
    return np.asarray(ndimage.gaussian_filter(found, 0.4), np.float64)


def composed(rng: Generator, subject: Pixels, ground: Pixels, share: float) -> Pixels:
    """`subject` within an ellipse or a band that covers `share` of the frame, `ground` around it; the border is 2 pixels soft."""
    height, width = subject.shape[:2]
    y, x = np.mgrid[:height, :width]
    if rng.random() < 0.7:
        field = np.hypot(
            (x / width - rng.uniform(0.35, 0.65)) * rng.uniform(0.8, 1.3), y / height - rng.uniform(0.35, 0.65)
        )
    else:
        turn = rng.uniform(0, np.pi)
        field = np.abs(np.cos(turn) * (x / width - 0.5) + np.sin(turn) * (y / height - 0.5) - rng.uniform(-0.15, 0.15))
    inside = ndimage.gaussian_filter((field <= np.quantile(field, share)).astype(np.float32), 1.0)[..., None]
    return np.asarray(np.rint(inside * subject + (1 - inside) * ground), np.uint8)


def noise_added(rng: Generator, pixels: Pixels, sigma: float) -> Pixels:
    """White noise in every channel, half of it shared."""
    noise = rng.normal(0, sigma, pixels.shape) * 0.7 + rng.normal(0, sigma, pixels.shape[:2])[..., None] * 0.7
    return np.asarray(np.clip(np.rint(pixels + noise), 0, 255), np.uint8)


def quiet_square(pixels: Pixels, side: int = 160) -> Pixels | None:
    """The square of the photograph with the least detail, as sky, wall, snow or fog; None where even that has some."""
    grey = np.asarray(Image.fromarray(pixels).convert("L"), np.float32)
    if min(grey.shape) < side:
        return None
    smooth = ndimage.gaussian_filter(grey, 1.2)
    steep = ndimage.gaussian_gradient_magnitude(smooth, 1.0)
    loud = ndimage.uniform_filter((steep > 3.0).astype(np.float32), side, mode="constant", cval=1.0)
    half = side // 2
    inner = loud[half : grey.shape[0] - half + 1, half : grey.shape[1] - half + 1]
    top, left = np.unravel_index(int(inner.argmin()), inner.shape)
    if inner.min() > 0.001:
        return None
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])
