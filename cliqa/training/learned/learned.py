"""The recipe of `scale_factor.learned`: enlarge photographs with many networks, fit, leave families out, choose the threshold.

    python -m cliqa.training.train learned --data photos/ --networks upscalers/

Adds its tensors to the weights of `scale_factor` that are there, whose others stay as they are, and writes `learned.md`, the tables of
the card, into the work folder. `cliqa.training.learned.upscalers` says what the folder of networks holds. The outputs take most of the
time; a GPU is used for them where there is one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from cliqa.errors import UsageError
from cliqa.metrics import checkpoints
from cliqa.metrics.scale_factor import ScaleFactor
from cliqa.signal.networks.dense import Dense
from cliqa.training.dense_fit import DenseFit, fit_dense
from cliqa.training.examples import Example, generate
from cliqa.training.learned.examples import enlarged_by, make_example, make_picture, outputs_of
from cliqa.training.learned.outputs import make_outputs
from cliqa.training.learned.scenes import CONDITIONS
from cliqa.training.learned.table import by_condition, by_family
from cliqa.training.photos import Split
from cliqa.training.train import TrainOptions

A_FAMILY = 180  # outputs of every family
EXAMPLES = 16_384  # tiles to learn from
REDUCED = 12_288  # more of them, all of pictures that were reduced afterwards: what a reduction leaves is the faintest
OTHERS = 240  # pictures that no network enlarged, beside those of the pairs, for choosing and for reporting each
NETWORKS = 3  # whose logits are averaged; one tells as much on the validation photographs, but after JPEG (0.004)
FIT = DenseFit(hidden=(256, 64), epochs=20, batch=128, rate=2e-3, decay=5e-2, dropout=0.4, input_noise=0.1)
LEFT_OUT = replace(FIT, epochs=10)  # of the fits without a family, one each: they measure, nothing of them is kept
SMOOTHING = 0.03  # of the labels
# Shares of what no network enlarged that may be called so where the threshold is chosen: two thirds of what is wanted elsewhere.
FALSE_ALARMS = {"PNG": 0.013, "reduced to 0.75": 0.013, "sharpened": 0.02, "JPEG 85-95": 0.02, "WebP 80-95": 0.02,
                "JPEG 70-84": 0.02}  # fmt: skip


def train(options: TrainOptions) -> None:
    """Make, fit, measure, write."""
    if options.networks is None or not options.networks.is_dir():
        raise UsageError("the recipe needs --networks, a folder of unpacked upscaler packages")
    count = options.examples or EXAMPLES
    share = min(1.0, count / EXAMPLES)
    outputs = options.work / "outputs"
    device = "cuda" if torch.cuda.is_available() else "cpu"
    make_outputs(outputs, options.networks, options.data, max(12, round(A_FAMILY * share)), device)
    tiles, val, test = example_sets(options, outputs, count, max(16, round(OTHERS * share)))
    networks = fitted(tiles, options.work / "fit")
    shift = threshold(networks, val)
    seen, unseen = {}, {}
    for number, family in enumerate(sorted(enlarged_by(str(outputs), "train"))):
        kept = tiles["family"] != number
        without = {name: values[kept] for name, values in tiles.items()}
        part = fitted(without, options.work / f"fit without {number}", 1, LEFT_OUT)
        both: list[tuple[Split, Example]] = [("val", val), ("test", test)]
        seen[family] = of_family(networks, shift, family, outputs, both)
        unseen[family] = of_family(part, threshold(part, val), family, outputs, both)
    enlarged, others = split_logits(networks, shift, test)
    tables = by_condition(enlarged, others, test["how"][test["name"] < 0]), by_family(seen, unseen)
    options.work.mkdir(parents=True, exist_ok=True)
    (options.work / "learned.md").write_text("\n\n".join(tables) + "\n", encoding="utf-8")
    write(options.out, networks, shift)


def split_logits(
    networks: list[Dense], shift: float, pictures: Example
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logits less the threshold's under every condition: of what networks enlarged, and of what none did (n, conditions)."""
    all_of_them = np.stack([logits(networks, pictures, place) for place in range(len(CONDITIONS))], axis=1) - shift
    return all_of_them[pictures["name"] >= 0], all_of_them[pictures["name"] < 0]


def of_family(
    networks: list[Dense], shift: float, family: str, outputs: Path, sets: list[tuple[Split, Example]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """As `split_logits`, of the enlarged ones this family's alone, of several splits together: a family has few in each."""
    found = []
    for split, pictures in sets:
        made = outputs_of(str(outputs), split)
        enlarged, others = split_logits(networks, shift, pictures)
        mine = [made[number].family == family for number in pictures["name"][pictures["name"] >= 0]]
        found.append((enlarged[mine], others))
    return np.concatenate([each for each, _ in found]), np.concatenate([each for _, each in found])


def example_sets(options: TrainOptions, outputs: Path, count: int, others: int) -> tuple[Example, Example, Example]:
    """Tiles to learn from, and whole pictures of the val and the test photographs."""
    common: dict[str, Any] = {"photos": str(options.data), "outputs": str(outputs)}
    tiles = generate(partial(make_example, split="train", seed=options.seed, **common), count, options.work / "tiles",
                     seed=options.seed, workers=options.workers)  # fmt: skip
    reduced = generate(partial(make_example, split="train", seed=options.seed + 3, reduced=True, **common),
                       max(1, round(REDUCED * count / EXAMPLES)), options.work / "reduced tiles", seed=options.seed + 3,
                       workers=options.workers)  # fmt: skip
    tiles = {name: np.concatenate([values, reduced[name]]) for name, values in tiles.items()}
    pictures = []
    splits: tuple[Split, ...] = ("val", "test")
    for number, split in enumerate(splits, 1):
        pairs = len(outputs_of(str(outputs), split))
        make = partial(make_picture, split=split, seed=options.seed + number, pairs=pairs, **common)
        pictures.append(
            generate(
                make, 2 * pairs + others, options.work / split, seed=options.seed + number, workers=options.workers
            )
        )
    return tiles, pictures[0], pictures[1]


def loss(predicted: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy with smoothed labels."""
    return binary_cross_entropy_with_logits(predicted[:, 0], targets * (1 - 2 * SMOOTHING) + SMOOTHING)


def fitted(tiles: Example, work: Path, networks: int = NETWORKS, fit: DenseFit = FIT) -> list[Dense]:
    """Networks on the same tiles, each from other first weights."""
    found = []
    for number in range(networks):
        data = (tiles["traces"], tiles["label"])
        net = fit_dense(data, (data[0][:256], data[1][:256]), loss, 1, work / str(number), replace(fit, seed=number))
        found.append(Dense(net.tensors("net.")))
    return found


def logits(networks: list[Dense], pictures: Example, place: int) -> NDArray[np.float64]:
    """Of every picture under a condition, as the metric has it: the mean over its tiles and the networks."""
    rows = pictures["traces"][:, place].reshape(-1, pictures["traces"].shape[-1])
    each = np.mean([network(rows)[:, 0] for network in networks], axis=0).reshape(len(pictures["counts"]), -1)
    there = np.arange(each.shape[1]) < pictures["counts"][:, place, None]
    found: NDArray[np.float64] = (each * there).sum(axis=1) / there.sum(axis=1)
    return found


def threshold(networks: list[Dense], val: Example) -> float:
    """The logit that becomes 0.5, by `FALSE_ALARMS` on the validation photographs; just above, for equal pictures have equal logits."""
    others = val["name"] < 0
    shift = max(
        float(np.quantile(logits(networks, val, place)[others], 1 - FALSE_ALARMS[condition]))
        for place, condition in enumerate(CONDITIONS)
    )
    return float(np.nextafter(np.float32(shift), np.float32(np.inf)))


def write(out: Path, networks: list[Dense], shift: float) -> None:
    """Add the networks to the weights of `scale_factor` in `out`."""
    path = out / f"{ScaleFactor.name}.safetensors"
    facts: dict[str, Any] = {
        "metric": ScaleFactor.name,
        "architecture": ScaleFactor.architecture,
        "version": ScaleFactor.version,
    }
    found, _ = checkpoints.load(path, **facts)
    tensors = {name: value for name, value in found.items() if not name.startswith("learned.")}
    for number, network in enumerate(networks):
        prefix = f"learned.net{number}."
        tensors |= {f"{prefix}mean": network.mean, f"{prefix}scale": network.scale}
        for layer, (weight, bias) in enumerate(network.layers):
            tensors |= {f"{prefix}weight.{layer}": weight.T.astype(np.float16), f"{prefix}bias.{layer}": bias}
    checkpoints.save(path, tensors | {"learned.shift": np.array([shift], np.float32)}, **facts)
