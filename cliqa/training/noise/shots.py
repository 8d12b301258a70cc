"""Two shots of one scene, each through the whole chain of a camera or a phone: what pairs of real files show as noise.

Sensor noise -> demosaicing, colours, gamma -> denoiser -> denoiser for chroma -> tone curve -> sharpening -> JPEG. What these steps
do to the scene alone is the same in both, as in the mean of many shots. The pairs of Nam et al. (2016) differ at edges by 5 dB more
than in flat areas: cameras denoise less there, sharpen more there, and no tripod keeps still to a tenth of a pixel.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image as Pillow

from cliqa.signal.colour import LUMA32
from cliqa.training.noise.camera import draw_colours, even, raw_of
from cliqa.training.noise.demosaicing import DEMOSAICS, Demosaic
from cliqa.training.noise.denoisers import Denoiser, blended, draw_denoiser, edge_weight, kept_at_edges
from cliqa.training.noise.fields import Generator, Image, blur, encode, linear_deviation, log_uniform, sensor_noise


def shots(rng: Generator, image: Image, psnr: float) -> tuple[Image, Image]:
    """Two shots of `image`: half their mean square difference is the noise. `psnr` is roughly what they reach."""
    image = even(image)
    chain = draw_chain(rng, psnr + float(rng.uniform(-5, 5)))
    first, second = (chain.shoot(rng, image) for _ in range(2))
    return first, second


@dataclass(frozen=True)
class Chain:
    """A camera with its settings. Zeros and None switch a step off.

    Attributes:
        to_display: float32 (3, 3), white balance and colours.
        deviation: of the sensor's noise, in linear light 0-1, at mid-grey.
        shot_share: how much of its variance grows with the light.
        motion: deviation of a shot's place, in pixels per axis.
        chroma: sigma of the blur of the colours.
        contrast: 0 to 1, an S curve.
        radius, amount: of the unsharp mask.
        core: slope, in levels per pixel, below which the mask fades out (`edge_weight`).
        quality: of the JPEG.
        sampling: Pillow's number for its chroma subsampling.
    """

    to_display: Image
    deviation: float
    shot_share: float
    motion: float
    demosaic: Demosaic
    denoiser: Denoiser | None
    chroma: float
    contrast: float
    radius: float
    amount: float
    core: float
    quality: int
    sampling: int

    def shoot(self, rng: Generator, image: Image) -> Image:
        """One shot of a scene, float32 (height, width, 3) in 0-255, with noise of its own."""
        if self.motion:
            image = moved(image, *rng.normal(0, self.motion, 2))
        raw = raw_of(image, self.to_display)
        raw = raw + sensor_noise(rng, raw, self.deviation, self.shot_share)
        picture = encode(self.demosaic(raw) @ self.to_display)
        if self.denoiser is not None:
            picture = self.denoiser(picture)
        if self.chroma:
            luma = picture @ LUMA32[:, None]
            picture = luma + blur(picture - luma, self.chroma)
        if self.contrast:
            tone = np.clip(picture, 0, 255) * np.float32(1 / 255)
            picture = 255 * (tone + np.float32(self.contrast) * (tone * tone * (3 - 2 * tone) - tone))
        if self.amount:
            detail = np.float32(self.amount) * (picture - blur(picture, self.radius))
            picture = picture + (detail * edge_weight(picture, self.core) if self.core else detail)
        picture = np.clip(picture, 0, 255)
        return _jpeg(picture, self.quality, self.sampling) if self.quality else picture


def draw_chain(rng: Generator, psnr: float) -> Chain:
    """A chain whose sensor's noise alone would be about `psnr`."""

    def sometimes(chance: float, value: float) -> float:
        return value if rng.random() < chance else 0.0

    noise = 255 / 10 ** (psnr / 20)
    denoiser = draw_denoiser(rng, 1.5 * noise)
    if rng.random() < 0.5:
        denoiser = blended(rng, denoiser)
    if rng.random() < 0.5:
        denoiser = kept_at_edges(denoiser, noise * log_uniform(rng, 0.3, 1.5))
    return Chain(
        to_display=draw_colours(rng),
        deviation=linear_deviation(psnr),
        shot_share=float(rng.uniform(0.3, 1.0)),
        motion=sometimes(0.6, log_uniform(rng, 0.03, 0.3)),
        demosaic=DEMOSAICS[int(rng.integers(len(DEMOSAICS)))],
        denoiser=denoiser if rng.random() < 0.85 else None,
        chroma=sometimes(0.6, float(rng.uniform(0.8, 3.0))),
        contrast=sometimes(0.5, float(rng.uniform(0, 1))),
        radius=float(rng.uniform(0.5, 1.6)),
        amount=sometimes(0.8, float(rng.uniform(0.2, 1.6))),
        core=sometimes(0.5, noise * log_uniform(rng, 0.3, 1.5)),
        quality=int(sometimes(0.75, float(rng.integers(70, 100)))),
        sampling=int(rng.choice([0, 1, 2])),
    )


def moved(image: Image, right: float, down: float) -> Image:
    """Moved by parts of a pixel; what comes in from outside is mirrored."""
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
    size = image.shape[1], image.shape[0]
    found = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(np.clip(found, 0, 255), np.float32)


def _jpeg(picture: Image, quality: int, sampling: int) -> Image:
    stream = io.BytesIO()
    Pillow.fromarray(np.rint(picture).astype(np.uint8)).save(stream, "JPEG", quality=quality, subsampling=sampling)
    return np.asarray(Pillow.open(stream).convert("RGB"), np.float32)
