"""The reliability suite in full: `python -m tests.reliability.soak` (`make soak`) writes the figures of docs/reliability.md.

--files 10000      mutated files for each format
--faults 700       injected faults, and with --kills 400 kills of the main process
--real 30          runs of a shipped filter that are killed, and as many whose workers are
--races 300        races of two runs
--damaged 2000     mutated results files, and a quarter as many weights files
--only NAME        parts of it: decoders, faults, kills, real, races, damaged
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.reliability import mutated_results, races, real_runs
from tests.reliability.campaign import Campaign, Tally
from tests.reliability.fuzzing import fuzz
from tests.reliability.seeds import FORMATS

FIGURES = Path(__file__).parent.parent.parent / "docs" / "reliability_figures.json"
PAGE = FIGURES.with_name("reliability.md")


def main() -> int:
    """Run what was asked for; returns 1 where a promise did not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, count in (
        ("files", 10_000),
        ("faults", 700),
        ("kills", 400),
        ("real", 30),
        ("races", 300),
        ("damaged", 2000),
    ):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", default=["decoders", "faults", "kills", "real", "races", "damaged"])
    parser.add_argument("--formats", nargs="+", default=FORMATS)
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    failed = False
    with tempfile.TemporaryDirectory() as name:
        for part, run in _parts(options, Path(name)):
            started, before = time.monotonic(), _processor_seconds()
            found = run()
            found["processor_seconds"] = round(_processor_seconds() - before)
            found["seconds"] = round(time.monotonic() - started)
            failed |= bool(found["findings"])
            figures = (
                json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
            )  # another process may write other parts
            figures[part] = found
            FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
            print(part, json.dumps({key: value for key, value in found.items() if key != "messages"}), flush=True)
    write_page(figures)
    return int(failed)


def _parts(options: argparse.Namespace, folder: Path) -> list[tuple[str, Callable[[], dict[str, Any]]]]:
    parts: list[tuple[str, Callable[[], dict[str, Any]]]] = []
    wanted = set(options.only)
    if "decoders" in wanted:
        parts += [(f"decoder {name}", lambda name=name: _decoder(name, options, folder)) for name in options.formats]
    if "faults" in wanted:
        parts.append(("faults", lambda: _campaign(folder, options.seed, options.faults, 0)))
    if "kills" in wanted:
        parts.append(("kills", lambda: _campaign(folder, options.seed + 1, 0, options.kills)))
    if "real" in wanted:
        for kind in ("main", "workers"):
            parts.append(
                (f"real {kind}", lambda kind=kind: _told(real_runs.disturb(folder, options.real, kind, options.seed)))
            )
    if "races" in wanted:
        parts.append(("races", lambda: _told(races.race(folder, options.races, options.seed))))
    if "damaged" in wanted:
        parts.append(
            ("damaged results", lambda: _told(mutated_results.mutate_results(folder, options.damaged, options.seed)))
        )
        parts.append(
            (
                "damaged weights",
                lambda: _told(mutated_results.mutate_weights(folder, options.damaged // 4, options.seed)),
            )
        )
    return parts


def _decoder(name: str, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    outcome = fuzz(name, options.files, folder, workers=1, seed=options.seed)
    findings = list(outcome.unexpected)
    if outcome.records + outcome.issues != outcome.files:
        findings.append(f"{outcome.records} records and {outcome.issues} issues of {outcome.files} files")
    if outcome.mebibytes > 1024:
        findings.append(f"{outcome.mebibytes:.0f} MiB")
    return {
        "files": outcome.files, "records": outcome.records, "issues": outcome.issues, "deaths": outcome.deaths,
        "given_up": outcome.messages["its decoding took too much processor time"], "slowest_seconds": round(outcome.seconds, 1),
        "slowest": outcome.slowest, "processor_limit_seconds": 10, "peak_mebibytes": round(outcome.mebibytes),
        "findings": findings, "messages": dict(outcome.messages.most_common(12)),
    }  # fmt: skip


def _campaign(folder: Path, seed: int, faults: int, kills: int) -> dict[str, Any]:
    campaign = Campaign(folder, seed)
    if faults:
        campaign.faults(faults)
    if kills:
        campaign.kills(kills)
    return _told(campaign.tally)


def _told(tally: Tally) -> dict[str, Any]:
    return {
        "injected": tally.count, "by_kind": dict(Counter(tally.injected).most_common()), "ended": dict(tally.statuses.most_common()),
        **({"by_command": dict(sorted(tally.commands.items()))} if tally.commands else {}), "findings": tally.findings,
    }  # fmt: skip


def _processor_seconds() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def write_page(figures: dict[str, Any]) -> None:
    """Put the figures between the marks of docs/reliability.md."""
    lines = [
        "| format | files | records | issues | given up for time | dead workers | slowest file (processor) | peak memory |"
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    for name, found in figures.items():
        if name.startswith("decoder "):
            lines.append(
                f"| {name[8:]} | {found['files']:,} | {found['records']:,} | {found['issues']:,} | {found['given_up']} | "
                f"{found['deaths']} | {found['slowest_seconds']} s | {found['peak_mebibytes']} MiB |"
            )
    lines += ["", "| disturbance | injected | how the runs ended | promises broken |", "|---|---|---|---|"]
    for name, found in figures.items():
        if not name.startswith("decoder "):
            kinds = ", ".join(f"{kind} {count}" for kind, count in found["by_kind"].items())
            ended = ", ".join(f"{kind}: {count}" for kind, count in found["ended"].items()) or "as they should"
            lines.append(f"| {name} | {found['injected']:,} ({kinds}) | {ended} | {len(found['findings'])} |")
    commands: Counter[str] = Counter()
    for found in figures.values():
        commands.update(found.get("by_command", {}))
    if commands:
        told = ", ".join(f"`{name}` {count}" for name, count in sorted(commands.items()))
        lines += ["", f"The kills and faults by command: {told}."]
    total = sum(found["processor_seconds"] for found in figures.values())
    lines += ["", f"Processor time of all of it: {total / 60:.0f} minutes."]
    if PAGE.exists():
        head, _, rest = PAGE.read_text().partition("<!-- figures -->")
        tail = rest.partition("<!-- end of figures -->")[2]
        PAGE.write_text(f"{head}<!-- figures -->\n" + "\n".join(lines) + f"\n<!-- end of figures -->{tail}")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
