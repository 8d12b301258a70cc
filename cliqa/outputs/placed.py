"""What runs have placed in an output folder, from where: what lies there already, and what this run drops of it.

One line of JSON for each file in a hidden file of the folder, written before the file is placed. A line counts only while the
file lies there as it was placed, so a run that is killed in between, or a person who changes the file, is found out by looking.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections import Counter
from dataclasses import asdict, dataclass
from typing import IO

from cliqa.errors import PlacingError
from cliqa.outputs.moving import is_alike, is_half_moved
from cliqa.outputs.names import is_candidate
from cliqa.outputs.preparing import remove_empty
from cliqa.records import Source, State
from cliqa.text import display, reason

RECORD = ".cliqa-placed.jsonl"
WAYS = ("copy", "symlink", "hardlink", "move", "written")
_NAMED = 20  # files that the summary names singly; chosen by hand: a screen holds them


@dataclass(frozen=True)
class Entry:
    """One placed file.

    Attributes:
        to: where it lies below the output folder.
        source: the real path of the file that it was made from; "" of a sidecar that had none.
        picture: the real path of the picture that it went along with; its own source where it is the picture.
        way: copy, symlink, hardlink or move; written for a sidecar, with our marks in it.
        size, mtime_ns: the source's, and the placed file's too, unless `placed_size` and `placed_ns` say otherwise.
        placed_ns: time of change of the placed file where the file system could not keep the source's.
        placed_size: bytes of the placed file where it holds more than its source.
    """

    to: str
    source: str
    picture: str
    way: str
    size: int
    mtime_ns: int
    placed_ns: int | None = None
    placed_size: int | None = None


class PlacedRecord:
    """What runs have placed in a folder. Paths given and returned are those below it.

    Raises:
        PlacingError: the record can't be read or written, or is a link.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.path = os.path.join(folder, RECORD)
        self._entries: dict[str, Entry] = {}
        self._by_source: dict[str, set[str]] = {}
        self._by_picture: dict[str, set[str]] = {}
        self._stream: IO[bytes] | None = None
        self._torn = self._made = False
        self._load()

    def __len__(self) -> int:
        return len(self._entries)

    def from_source(self, source: str) -> list[Entry]:
        """What was placed from a file, whether or not it still lies there."""
        return self._found(self._by_source.get(source, set()))

    def with_picture(self, picture: str) -> list[Entry]:
        """What was placed of a picture: itself, and what went along."""
        return self._found(self._by_picture.get(picture, set()))

    def at(self, to: str) -> Entry | None:
        """What was placed under a name."""
        return self._entries.get(to)

    def lies(self, entry: Entry) -> bool:
        """Whether the file lies there as it was placed: the same link, or of the same size and time of change.

        Where a run was killed before it could see what time the file system had kept, or before its marks were in a sidecar, the
        bytes of the source tell. Beyond a link that leads out of the folder nothing is ours.
        """
        path = os.path.join(self.folder, entry.to)
        root, lies_in = os.path.realpath(self.folder), os.path.realpath(os.path.dirname(path))
        if lies_in != root and not lies_in.startswith(os.path.join(root, "")):
            return False
        try:
            status = os.lstat(path)
            if entry.way == "symlink":
                return stat.S_ISLNK(status.st_mode) and os.readlink(path) == entry.source
            if not stat.S_ISREG(status.st_mode):
                return False
            if entry.way == "hardlink" and os.path.lexists(entry.source) and os.path.samefile(path, entry.source):
                return True
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:  # taken for absent, the picture would be placed twice
            raise PlacingError(f"{display(path)} can't be looked at: {reason(error)}") from error
        time = entry.mtime_ns if entry.placed_ns is None else entry.placed_ns
        size = entry.size if entry.placed_size is None else entry.placed_size
        return (status.st_size, status.st_mtime_ns) == (size, time) or (
            entry.way in ("copy", "written") and is_alike(entry.source, path)
        )

    def add(self, entry: Entry) -> None:
        """Record a file that is about to be placed."""
        if self._entries.get(entry.to) != entry:
            self._write(asdict(entry))
            self._enter(entry)

    def forget(self, to: str) -> None:
        """The file was not placed after all, or was taken away."""
        if to in self._entries:
            self._write({"to": to})
            self._drop(to)

    def close(self) -> None:
        """Nothing more is written."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(OSError):  # what a full disk did not take is tried once more
                stream.close()

    def remove_empty(self) -> None:
        """Remove the record's file where nothing is recorded, once it is closed."""
        if not self._entries and self._made:
            with contextlib.suppress(OSError):
                os.unlink(self.path)

    def _found(self, names: set[str]) -> list[Entry]:
        return [self._entries[to] for to in sorted(names, key=os.fsencode)]

    def _enter(self, entry: Entry) -> None:
        self._drop(entry.to)
        self._entries[entry.to] = entry
        self._by_source.setdefault(entry.source, set()).add(entry.to)
        self._by_picture.setdefault(entry.picture, set()).add(entry.to)

    def _drop(self, to: str) -> None:
        entry = self._entries.pop(to, None)
        if entry is not None:
            self._by_source[entry.source].discard(to)
            self._by_picture[entry.picture].discard(to)

    def _load(self) -> None:
        if os.path.islink(self.path):
            raise PlacingError(f"{display(self.path)} is a link and no record of ours")
        try:
            with open(self.path, "rb") as stream:
                line = b"\n"
                for line in stream:
                    self._read(line)
                self._torn = not line.endswith(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            raise PlacingError(f"{display(self.path)} can't be read: {reason(error)}") from error

    def _read(self, line: bytes) -> None:
        """One line; what a killed run left half written, or somebody has changed, says nothing."""
        try:
            row = json.loads(line)
            to = str(row["to"])
            if "source" not in row:
                self._drop(to)
                return
            source, picture, way = (str(row[name]) for name in ("source", "picture", "way"))
            placed = (None if row.get(name) is None else int(row[name]) for name in ("placed_ns", "placed_size"))
            entry = Entry(to, source, picture, way, int(row["size"]), int(row["mtime_ns"]), *placed)
        except (ValueError, TypeError, KeyError):
            return
        inside = not os.path.isabs(to) and os.pardir not in to.split(os.sep) and "\0" not in to
        if inside and entry.way in WAYS:
            self._enter(entry)

    def _write(self, row: dict[str, object]) -> None:
        try:
            if self._stream is None:
                self._made = not os.path.exists(self.path)
                self._stream = open(self.path, "ab")  # noqa: SIM115 - open while the run lasts
            line = json.dumps(row).encode("ascii") + b"\n"
            self._stream.write(b"\n" + line if self._torn else line)
            self._torn = True
            self._stream.flush()
            self._torn = False
        except OSError as error:
            self.close()
            raise PlacingError(f"{display(self.path)} can't be written: {reason(error)}") from error


class EarlierRuns:
    """What the record of a folder says of pictures that this run comes to.

    Args:
        record: of the output folder.
        way: how this run places files.
        resume: a file that lies there as this run would place it is taken for placed by an earlier one, without a record too.
        sync: take away what earlier runs placed of pictures that this run drops.

    Attributes:
        knew: whether the record told of earlier runs when this one began.
        touched: what this run has placed, or found there; below the output folder.
        told: what there is to say, once it is settled.
    """

    def __init__(self, record: PlacedRecord, way: str, resume: bool, sync: bool) -> None:
        self.record = record
        self.knew = len(record) > 0
        self.touched: set[str] = set()
        self.told: list[str] = []
        self._output, self._way = record.folder, way
        self._resume, self._sync = resume, sync
        self._dropped: dict[str, None] = {}

    def where(self, picture: str, below: str, name: str) -> str | None:
        """Where a run has placed this very picture under such a name, as it is now; None where it is to be placed."""
        for entry in self.record.from_source(picture):
            folder, found = os.path.split(entry.to)
            if folder != below or not is_candidate(found, name) or not self.record.lies(entry):
                continue
            if entry.to in self.touched or self._is_current(entry):
                return entry.to
            if self._sync and os.path.exists(entry.source):  # an older state of it, which this run would place again
                self._take_away(entry)
        return None

    def _is_current(self, entry: Entry) -> bool:
        """Whether a placed file shows its source as it is now; of one that has gone it is the last state."""
        state = Source(entry.source).state()
        if entry.way == "symlink":
            return state is not None and self._way != "move"
        known = state in (None, State(entry.size, entry.mtime_ns))
        return known or is_alike(entry.source, os.path.join(self._output, entry.to))

    def is_ours(self, real: str, to: str) -> bool:
        """Whether what lies at `to` is this file, placed by a run: by the record or, with `resume`, by what it is."""
        target = os.path.join(self._output, to)
        entry = self.record.at(to)
        if entry is not None and entry.source == real and self.record.lies(entry):
            return self._is_current(entry) and (self._way != "move" or is_half_moved(real, target))
        if not self._resume:
            return False
        if self._way == "symlink":
            return os.path.islink(target) and os.path.realpath(target) == real
        return is_half_moved(real, target) if self._way == "move" else is_alike(real, target)

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
            elif not self.record.lies(entry):
                told["changed since it was placed, so left"] += 1
            elif not self._sync:
                named.append(target)
            else:
                told["taken away" if self._take_away(entry) else "no copy of its original any more, so left"] += 1
        self.told += [f"placed by an earlier run, dropped by this one: {name}" for name in named[:_NAMED]]
        self.told += [f"and {len(named) - _NAMED} more"] if len(named) > _NAMED else []
        self.told += ["--sync takes away what an earlier run placed and this one drops"] if named else []
        self.told += [
            f"of what an earlier run placed and this one drops: {count} {words}" for words, count in told.items()
        ]

    def _take_away(self, entry: Entry) -> bool:
        """Remove a file that lies as it was placed; False where it may be the last of its content, and stays."""
        target = os.path.join(self._output, entry.to)
        if entry.way == "copy" or (entry.way == "written" and entry.source):
            state = Source(entry.source).state()
            unchanged = state == State(entry.size, entry.mtime_ns)
            if state is None or (entry.way == "copy" and unchanged and not is_alike(entry.source, target)):
                return False
        try:
            os.unlink(target)
        except OSError as error:
            raise PlacingError(f"{display(target)} can't be taken away: {reason(error)}") from error
        self.record.forget(entry.to)
        remove_empty(os.path.dirname(target), self._output)
        return True
