"""Draws `docs/exposure.jpg`: what each label of the exposure metric looks like at each level, and its probabilities over a sweep.

    python docs/exposure_picture.py photos/lossless/budgie-backgrounds-353.webp

Needs the extra `train` (matplotlib).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.images.loading import LoadedImage, load_image
from cliqa.metrics import View, load_metric
from cliqa.signal.exposure.schema import LABELS
from cliqa.training.exposure import faults

POSITIONS = (2.0, 3.0, 4.0)  # the middle of each level
SWEEP = np.linspace(-4, 4, 49)


def with_fault(original: NDArray[np.uint8], label: int, position: float) -> NDArray[np.uint8]:
    """The photograph with one fault at a position of the scale of levels."""
    picture, amount = faults.start(original), faults.amount_at(label, position)
    if label in (faults.BRIGHT, faults.DARK):
        faults.expose(picture, amount if label == faults.BRIGHT else -amount)
    elif label in (faults.HIGH, faults.LOW):
        faults.change_contrast(picture, amount, "luma")
    elif label == faults.CLIPPED:
        faults.clip_highlights(picture, amount, 0.4, "smooth")
    elif not faults.suppress_highlights(picture, amount, "linear"):
        raise SystemExit("the photograph's 99.5th percentile is below 0.95")
    return faults.finish(picture)


def levels_text(fields: dict[str, Any]) -> str:
    """What the metric says, in short."""
    found = [
        f"{label.replace('_', ' ')} {fields[f'{label}_level']}" for label in LABELS if fields[f"{label}_level"] > 1
    ]
    return "\n".join(found) or "no issue"


def main() -> None:
    """Draw the picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photograph", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "exposure.jpg")
    given = parser.parse_args()
    original, metric = load_image(given.photograph).pixels, load_metric("exposure")
    figure = pyplot.figure(figsize=(9, 15.2), layout="constrained")
    grid = figure.add_gridspec(len(LABELS) + 1, 4, height_ratios=[1] * len(LABELS) + [1.5])
    for row, label in enumerate(LABELS):
        for column in range(4):
            pixels = original if column == 0 else with_fault(original, row, POSITIONS[column - 1])
            axes = figure.add_subplot(grid[row, column])
            axes.imshow(np.asarray(Image.fromarray(pixels).resize((320, 320 * pixels.shape[0] // pixels.shape[1]))))
            axes.set(xticks=[], yticks=[])
            if column == 0:
                axes.set_ylabel(label.replace("_", " ").replace("highlights ", "highlights\n"), fontsize=9)
            if row == 0:
                axes.set_title(f"level {column + 1}", fontsize=10)
            axes.set_xlabel(levels_text(metric.score_view(View(LoadedImage.from_array(pixels)))), fontsize=6.5)
    axes = figure.add_subplot(grid[len(LABELS), :])
    rows = []
    for ev in SWEEP:
        picture = faults.start(original)
        if ev != 0:
            faults.expose(picture, float(ev))
        rows.append(metric.score_view(View(LoadedImage.from_array(faults.finish(picture)))))
    for label, colour in (("too_dark", "tab:blue"), ("too_bright", "tab:orange")):
        for k, style in ((2, "-"), (3, "--"), (4, ":")):
            axes.plot(SWEEP, [row[f"{label}_p{k}"] for row in rows], style, color=colour,
                      label=f"{label.replace('_', ' ')} ≥ {k}")  # fmt: skip
    axes.plot(SWEEP, [row["highlights_clipped_p2"] for row in rows], color="0.5", label="highlights clipped ≥ 2")
    for edge in (0.7, 1.5, 2.75):
        axes.axvline(edge, color="0.85", linewidth=0.8, zorder=0)
        axes.axvline(-edge, color="0.85", linewidth=0.8, zorder=0)
    axes.set(xlabel="change of exposure, EV (grey lines: boundaries of the levels)", ylabel="probability", xlim=(-4, 4))
    axes.legend(fontsize=7, loc="center left")
    figure.savefig(given.out, dpi=85, pil_kwargs={"quality": 82})


if __name__ == "__main__":
    main()
