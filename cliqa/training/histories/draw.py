"""Random histories: a walk over the graph of steps, from what was taken to what lies on the web."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cliqa.training.histories.state import Pixels, State
from cliqa.training.histories.steps import KEPT_OUT, STEPS, Rng, resize

GRAPH: dict[str, dict[str, float]] = {
    "start": {"jpeg": 0.5, "mozjpeg": 0.08, "noise": 0.1, "resize": 0.1, "tone": 0.04, "webp": 0.03, "avif": 0.03,
              "heic": 0.02, "jxl": 0.02, "replicate": 0.02, "sharpen": 0.03, "blur": 0.03},
    "save": {"end": 0.25, "resize": 0.3, "crop": 0.08, "jpeg": 0.06, "turn": 0.05, "tone": 0.05, "sharpen": 0.03, "blur": 0.02,
             "noise": 0.02, "webp": 0.02, "page": 0.03, "collage": 0.02, "frame": 0.02, "palette": 0.02, "watermark": 0.02,
             "replicate": 0.01},
    "edit": {"end": 0.32, "jpeg": 0.3, "mozjpeg": 0.04, "webp": 0.08, "avif": 0.05, "heic": 0.02, "jxl": 0.02, "crop": 0.06,
             "resize": 0.03, "sharpen": 0.04, "page": 0.02, "frame": 0.01, "palette": 0.01},
}  # fmt: skip
"""Where a walk goes on from the start, from a save and from an edit, and how often."""
MOST_STEPS = 6
_SAVES = ("jpeg", "mozjpeg", "webp", "avif", "heic", "jxl")


def kept_out() -> tuple[str, ...]:
    """Names of the steps that training never takes."""
    return (*KEPT_OUT["encoders"], *KEPT_OUT["steps"])


def draw_history(rng: Rng, pixels: Pixels, *, testing: bool = False, must: Sequence[str] = ()) -> State:
    """One random history of a picture uint8 (h, w, 3) that was never compressed.

    Args:
        testing: take the steps and kernels that are kept out of training as well.
        must: steps that are taken in this order, instead of a walk.
    """
    state = State(np.ascontiguousarray(pixels))
    if must:
        for name in must:
            state = STEPS[name](rng, state)
        return state
    without = () if testing else kept_out()
    at = "start"
    for _ in range(MOST_STEPS):
        choices = {name: weight for name, weight in GRAPH[at].items() if name not in without}
        weights = np.array(list(choices.values()))
        name = str(rng.choice(list(choices), p=weights / weights.sum()))
        if name == "end":
            break
        state = resize(rng, state, every_kernel=testing) if name == "resize" else STEPS[name](rng, state)
        at = "save" if name in _SAVES else "edit"
    return state
