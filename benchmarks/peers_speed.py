"""How quick other tools are beside cliqa: what `python benchmarks/peers.py --speed` measures."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from contenders import ReferenceShaped
from mosaics import SIZES, make_folder, photo_tiles
from peers import ALL, cleanvision_of, has, sigma_of
from throughput import decode, pipeline_rate

from cliqa.metrics import list_metrics, load_metric


def speed(data: str, images: int, rounds: int) -> list[str]:
    """Images a second of one process, all contenders in turns over one folder of 1080p JPEG files."""

    def each(work: Callable[[str], Any]) -> Callable[[Path, int], float]:
        def rate(folder: Path, count: int) -> float:
            paths = [str(path) for path in sorted(folder.iterdir())[:count]]
            start = time.perf_counter()
            for path in paths:
                work(path)
            return count / (time.perf_counter() - start)

        return rate

    def cleanvision(folder: Path, count: int) -> float:
        start = time.perf_counter()
        cleanvision_of(
            folder, {issue: {} for issue in ("blurry", "dark", "light", "low_information", "near_duplicates")}
        )
        return len(list(folder.iterdir())) / (time.perf_counter() - start)

    def cliqas(*names: str) -> Callable[[Path, int], float]:
        return pipeline_rate([load_metric(name) for name in names], 1)

    contenders: dict[str, Callable[[Path, int], float]] = {"decode-only, Pillow": each(decode)}
    if has("cleanvision"):
        contenders["cleanvision, five issues"] = cleanvision
    if has("skimage"):
        contenders["scikit-image `estimate_sigma`"] = each(lambda path: sigma_of(Path(path)))
    if has("identify"):
        contenders["ImageMagick `identify -verbose`"] = each(
            lambda path: subprocess.run(["identify", "-verbose", path], capture_output=True, check=True)
        )
    contenders |= {
        "a network of the reference's shape": pipeline_rate([ReferenceShaped({}, {})], 1),
        "cliqa, `jpeg_quality`": cliqas("jpeg_quality"),
        "cliqa, `jpeg_quality` `grain_noise` `scale_factor`": cliqas("jpeg_quality", "grain_noise", "scale_factor"),
        f"cliqa, {ALL}": cliqas(*list_metrics()),
    }
    found: dict[str, list[float]] = {name: [] for name in contenders}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "1080p"
        make_folder(photo_tiles(data), SIZES["1080p"], images, folder)
        for _ in range(rounds):
            for name, rate in contenders.items():
                found[name].append(rate(folder, images))
    return [
        f"**Speed: {images} JPEG files of 1080p, one process, median of {rounds} rounds**",
        "",
        "| tool | images/s |",
        "|---|---|",
        *(f"| {name} | {statistics.median(rates):.1f} |" for name, rates in found.items()),
    ]
