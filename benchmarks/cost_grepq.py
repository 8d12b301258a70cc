"""What grepq and aesthetic cost beside decoding: `python benchmarks/cost_grepq.py`, on one core.

Prints milliseconds of processor time, median and least of the rounds, at 512x512 and at 12 megapixels: `quality` alone, all of
grepq, aesthetic alone, and both on the same picture, which share a pass.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from cliqa.images.loading import LoadedImage
from cliqa.metrics import View, load_metric
from cliqa.metrics.aesthetic import Aesthetic
from cliqa.metrics.grepq import PICTURE_SIDE, GRepQ
from cliqa.signal.quality.trace_statistics import trace_statistics


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    grepq, aesthetic = load_metric("grepq"), load_metric("aesthetic")
    assert isinstance(grepq, GRepQ)
    assert isinstance(aesthetic, Aesthetic)
    grain = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    for name, size in (("512x512", (512, 512)), ("12 megapixels", (4000, 3000))):
        image = LoadedImage.from_pil(Image.fromarray(grain).resize(size, Image.Resampling.BICUBIC))

        def quality(image: LoadedImage = image) -> None:
            view = View(image)
            grepq.quality({"picture": view.thumbnail(PICTURE_SIDE), "traces": trace_statistics(view.patches)})

        def both(image: LoadedImage = image) -> None:
            view = View(image)
            grepq.score_view(view)
            aesthetic.score_view(view)

        measure(f"{name}, quality alone", quality, given.rounds)
        measure(f"{name}, all of grepq", lambda image=image: grepq.score_view(View(image)), given.rounds)  # type: ignore[misc]
        measure(f"{name}, aesthetic alone", lambda image=image: aesthetic.score_view(View(image)), given.rounds)  # type: ignore[misc]
        measure(f"{name}, grepq and aesthetic", both, given.rounds)


def measure(name: str, action: Callable[[], object], rounds: int) -> None:
    action()
    found = []
    for _ in range(rounds):
        started = time.process_time()
        action()
        found.append(1000 * (time.process_time() - started))
    print(f"{name:32s} {np.median(found):6.1f} ms (least {min(found):.1f})", flush=True)


if __name__ == "__main__":
    main()
