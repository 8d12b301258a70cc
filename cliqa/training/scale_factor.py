"""Recipe of `scale_factor`: examples of resized and of soft photographs, then the network over candidate factors.

One file from top to bottom: settings, one example, fit, threshold, measurement, model card. About 25 examples a second and core;
the fit takes about 2 ms per example and epoch on one core.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa import checkpoints
from cliqa.images import LoadedImage
from cliqa.metrics.base import View
from cliqa.metrics.scale_factor import ScaleFactor, joined_factor
from cliqa.signal.factor_network import median_factor
from cliqa.signal.resampling_spectra import BINS, FACTORS
from cliqa.training.examples import Example, generate
from cliqa.training.factor_fit import FactorFitSettings, TorchFactorNetwork, fit_factors, predicted, prepared
from cliqa.training.resized_photos import KINDS as DONE
from cliqa.training.resized_photos import resized_photo
from cliqa.training.train import TrainOptions

EXAMPLES = 40_000  # for training; validation and test take an eighth of it, at most 4,096, each
COPIES = 3  # finishes (sharpening, crop, JPEG) of each resized photograph: resizing is the dear part
FIT = FactorFitSettings(epochs=24)
NEGATIVES_REJECTED = 0.02  # share of validation originals that may read above 1.05; sets `caution`
NEAR_ONE = 1.05  # the default threshold: quality 95


def make_example(rng: np.random.Generator, index: int, *, folder: str, split: str, seed: int) -> Example:
    """Observations of one example, its (x, y) factors clipped to 2, and what was done to it as a number in `DONE`."""
    pixels, x, y, how = resized_photo(rng, folder, split, seed, index // COPIES)
    observed: dict[str, Any] = ScaleFactor.observe(View(LoadedImage.from_array(np.ascontiguousarray(pixels))))
    return {**observed, "factors": np.minimum(np.array([x, y], np.float32), 2.0), "how": np.array(DONE.index(how))}


def train(options: TrainOptions) -> None:
    """Generate, fit, choose the caution on validation, measure on test, write weights and card."""
    count = options.examples or EXAMPLES
    sizes = {"train": count, "val": min(count // 8, 4096), "test": min(count // 8, 4096)}
    seeds = {"train": options.seed, "val": options.seed + 1, "test": options.seed + 2}
    data = {
        split: generate(
            partial(make_example, folder=str(options.data), split=split, seed=seeds[split]),
            sizes[split],
            options.work / split,
            seed=seeds[split],
            workers=options.workers,
        )
        for split in sizes
    }
    net = fit_factors(data["train"], data["val"], options.work / "fit", FIT)
    caution = chosen_caution(net, data["val"])
    tensors = with_caution(net.tensors(), caution)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{ScaleFactor.name}.safetensors"
    checkpoints.save(
        path,
        {name: value.astype(np.float16) if value.size > 1000 else value for name, value in tensors.items()},
        metric=ScaleFactor.name,
        architecture=ScaleFactor.architecture,
        version=ScaleFactor.version,
        caution=f"{caution:.2f}",
    )
    table = measured_table(scales(probabilities(net, data["test"]), caution), data["test"])
    parameters = sum(value.size for value in tensors.values())
    command = f"python -m cliqa.training.train scale_factor --data photos/ --examples {count} --seed {options.seed}"
    card = CARD.format(
        parameters=f"{parameters:,}", examples=f"{count:,}", command=command, table=table, caution=caution
    )
    (options.out / f"{ScaleFactor.name}.md").write_text(card, encoding="utf-8")


def probabilities(net: TorchFactorNetwork, examples: Example) -> NDArray[np.float32]:
    """The network's distributions (n, 2, BINS)."""
    maps, numbers, _ = prepared(examples)
    return predicted(net, maps, numbers)


def with_caution(tensors: dict[str, NDArray[Any]], caution: float) -> dict[str, NDArray[Any]]:
    """Move prior odds by `caution` (natural log) towards "not enlarged": the bins up to 1.05."""
    place = tensors["head.place"] + np.where(FACTORS <= NEAR_ONE, caution, 0.0).astype(np.float32)
    return {**tensors, "head.place": place.astype(np.float32)}


def scales(distributions: NDArray[np.float32], caution: float) -> NDArray[np.float64]:
    """(n, 2, BINS) -> scale_x, scale_y, scale: (n, 3)."""
    moved = distributions * np.where(FACTORS <= NEAR_ONE, np.exp(caution), 1.0)
    axes = median_factor(moved.reshape(-1, BINS).astype(np.float32)).reshape(-1, 2)
    return np.column_stack([axes, [joined_factor(float(x), float(y)) for x, y in axes]])


def chosen_caution(net: TorchFactorNetwork, val: Example) -> float:
    """The smallest caution at which no more than `NEGATIVES_REJECTED` of the originals read above 1.05."""
    distributions = probabilities(net, val)
    originals = np.isin(val["how"], [DONE.index("untouched"), DONE.index("camera")])
    for caution in np.arange(0.0, 4.01, 0.25):
        if np.mean(scales(distributions[originals], float(caution))[:, 2] > NEAR_ONE) <= NEGATIVES_REJECTED:
            break
    return float(caution)


def measured_table(found: NDArray[np.float64], examples: Example) -> str:
    """Rows per kind of example: mean and median absolute error, share above 1.05."""
    truth = np.column_stack([examples["factors"], examples["factors"].max(axis=1)])
    rows = ["| made by | examples | MAE of `scale` | median error | above 1.05 |", "|---|---|---|---|---|"]
    for number, how in enumerate(DONE):
        members = examples["how"] == number
        if members.any():
            errors = np.abs(found - truth)[members, 2]
            above = np.mean(found[members, 2] > NEAR_ONE)
            rows.append(f"| {how} | {members.sum()} | {errors.mean():.4f} | {np.median(errors):.4f} | {above:.1%} |")
    return "\n".join(rows)


CARD = """# scale_factor
TODO {parameters} {examples} {command} {table} {caution}
"""
