"""Views of photographs with damage of known strength, as the trunk sees them: what the label-free branch learns from.

An example is one picture four times: as it is, with a little of one damage, with more of it, and with two or three kinds one after the
other. All four show the same part at the same size. Photographs of the data folder come as they are (or as an unchosen cut of them, as
a camera held anyhow would show); pictures of a rated set come too, of which no rating and no list of subsets is read. Needs OpenCV.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from cliqa.grepq.rated_sets import read_rated
from cliqa.images.loading import load_image
from cliqa.metrics.encoder import Branch, Trunk, pool, pool_statistics, standardise
from cliqa.training import severity
from cliqa.training.examples import Example
from cliqa.training.grepq.imagenet_backbone import read_backbone
from cliqa.training.photos import Photo, read_photos

Pixels = NDArray[np.uint8]
Rng = np.random.Generator
Damage = Callable[[Pixels, float, Rng], Pixels]

VIEWS = 4
SIDE = 224  # of a view, pixels
LONG_SIDES = (240, 400)  # at which the picture is seen, of which a view is a part
DAMAGED_AT = (448, 640)  # long side of the picture that is damaged: as large as rated pictures are
OTHERS_SHARE = 0.55  # of the examples from the rated set's pictures
UNCHOSEN_SHARE = 0.25  # of the data folder's photographs that are cut anyhow


def webp(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """WebP of quality 85 to 1."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", quality=round(85 - 84 * strength), method=2)
    return np.asarray(Image.open(stream).convert("RGB"))


def smoothed(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """Detail smoothed away and edges kept: bilateral filter or median, as denoisers and faces' filters do."""
    if rng.random() < 0.6:
        return np.asarray(
            cv2.bilateralFilter(pixels, 5 + 2 * round(2 * strength), 12 + 80 * strength, 1 + 4 * strength)
        )
    return np.asarray(cv2.medianBlur(pixels, 3 + 2 * round(3 * strength)))


def oversharpened(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """Unsharp mask until edges have halos."""
    soft = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.8, 2.5))).astype(np.float32)
    return _image(pixels + (0.5 + 3.5 * strength) * (pixels - soft))


def harsh(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """Contrast and colour driven up about the mean: slope 1.2 to 2.6."""
    values = pixels.astype(np.float32)
    return _image(values.mean() + (1.2 + 1.4 * strength) * (values - values.mean()))


def pale(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """Colour taken away or cast to one side, as in poor light."""
    values = pixels.astype(np.float32)
    grey = values @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    cast = rng.uniform(-1, 1, 3).astype(np.float32) * 40 * strength
    return _image(grey[..., None] + (1.0 - 0.8 * strength) * (values - grey[..., None]) + cast)


@dataclass(frozen=True)
class Kind:
    """A kind of damage: its weight is how much of it people mind, by the order of the field's surveys (blur most, light least)."""

    name: str
    weight: float
    ways: tuple[Damage, ...]


KINDS = (
    Kind("blur", 1.0, (severity.gaussian_blur, severity.defocus, severity.motion_blur, severity.down_up)),
    Kind("compression", 0.6, (severity.jpeg, severity.jpeg, webp)),
    Kind("noise", 0.6, (severity.noise,)),
    Kind("smoothing", 0.6, (smoothed,)),
    Kind("dark", 0.5, (severity.low_light,)),
    Kind("bright", 0.4, (severity.over_exposure,)),
    Kind("flat", 0.5, (severity.low_contrast,)),
    Kind("overdone", 0.4, (oversharpened, harsh)),
    Kind("colour", 0.3, (pale,)),
)
WEIGHTS = np.array([kind.weight for kind in KINDS], dtype=np.float32)


def make_views(data: str, ratings: str | None, backbone: str, rng: Rng, index: int) -> Example:
    """One picture four times.

    Returns:
        `maps` float16 (4, 32, 28, 28), the trunk's last map; `early` float16 (4, 48), statistics of the one before; `taught`
        float16 (4, POOLED_WIDTH), pooled by ImageNet's branch; `strength` float32 (4, len(KINDS)), 0-1; `origin` int8 (2,): whether
        the picture is known to be clean, and whether it is an unchosen cut.
    """
    pixels, clean, unchosen = _picture(data, ratings, rng)
    versions, strengths = _damaged(pixels, rng)
    longest = int(rng.integers(LONG_SIDES[0], LONG_SIDES[1] + 1))
    scale = max(longest / max(pixels.shape[:2]), (SIDE + 1) / min(pixels.shape[:2]))
    size = (max(SIDE, round(pixels.shape[1] * scale)), max(SIDE, round(pixels.shape[0] * scale)))
    left, top = int(rng.integers(size[0] - SIDE + 1)), int(rng.integers(size[1] - SIDE + 1))
    mirrored = rng.random() < 0.5
    views = []
    for version in versions:
        shown = Image.fromarray(version).resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
        view = np.asarray(shown)[top : top + SIDE, left : left + SIDE]
        views.append(np.ascontiguousarray(view[:, ::-1] if mirrored else view))
    trunk, branch = _encoder(backbone)
    with torch.inference_mode():
        shared = trunk(standardise(torch.from_numpy(np.stack(views))))
        taught = pool(shared + branch(shared[-1]))
    return {
        "maps": shared[-1].contiguous().numpy().astype(np.float16),
        "early": pool_statistics(shared[0]).numpy().astype(np.float16),
        "taught": taught.numpy().astype(np.float16),
        "strength": strengths,
        "origin": np.array([clean, unchosen], dtype=np.int8),
    }


def _damaged(pixels: Pixels, rng: Rng) -> tuple[list[Pixels], NDArray[np.float32]]:
    """The picture and its three damaged versions, with their strengths (4, len(KINDS))."""
    strengths = np.zeros((VIEWS, len(KINDS)), dtype=np.float32)
    first = int(rng.integers(len(KINDS)))
    way = KINDS[first].ways[int(rng.integers(len(KINDS[first].ways)))]
    weak, strong = np.sort(rng.uniform(0.0, 1.0, 2))
    state = int(rng.integers(2**31))  # the same grain, stroke or encoder's choice at both strengths
    versions = [pixels]
    for place, strength in ((1, float(weak)), (2, float(strong))):
        versions.append(way(pixels, strength, np.random.default_rng(state)))
        strengths[place, first] = strength
    chained = pixels
    chosen = rng.permutation(len(KINDS))[: int(rng.integers(2, 4))]
    for kind in sorted(chosen, key=lambda kind: KINDS[kind].name == "compression"):  # files are saved at the end
        strength = float(rng.uniform(0.0, 0.8))
        ways = KINDS[kind].ways
        chained = ways[int(rng.integers(len(ways)))](chained, strength, rng)
        strengths[3, kind] = strength
    return [*versions, chained], strengths


def _picture(data: str, ratings: str | None, rng: Rng) -> tuple[Pixels, bool, bool]:
    """Pixels, whether they are known to be clean, and whether they are an unchosen cut."""
    if ratings is not None and rng.random() < OTHERS_SHARE:
        others = _others(ratings)
        pixels = load_image(others[int(rng.integers(len(others)))]).pixels
        return _reduced(pixels, rng), False, False
    photos = _photos(data)
    photo = photos[int(rng.integers(len(photos)))]
    pixels, unchosen = _pixels(photo), photo.kind == "camera"
    if not unchosen and rng.random() < UNCHOSEN_SHARE:
        unchosen = True
        sides = [max(256, round(extent * float(rng.uniform(0.3, 0.55)))) for extent in pixels.shape[:2]]
        sides = [min(side, extent) for side, extent in zip(sides, pixels.shape[:2], strict=True)]
        top, left = (int(rng.integers(extent - side + 1)) for extent, side in zip(pixels.shape[:2], sides, strict=True))
        pixels = pixels[top : top + sides[0], left : left + sides[1]]
    return _reduced(pixels, rng), photo.kind == "lossless", unchosen


def _reduced(pixels: Pixels, rng: Rng) -> Pixels:
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    longest = int(rng.integers(DAMAGED_AT[0], DAMAGED_AT[1] + 1))
    picture.thumbnail((longest, longest), Image.Resampling.BICUBIC)
    if min(picture.size) < 64:
        picture = picture.resize((max(64, picture.width), max(64, picture.height)))
    return np.asarray(picture.convert("RGB"))


@lru_cache(maxsize=1)
def _photos(data: str) -> list[Photo]:
    return read_photos(Path(data), "train", ("lossless", "camera"))


@lru_cache(maxsize=600)
def _pixels(photo: Photo) -> Pixels:
    picture = Image.fromarray(photo.pixels())
    picture.thumbnail((1280, 1280), Image.Resampling.BICUBIC)
    return np.asarray(picture)


@lru_cache(maxsize=1)
def _others(ratings: str) -> list[Path]:
    return sorted(image.path for image in read_rated(ratings) if image.split == "train")


@lru_cache(maxsize=1)
def _encoder(backbone: str) -> tuple[Trunk, Branch]:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    trunk, branch = read_backbone(backbone)
    for module in (trunk, branch):
        module.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return trunk, branch


def _image(values: NDArray[np.generic]) -> Pixels:
    return np.ascontiguousarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
