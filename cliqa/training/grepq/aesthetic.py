"""The aesthetic classes: calibrated on ratings that the encoder was not fitted on.

    python -m cliqa.training.train aesthetic --data photos --ratings BIQ2021 --work runs/grepq

The encoder is the rated branch of `cliqa.training.grepq.grepq`, taken from (or made in) the same work folder, so that both metrics
hold the same weights and a picture passes them once. Any set that `cliqa.grepq.rated_sets` reads with classes will do,
AVA, EVA, KonIQ-10k and SPAQ among them; photographs without a class, and those of a test list, are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cliqa.errors import UsageError
from cliqa.metrics import checkpoints
from cliqa.metrics.aesthetic import LABELS, Aesthetic, decide, probabilities
from cliqa.metrics.shared_encoder import RatedEncoder
from cliqa.training.card import write_results
from cliqa.training.grepq.grepq import (
    COMMAND,
    UNMEASURED,
    find_backbone,
    held_out_outputs,
    named,
    rated_branch,
    training_list,
)
from cliqa.training.train import TrainOptions

OFFSETS = (0.0, 0.2, 0.4, 0.6)  # of the decision: few, since there are few hundred ratings to choose them by
PENALTY = 1e-3  # on the squared weights: there are few hundred ratings for 18 numbers


def train(options: TrainOptions) -> None:
    """Run the stages and write `aesthetic.safetensors` and its model card."""
    if options.ratings is None:
        raise UsageError("this recipe needs --ratings: a rated data set with classes")
    torch.set_flush_denormal(True)
    tensors = named(find_backbone(options)[0], "trunk.") | rated_branch(options)
    tensors |= calibrate(tensors, options.ratings)
    save(options.out / "aesthetic.safetensors", tensors)
    write_results(options.out / "aesthetic.safetensors", COMMAND, tensors, UNMEASURED)


def save(path: Path, tensors: dict[str, NDArray[Any]]) -> None:
    """Write the weights: the encoder in half precision, as `grepq` holds it, the calibration in full."""
    stored = {
        k: v.astype(np.float32 if k.startswith(("calibration.", "decision")) else np.float16)
        for k, v in tensors.items()
    }
    checkpoints.save(path, stored, metric="aesthetic", architecture=Aesthetic.architecture,
                     version=Aesthetic.version, ratings="BIQ2021")  # fmt: skip


def calibrate(tensors: dict[str, NDArray[Any]], ratings: Path) -> dict[str, NDArray[Any]]:
    """`calibration.*` and `decision` from the held-out part of the training list."""
    outputs, images = held_out_outputs(RatedEncoder(tensors), training_list(ratings))
    known = [place for place, image in enumerate(images) if image.label is not None]
    labels = np.array([LABELS.index(images[place].label or "") for place in known])
    weight, bias = fit_softmax(outputs[known], labels)
    decision = choose_decision(probabilities(outputs[known], weight, bias), labels)
    return {"calibration.weight": weight, "calibration.bias": bias, "decision": decision}


def choose_decision(chances: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """What to add to the logs of the probabilities (n, 3), for the best macro F1: (3,), pending 0, the others from `OFFSETS`."""
    tried = [np.array([rejected, 0.0, accepted]) for rejected in OFFSETS for accepted in OFFSETS]
    return max(tried, key=lambda decision: macro_f1(labels, decide(chances, decision)))


def macro_f1(truth: NDArray[Any], guess: NDArray[Any]) -> float:
    """Mean over the classes of the F1 score; places in `LABELS`."""
    found = []
    for label in range(len(LABELS)):
        hits = np.sum((truth == label) & (guess == label))
        found.append(2 * hits / max(1, np.sum(truth == label) + np.sum(guess == label)))
    return float(np.mean(found))


def fit_softmax(
    outputs: NDArray[np.float64], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Multinomial logistic regression, (3, 5) and (3,); inputs are standardised inside and the result is folded back."""
    mean, scale = outputs.mean(0), outputs.std(0) + 1e-6
    x = torch.from_numpy((outputs - mean) / scale)
    y = torch.from_numpy(labels)
    weight = torch.zeros(len(LABELS), x.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(len(LABELS), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(x @ weight.T + bias, y) + PENALTY * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)  # type: ignore[arg-type]
    found = weight.detach().numpy() / scale
    return found, bias.detach().numpy() - found @ mean
