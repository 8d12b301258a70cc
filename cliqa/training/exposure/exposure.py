"""Recipe of the metric `exposure`: tone statistics -> six scores -> ordinal thresholds -> HEX graph.

    python -m cliqa.training.train exposure --data photos/ --ratings biq2021/

Faults are made from well-exposed photographs; the published photographs of the rated set, where given, are further originals (their
ratings only choose which). Tables of labelled pictures train through `cliqa.training.exposure.table`.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cliqa.metrics import checkpoints
from cliqa.metrics.base import Value
from cliqa.metrics.exposure import Exposure
from cliqa.signal.exposure.labels import LABELS
from cliqa.signal.exposure.schema import SCHEMA, graph_from_schema
from cliqa.signal.exposure.tones import MEDIAN_LUMA
from cliqa.training.card import write_results
from cliqa.training.examples import Example, Make, generate
from cliqa.training.exposure.examples import Sources, make_example, make_highlights, make_sweep
from cliqa.training.exposure.faults import CLIPPED, DARK
from cliqa.training.exposure.fit import ExposureFit, LightUnary, SeverityRange, Sweeps, fit_light
from cliqa.training.exposure.frames import UNCERTAINTY as FRAME_UNCERTAINTY
from cliqa.training.exposure.frames import good_snapshots, make_frame, make_snapshot_frame
from cliqa.training.exposure.low_light import UNCERTAINTY, make_dark_snapshot, make_low_light
from cliqa.training.ordinal_scores import area_under_roc, quadratic_kappa
from cliqa.training.photos import Split
from cliqa.training.train import TrainOptions

EXAMPLES = {"photo": 8192, "rated": 8192}  # by the kind of source
HIGHLIGHTS = 1024  # from each kind of source, see make_highlights
LOW_LIGHT = 1024  # from each kind of source, see make_low_light; each counts LOW_LIGHT_WEIGHT times
DARK_SNAPSHOTS = 1024  # see make_dark_snapshot; each counts LOW_LIGHT_WEIGHT times
LOW_LIGHT_WEIGHT = 2
SWEEPS = {"photo": 512, "rated": 768}  # photographs at 17 exposures each
# Luma; whether an untouched photograph below it is too dark at level 2 is left to the low light to say
NIGHT_MEDIAN = 40 / 255
HELD_OUT = 1536  # labelled pictures of the val photographs, and as many of the test photographs
NETWORKS = 3  # fits that differ by their seed; their z are averaged
CLIPPED_SHIFT = 0.1  # of a level: the first threshold lies at a further 1.2 %, in the middle of 1 % with its margins
DUSK = (60 / 255, 42 / 255, 1.75)  # medians of luma where doubt begins and is full; log odds to "too dark >= 2" then
# Log odds against clipping at level 3: white skies and studio walls; chosen on val and published photographs
MEANT_SHIFT = 2.5
# Log odds towards level 2 of too bright and of too dark, in doubt: chosen on published photographs of the training list that no example
# is made of, of which a tenth is then called too bright at level 2
LEAN = (1.2, 0.6)
# See `frames`, by the kind of source; each counts FRAME_WEIGHT times. A third as many of the rated ones, counted once, told fewer
# frames at as many false alarms, on the photographs that chose `LEAN`
FRAMES = {"photo": 2048, "rated": 12288, "snapshots": 2048}
FRAME_WEIGHT = 2
FIT = ExposureFit()


def train(options: TrainOptions) -> None:
    """Make examples, fit, save weights, measure on the test photographs, write results into the card."""
    torch.set_num_threads(1)
    tones, known, sweeps = _training_examples(options)
    graph = graph_from_schema(SCHEMA)
    networks = []
    for index in range(NETWORKS):
        settings = replace(FIT, seed=options.seed + index)
        print(f"network {index + 1} of {NETWORKS}: {len(tones)} pictures", file=sys.stderr)
        networks.append(fit_light(tones, known, sweeps, graph, settings, options.work / f"fit-{index}"))
    weights = options.out / "exposure.safetensors"
    options.out.mkdir(parents=True, exist_ok=True)
    save(networks, weights)

    tensors, facts = checkpoints.load(weights, metric="exposure", architecture="tone-hex", version=1)
    metric = Exposure(tensors, facts)
    rows: list[dict[str, float | str]] = []
    held_out: tuple[tuple[Split, int], ...] = (("val", 7), ("test", 8))
    for split, seed in held_out:
        held = _make(options, partial(make_example, Sources(options.data, split)), HELD_OUT, split, seed)
        rows.append({"split": split, **figures(metric, held)})
    with open(options.work / "figures.csv", "w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    table = ["| figure | " + " | ".join(str(row["split"]) for row in rows) + " |", "|---" * (len(rows) + 1) + "|"]
    for name in [name for name in rows[0] if name != "split"]:
        table.append(f"| {name} | " + " | ".join(f"{float(row[name]):.3f}" for row in rows) + " |")
    command = "--data photos/" + (" --ratings biq2021/" if options.ratings is not None else "")
    write_results(weights, command, tensors, *table)


def _make(options: TrainOptions, make: Make, count: int, name: str, seed: int) -> Example:
    return generate(
        make,
        options.at_most(count),
        options.work / "examples" / name,
        seed=options.seed * 100 + seed,
        workers=options.workers,
    )


def _training_examples(options: TrainOptions) -> tuple[NDArray[Any], SeverityRange, Sweeps]:
    """Pictures with what is known of them, and sweeps: from the train split, and from the rated set where there is one."""
    sources = {"photo": Sources(options.data, "train")}
    if options.ratings is not None:
        sources["rated"] = Sources(options.data, "train", options.ratings)
    parts: list[tuple[NDArray[Any], SeverityRange]] = []
    of_frames: list[tuple[NDArray[Any], SeverityRange]] = []
    sweeps: list[Example] = []
    for number, (kind, source) in enumerate(sources.items()):
        for made in (
            _make(options, partial(make_example, source), options.examples or EXAMPLES[kind], kind, number),
            _make(options, partial(make_highlights, source), HIGHLIGHTS, f"{kind}-highlights", 4 + number),
        ):
            parts.append((made["tones"], _night_open(made)))
        dim = _make(options, partial(make_low_light, source), LOW_LIGHT, f"{kind}-low-light", 11 + number)
        parts += [(dim["tones"], SeverityRange.of(dim["severity"], UNCERTAINTY))] * LOW_LIGHT_WEIGHT
        frames = _make(options, partial(make_frame, source), FRAMES[kind], f"{kind}-frames", 14 + number)
        of_frames.append((frames["tones"], SeverityRange.of(frames["severity"], FRAME_UNCERTAINTY)))
        parts.append(of_frames[-1])
        sweeps.append(_make(options, partial(make_sweep, source), SWEEPS[kind], f"{kind}-sweeps", 2 + number))
    if options.ratings is not None:
        dark = _make(options, partial(make_dark_snapshot, options.ratings), DARK_SNAPSHOTS, "dark-snapshots", 13)
        known = SeverityRange.of(dark["severity"])
        known.low[:, DARK] = 1.6  # at least level 2
        parts += [(dark["tones"], known)] * LOW_LIGHT_WEIGHT
    if options.ratings is not None and good_snapshots(options.ratings):
        make = partial(make_snapshot_frame, options.ratings)
        frames = _make(options, make, FRAMES["snapshots"], "snapshot-frames", 16)
        of_frames.append((frames["tones"], SeverityRange.of(frames["severity"], FRAME_UNCERTAINTY)))
        parts.append(of_frames[-1])
    parts += of_frames * (FRAME_WEIGHT - 1)
    known = SeverityRange(*(np.concatenate([getattr(part, end) for _, part in parts]) for end in ("low", "high")))
    joined = Sweeps(*(np.concatenate([part[name] for part in sweeps]) for name in ("tones", "severity", "ev")))
    return np.concatenate([tones for tones, _ in parts]), known, joined


def _night_open(made: Example) -> SeverityRange:
    """Severities as made, but level 2 of too dark left open for untouched photographs of the night."""
    known = SeverityRange.of(made["severity"])
    untouched = (made["severity"] <= 1.0).all(axis=1)
    known.high[untouched & (made["tones"][:, MEDIAN_LUMA] < NIGHT_MEDIAN), DARK] = 2.4
    return known


def save(networks: list[LightUnary], path: Path) -> None:
    """Write the weights file that `cliqa.metrics.exposure.Exposure` reads."""
    tensors: dict[str, NDArray[Any]] = {}
    for index, network in enumerate(networks):
        tensors |= network.tensors(index)
    tensors["scale"] = np.stack([network.ordinal.scale.detach().numpy() for network in networks])
    tensors["thresholds"] = np.stack([network.ordinal.thresholds().detach().numpy() for network in networks])
    tensors["thresholds"][:, CLIPPED, 0] += CLIPPED_SHIFT
    tensors["dusk"] = np.array(DUSK, dtype=np.float32)
    tensors["meant"], tensors["lean"] = np.array([MEANT_SHIFT], dtype=np.float32), np.array(LEAN, dtype=np.float32)
    checkpoints.save(path, tensors, metric="exposure", architecture=Exposure.architecture, version=Exposure.version)


def _scored(metric: Exposure, tones: NDArray[Any]) -> list[dict[str, Value]]:
    return [metric.score({"tones": row}) for row in tones]


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
