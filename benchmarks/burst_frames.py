"""Frames of one scene as a camera takes them one after another, made of a photograph that no camera took them from.

The photograph is the scene, seen through a window that leaves a border, so that new content comes in. Between two frames the camera
moves and turns a little, what is near moves more than what is far, a subject moves, light and white balance waver. Each frame has noise
of its own, its own demosaicing and its own save. Real bursts differ in more ways, not in fewer.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Rng = np.random.Generator
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Motion:
    """How much at most changes between two frames: `shift` and `parallax` in shares of the longer side, `turn` in degrees."""

    shift: tuple[float, float] = (0.0, 0.0)
    turn: tuple[float, float] = (0.0, 0.0)
    parallax: tuple[float, float] = (0.0, 0.0)
    subject: bool = False
    exposure: float = 0.05  # EV


MOTIONS: dict[str, Motion] = {
    "in the hand": Motion((0.005, 0.05), (0.2, 2.0), (0.002, 0.015)),
    "in the hand, a subject moves": Motion((0.005, 0.05), (0.2, 2.0), (0.002, 0.015), True),
    "in the hand, fast": Motion((0.001, 0.005), (0.05, 0.3), (0.001, 0.005)),
    "on a tripod, a subject moves": Motion(subject=True),
    "turned only": Motion(turn=(0.2, 0.5)),
    "exposures apart, in the hand": Motion((0.001, 0.01), (0.05, 0.5), (0.001, 0.005), exposure=1.3),
    "on a tripod, nothing moves": Motion(),
    "exposures apart, on a tripod": Motion(exposure=1.3),
    "of a panorama": Motion((0.1, 0.22), (0.1, 1.0), (0.001, 0.01)),
}
INSIDE = 0.74  # of the photograph's sides that a frame shows: room for the camera to move in


def frames(photo: Image.Image, motion: Motion, rng: Rng) -> list[bytes]:
    """Two frames of the scene, as JPEG files."""
    scene = np.asarray(photo.convert("RGB"), np.float32) / 255.0
    depth = _depth(scene.shape[:2], rng)
    moved = _subject_moved(scene, rng) if motion.subject else scene
    signs = rng.choice([-1.0, 1.0], 3)
    angle = float(rng.uniform(0, 2 * np.pi))
    shift = float(rng.uniform(*motion.shift)) * np.array([np.cos(angle), np.sin(angle)])
    turn = float(rng.uniform(*motion.turn)) * signs[0]
    parallax = float(rng.uniform(*motion.parallax)) * np.array([np.cos(angle), np.sin(angle)])
    iso = float(np.exp(rng.uniform(np.log(0.003), np.log(0.02))))
    quality = int(rng.integers(85, 98))
    return [
        _taken(scene, depth, np.zeros(2), 0.0, np.zeros(2), 0.0, iso, quality, rng),
        _taken(moved, depth, shift, turn, parallax, motion.exposure * signs[1], iso, quality, rng),
    ]


def _depth(shape: tuple[int, int], rng: Rng) -> Floats:
    """How near each point is, -0.5 to 0.5: nearer to the bottom, and smooth blobs."""
    blobs = Image.fromarray(rng.normal(size=(5, 5)).astype(np.float32)).resize(shape[::-1], Image.Resampling.BICUBIC)
    ramp = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    near = ramp + np.asarray(blobs)
    return np.asarray((near - near.min()) / max(float(np.ptp(near)), 1e-6) - 0.5, np.float32)


def _subject_moved(scene: Floats, rng: Rng) -> Floats:
    """An ellipse of 8-30 % of the sides has gone from one place to another; what lies beside its old place covers that."""
    height, width = scene.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    wide, high = rng.uniform(0.04, 0.15, 2) * (width, height)
    centre = np.array([rng.uniform(0.3, 0.7) * width, rng.uniform(0.3, 0.7) * height])
    angle = float(rng.uniform(0, 2 * np.pi))
    away = np.rint(rng.uniform(0.03, 0.2) * max(width, height) * np.array([np.cos(angle), np.sin(angle)])).astype(int)

    def ellipse(at: NDArray[np.float64]) -> Floats:
        inside = ((x - at[0]) / wide) ** 2 + ((y - at[1]) / high) ** 2 < 1
        soft = Image.fromarray((inside * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.5))
        return np.asarray(soft, np.float32)[..., None] / 255.0

    beside = np.roll(scene, (int(2.2 * high) * int(rng.choice([-1, 1])), 0), (0, 1))
    subject = np.roll(scene, (int(away[1]), int(away[0])), (0, 1))
    old, new = ellipse(centre), ellipse(centre + away)
    covered = scene * (1 - old) + beside * old
    return np.asarray(covered * (1 - new) + subject * new, np.float32)


def _taken(
    scene: Floats,
    depth: Floats,
    shift: NDArray[np.float64],
    turn: float,
    parallax: NDArray[np.float64],
    exposure: float,
    noise: float,
    quality: int,
    rng: Rng,
) -> bytes:
    height, width = scene.shape[:2]
    high, wide = int(height * INSIDE) // 2 * 2, int(width * INSIDE) // 2 * 2
    y, x = np.mgrid[:high, :wide].astype(np.float64)
    x, y = x - (wide - 1) / 2, y - (high - 1) / 2
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    side = max(wide, high)
    at_x = cos * x - sin * y + (width - 1) / 2 + shift[0] * side
    at_y = sin * x + cos * y + (height - 1) / 2 + shift[1] * side
    near = _sampled(depth[..., None], at_x, at_y)[..., 0]
    linear = _sampled(scene, at_x + parallax[0] * side * near, at_y + parallax[1] * side * near) ** 2.2
    linear = linear * 2.0**exposure * (1 + rng.normal(0, 0.01, 3))  # white balance wavers
    mosaic = np.zeros((high, wide))
    for dy, dx, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[dy::2, dx::2] = linear[dy::2, dx::2, channel]
    mosaic += rng.normal(size=mosaic.shape) * np.sqrt(noise**2 / 4 + np.maximum(mosaic, 0) * noise**2)
    grey = np.clip(_demosaiced(mosaic), 0, 1) ** (1 / 2.2)
    saved = io.BytesIO()
    Image.fromarray(np.rint(grey * 255).astype(np.uint8)).save(saved, "JPEG", quality=quality)
    return saved.getvalue()


def _demosaiced(mosaic: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bilinear, of a red-green / green-blue mosaic."""
    masks = np.zeros((*mosaic.shape, 3))
    masks[0::2, 0::2, 0] = masks[0::2, 1::2, 1] = masks[1::2, 0::2, 1] = masks[1::2, 1::2, 2] = 1
    values, weights = mosaic[..., None] * masks, masks
    for axis in (0, 1):
        values, weights = (2 * each + np.roll(each, 1, axis) + np.roll(each, -1, axis) for each in (values, weights))
    return np.asarray(np.where(masks > 0, mosaic[..., None], values / weights))


def _sampled(values: Floats, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cubic (Catmull-Rom) values at real positions, the border repeated."""
    height, width = values.shape[:2]
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    across, down = _cubic(x - x0), _cubic(y - y0)
    result = np.zeros((*x.shape, values.shape[2]))
    for j, weight_y in zip(range(-1, 3), down, strict=True):
        rows = np.clip(y0 + j, 0, height - 1)
        for i, weight_x in zip(range(-1, 3), across, strict=True):
            result += (weight_x * weight_y)[..., None] * values[rows, np.clip(x0 + i, 0, width - 1)]
    return np.clip(result, 0, 1)


def _cubic(t: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    return (
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )
