"""Compile the routines: `python -m cliqa.compiled.build`. An installation does it by itself where it finds a C compiler.

Only the standard library is needed, so that a build of the package can run this file before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
LIBRARY = FOLDER / "routines.so"
# No fused multiply-add and no reordering of sums, so that every processor gives the same numbers; sums that may be split say so.
FLAGS = (
    "-std=gnu11",
    "-O3",
    "-fPIC",
    "-shared",
    "-fvisibility=hidden",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",  # nothing asks which operation was inexact; without it few comparisons are made many at once
    "-fopenmp-simd",
)
SECONDS = 600  # for a compiler that hangs; on a machine with seven jobs too many it has been seen to take 120


def sources() -> int:
    """What tells one state of the sources from another: 60 bits of a hash. A library says of which it was compiled."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.[ch]")):
        digest.update(path.read_bytes())
    return int(digest.hexdigest()[:15], 16)


def build() -> Path:
    """Compile `*.c` beside this file into `LIBRARY`, whole or not at all, with the compiler `$CC` or `cc`.

    Raises:
        OSError: there is no compiler, it fails or takes too long; the message says why.
    """
    compiler = shlex.split(os.environ.get("CC", "")) or ["cc"]
    if os.name != "posix" or shutil.which(compiler[0]) is None:
        raise OSError(f"no C compiler ({compiler[0]})")
    files = sorted(str(path) for path in FOLDER.glob("*.c"))
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix=".build") as folder:
        made = Path(folder, LIBRARY.name)
        command = [*compiler, *FLAGS, f"-DSOURCES={sources()}", *files, "-lm", "-o", str(made)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.CalledProcessError as error:
            raise OSError(f"{compiler[0]} failed: {error.stderr.strip()[-2000:]}") from None
        except subprocess.TimeoutExpired:
            raise OSError(f"{compiler[0]} took more than {SECONDS} s") from None
        made.replace(LIBRARY)
    return LIBRARY


if __name__ == "__main__":
    try:
        print(build())
    except OSError as error:
        sys.exit(f"the routines could not be compiled: {error}")
