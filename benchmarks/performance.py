"""Measure again what `docs/performance.md` reports, and write its tables, all in one run on a quiet machine.

    python benchmarks/performance.py --data photos/ --write docs/performance.md

Throughput against decode-only and the network of the reference's shape, one worker and more; all metrics in one pass
against each alone; processor time by stage. About six minutes on two cores. Ends with status 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def run(script: str, *arguments: str) -> tuple[str, bool]:
    """What a benchmark prints, and whether it reached its bars."""
    done = subprocess.run(
        [sys.executable, str(HERE / script), *arguments], stdout=subprocess.PIPE, text=True, check=False
    )
    print(done.stdout, flush=True)
    return done.stdout.strip(), done.returncode == 0


def machine() -> str:
    """Processor and the versions that matter for speed."""
    import PIL
    import torch

    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU"
    return f"{model}, {gpu}; Python {platform.python_version()}, Pillow {PIL.__version__}, torch {torch.__version__}"


def main(arguments: list[str] | None = None) -> int:
    """Run all parts; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of photographs")
    parser.add_argument("--write", type=Path, help="the page whose tables are replaced")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    data = ("--data", given.data)
    throughput, first = run("throughput.py", *data, "--rounds", str(given.rounds))
    one_pass, second = run("store.py", "pass", *data)
    stages = [(size, run("profile_stages.py", *data, "--size", size)[0]) for size in ("12mp", "1080p")]
    parts = [machine(), "### Throughput", throughput, "### All metrics in one pass", one_pass]
    for size, table in stages:
        parts += [f"### Processor time by stage, {size}", table]
    if given.write:
        page = given.write.read_text()
        before, after = page.index(BEGIN) + len(BEGIN), page.index(END)
        given.write.write_text(page[:before] + "\n" + "\n\n".join(parts) + "\n\n" + page[after:])
    return 0 if first and second else 1


if __name__ == "__main__":
    sys.exit(main())
