"""What earlier runs placed in an output folder: where a picture lies already, and what this run drops of it."""

from __future__ import annotations

import filecmp
import os
from collections import Counter

from cliqa.errors import PlacingError
from cliqa.outputs.names import is_candidate
from cliqa.outputs.placed import Entry, PlacedRecord
from cliqa.text import display

_NAMED = 20  # files that the summary names singly


class EarlierRuns:
    """What the record of a folder says of pictures that this run comes to.

    Args:
        record: of the output folder.
        way: how this run places files.
        sync: take away what earlier runs placed of pictures that this run drops.

    Attributes:
        record: see above.
        knew: whether the record told of earlier runs when this one began.
        touched: what this run has placed, or found there; below the output folder.
        told: what there is to say, once it is settled.
    """

    def __init__(self, record: PlacedRecord, way: str, sync: bool) -> None:
        self.record = record
        self.knew = len(record) > 0
        self.touched: set[str] = set()
        self.told: list[str] = []
        self._output = record.folder
        self._way = way
        self._sync = sync
        self._dropped: dict[str, None] = {}

    def where(self, picture: str, below: str, name: str) -> str | None:
        """Where a run has placed this very picture under such a name, as it is now; None where it is to be placed."""
        for entry in list(self.record.from_source(picture)):
            folder, found = os.path.split(entry.to)
            if folder != below or not is_candidate(found, name) or not self.lies(entry):
                continue
            if entry.to in self.touched or self.is_current(entry):
                return entry.to
            if self._sync and os.path.exists(entry.source):  # an older state of it, which this run would place again
                self._take_away(entry)
        return None

    def lies(self, entry: Entry) -> bool:
        """Whether a placed file lies there as it was placed.

        By size and time; where a run was killed before it could see what time the file system had kept, by the bytes of the source.
        """
        if self.record.lies(entry):
            return True
        return entry.way == "copy" and is_alike(entry.source, os.path.join(self._output, entry.to))

    def is_current(self, entry: Entry) -> bool:
        """Whether a placed file shows its source as it is now; of one that has gone it is the last state."""
        try:
            status = os.stat(entry.source)
        except OSError:
            return entry.way != "symlink"
        if entry.way == "symlink":
            return self._way != "move"
        if (status.st_size, status.st_mtime_ns) == (entry.size, entry.mtime_ns):
            return True
        target = os.path.join(self._output, entry.to)
        return is_alike(entry.source, target)

    def pass_over(self, picture: str, there: str | None = None) -> None:
        """What runs have placed of a picture, except where it lies by this run, is dropped."""
        for entry in self.record.with_picture(picture):
            along = there is not None and entry.source != picture
            if entry.to != there and not (along and os.path.dirname(entry.to) == os.path.dirname(there or "")):
                self._dropped[entry.to] = None

    def settle(self) -> None:
        """Take away what this run dropped, where `sync` says so, and put what there is to tell into words."""
        told: Counter[str] = Counter()
        named: list[str] = []
        for to in (to for to in self._dropped if to not in self.touched):
            entry, target = self.record.at(to), os.path.join(self._output, to)
            if entry is None or not os.path.lexists(target):
                continue
            if entry.way == "move":
                told["moved here, so not taken away"] += 1
            elif not self.lies(entry):
                told["changed since it was placed, so left"] += 1
            elif not self._sync:
                named.append(target)
            else:
                told["taken away" if self._take_away(entry) else "no copy of its original any more, so left"] += 1
        self.told += [f"placed by an earlier run, dropped by this one: {name}" for name in named[:_NAMED]]
        if len(named) > _NAMED:
            self.told.append(f"and {len(named) - _NAMED} more")
        if named:
            self.told.append("--sync takes away what an earlier run placed and this one drops")
        self.told += [
            f"of what an earlier run placed and this one drops: {count} {words}" for words, count in told.items()
        ]

    def _take_away(self, entry: Entry) -> bool:
        """Remove a file that lies as it was placed; False where it may be the last of its content, and stays."""
        target = os.path.join(self._output, entry.to)
        if entry.way == "copy":
            try:
                status = os.stat(entry.source)
            except OSError:
                return False
            unchanged = (status.st_size, status.st_mtime_ns) == (entry.size, entry.mtime_ns)
            if unchanged and not is_alike(entry.source, target):
                return False
        try:
            os.unlink(target)
        except OSError as error:
            raise PlacingError(f"{display(target)} can't be taken away: {error.strerror or error}") from error
        self.record.forget(entry.to)
        folder = os.path.dirname(entry.to)
        while folder:  # no folder stays empty
            try:
                os.rmdir(os.path.join(self._output, folder))
            except OSError:
                break
            folder = os.path.dirname(folder)
        return True


def is_alike(real: str, target: str) -> bool:
    """Whether the target is a file of the same bytes."""
    if os.path.islink(target) or not os.path.isfile(target):
        return False
    try:
        return os.path.getsize(real) == os.path.getsize(target) and filecmp.cmp(real, target, shallow=False)
    except OSError:
        return False
