"""Frames with too much or too little light: how often the metric `exposure` finds them. `python benchmarks/frames.py BIQ2021`

Three tables, of one of the publisher's lists (`--list`): published photographs (third subset) rated 0.7 or more, with more and less
light, through curves that training has not seen; published photographs as they are, by rating; and real frames: the first subset
holds scenes taken at several exposures, among which pictures that look alike but for their light are found by themselves. A real
frame's exposure is told from the best-rated one of its scene: what lies `FURTHER` EV above it counts as over-exposed, though a viewer
would not say so of all.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from conditions_exposure import exposed, rolled_off
from numpy.typing import NDArray
from PIL import Image

from cliqa.grepq.rated_sets import RatedImage, read_rated
from cliqa.images.loading import LoadedImage, load_image
from cliqa.metrics import Metric, View, load_metric
from cliqa.signal.colour import LUMA
from cliqa.signal.exposure.histogram_traces import srgb_to_linear
from cliqa.signal.exposure.labels import LABELS
from cliqa.training.exposure.camera_curves import HELD_BACK, expose_as_camera
from cliqa.training.exposure.faults import finish, start

EXPOSURES = (1.0, 1.5, 2.0)  # EV, either way
SIDE = 320
ALIKE = 0.92  # correlation of the ranks of 32x32 cells of luma: one scene, whatever its light
MOST_ALIKE = 17  # a larger group is no scene but a kind of picture
FURTHER, BELOW = 0.9, -1.2  # EV from the best-rated frame
FAIR = 0.4  # EV
BRIGHT, DARK = LABELS.index("too_bright"), LABELS.index("too_dark")

Pixels = NDArray[np.uint8]


def levels_of(metric: Metric, image: LoadedImage) -> list[int]:
    fields = metric.score_view(View(image))
    return [int(fields[f"{label}_level"] or 1) for label in LABELS]


def jpeg(pixels: Pixels) -> LoadedImage:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=92)
    return LoadedImage.from_array(np.asarray(Image.open(stream).convert("RGB")))


def by_formula(
    change: Callable[[NDArray[np.float64], float], NDArray[np.float64]], pixels: Pixels, ev: float
) -> Pixels:
    return np.asarray(np.rint(255.0 * np.clip(change(pixels / 255.0, ev), 0.0, 1.0)).astype(np.uint8))


def by_camera(pixels: Pixels, ev: float, rng: np.random.Generator) -> Pixels:
    picture = start(pixels)
    expose_as_camera(picture, ev, rng, HELD_BACK)
    return finish(picture)


def made_frames(metric: Metric, images: list[RatedImage], count: int) -> None:
    """Shares of frames that are found, by curve and exposure."""
    good = [image for image in images if image.source == "ss03" and image.score >= 0.7]
    rng = np.random.default_rng(44)
    chosen = [good[place] for place in rng.permutation(len(good))[:count]]
    renderings: dict[str, tuple[int, Callable[[Pixels, float], Pixels]]] = {
        "more light, clipped": (BRIGHT, lambda pixels, ev: by_formula(exposed, pixels, ev)),
        "more light, rolled off": (BRIGHT, lambda pixels, ev: by_formula(rolled_off, pixels, ev)),
        "more light, cameras held back": (BRIGHT, lambda pixels, ev: by_camera(pixels, ev, rng)),
        "less light": (DARK, lambda pixels, ev: by_formula(exposed, pixels, -ev)),
        "less light, cameras held back": (DARK, lambda pixels, ev: by_camera(pixels, -ev, rng)),
    }
    print(f"| {len(chosen)} published photographs | found | at 1, 1.5, 2 EV | any label >= 3 |\n|---|---|---|---|")
    for name, (label, change) in renderings.items():
        levels = np.zeros((len(chosen), len(EXPOSURES), len(LABELS)), np.int64)
        for row, image in enumerate(chosen):
            pixels = np.asarray(Image.open(image.path).convert("RGB").resize((SIDE, SIDE)))
            for column, ev in enumerate(EXPOSURES):
                levels[row, column] = levels_of(metric, jpeg(change(pixels, ev)))
        found = 100 * (levels[..., label] >= 2).mean(axis=0)
        each = ", ".join(f"{share:.0f}" for share in found)
        print(f"| {name} | {found.mean():.0f} % | {each} % | {100 * (levels >= 3).any(axis=2).mean():.0f} % |")


def good_photographs(metric: Metric, images: list[RatedImage]) -> None:
    """Shares of false alarms."""
    print(
        "\n| published, as they are | number | any label >= 3 | too bright >= 2 | too dark >= 2 |\n|---|---|---|---|---|"
    )
    for name, least, most in (("rated 0.75 or more", 0.75, 2.0), ("rated 0.60-0.75", 0.6, 0.75)):
        chosen = [image for image in images if image.source == "ss03" and least <= image.score < most]
        levels = np.array([levels_of(metric, load_image(image.path)) for image in chosen])
        print(f"| {name} | {len(chosen)} | {100 * (levels >= 3).any(axis=1).mean():.1f} % "
              f"| {100 * (levels[:, BRIGHT] >= 2).mean():.1f} % | {100 * (levels[:, DARK] >= 2).mean():.1f} % |")  # fmt: skip


def scenes(images: list[RatedImage]) -> list[tuple[RatedImage, float]]:
    """Frames of scenes that were taken several times, with their EV above the best-rated frame of the scene."""
    luma = np.stack([
        np.asarray(Image.open(image.path).convert("RGB").resize((64, 64), Image.Resampling.BOX)) @ LUMA for image in images
    ])  # fmt: skip
    cells = luma.reshape(-1, 32, 2, 32, 2).mean(axis=(2, 4)).reshape(len(images), -1)
    ranks = np.stack([_ranks(row) for row in np.rint(cells)])
    near = ranks @ ranks.T > ALIKE
    np.fill_diagonal(near, True)  # a flat picture has no ranks
    group = np.arange(len(images))
    while True:
        least = np.array([group[row].min() for row in near])
        if (least == group).all():
            break
        group = least
    steps = np.percentile(luma.reshape(len(images), -1), np.arange(5, 100, 5), axis=1).T / 255.0
    light = np.log2(srgb_to_linear(steps) + 1e-4)
    found = []
    for number in np.unique(group):
        members = np.flatnonzero(group == number)
        if not 3 <= len(members) <= MOST_ALIKE:
            continue
        best = members[np.argmax([images[place].score for place in members])]
        if images[best].score < 0.5 or not 0.2 < steps[best, 9] < 0.75:
            continue
        for place in members:
            both = np.minimum(steps[place], steps[best]), np.maximum(steps[place], steps[best])
            seen = (both[0] > 0.05) & (both[1] < 0.97)
            ev = 4.0 * np.sign(steps[place].mean() - steps[best].mean())  # nothing in common: far off
            if seen.sum() >= 3:
                ev = float(np.median((light[place] - light[best])[seen]))
            found.append((images[place], float(ev)))
    return found


def _ranks(row: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks, equal ones shared, less their mean and of length 1."""
    _, places, counts = np.unique(row, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    ranks = ranks - ranks.mean()
    return np.asarray(ranks / (np.linalg.norm(ranks) + 1e-6))


def real_frames(metric: Metric, images: list[RatedImage], split: str) -> None:
    print("\n| real frames of one scene | number | too bright >= 2 | too dark >= 2 |\n|---|---|---|---|")
    frames = [
        (image, ev) for image, ev in scenes([each for each in images if each.source == "ss01"]) if image.split == split
    ]
    parts = {"over": [i for i, ev in frames if ev >= FURTHER], "as the best one": [i for i, ev in frames if abs(ev) <= FAIR],
             "under": [i for i, ev in frames if ev <= BELOW]}  # fmt: skip
    for name, chosen in parts.items():
        levels = np.array([levels_of(metric, load_image(image.path)) for image in chosen]).reshape(-1, len(LABELS))
        bright, dark = (100 * (levels[:, label] >= 2).mean() for label in (BRIGHT, DARK))
        print(f"| {name} | {len(chosen)} | {bright:.0f} % | {dark:.0f} % |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="BIQ2021 as published")
    parser.add_argument("--list", choices=("train", "test"), default="test", help="the publisher's list")
    parser.add_argument("--count", type=int, default=120, help="photographs that frames are made of")
    parser.add_argument("--checkpoint", help="other weights of the metric")
    given = parser.parse_args()
    metric = load_metric("exposure", given.checkpoint)
    rated = read_rated(given.folder)
    images = [image for image in rated if image.split == given.list]
    made_frames(metric, images, given.count)
    good_photographs(metric, images)
    real_frames(metric, rated, given.list)
    return 0


if __name__ == "__main__":
    sys.exit(main())
