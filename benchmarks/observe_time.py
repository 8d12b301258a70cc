"""Processor time of single metrics beside decoding, on pictures of one megapixel.

    OPENBLAS_NUM_THREADS=1 python benchmarks/observe_time.py --data photos/ --metrics jpeg_qf jpeg_quality

Prints the median milliseconds of processor time that a metric takes to reduce and score a decoded picture of 1024x1024 pixels
(mosaics of the photographs, saved as JPEG), which depends less on what else runs than the wall clock does.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from mosaics import make_folder, photo_tiles

from cliqa.images.loading import load_image
from cliqa.metrics import View, load_metric

SIZE = (1024, 1024)
PICTURES = 12


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of photographs")
    parser.add_argument("--metrics", nargs="+", default=["jpeg_qf", "jpeg_quality"])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)

    metrics = [load_metric(name) for name in given.metrics]
    times: dict[str, list[float]] = {"decoding": [], **{metric.name: [] for metric in metrics}}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "pictures"
        make_folder(photo_tiles(given.data), SIZE, PICTURES, folder)
        for round_number in range(given.rounds + 1):  # the first one fills tables, and doesn't count
            for path in sorted(folder.iterdir()):
                start = time.process_time()
                image = load_image(path)
                spent = {"decoding": time.process_time() - start}
                for metric in metrics:
                    view = View(image)
                    start = time.process_time()
                    metric.score_view(view)
                    spent[metric.name] = time.process_time() - start
                if round_number:
                    for name, seconds in spent.items():
                        times[name].append(1000 * seconds)
    for name, found in times.items():
        print(f"{name}: median {statistics.median(found):.1f} ms, longest {max(found):.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
