"""Recipe of the metric `exposure`: tone statistics -> six scores -> ordinal thresholds -> HEX graph.

    python -m cliqa.training.train exposure --data photos/ --ratings biq2021/

Faults are made from well-exposed photographs; the published photographs of the rated set, where given, are further originals (their
ratings only choose which). Tables of labelled pictures train through `cliqa.training.exposure_table`.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cliqa import checkpoints
from cliqa.metrics.base import Value
from cliqa.metrics.exposure import Exposure
from cliqa.signal.exposure_schema import LABELS, SCHEMA
from cliqa.signal.hex_schema import graph_from_schema
from cliqa.training.examples import Example, Make, generate
from cliqa.training.exposure_card import write_card
from cliqa.training.exposure_examples import Sources, make_example, make_highlights, make_low_light, make_sweep
from cliqa.training.exposure_faults import DARK
from cliqa.training.exposure_fit import ExposureFit, LightUnary, fit_light
from cliqa.training.ordinal_scores import area_under_roc, quadratic_kappa
from cliqa.training.photos import Split
from cliqa.training.train import TrainOptions

PHOTO_EXAMPLES, RATED_EXAMPLES = 8192, 8192
LOW_LIGHT = 1024  # from each kind of source, see make_low_light; each counts LOW_LIGHT_WEIGHT times
LOW_LIGHT_WEIGHT = 2
HIGHLIGHTS = 1024  # from each kind of source, see make_highlights
SWEEPS = 256  # photographs at 17 exposures each, from each kind of source
HELD_OUT = 1536  # labelled pictures of the val photographs, and as many of the test photographs
NETWORKS = 2  # fits that differ by their seed; their z are averaged
LOW_LIGHT_SHIFT = (
    1.0  # log odds towards "too dark >= 2": real low light is rarer and subtler among the examples than outside
)
FIT = ExposureFit()


def train(options: TrainOptions) -> None:
    """Make examples, fit, save weights, measure on the test photographs, write the card."""
    torch.set_num_threads(1)
    examples, sweeps = _training_examples(options)
    graph = graph_from_schema(SCHEMA)
    networks = []
    for index in range(NETWORKS):
        settings = replace(FIT, seed=options.seed + index)
        print(f"network {index + 1} of {NETWORKS}: {len(examples['tones'])} pictures", file=sys.stderr)
        networks.append(
            fit_light(examples["tones"], examples["severity"], (sweeps["tones"], sweeps["severity"]), graph, settings,
                      options.work / f"fit-{index}")
        )  # fmt: skip
    weights = options.out / "exposure.safetensors"
    options.out.mkdir(parents=True, exist_ok=True)
    save(networks, weights)

    metric = Exposure(*checkpoints.load(weights, metric="exposure", architecture="tone-hex", version=1))
    rows: list[dict[str, float | str]] = []
    held_out: tuple[tuple[Split, int], ...] = (("val", 7), ("test", 8))
    for split, seed in held_out:
        held = _make(options, make_example, HELD_OUT, split, Sources(options.data, split), seed)
        rows.append({"split": split, **figures(metric, held)})
    with open(options.work / "figures.csv", "w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    write_card(
        options.out / "exposure.md", weights, networks[0].tensors(0), NETWORKS, FIT, rows, options.ratings is not None
    )


def _make(
    options: TrainOptions,
    make: Callable[[Sources, np.random.Generator, int], Example],
    count: int,
    name: str,
    sources: Sources,
    seed: int,
) -> Example:
    bound: Make = partial(make, sources)
    return generate(
        bound, count, options.work / "examples" / name, seed=options.seed * 100 + seed, workers=options.workers
    )


def _training_examples(options: TrainOptions) -> tuple[Example, Example]:
    """Pictures and sweeps from the train split, and from the rated set where there is one."""
    own = Sources(options.data, "train")
    parts = [
        _make(options, make_example, options.examples or PHOTO_EXAMPLES, "photos", own, 0),
        _make(options, make_highlights, HIGHLIGHTS, "photo-highlights", own, 4),
        *[_make(options, make_low_light, LOW_LIGHT, "photo-low-light", own, 11)] * LOW_LIGHT_WEIGHT,
    ]
    sweeps = [_make(options, make_sweep, SWEEPS, "photo-sweeps", own, 2)]
    if options.ratings is not None:
        rated = Sources(options.data, "train", options.ratings)
        parts += [
            _make(options, make_example, options.examples or RATED_EXAMPLES, "rated", rated, 1),
            _make(options, make_highlights, HIGHLIGHTS, "rated-highlights", rated, 5),
            *[_make(options, make_low_light, LOW_LIGHT, "rated-low-light", rated, 12)] * LOW_LIGHT_WEIGHT,
        ]
        sweeps.append(_make(options, make_sweep, SWEEPS, "rated-sweeps", rated, 3))
    return _joined(parts), _joined(sweeps)


def _joined(parts: list[Example]) -> Example:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def save(networks: list[LightUnary], path: Path) -> None:
    """Write the weights file that `cliqa.metrics.exposure.Exposure` reads."""
    tensors: dict[str, NDArray[Any]] = {}
    for index, network in enumerate(networks):
        tensors |= network.tensors(index)
    tensors["scale"] = np.stack([network.ordinal.scale.detach().numpy() for network in networks])
    tensors["thresholds"] = np.stack([network.ordinal.thresholds().detach().numpy() for network in networks])
    tensors["thresholds"][:, DARK, 0] -= LOW_LIGHT_SHIFT * np.exp(-tensors["scale"][:, DARK])
    checkpoints.save(path, tensors, metric="exposure", architecture=Exposure.architecture, version=Exposure.version)


def _scored(metric: Exposure, tones: NDArray[Any]) -> list[dict[str, Value]]:
    return metric.score([{"tones": row} for row in tones])


def figures(metric: Exposure, examples: Example) -> dict[str, float]:
    """Accuracy (level >= 2 or not), quadratic kappa and AUC per boundary, means over labels; amounts near boundaries left out."""
    fields = _scored(metric, examples["tones"])
    severity = examples["severity"]
    levels = np.clip(np.rint(severity), 1, 4).astype(np.int64)
    clear = np.abs(severity[..., None] - np.array([1.5, 2.5, 3.5])).min(axis=-1) >= 0.1
    accuracy, kappa, areas = {}, {}, []
    for column, label in enumerate(LABELS):
        use = clear[:, column]
        truth = levels[use, column]
        predicted = np.array([row[f"{label}_level"] for row in fields], dtype=np.int64)[use]
        accuracy[f"accuracy {label}"] = float(((truth >= 2) == (predicted >= 2)).mean())
        kappa[f"kappa {label}"] = quadratic_kappa(truth, predicted)
        for k in (2, 3, 4):
            p = np.array([row[f"{label}_p{k}"] for row in fields], dtype=np.float64)[use]
            areas.append(area_under_roc(truth >= k, p))
    untouched = (severity <= 1.0).all(axis=1)
    severe = np.array([any(int(row[f"{label}_level"] or 1) >= 3 for label in LABELS) for row in fields])
    return {
        "accuracy": float(np.mean(list(accuracy.values()))),
        "kappa": float(np.nanmean(list(kappa.values()))),
        "AUC": float(np.nanmean(areas)),
        "untouched, any label >= 3": float(severe[untouched].mean()),
        **accuracy,
        **kappa,
    }
