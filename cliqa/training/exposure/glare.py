"""The second look at brightness: what tells a frame that got too much light from a photograph that is bright by itself.

The networks learn levels from faults of six kinds, among which clipped highlights alone are no excess of light; so they hold back
where a real frame, developed and saved, is both. A logistic regression on their own z and on the percentiles of tone decides again, for
level 2 alone: on what the networks learned from, and on published photographs as they are and with up to two and a half stops more.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from cliqa.metrics.exposure import glare_inputs
from cliqa.training.examples import Example
from cliqa.training.exposure import faults
from cliqa.training.exposure.examples import CURVES, Sources, afterwards, draw_original, statistics

LEAST_EV, MOST_EV = 0.8, 2.5
UNTOUCHED = 0.5  # share of the frames
FRAME_WEIGHT = 1.0  # of a frame against a picture of the networks' own
PENALTY = 1e-3  # on the squared weights: some hundred numbers for some thousand pictures
LEVEL = 0.6  # added to the log odds: in doubt level 2, which filters keep; accuracy of too bright on val photographs falls by 0.02


def make_frame(sources: Sources, rng: np.random.Generator, index: int) -> Example:
    """A photograph as it is, or with more light: `tones`, and `bright` (1,), whether light was added."""
    original, bright = draw_original(rng, sources), rng.random() >= UNTOUCHED
    pixels = original
    if bright:
        picture = faults.start(original, rng, rng.random() < 0.5)
        faults.expose(picture, float(rng.uniform(LEAST_EV, MOST_EV)), str(rng.choice(CURVES)))
        pixels = faults.finish(picture)
    return {"tones": statistics(afterwards(rng, pixels)), "bright": np.array([bright])}


def fit_glare(
    made: Example, frames: Example, unary: Callable[[NDArray[np.float32]], NDArray[np.float64]]
) -> NDArray[np.float32]:
    """Weights of `glare_inputs` and, last, the constant.

    Args:
        made: pictures with `severity`; those within a tenth of a level of the boundary are left out.
        unary: tones -> z (6, 3) of the networks, see `Exposure.unary`.
    """
    position = made["severity"][:, faults.BRIGHT]
    clear = np.abs(position - 1.5) >= 0.1
    tones = np.concatenate([made["tones"][clear], frames["tones"]])
    truth = np.concatenate([position[clear] >= 1.5, frames["bright"][:, 0]]).astype(np.float64)
    weight = np.concatenate([np.ones(int(clear.sum())), np.full(len(frames["tones"]), FRAME_WEIGHT)])
    x = np.stack([glare_inputs(row, unary(row)) for row in tones]).astype(np.float64)
    mean, scale = x.mean(0), x.std(0) + 1e-6
    inputs, target, counts = (torch.from_numpy(part) for part in ((x - mean) / scale, truth, weight))
    slopes = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    constant = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([slopes, constant], max_iter=500, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(inputs @ slopes + constant, target, counts)
        loss = loss + PENALTY * slopes.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)  # type: ignore[arg-type]
    found = slopes.detach().numpy() / scale
    level = float(constant.detach()) - float(found @ mean) + LEVEL
    return np.append(found, level).astype(np.float32)
