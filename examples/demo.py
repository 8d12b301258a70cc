"""Filter the example photographs by JPEG quality and print what was kept and why."""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path

from cliqa.filter_low_quality_jpeg import main as filter_low_quality_jpeg

HERE = Path(__file__).parent
THRESHOLD = 90


def histories() -> dict[str, str]:
    """What CREDITS.md says of each file's past."""
    found = {}
    for line in (HERE / "CREDITS.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0].startswith("`"):
            found[cells[0].strip("`")] = cells[2]
    return found


def why(quality: float, header: str) -> str:
    """The reason in words."""
    if quality >= THRESHOLD:
        return "no JPEG trace" if quality >= 97 and not header else f"saved at about {quality:.0f}"
    if header and int(header) - quality > 5:
        return f"its header says {header}, its pixels {quality:.0f}"
    return f"pixels show quality {quality:.0f}" + ("" if header else ", whatever the format is now")


def main() -> int:
    """Run the filter and print the table."""
    out = Path(tempfile.mkdtemp(prefix="cliqa-demo-"))
    scores = out / "scores.csv"
    status = filter_low_quality_jpeg(
        ["-i", str(HERE / "photos"), "-o", str(out / "kept"), "--results", str(scores), "--quality", str(THRESHOLD)]
    )
    if status != 0:
        return status
    past = histories()
    with open(scores, newline="", encoding="utf-8") as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: -float(row["jpeg_quality.quality"]))
    print(f"\n{'':5} {'file':24} {'quality':>7}  {'chroma':6}  {'why':46}  what was done to it")
    for row in rows:
        quality = float(row["jpeg_quality.quality"])
        chroma = "4:2:0" if float(row["jpeg_quality.subsampling_420"]) > 0.5 else "4:4:4"
        mark = "keep" if row["kept"] == "1" else "drop"
        reason = why(quality, row["jpeg_quality.qf_header"])
        print(f"{mark:5} {row['filename']:24} {quality:7.1f}  {chroma:6}  {reason:46}  {past.get(row['filename'], '')}")
    print(f"\nThe kept files are in {out / 'kept'}, all scores in {scores}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
