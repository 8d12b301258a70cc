"""How the perceptual metrics agree with people: `python benchmarks/rated.py FOLDER`, a rated data set in its published layout.

Prints the zero-shot correlations, those of a ridge on 50 and 200 labels, of the shipped quality, and the figures of the
aesthetic classes with the baseline that only knows the source. `--without-duplicates` adds the figures without test
photographs that look like one of the training list. `--niqe PHOTOS` adds NIQE and IL-NIQE, whose pristine models are fitted on never
compressed photographs of that folder, as baselines for the zero-shot scores.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import ilniqe
import numpy as np
from natural_scene import niqe_features
from numpy.typing import NDArray
from PIL import Image

from cliqa.grepq.evaluation import ALL_PARTS, few_labels
from cliqa.grepq.rated_sets import RatedImage, read_rated
from cliqa.images.loading import load_image
from cliqa.metrics import View, load_metric
from cliqa.metrics.aesthetic import LABELS, Aesthetic
from cliqa.metrics.grepq import GRepQ
from cliqa.metrics.grepq_features import zero_shot_columns
from cliqa.signal.quality.niqe import gaussian_of, niqe_distance
from cliqa.signal.statistics.correlation import krcc, plcc, srcc
from cliqa.training.grepq.aesthetic import macro_f1
from cliqa.training.photos import read_photos

CLEAR = 0.05  # distance to the deciding boundary, in the unit of the score
NEAR_BITS = 6  # of 64 in which the hashes of near-duplicates differ at most


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", default="test", help="the publisher's list; '' for all photographs")
    parser.add_argument("--limit", type=int, help="this many photographs, chosen at random")
    parser.add_argument("--metrics", nargs="+", default=["grepq", "aesthetic"], choices=("grepq", "aesthetic"))
    parser.add_argument("--zero-shot", action="store_true", help="features too (slower): zero-shot and ridge")
    parser.add_argument(
        "--without-duplicates", action="store_true", help="also without what is nearly in the training list"
    )
    parser.add_argument("--niqe", type=Path, metavar="PHOTOS", help="also NIQE and IL-NIQE, fitted on this folder")
    parser.add_argument("--draws", type=int, default=10)
    given = parser.parse_args(arguments)
    rated = read_rated(given.folder)
    images = [image for image in rated if image.split == given.split]
    images = [images[i] for i in np.random.default_rng(0).permutation(len(images))[: given.limit]]
    observed = observe(images, given.zero_shot)
    if given.niqe:
        observed |= baselines(images, given.niqe)
    report("all", images, observed, rated, given.draws)
    if given.without_duplicates:
        fresh = not_in_training(images, [image for image in rated if image.split == "train"])
        kept = [image for image, keep in zip(images, fresh, strict=True) if keep]
        report("without near-duplicates", kept, {k: v[fresh] for k, v in observed.items()}, rated, given.draws)


def observe(images: Sequence[RatedImage], zero_shot: bool) -> dict[str, NDArray[Any]]:
    grepq, aesthetic = load_metric("grepq"), load_metric("aesthetic")
    assert isinstance(grepq, GRepQ)
    assert isinstance(aesthetic, Aesthetic)
    rows: dict[str, list[Any]] = {"quality": [], "chances": [], "label": [], "features": []}
    for image in images:
        observation = grepq.observe(View(load_image(image.path)))
        rows["quality"].append(grepq.quality(observation))
        fields = aesthetic.score(observation)
        rows["chances"].append([fields[f"p_{label}"] for label in LABELS])
        rows["label"].append(LABELS.index(str(fields["label"])))
        if zero_shot:
            rows["features"].append(grepq.features(observation))
    return {name: np.array(values) for name, values in rows.items() if values}


def baselines(images: Sequence[RatedImage], photos: Path) -> dict[str, NDArray[np.float64]]:
    """Minus the distances of NIQE and IL-NIQE to pristine pictures, (n,): higher is better. The models are of the train split."""
    pristine = []
    for photo in read_photos(photos, "train", ("lossless",)):
        picture = Image.fromarray(photo.pixels())
        picture.thumbnail((512, 512), Image.Resampling.BICUBIC)
        if min(picture.size) >= 96:
            pristine.append(np.asarray(picture))
    model = gaussian_of(np.concatenate([niqe_features(picture, sharpest=True) for picture in pristine]))
    richer = ilniqe.Pristine.of(pristine[: ilniqe.PHOTOGRAPHS])
    found: dict[str, list[float]] = {"NIQE": [], "IL-NIQE": []}
    for image in images:
        pixels = load_image(image.path).pixels
        found["NIQE"].append(-niqe_distance(*gaussian_of(niqe_features(pixels)), *model))
        found["IL-NIQE"].append(-richer.distance(pixels))
    return {name: np.array(values) for name, values in found.items()}


def report(
    title: str, images: Sequence[RatedImage], observed: dict[str, NDArray[Any]], rated: Sequence[RatedImage], draws: int
) -> None:
    mos = np.array([image.score for image in images])
    print(f"\n{title}: {len(images)} photographs")
    for name in ("NIQE", "IL-NIQE"):
        if name in observed:
            column = observed[name]
            print(
                f"  {name:22s} SRCC {srcc(column, mos):.3f}  PLCC {plcc(column, mos):.3f}  KRCC {krcc(column, mos):.3f}"
            )
    if "features" in observed:
        features = observed["features"].astype(np.float64)
        for name, column in zip(("q_low", "q_high", "q"), zero_shot_columns(features), strict=True):
            print(
                f"  {name:22s} SRCC {srcc(column, mos):.3f}  PLCC {plcc(column, mos):.3f}  KRCC {krcc(column, mos):.3f}"
            )
        for count in (50, 200):
            for name, part in ALL_PARTS.items():
                print(
                    f"  {name}, {count} labels".ljust(24),
                    f"SRCC {few_labels(features[:, part], mos, count, draws)[0]:.3f}",
                )
    quality = observed["quality"]
    print(
        f"  {'quality':22s} SRCC {srcc(quality, mos):.3f}  PLCC {plcc(quality, mos):.3f}  KRCC {krcc(quality, mos):.3f}"
    )
    if any(image.label is not None for image in images):
        classes(images, observed["chances"], observed["label"], rated)


def classes(
    images: Sequence[RatedImage], chances: NDArray[np.float64], guesses: NDArray[np.int64], rated: Sequence[RatedImage]
) -> None:
    known = np.array([image.label is not None for image in images])
    those = [image for image in images if image.label is not None]
    truth = np.array([LABELS.index(image.label or "") for image in those])
    chances = chances[known]
    guess = guesses[known]
    clear = np.array([image.margin >= CLEAR for image in those])
    majority = majority_by_source(image for image in rated if image.split in ("train", ""))
    source = np.array([LABELS.index(majority[image.source]) for image in those])
    opposite = np.abs(guess - truth) == 2
    print(f"  macro F1 {macro_f1(truth, guess):.3f}; clear cases ({clear.sum()}) {macro_f1(truth[clear], guess[clear]):.3f}; "
          f"accuracy {np.mean(truth == guess):.3f}; source alone {macro_f1(truth, source):.3f}")  # fmt: skip
    print(
        f"  rejected for accepted or the reverse {100 * opposite.mean():.2f} %; "
        f"expected calibration error {calibration_error(truth, chances):.3f}"
    )
    for label, name in enumerate(LABELS):
        row = " ".join(f"{np.sum((truth == label) & (guess == other)):5d}" for other in range(3))
        print(f"  {name:10s} {row}")


def calibration_error(truth: NDArray[Any], chances: NDArray[np.float64], bins: int = 15) -> float:
    """Expected calibration error of the chosen class: mean |accuracy - confidence| over equal bins, weighted by size."""
    confidence, right = chances.max(1), chances.argmax(1) == truth
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    parts = [(place == k) for k in range(bins) if (place == k).any()]
    return float(sum(part.mean() * abs(right[part].mean() - confidence[part].mean()) for part in parts))


def difference_hash(path: Path) -> int:
    """64 bits: whether each of 8x8 cells is brighter than its right neighbour."""
    with Image.open(path) as picture:
        picture.draft("L", (64, 64))
        small = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    bits = (small[:, 1:] > small[:, :-1]).ravel()
    return int("".join("1" if bit else "0" for bit in bits), 2)


def not_in_training(images: Sequence[RatedImage], train: Sequence[RatedImage]) -> NDArray[np.bool_]:
    """Which photographs have no near-duplicate in the training list."""

    def unpack(paths: Sequence[RatedImage]) -> NDArray[np.uint8]:
        numbers = np.array([difference_hash(image.path) for image in paths], dtype=">u8")
        return np.unpackbits(numbers.view(np.uint8).reshape(-1, 8), axis=1)

    theirs = unpack(train)
    return np.array([(row != theirs).sum(1).min() > NEAR_BITS for row in unpack(images)])


def majority_by_source(images: Iterable[RatedImage]) -> dict[str, str]:
    """The commonest class of each source: the baseline that only knows where a photograph came from."""
    counts: dict[str, dict[str, int]] = {}
    for image in images:
        if image.label is not None:
            of_source = counts.setdefault(image.source, {})
            of_source[image.label] = of_source.get(image.label, 0) + 1
    return {source: max(labels, key=lambda label: labels[label]) for source, labels in counts.items()}


if __name__ == "__main__":
    main()
