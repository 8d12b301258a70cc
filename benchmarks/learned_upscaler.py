"""What `scale_factor` makes of pictures that networks enlarged, and of others of the same scenes, with the shipped weights.

    python benchmarks/learned_upscaler.py --data photos/ --outputs runs/learned/outputs

`outputs` is the folder that the recipe filled (`python -m cliqa.training.train learned`, which also writes the table of the
families left out, `runs/learned/learned.md`). Those of the test photographs are scored whole, as files are, each beside a picture
of the same scene, size and save that no network enlarged. Prints the share that each of the filter's two rules drops, the area
under the curve of `learned`, and the processor time of `learned` and of the rest.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliqa.images.loading import LoadedImage
from cliqa.metrics import View, load_metric
from cliqa.metrics.scale_factor import LEARNED_TILES
from cliqa.signal.resampling.network_traces import network_traces
from cliqa.training.learned.histories import CONDITIONS, OTHERWISE, make_scene, under
from cliqa.training.learned.outputs import Output, read_outputs
from cliqa.training.learned.table import auc

Pixels = NDArray[np.uint8]


def other_of(output: Output, data: Path, number: int) -> Pixels:
    """A picture of the output's scene that no network enlarged; a denoiser's are left to the recipe's table."""
    how = OTHERWISE[number % 3]
    rng = np.random.default_rng(output.seed)
    return make_scene(rng, str(data), output.split, len(output.pixels), output.scale, 1, how).others[0][0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--outputs", type=Path, required=True)
    parser.add_argument("--split", choices=("train", "val", "test"), default="test")
    given = parser.parse_args()
    metric = load_metric("scale_factor")
    outputs = [each for each in read_outputs(given.outputs) if each.split == given.split and each.scale > 1]
    spent = {"all of it": 0.0, "learned": 0.0}
    found = np.zeros((2, len(outputs), len(CONDITIONS), 2))  # enlarged or not, picture, condition, (quality, learned)
    for number, output in enumerate(outputs):
        for row, pixels in enumerate((output.pixels, other_of(output, given.data, number))):
            for place, condition in enumerate(CONDITIONS):
                rng = np.random.default_rng([number, place])
                view = View(LoadedImage.from_array(np.ascontiguousarray(under(condition, rng, pixels))))
                started = time.process_time()
                fields = metric.score_view(view)
                spent["all of it"] += time.process_time() - started
                found[row, number, place] = fields["quality"], fields["learned"]
                tiles = view.tiles.most_detailed(LEARNED_TILES)
                started = time.process_time()
                network_traces(tiles)
                spent["learned"] += time.process_time() - started
    print(f"{len(outputs)} pictures by {len({each.name for each in outputs})} networks, and as many others\n")
    print(
        "| condition | AUC of `learned` | enlarged: `learned` >= 0.5 | `quality` < 95 | others: `learned` >= 0.5 | `quality` < 95 |"
    )
    print("|---|---|---|---|---|---|")
    for place, condition in enumerate(CONDITIONS):
        quality, learned = found[:, :, place, 0], found[:, :, place, 1]
        cells = [f"{auc(learned[0], learned[1]):.3f}"]
        for row in (0, 1):
            cells += [f"{np.mean(learned[row] >= 0.5):.1%}", f"{np.mean(quality[row] < 95):.1%}"]
        print(f"| {condition} | {' | '.join(cells)} |")
    count = found[..., 0].size
    whole, traces = (1e3 * spent[name] / count for name in ("all of it", "learned"))
    print(f"\nprocessor time a picture: {whole:.1f} ms, of which traces {traces:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
