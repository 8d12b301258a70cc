"""Draws `docs/sharpness.jpg`: a photograph blurred in several ways, what the metric says of each, and its maps.

    python docs/sharpness_picture.py photos/lossless/budgie-backgrounds-353.webp

Needs the extra `train` (matplotlib, SciPy).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from blur_sources import blurred, composed, disc, gaussian_blurred, noise_added, straight_path

import cliqa
from cliqa.images.loading import load_image

Pixels = NDArray[np.uint8]


def versions(pixels: Pixels) -> dict[str, Pixels]:
    """The photograph and six others of it, by what was done."""
    rng = np.random.default_rng(0)
    ground = blurred(pixels, disc(10))
    return {
        "as it is": pixels,
        "noise of 8": noise_added(rng, pixels, 8),
        "Gaussian, sigma 2": gaussian_blurred(pixels, 2),
        "disc, radius 8": blurred(pixels, disc(8)),
        "moved by 18 pixels": blurred(pixels, straight_path(18, 30)),
        "background out of focus": composed(rng, pixels, ground, 0.3),
    }


def words(fields: dict[str, Any]) -> str:
    """What the metric says, in short."""
    share = "–" if fields["sharp_share"] is None else f"{fields['sharp_share']:.0%}"
    motion = f", motion {fields['motion']:.0f} px at {fields['motion_angle']:.0f}°" if fields["motion"] else ""
    return f"blur {fields['blur']:.1f} px{motion}\nsharp share {share}, confidence {fields['confidence']:.2f}"


def main() -> None:
    """Draw the picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photograph", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "sharpness.jpg")
    given = parser.parse_args()
    metric = cliqa.load_metric("sharpness")
    pictures = versions(load_image(given.photograph).pixels)
    figure, axes = pyplot.subplots(4, 3, figsize=(9, 9.6), layout="constrained")
    shown: Any = None
    for number, (name, pixels) in enumerate(pictures.items()):
        row, column = 2 * (number // 3), number % 3
        axes[row, column].imshow(pixels)
        axes[row, column].set_title(name, fontsize=9)
        found = np.ma.masked_invalid(metric.map(pixels))
        shown = axes[row + 1, column].imshow(found, cmap="viridis_r", vmin=0, vmax=5, aspect=pixels.shape[0] / pixels.shape[1]
                                             * found.shape[1] / found.shape[0])  # fmt: skip
        axes[row + 1, column].set_xlabel(words(metric.score(pixels)), fontsize=7.5)
        axes[row + 1, column].set_facecolor("0.9")
        for panel in axes[row : row + 2, column]:
            panel.set(xticks=[], yticks=[])
    figure.colorbar(shown, ax=axes, shrink=0.4, label="blur of each part, pixels (grey: can't tell)")
    figure.savefig(given.out, dpi=85, pil_kwargs={"quality": 82})


if __name__ == "__main__":
    main()
