"""Groups of copies, as different tools find them, and what is right of them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from copies import FOUND

Groups = Sequence[Sequence[str]]


def our_groups(folder: Path) -> Groups:
    """What `cliqa duplicates` finds."""
    from cliqa.duplicates.grouping import COPIES, find_groups
    from cliqa.duplicates.pictures import read_pictures
    from cliqa.results.store import Store

    with tempfile.TemporaryDirectory() as place:
        store = f"{place}/s.db"
        words = ["-i", str(folder), "-g", "-1", "--results", store, "--metrics", "fingerprint", "--quiet"]
        subprocess.run([sys.executable, "-m", "cliqa.score", *words], check=True)
        with Store(store) as opened:
            pictures, prints = read_pictures(opened)
    groups = [group for group in find_groups(pictures, prints) if group.kind in COPIES]
    return [[Path(pictures[index].path).name for index in group.members] for group in groups]


def near(paths: Sequence[Path], hashes: NDArray[Any], bits: int) -> Groups:
    """Groups of all whose hashes are as near as that, one joined to the next."""
    far = (hashes[:, None] != hashes[None]).sum(2)
    group = np.arange(len(paths))
    for one, two in np.argwhere(np.triu(far <= bits, 1)):
        group[group == group[two]] = group[one]
    return [[paths[int(index)].name for index in np.flatnonzero(group == which)] for which in np.unique(group)]


def found_copies(groups: Groups, count: int) -> tuple[list[float], int]:
    """Of each kind of copy the share in the group of its original, and how many pictures are in another one's group."""
    group_of = {name: number for number, names in enumerate(groups) for name in names}
    wrong = 0
    for names in groups:
        owners = Counter(name.split("-")[0] for name in names)
        wrong += len(names) - owners.most_common(1)[0][1]
    by_kind: list[list[bool]] = [[] for _ in FOUND]
    for number in range(count):
        own = group_of.get(f"{number:04d}-original.png")
        there = {name.split(".")[0] for name, group in group_of.items() if group == own and own is not None}
        for place, hits in enumerate(by_kind):
            hits.append(f"{number:04d}-{place}" in there)
    return [100 * float(np.mean(hits)) for hits in by_kind], wrong
