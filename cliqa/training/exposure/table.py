"""Train the exposure metric from a table of labelled pictures: the light unary, or CLIP's v1 or v2.

    python -m cliqa.training.exposure.table --table labels.csv --images DIR --unary v1 --clip-weights clip.bin --out mine.safetensors

The table is a CSV with a column `image` (a name inside DIR) and one per label, English or Chinese; a cell holds the level 1-4, or
nothing where the label was not judged. Rows that break the graph's rules are an error. The result is used with `--checkpoint`.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cliqa.errors import CliqaError, UsageError
from cliqa.images.loading import load_image
from cliqa.metrics import checkpoints
from cliqa.metrics.base import View
from cliqa.metrics.exposure import Exposure, observe_tones
from cliqa.metrics.exposure_clip import (
    THUMBNAIL,
    ExposureClip,
    build_backbone,
    build_head,
    image_features,
    normalise,
)
from cliqa.signal.exposure.hex_graph import HexGraph
from cliqa.signal.exposure.schema import LABELS, SCHEMA, graph_from_schema
from cliqa.training.dense_fit import TorchDense
from cliqa.training.exposure.fit import HexLikelihood, LossName, OrdinalThresholds, likelihood_loss


@dataclass(frozen=True)
class TableFit:
    """Settings of a fit from a table. Label tables are small (hundreds of pictures), so the nets are too."""

    loss: LossName = "marginal"
    epochs: int = 60
    batch: int = 32
    rate: float = 1e-3
    decay: float = 1e-2
    hidden: tuple[int, ...] = (64,)
    seed: int = 0


def read_table(path: str | os.PathLike[str], graph: HexGraph) -> tuple[list[str], NDArray[np.int64]]:
    """Image names and levels, int64 (images, 6) in the order of the graph, 0 where a cell is empty.

    Raises:
        UsageError: the file can't be read, has no `image` column or no label, or a row is malformed or breaks a rule.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"the table {os.fspath(path)} can't be read: {error}") from error
    if not rows or "image" not in rows[0]:
        raise UsageError(f"the table {os.fspath(path)} needs rows and a column 'image'")
    columns = {name: graph.index(name) for name in rows[0] if name in {*graph.names, *(x.alias for x in graph.labels)}}
    if not columns:
        raise UsageError(f"the table {os.fspath(path)} has no label column; labels: {', '.join(graph.names)}")
    levels = np.zeros((len(rows), len(graph.labels)), dtype=np.int64)
    for number, row in enumerate(rows):
        for name, label in columns.items():
            text = (row[name] or "").strip()
            if text not in {"", *(str(level + 1) for level in range(graph.labels[label].levels))}:
                raise UsageError(f"row {number + 2} of the table: {name} is {text!r}, not a level")
            levels[number, label] = int(text or 0)
    possible = np.isfinite(graph.log_partition(np.zeros((len(rows), graph.bit_offsets[-1])), graph.admissible(levels)))
    if not possible.all():
        raise UsageError(f"row {int(np.argmin(possible)) + 2} of the table breaks the schema's rules")
    return [row["image"] for row in rows], levels


def fit_head(
    head: nn.Module,
    ordinal: OrdinalThresholds,
    inputs: Tensor,
    levels: NDArray[np.int64],
    graph: HexGraph,
    settings: TableFit,
) -> float:
    """Fit `head` (inputs -> scores) and the thresholds in place; returns the last epoch's mean loss."""
    torch.manual_seed(settings.seed)
    cells, likelihood = torch.from_numpy(graph.admissible(levels)), HexLikelihood(graph)
    optimizer = torch.optim.AdamW(
        [*head.parameters(), *ordinal.parameters()], lr=settings.rate, weight_decay=settings.decay
    )
    mean = float("nan")
    for epoch in range(settings.epochs):
        generator, total = torch.Generator().manual_seed(settings.seed * 1000 + epoch), 0.0
        head.train()
        for batch in torch.randperm(len(inputs), generator=generator).split(settings.batch):
            optimizer.zero_grad()
            loss = likelihood_loss(likelihood(ordinal(head(inputs[batch])).flatten(1), cells[batch]), settings.loss)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += float(loss.detach()) * len(batch)
        mean = total / len(inputs)
    head.eval()
    return mean


def train_light(
    views: Sequence[View], levels: NDArray[np.int64], graph: HexGraph, settings: TableFit, out: Path
) -> float:
    """The light unary from labelled pictures; writes a checkpoint of `exposure`."""
    inputs = torch.from_numpy(np.stack([observe_tones(view) for view in views]))
    net = TorchDense(inputs.mean(0), inputs.std(0).clamp_min(1e-3), settings.hidden, len(LABELS))
    ordinal = OrdinalThresholds()
    loss = fit_head(net, ordinal, inputs, levels, graph, settings)
    tensors = net.tensors("net0.") | {name: value[None] for name, value in _ordinal_tensors(ordinal).items()}
    checkpoints.save(out, tensors, metric="exposure", architecture=Exposure.architecture, version=Exposure.version)
    return loss


def train_clip(
    views: Sequence[View], levels: NDArray[np.int64], graph: HexGraph, settings: TableFit, out: Path, unary: str,
    backbone: Any, facts: dict[str, str],
) -> float:  # fmt: skip
    """v1 or v2 on a frozen CLIP; writes a checkpoint of `exposure_clip`. `facts`: backbone, backbone_weights."""
    backbone = backbone.eval().requires_grad_(False)
    with torch.no_grad():
        features = torch.cat(
            [image_features(backbone, normalise([view.thumbnail(THUMBNAIL)], backbone)) for view in views]
        )
    torch.manual_seed(settings.seed)
    head, ordinal = build_head(unary, backbone), OrdinalThresholds()
    loss = fit_head(head, ordinal, features, levels, graph, settings)
    tensors = {f"head.{name}": value.detach().numpy() for name, value in head.state_dict().items()}
    checkpoints.save(out, tensors | _ordinal_tensors(ordinal), metric="exposure_clip",
                     architecture=ExposureClip.architecture, version=ExposureClip.version, unary=unary, **facts)  # fmt: skip
    return loss


def _ordinal_tensors(ordinal: OrdinalThresholds) -> dict[str, NDArray[Any]]:
    return {"scale": ordinal.scale.detach().numpy(), "thresholds": ordinal.thresholds().detach().numpy()}


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m cliqa.training.exposure.table",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--table", required=True, help="CSV of labels")
    parser.add_argument("--images", type=Path, required=True, help="folder of the pictures")
    parser.add_argument("--out", type=Path, required=True, help="weights file to write, .safetensors")
    parser.add_argument("--unary", choices=("light", "v1", "v2"), default="light", help="default: light")
    parser.add_argument("--loss", choices=("marginal", "focal"), default="marginal", help="default: marginal")
    parser.add_argument("--epochs", type=int, default=TableFit.epochs, help="default: %(default)s")
    parser.add_argument("--clip-model", default="ViT-B-32", help="open_clip model of v1 and v2 (default: %(default)s)")
    parser.add_argument("--clip-weights", help="path, or a tag of open_clip's cache, for v1 and v2")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Train from a table; returns the exit status."""
    given = build_parser().parse_args(arguments)
    settings = TableFit(loss=given.loss, epochs=given.epochs, seed=given.seed)
    graph = graph_from_schema(SCHEMA)
    try:
        if given.unary != "light" and not given.clip_weights:
            raise UsageError(f"{given.unary} needs --clip-weights")
        names, levels = read_table(given.table, graph)
        views = [View(load_image(given.images / name)) for name in names]
        if given.unary == "light":
            loss = train_light(views, levels, graph, settings, given.out)
        else:
            facts = {"backbone": given.clip_model, "backbone_weights": given.clip_weights}
            backbone = build_backbone(given.clip_model, given.clip_weights)
            loss = train_clip(views, levels, graph, settings, given.out, given.unary, backbone, facts)
    except CliqaError as error:
        print(f"exposure_table: {error}", file=sys.stderr)
        return error.exit_status
    print(f"{len(names)} pictures, loss {loss:.4f}, weights in {given.out}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
