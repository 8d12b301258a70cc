"""Train the exposure metric from a table of labelled pictures: the light unary, or CLIP's v1 or v2.

    python -m cliqa.training.exposure.table --table labels.csv --images DIR --unary v1 --clip-weights clip.bin --out mine.safetensors

The table is a CSV with a column `image` (a name inside DIR) and one per label, English or Chinese; a cell holds the level 1-4, or
nothing where the label was not judged. Rows that break the rules (`--schema`) are an error. A column `split` (train, validation, test)
says what a row is for; without it the picture's name decides, in the shares of `--split`. The fit learns from the training rows and
keeps the epoch that is best on the validation rows; the test rows are reported. The weights are used with `--checkpoint`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
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
from cliqa.metrics import Metric, checkpoints
from cliqa.metrics.base import View
from cliqa.metrics.exposure import Exposure, observe_tones
from cliqa.metrics.exposure_clip import THUMBNAIL, ExposureClip, build_backbone, build_head, image_features, normalise
from cliqa.metrics.exposure_schema import exposure_graph, read_schema
from cliqa.signal.exposure.hex_graph import HexGraph
from cliqa.signal.exposure.labels import LABELS
from cliqa.signal.exposure.schema import SCHEMA
from cliqa.training.dense_fit import TorchDense
from cliqa.training.exposure.fit import HexLikelihood, LossName, OrdinalThresholds, likelihood_loss
from cliqa.training.exposure.table_report import write_report

SPLITS = ("train", "validation", "test")
SHARES = (70, 15, 15)  # per cent, as documented


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


@dataclass(frozen=True)
class Table:
    """Labelled pictures: `names`, `levels` int64 (n, 6) in the order of the graph, 0 not judged, and each row's `split`."""

    names: list[str]
    levels: NDArray[np.int64]
    split: NDArray[np.str_]

    def rows(self, split: str) -> NDArray[np.int64]:
        """The places of the rows of a split."""
        return np.flatnonzero(self.split == split)


def read_table(path: str | os.PathLike[str], graph: HexGraph, shares: Sequence[int] = SHARES) -> Table:
    """A table of labels.

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
    splits = []
    for number, row in enumerate(rows):
        for name, label in columns.items():
            text = (row[name] or "").strip()
            if text not in {"", *(str(level + 1) for level in range(graph.labels[label].levels))}:
                raise UsageError(f"row {number + 2} of the table: {name} is {text!r}, not a level")
            levels[number, label] = int(text or 0)
        splits.append((row.get("split") or "").strip() or _split_of(row["image"], shares))
        if splits[-1] not in SPLITS:
            raise UsageError(f"row {number + 2} of the table: split is {splits[-1]!r}, not one of {', '.join(SPLITS)}")
    possible = np.isfinite(graph.log_partition(np.zeros((len(rows), graph.bit_offsets[-1])), graph.admissible(levels)))
    if not possible.all():
        raise UsageError(f"row {int(np.argmin(possible)) + 2} of the table breaks the schema's rules")
    table = Table([row["image"] for row in rows], levels, np.array(splits))
    if not len(table.rows("train")):
        raise UsageError(f"the table {os.fspath(path)} has no row to train on")
    return table


def _split_of(image: str, shares: Sequence[int]) -> str:
    """The split of a picture by its name alone, so that it stays on its side when the table grows."""
    place = int.from_bytes(hashlib.sha256(image.encode("utf-8", "surrogateescape")).digest()[:4], "big") % sum(shares)
    return SPLITS[int(np.searchsorted(np.cumsum(shares), place, side="right"))]


def fit_head(
    head: nn.Module,
    ordinal: OrdinalThresholds,
    inputs: Tensor,
    table: Table,
    graph: HexGraph,
    settings: TableFit,
    curve: Path | None = None,
) -> float:
    """Fit `head` (inputs -> scores, in the order of `LABELS`) and the thresholds in place; the best epoch's weights stay.

    Best is the least loss on the validation rows, where there are some, else the last epoch is. Returns its loss on the training rows.

    Args:
        inputs: (n, width), a row for each of the table's.
        curve: CSV for the losses of every epoch.
    """
    torch.manual_seed(settings.seed)
    cells, likelihood = torch.from_numpy(graph.admissible(table.levels)), HexLikelihood(graph)
    column = torch.tensor(_columns(graph))
    parts = nn.ModuleList([head, ordinal])
    optimizer = torch.optim.AdamW(parts.parameters(), lr=settings.rate, weight_decay=settings.decay)

    def loss_of(rows: Tensor) -> Tensor:
        z = ordinal(head(inputs[rows]))[:, column]
        return likelihood_loss(likelihood(z.flatten(1), cells[rows]), settings.loss)

    train, held = (torch.from_numpy(table.rows(split)) for split in SPLITS[:2])
    losses: list[tuple[int, float, float]] = []
    best: dict[str, Tensor] = {}
    for epoch in range(settings.epochs):
        generator, total = torch.Generator().manual_seed(settings.seed * 1000 + epoch), 0.0
        parts.train()
        for batch in torch.randperm(len(train), generator=generator).split(settings.batch):
            optimizer.zero_grad()
            loss = loss_of(train[batch])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += float(loss.detach()) * len(batch)
        parts.eval()
        with torch.no_grad():
            judged = float(loss_of(held)) if len(held) else -float(epoch)
        losses.append((epoch, total / len(train), judged))
        if judged == min(row[2] for row in losses):
            best = {name: value.clone() for name, value in parts.state_dict().items()}
    parts.load_state_dict(best)
    if curve is not None:
        with open(curve, "w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["epoch", "train", "validation"])
            writer.writerows([epoch, f"{one:.5f}", f"{other:.5f}" if len(held) else ""] for epoch, one, other in losses)
    return min(losses, key=lambda row: row[2])[1]


def _columns(graph: HexGraph) -> list[int]:
    """For each label of the graph, its place in `LABELS`."""
    order = [graph.index(name) for name in LABELS]
    return [order.index(place) for place in range(len(order))]


def train_light(
    views: Sequence[View], table: Table, schema: dict[str, Any], settings: TableFit, out: Path
) -> tuple[float, Metric]:
    """The light unary; writes a checkpoint of `exposure`. Returns the loss and the metric."""
    inputs = torch.from_numpy(np.stack([observe_tones(view)["tones"] for view in views]))
    net = TorchDense(inputs.mean(0), inputs.std(0).clamp_min(1e-3), settings.hidden, len(LABELS))
    ordinal = OrdinalThresholds()
    loss = fit_head(net, ordinal, inputs, table, exposure_graph(schema), settings, out.with_suffix(".curve.csv"))
    tensors = net.tensors("net0.") | {name: value[None] for name, value in _ordinal_tensors(ordinal).items()}
    facts = _rules(schema)
    checkpoints.save(
        out, tensors, metric="exposure", architecture=Exposure.architecture, version=Exposure.version, **facts
    )
    return loss, Exposure(tensors, facts)


def train_clip(
    views: Sequence[View], table: Table, schema: dict[str, Any], settings: TableFit, out: Path, unary: str,
    backbone: Any, facts: dict[str, str],
) -> tuple[float, Metric]:  # fmt: skip
    """v1 or v2 on a frozen CLIP; writes a checkpoint of `exposure_clip`. `facts`: backbone, backbone_weights."""
    backbone = backbone.eval().requires_grad_(False)
    with torch.no_grad():
        features = torch.cat(
            [image_features(backbone, normalise([view.thumbnail(THUMBNAIL)], backbone)) for view in views]
        )
    torch.manual_seed(settings.seed)
    head, ordinal = build_head(unary, backbone), OrdinalThresholds()
    loss = fit_head(head, ordinal, features, table, exposure_graph(schema), settings, out.with_suffix(".curve.csv"))
    tensors = {f"head.{name}": value.detach().numpy() for name, value in head.state_dict().items()}
    tensors |= _ordinal_tensors(ordinal)
    facts = {"unary": unary, **facts, **_rules(schema)}
    checkpoints.save(out, tensors, metric="exposure_clip",
                     architecture=ExposureClip.architecture, version=ExposureClip.version, **facts)  # fmt: skip
    return loss, ExposureClip(tensors, facts, backbone=backbone)


def _rules(schema: dict[str, Any]) -> dict[str, str]:
    """The metadata by which the metric finds its rules again; none for the documented ones, which are its default."""
    return {} if schema == SCHEMA else {"schema": json.dumps(schema, ensure_ascii=False)}


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
    parser.add_argument(
        "--schema", help="your own rules over the six labels: JSON or TOML (default: the documented ones)"
    )
    parser.add_argument("--unary", choices=("light", "v1", "v2"), default="light", help="default: light")
    parser.add_argument("--loss", choices=("marginal", "focal"), default="marginal", help="default: marginal")
    parser.add_argument("--epochs", type=int, default=TableFit.epochs, help="default: %(default)s")
    parser.add_argument(
        "--split", type=int, nargs=3, default=SHARES, metavar=("TRAIN", "VALIDATION", "TEST"),
        help="shares of the rows, where the table has no column split (default: 70 15 15)",
    )  # fmt: skip
    parser.add_argument("--clip-model", default="ViT-B-32", help="open_clip model of v1 and v2 (default: %(default)s)")
    parser.add_argument("--clip-weights", help="path, or a tag of open_clip's cache, for v1 and v2")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Train from a table; returns the exit status."""
    given = build_parser().parse_args(arguments)
    settings = TableFit(loss=given.loss, epochs=given.epochs, seed=given.seed)
    try:
        if given.unary != "light" and not given.clip_weights:
            raise UsageError(f"{given.unary} needs --clip-weights")
        if min(given.split) < 0 or not given.split[0]:
            raise UsageError("--split takes three shares of 0 or more, the first above 0")
        schema = read_schema(given.schema) if given.schema else SCHEMA
        graph = exposure_graph(schema)
        table = read_table(given.table, graph, given.split)
        views = [View(load_image(given.images / name)) for name in table.names]
        if given.unary == "light":
            loss, metric = train_light(views, table, schema, settings, given.out)
        else:
            facts = {"backbone": given.clip_model, "backbone_weights": given.clip_weights}
            backbone = build_backbone(given.clip_model, given.clip_weights)
            loss, metric = train_clip(views, table, schema, settings, given.out, given.unary, backbone, facts)
        scored = [metric.score_view(view) for view in views]
    except CliqaError as error:
        print(f"exposure_table: {error}", file=sys.stderr)
        return error.exit_status
    levels = table.levels[:, [graph.index(name) for name in LABELS]]
    write_report(given.out, table.names, table.split, levels, scored)
    print(f"{len(table.names)} pictures, loss {loss:.4f}, weights in {given.out}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
