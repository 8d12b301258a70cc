"""Score the example photographs by every metric, name the faults that the filters would drop, and say what to try next."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import cliqa
from cliqa.cli.faults import FAULTS

HERE = Path(__file__).parent


def histories() -> dict[str, str]:
    """What CREDITS.md says of each file's past."""
    told = {}
    for line in (HERE / "CREDITS.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0].startswith("`"):
            told[cells[0].strip("`")] = cells[2]
    return told


def main() -> int:
    """Score, print the table, print the next commands."""
    past = histories()
    paths = sorted(path for path in (HERE / "photos").iterdir() if path.suffix in (".jpg", ".png", ".webp"))
    print(f"Scoring {len(paths)} photographs by {', '.join(cliqa.list_metrics())} ...\n")
    print(
        f"{'file':24} {'JPEG':>4} {'noise':>5} {'scale':>5} {'blur':>4} {'looks':>5}  {'what was done to it':47} faults found"
    )
    for record in cliqa.score_images(paths):
        name = Path(record.path).name
        if isinstance(record, cliqa.Issue):
            print(f"{name:24} {record.message}")
            continue
        score = record.values
        numbers = (
            f"{score['jpeg_quality.quality']:4.0f} {score['grain_noise.psnr']:5.1f} {score['scale_factor.scale']:5.2f} "
            f"{score['sharpness.blur']:4.1f} {score['grepq.quality']:5.0f}"
        )
        faults = ", ".join(fault.words for fault in FAULTS if fault.words and fault.shown_by(score)) or "none"
        print(f"{name:24} {numbers}  {past.get(name, ''):47} {faults}")
    out = Path(tempfile.gettempdir()) / "cliqa-demo"
    command = Path(sys.executable).parent / "cliqa"
    print(
        "\nJPEG: lowest quality in the history. noise: dB, 50 is none. scale: times enlarged. blur: pixels. looks: 0-100, to people."
    )
    print("\nNext, look at them (or at a folder of yours), or keep what has no JPEG fault:")
    print(f"  {command} view {HERE / 'photos'}")
    print(f"  {command} filter_low_quality_jpeg -i {HERE / 'photos'} -o {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
