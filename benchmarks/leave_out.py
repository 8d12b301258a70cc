"""How ratings of some sources serve for a source that was left out.

    python benchmarks/leave_out.py RATED --data photos/ --work runs/leave_out

The encoder's rated branch has seen ratings of every source, so it can't be asked. What is compared are heads on the label-free
branch, which has seen none: one fitted as the recipe fits its head, to the ratings as they are; a ridge on them; and the regression
that `quality` reads (`cliqa.training.grepq.opinion`), without and with pairs of pictures of which one is no better. Prints the SRCC
within each source that was left out, and the mean. The features are kept in the work folder (a few minutes for BIQ2021 on one core; the
recipe's own `opinion` folder holds the same).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from cliqa.grepq.rated_sets import read_rated
from cliqa.metrics import load_metric
from cliqa.metrics.encoder import RatedHead
from cliqa.metrics.grepq import GRepQ
from cliqa.signal.statistics.correlation import srcc
from cliqa.signal.statistics.ridge import ridge
from cliqa.training.grepq import opinion
from cliqa.training.grepq.grepq import LADDERS
from cliqa.training.grepq.worse_pictures import Rows, observe_ladders
from cliqa.training.photos import read_photos
from cliqa.training.rated.examples import RatedSettings

EPOCHS = 8  # of the head: as long as the recipe's first round


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rated", type=Path, help="a rated data set with sources")
    parser.add_argument("--data", type=Path, required=True, help="folder of photographs")
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for the features, as `opinion` in the recipe's work folder"
    )
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    metric = load_metric("grepq")
    assert isinstance(metric, GRepQ)
    observe = opinion.observer(metric.network, metric.numbers)
    rows = opinion.observe_rated(read_rated(given.rated), observe, given.work, 0)
    ladders = observe_ladders(read_photos(given.data, "train", ("lossless", "camera")), LADDERS, observe, given.work, 0)
    ways: dict[str, Callable[[Rows], Callable[[Rows], NDArray[np.floating[Any]]]]] = {
        "the recipe's head": recipe_head,
        "ridge on the ratings": plain_ridge,
        "quality's regression, without pairs": lambda part: regression(part, ladders, 0.0),
        "quality's regression": lambda part: regression(part, ladders, opinion.PAIRS),
    }
    sources = sorted(set(rows["source"]))
    print(f"{'SRCC within the source left out':40s}" + "".join(f"{name:>8s}" for name in sources) + "    mean")
    for name, way in ways.items():
        found = []
        for source in sources:
            left = rows["source"] == source
            predict = way({key: values[~left] for key, values in rows.items()})
            found.append(srcc(predict({key: values[left] for key, values in rows.items()}), rows["score"][left]))
        print(f"{name:40s}" + "".join(f"{value:8.3f}" for value in found) + f"{np.mean(found):8.3f}", flush=True)


def plain_ridge(rows: Rows) -> Callable[[Rows], NDArray[np.floating[Any]]]:
    """A ridge on pooled features and the pixels' statistics."""
    pixels = opinion.pixel_features(rows["statistics"], 0)
    weight, _ = ridge(opinion.features(rows, pixels), rows["score"], opinion.PENALTY)
    return lambda others: opinion.features(others, pixels) @ weight


def regression(rows: Rows, ladders: Rows, pairs: float) -> Callable[[Rows], NDArray[np.floating[Any]]]:
    """The regression alone, without the rated branch beside it."""
    pixels = opinion.pixel_features(rows["statistics"], 0)
    usual, opinion.PAIRS = opinion.PAIRS, pairs
    silent = opinion.Branch(0.0, 0.0, lambda statistics: np.zeros((len(statistics), 2)))
    weight, _, _ = opinion.fit_regression(rows, ladders, {}, pixels, silent, 1.0)
    opinion.PAIRS = usual
    return lambda others: opinion.features(others, pixels) @ weight


def recipe_head(rows: Rows) -> Callable[[Rows], NDArray[np.floating[Any]]]:
    """`RatedHead` on pooled features, by the recipe's loss but for its ladders and classes, with its first round's settings."""
    torch.manual_seed(0)
    settings = RatedSettings(head_rate=1e-3)
    pooled = torch.from_numpy(rows["pooled"].astype(np.float32))
    score = torch.from_numpy(rows["score"].astype(np.float32))
    curated = torch.from_numpy((rows["source"] == "ss03").astype(np.float32))
    head = RatedHead(settings.dropout)
    head.mean.copy_(pooled.mean(0))
    head.scale.copy_(pooled.std(0).clamp_min(1e-3))
    torch.nn.init.normal_(head.out.weight, std=0.01)
    optimizer = torch.optim.AdamW(head.parameters(), settings.head_rate, weight_decay=settings.decay)
    steps = EPOCHS * (len(score) // settings.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(score)), settings.batch)[: len(score) // settings.batch]:
            out = head(pooled[batch])[1]
            centred, target = out[:, 0] - out[:, 0].mean(), score[batch] - score[batch].mean()
            loss = 10.0 * F.smooth_l1_loss(out[:, 0], score[batch], beta=0.1)
            loss = loss + 0.5 * (1 - (centred * target).sum() / (centred.norm() * target.norm() + 1e-6))
            loss = loss + 0.1 * F.binary_cross_entropy_with_logits(out[:, 1], curated[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    head.eval()

    def predict(others: Rows) -> NDArray[np.float32]:
        with torch.no_grad():
            found: NDArray[np.float32] = head(torch.from_numpy(others["pooled"].astype(np.float32)))[1][:, 0].numpy()
        return found

    return predict


if __name__ == "__main__":
    main()
