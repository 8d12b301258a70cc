"""Pairs of pictures of which the second is no better: what `quality` is held to beside ratings.

Ladders: a training photograph at some size, and damaged a little and then a little more, by fourteen kinds. Enlargements: a small
picture, and what an upscaling network made of it. A network adds nothing that was there, however pleasing; nor does smoothing.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.images.loading import LoadedImage
from cliqa.metrics.base import View
from cliqa.training.codecs import decode, encode_avif
from cliqa.training.histories.resampling import sample_resampler
from cliqa.training.learned.outputs import Output
from cliqa.training.learned.scenes import make_scene
from cliqa.training.noise.denoisers import draw_denoiser
from cliqa.training.photos import Photo
from cliqa.training.severity import DISTORTIONS, image_of, less_light, more_light, webp

Pixels = NDArray[np.uint8]
Rng = np.random.Generator
Rows = dict[str, NDArray[Any]]
Observe = Callable[[View], dict[str, NDArray[Any]]]

AT_ONCE = 40  # photographs, or enlargements, of a stored file
ALWAYS = ("over_exposure", "webp")  # every photograph gets these: what scores got wrong most often
KINDS_EACH = 4  # of the other kinds of damage
STEPS = {"over_exposure": 4, "webp": 4, "under": 3, "noise": 3, "jpeg": 3}  # strengths of a kind; of the others 2
SIDES = (256.0, 1100.0)  # pixels that a photograph's long side is brought to, evenly in the logarithm
LARGEST = 1400  # pixels of the long side; an enlargement beyond costs much and shows no more
SAVED_BEFORE = (
    0.25,
    0.4,
)  # chances, of which both must come true: a tenth of the photographs went through a file before


def avif(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """AVIF of quality 85 to 8."""
    return decode(encode_avif(pixels, round(85 * (8 / 85) ** strength), speed=8))


def smoothed(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """A denoiser set for noise of 2 to 20 grey values, on a picture that need not have any."""
    return image_of(draw_denoiser(rng, 2.0 * 10.0**strength)(pixels.astype(np.float32)))


def enlarged(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """1.15 to 4 times larger, by any kernel."""
    factor, (height, width) = 1.15 * 3.5**strength, pixels.shape[:2]
    return sample_resampler(rng).resize(pixels, (round(height * factor), round(width * factor)))[0]


def down_and_up(pixels: Pixels, strength: float, rng: Rng) -> Pixels:
    """Scaled down by 1.2 to 8 and up again, by any two kernels."""
    factor, (height, width) = 1.2 * 6.5**strength, pixels.shape[:2]
    down, up = sample_resampler(rng), sample_resampler(rng)
    small = down.resize(pixels, (max(8, round(height / factor)), max(8, round(width / factor))))[0]
    return up.resize(small, (height, width))[0]


DAMAGES: dict[str, Callable[[Pixels, float, Rng], Pixels]] = DISTORTIONS | {
    "webp": webp, "over_exposure": more_light, "under": less_light, "smooth": smoothed, "enlarge": enlarged,
    "down_up": down_and_up, "avif": avif,
}  # fmt: skip
ONE_STEP = ("smooth", "enlarge")  # denoisers of two strengths are of two kinds


def observe_ladders(photos: list[Photo], count: int, observe: Observe, work: Path, seed: int) -> Rows:
    """Features of `count` photographs, whole and damaged; kept in `work`.

    Returns:
        What `observe` gives, and `photo`, `kind` (place in `DAMAGES`, -1 whole) and `strength` (0 whole): (n,) each.
    """
    order = np.random.default_rng([seed + 1, len(photos)]).permutation(len(photos))

    def rows(number: int) -> Iterator[dict[str, Any]]:
        photo = photos[order[number % len(photos)]]
        rng = np.random.default_rng([seed + 2, number, len(photos)])
        for kind, strength, pixels in _ladder(photo.pixels(), rng):
            yield observe(view_of(pixels)) | {"photo": number, "kind": kind, "strength": strength}

    return kept("ladders", count, rows, work)


def _ladder(pixels: Pixels, rng: Rng) -> Iterator[tuple[int, float, Pixels]]:
    picture = Image.fromarray(pixels)
    side = float(np.exp(rng.uniform(*np.log(SIDES))))
    kernel = (Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BOX)[int(rng.integers(3))]
    picture.thumbnail((side, side), kernel)
    pixels = np.asarray(picture)
    if all(rng.random() < chance for chance in SAVED_BEFORE):
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=int(rng.integers(80, 98)), subsampling=int(rng.choice([0, 2])))
        pixels = np.asarray(Image.open(stream))
    yield -1, 0.0, pixels
    names = list(DAMAGES)
    others = [kind for kind in range(len(names)) if names[kind] not in ALWAYS]
    chosen = [names.index(name) for name in ALWAYS] + list(rng.permutation(others)[:KINDS_EACH])
    for kind in chosen:
        steps = 1 if names[kind] in ONE_STEP else STEPS.get(names[kind], 2)
        own = int(rng.integers(2**31))
        for strength in (np.arange(steps) + rng.random(steps)) / steps:
            damaged = DAMAGES[names[kind]](pixels, float(strength), np.random.default_rng(own))
            if max(damaged.shape) <= LARGEST:
                yield int(kind), float(strength), damaged


def ladder_pairs(ladders: Rows) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64], NDArray[np.intp]]:
    """Places of the better and of the worse one, how much stronger the damage is, and its kind: (pairs,) each."""
    found: list[tuple[int, int, float, int]] = []
    for photo in np.unique(ladders["photo"]):
        mine = np.flatnonzero(ladders["photo"] == photo)
        for kind in np.unique(ladders["kind"][mine]):
            if kind < 0:
                continue
            before = int(mine[ladders["kind"][mine] < 0][0])
            steps = mine[ladders["kind"][mine] == kind]
            for place in steps[np.argsort(ladders["strength"][steps])]:
                found.append(
                    (before, int(place), float(ladders["strength"][place] - ladders["strength"][before]), int(kind))
                )
                before = int(place)
    better, worse, further, kinds = zip(*found, strict=True)
    return np.array(better), np.array(worse), np.array(further), np.array(kinds)


def observe_enlargements(outputs: list[Output], photos: Path, observe: Observe, work: Path) -> Rows:
    """Features of what networks were given and, next to each, of what they made of it; kept in `work`."""

    def rows(number: int) -> Iterator[dict[str, Any]]:
        made = outputs[number]
        scene = make_scene(np.random.default_rng(made.seed), str(photos), made.split, len(made.pixels), made.scale, 0)
        for pixels in (scene.small, made.pixels):
            yield observe(view_of(pixels)) | {"family": made.family}

    return kept("enlargements", len(outputs), rows, work)


def view_of(pixels: Pixels) -> View:
    """As of a file with these pixels."""
    return View(LoadedImage.from_array(np.ascontiguousarray(pixels)))


def kept(name: str, count: int, rows: Callable[[int], Iterable[dict[str, Any]]], work: Path) -> Rows:
    """The rows of `count` numbers, stored `AT_ONCE` numbers a file; none where nothing is counted."""
    work.mkdir(parents=True, exist_ok=True)
    stored = []
    for first in range(0, count, AT_ONCE):
        path = work / f"{name}-{first:05d}.npz"
        if not path.exists():
            made = [row for number in range(first, min(count, first + AT_ONCE)) for row in rows(number)]
            part = path.with_suffix(f".{os.getpid()}.part.npz")
            np.savez(part, **{key: np.array([row[key] for row in made]) for key in made[0]})  # type: ignore[arg-type]
            part.replace(path)
        with np.load(path) as file:
            stored.append({key: file[key] for key in file.files})
    return {key: np.concatenate([each[key] for each in stored]) for key in stored[0]} if stored else {}
