"""The path of one image through the code: which functions of cliqa call into another file of it, once a run is under way.

    python benchmarks/moves.py            # one more JPEG through filter_low_quality_jpeg, its worker and the main process
    python benchmarks/moves.py --list

A move is a pair of functions in different files of which one calls the other (or goes on with its generator) while one more image
is processed; a pair counts once, however often it is called. Every image is kept and copied. What happens once a run, such as
opening results, is left out: the counts are of the fourth of six equal images, in the worker from one `observe_file` to the next, in
the main process from one row to the next.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = str(ROOT / "cliqa") + os.sep
LOG, IMAGE, NOT_A_MOVE = "CLIQA_MOVES_LOG", 4, "-"
BEGINS = {"worker": ("pipeline/worker.py", "observe_file"), "main": ("cli/scoring_run.py", "take")}
Move = tuple[str, str]


def trace(log: str) -> None:
    """Append every call from one file of cliqa into another to a file, one line each, from here to the end of the process."""
    target = os.open(f"{log}.{os.getpid()}", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def seen(frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or not frame.f_code.co_filename.startswith(PACKAGE):
            return
        caller = frame.f_back
        while caller is not None and not caller.f_code.co_filename.startswith(PACKAGE):
            caller = caller.f_back
        names = [":".join(_place(one)) if one is not None else "" for one in (caller, frame)]
        if caller is None or "<module>" in (frame.f_code.co_name, caller.f_code.co_name) or _same_file(caller, frame):
            if _place(frame) not in BEGINS.values():
                return
            names[0] = NOT_A_MOVE
        os.write(target, f"{' '.join(names)}\n".encode())

    sys.setprofile(seen)


def _same_file(one: FrameType, other: FrameType) -> bool:
    return one.f_code.co_filename == other.f_code.co_filename


def _place(frame: FrameType) -> tuple[str, str]:
    return frame.f_code.co_filename[len(PACKAGE) :], frame.f_code.co_name


def moves_of_one_image(image: Path) -> dict[str, list[Move]]:
    """The calls between files for one more image, by process, in the order in which they happen."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for number in range(6):
            shutil.copy(image, folder / "in" / f"{number}{image.suffix}")
        # Every Python process that starts with this folder on its path, the decode worker too, is traced.
        (folder / "sitecustomize.py").write_text("import moves, os\nmoves.trace(os.environ[moves.LOG])\n")
        environment = os.environ | {
            LOG: str(folder / "log"),
            "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "benchmarks"), str(ROOT)]),
        }
        command = [
            sys.executable,
            "-m",
            "cliqa.filter_low_quality_jpeg",
            "-i",
            str(folder / "in"),
            "-o",
            str(folder / "out"),
        ]
        command += ["--quality", "0", "--results", str(folder / "r.csv"), "--workers", "1", "--gpu", "-1", "--quiet"]
        subprocess.run(command, env=environment, check=True, cwd=folder)
        found: dict[str, list[Move]] = {}
        for log in folder.glob("log.*"):
            lines = [tuple(line.split(" ")) for line in log.read_text().splitlines()]
            for process, begin in BEGINS.items():
                starts = [index for index, (_, callee) in enumerate(lines) if callee == ":".join(begin)]
                if len(starts) > IMAGE:
                    within = lines[starts[IMAGE - 1] : starts[IMAGE]]
                    found[process] = [(caller, callee) for caller, callee in within if caller != NOT_A_MOVE]
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=Path, default=ROOT / "examples" / "photos" / "otters.jpg")
    parser.add_argument("--list", action="store_true", help="name every move")
    given = parser.parse_args()
    found = moves_of_one_image(given.image)
    every = {move for moves in found.values() for move in moves}
    files = {place.split(":")[0] for move in every for place in move}
    pairs = {tuple(place.split(":")[0] for place in move) for move in every}
    calls = sum(map(len, found.values()))
    print(f"{len(every)} moves between {len(files)} files ({len(pairs)} pairs of files), in {calls} calls")
    rooms = Counter(callee.split(":")[0].split("/")[0] for _, callee in every)
    print("by the room that is called: " + ", ".join(f"{room} {count}" for room, count in rooms.most_common()))
    for process, moves in found.items() if given.list else ():
        print(f"\n{process}")
        for caller, callee in dict.fromkeys(moves):
            print(f"  {caller} -> {callee} ({moves.count((caller, callee))})")


if __name__ == "__main__":
    main()
