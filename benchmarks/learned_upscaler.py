"""What `scale_factor` makes of pictures that networks enlarged, and of others of the same scenes, with the shipped weights.

    python benchmarks/learned_upscaler.py --data photos/ --outputs runs/learned/outputs [--networks upscalers/]

`outputs` is the folder that the recipe filled (`python -m cliqa.training.train learned`, which also writes the table of the
families left out, `runs/learned/learned.md`); with `--networks` what is missing there is made first. Those of the test photographs are
scored whole, as files are, each beside a picture of the same scene, size and save that no network enlarged; then the test photographs
themselves, in full, under the same conditions. Prints the share that each of the filter's two rules drops, the area under the curve of
`learned`, and the processor time of `learned` and of the rest.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cliqa.images.loading import LoadedImage
from cliqa.metrics import View, load_metric
from cliqa.metrics.scale_factor import LEARNED_TILES, READ_TILES
from cliqa.signal.resampling.network_traces import network_traces
from cliqa.training.learned.learned import A_FAMILY
from cliqa.training.learned.outputs import Output, make_outputs, read_outputs
from cliqa.training.learned.scenes import CONDITIONS, OTHERWISE, make_scene, under
from cliqa.training.ordinal_scores import auc
from cliqa.training.photos import read_photos

Pixels = NDArray[np.uint8]


def other_of(output: Output, data: Path, number: int) -> Pixels:
    """A picture of the output's scene that no network enlarged; a denoiser's are left to the recipe's table."""
    how = OTHERWISE[number % 3]
    rng = np.random.default_rng(output.seed)
    return make_scene(rng, str(data), output.split, len(output.pixels), output.scale, 1, how).others[0][0]


class Scorer:
    """Scores pictures under every condition, and keeps the processor time that it took."""

    def __init__(self) -> None:
        self.metric = load_metric("scale_factor")
        self.whole, self.traces, self.count = 0.0, 0.0, 0

    def __call__(self, pictures: Iterable[Pixels]) -> NDArray[np.float64]:
        """`quality` and `learned`: float64 (pictures, conditions, 2). Equal places of two sets go through equal saves."""
        return np.array([
            [self._score(under(condition, np.random.default_rng([number, place]), pixels))
             for place, condition in enumerate(CONDITIONS)]
            for number, pixels in enumerate(pictures)
        ])  # fmt: skip

    def _score(self, pixels: Pixels) -> tuple[float, float]:
        view = View(LoadedImage.from_array(np.ascontiguousarray(pixels)))
        started = time.process_time()
        fields = self.metric.score_view(view)
        self.whole += time.process_time() - started
        tiles = view.tiles.with_corner(LEARNED_TILES)
        started = time.process_time()
        network_traces(tiles, READ_TILES)
        self.traces += time.process_time() - started
        self.count += 1
        return float(fields["quality"]), float(fields["learned"])  # type: ignore[arg-type]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--outputs", type=Path, required=True)
    parser.add_argument("--networks", type=Path, help="folder of upscaling networks, as the recipe takes it")
    parser.add_argument("--pairs", type=int, help="score only so many, spread over all")
    parser.add_argument("--split", choices=("train", "val", "test"), default="test")
    given = parser.parse_args()
    if given.networks:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        make_outputs(given.outputs, given.networks, given.data, A_FAMILY, device)
    outputs = [each for each in read_outputs(given.outputs) if each.split == given.split and each.scale > 1]
    outputs = outputs[:: max(1, len(outputs) // (given.pairs or len(outputs)))]
    photographs = read_photos(given.data, given.split)
    scored = Scorer()
    enlarged = scored(each.pixels for each in outputs)
    others = scored(other_of(each, given.data, number) for number, each in enumerate(outputs))
    whole = scored(each.pixels() for each in photographs)
    print(f"{len(outputs)} pictures by {len({each.name for each in outputs})} networks and as many others of their scenes; "
          f"{len(photographs)} photographs\n")  # fmt: skip
    heads = [f"{name}: {rule}" for name in ("enlarged", "others", "photographs")
             for rule in ("`learned` >= 0.5", "`quality` < 95")]  # fmt: skip
    print(f"| condition | AUC, enlarged and others | {' | '.join(heads)} |")
    print("|" + "---|" * (2 + len(heads)))
    for place, condition in enumerate(CONDITIONS):
        cells = [f"{auc(enlarged[:, place, 1], others[:, place, 1]):.3f}"]
        for found in (enlarged, others, whole):
            cells += [f"{np.mean(found[:, place, 1] >= 0.5):.1%}", f"{np.mean(found[:, place, 0] < 95):.1%}"]
        print(f"| {condition} | {' | '.join(cells)} |")
    spent, traces = 1e3 * scored.whole / scored.count, 1e3 * scored.traces / scored.count
    print(f"\nprocessor time a picture: {spent:.1f} ms, of which traces {traces:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
