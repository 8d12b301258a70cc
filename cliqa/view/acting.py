"""Acting on files from the page: a preview, copies, links or moves into the one output folder, a journal, and a way back.

The output folder is named on the command line; the page can't name another. A journal in the state folder knows what was placed where
and what it was then, so that a file is never placed twice and an undo removes nothing that somebody has changed since.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cliqa.errors import CliqaError, ImageIssue, PlacingError
from cliqa.files.atomic import replacing
from cliqa.outputs.companions import Companions
from cliqa.outputs.folder import FolderPlacer
from cliqa.outputs.moving import Mover, undo
from cliqa.outputs.names import candidates, companion_place
from cliqa.outputs.preparing import remove_empty, remove_folders
from cliqa.outputs.ratings import sidecars
from cliqa.outputs.xmp import check_available, write_sidecar
from cliqa.records import Source
from cliqa.results.database import from_sql_text, to_sql_value
from cliqa.text import display, reason
from cliqa.view.table import FileTable

PLACING = {"copy": "copied", "link": "linked", "hardlink": "hard-linked", "move": "moved"}
_WAYS = {"copy": "copy", "link": "symlink", "hardlink": "hardlink", "move": "move"}  # as the placer calls them
LABELS = {"accept": "accepted", "reject": "rejected"}  # ways that write sidecars, and the pick label of each
SHOWN = 200  # files in a preview
# Numbers of acts are never given twice: the journal of an act's moves is called by it.
_TABLES = """
CREATE TABLE IF NOT EXISTS acts (id INTEGER PRIMARY KEY AUTOINCREMENT, way TEXT NOT NULL, time REAL NOT NULL);
CREATE TABLE IF NOT EXISTS act_files (
    id INTEGER PRIMARY KEY, act INTEGER NOT NULL, source NOT NULL, target NOT NULL, size INTEGER, mtime_ns INTEGER, before BLOB
);
CREATE INDEX IF NOT EXISTS act_files_source ON act_files (source);
"""


class Actor:
    """Acts on rows of a table. Every method may be called from any thread; one act at a time.

    Args:
        table: the files.
        output: the folder, absolute, into which files are placed.
        journal: a database of its own.
        sidecars: whether XMP sidecars may be written beside the pictures.
    """

    def __init__(self, table: FileTable, output: str, journal: str, sidecars: bool = False) -> None:
        self.table = table
        self.output = output
        self._journal = journal
        self._sidecars = sidecars
        self._lock = threading.Lock()

    def ways(self) -> list[str]:
        """What can be done."""
        return [*PLACING, *(LABELS if self._sidecars else ())]

    def preview(self, rows: Sequence[int], way: str, along: bool = False) -> dict[str, Any]:
        """What acting would do: how many files and bytes, and where the first ones would go; `along`: with their companions."""
        sources = [self.table.source(row) for row in rows]
        with self._open() as journal:
            undo = journal.execute("SELECT 1 FROM acts").fetchone() is not None
            if way in LABELS:
                pairs = [(source, f"{source.path}.xmp") for source in sources]
            else:
                pairs, there = self._targets(journal, sources, way)
                pairs = [*pairs, *(self._along(pairs) if along else ())]
        told = [[display(source.path), display(target)] for source, target in pairs[:SHOWN]]
        if way in LABELS:
            summary = f"{len(pairs)} sidecars would say {LABELS[way]}; what a person set in them stays."
        else:
            size = sum(state.size for source, _ in pairs if (state := source.state()) is not None)
            summary = f"{len(pairs)} files would be {PLACING[way]} into {display(self.output)}" + (
                f", {_bytes(size)}" if way == "copy" else ""
            )
            summary += f"; {there} lie there already." if there else "."
        if len(pairs) > SHOWN:
            summary += f" The first {SHOWN}:"
        return {"count": len(pairs), "summary": summary, "files": told, "undo": undo}

    def act(self, rows: Sequence[int], way: str, along: bool = False) -> dict[str, Any]:
        """Do it. A file that can't be placed is told, and the others go on."""
        sources = [self.table.source(row) for row in rows]
        with self._lock, self._open() as journal:
            act = journal.execute("INSERT INTO acts (way, time) VALUES (?, ?)", (way, time.time())).lastrowid or 0
            failed = list(
                self._label(journal, act, sources, way)
                if way in LABELS
                else self._place(journal, act, sources, way, along)
            )
            done = int(journal.execute("SELECT count(*) FROM act_files WHERE act = ?", (act,)).fetchone()[0])
            if not done:
                journal.execute("DELETE FROM acts WHERE id = ?", (act,))
        return {"done": done, "failed": failed[:20], "where": "" if way in LABELS else display(self.output)}

    def withdraw(self) -> dict[str, Any]:
        """Take the last act back: what was placed is removed where it is still what it was then, sidecars are as they were before."""
        with self._lock, self._open() as journal:
            act = journal.execute("SELECT id, way FROM acts ORDER BY id DESC LIMIT 1").fetchone()
            if act is None:
                return {"removed": 0, "left": 0}
            rows = journal.execute(
                "SELECT target, size, mtime_ns, before FROM act_files WHERE act = ? ORDER BY id DESC", (act[0],)
            ).fetchall()
            removed, folders = 0, set()
            if act[1] == "move":
                removed = undo(self._moves(act[0])).restored
                folders = {os.path.dirname(from_sql_text(target)) for target, *_ in rows}
            for target, size, mtime_ns, before in rows if act[1] != "move" else ():
                path = from_sql_text(target)
                if _state(path) != (size, mtime_ns) or not (act[1] in LABELS or self._is_inside(path)):
                    continue
                with contextlib.suppress(OSError):
                    if before is not None:
                        with replacing(path) as part:
                            Path(part).write_bytes(before)
                    else:
                        os.unlink(path)
                        folders.add(os.path.dirname(path))
                    removed += 1
            for folder in sorted(folders if act[1] in PLACING else (), key=len, reverse=True):
                remove_empty(folder, self.output)
                remove_folders([self.output])
            journal.execute("DELETE FROM act_files WHERE act = ?", (act[0],))
            journal.execute("DELETE FROM acts WHERE id = ?", (act[0],))
        return {"removed": removed, "left": len(rows) - removed}

    def _targets(
        self, journal: sqlite3.Connection, sources: Sequence[Source], way: str
    ) -> tuple[list[tuple[Source, str]], int]:
        """Where each file would go, and how many were placed already."""
        taken: set[str] = set()
        pairs = []
        there = 0
        for source in sources:
            if self._placed(journal, source, way) is not None:
                there += 1
                continue
            folder = os.path.join(self.output, source.folder) if source.folder else self.output
            for name in candidates(os.path.basename(source.path)):
                target = os.path.join(folder, name)
                if target not in taken and not os.path.lexists(target):
                    break
            taken.add(target)
            pairs.append((source, target))
        return pairs, there

    def _along(self, pairs: Sequence[tuple[Source, str]]) -> Iterator[tuple[Source, str]]:
        """What belongs to files that would be placed, and where it would go."""
        companions = self._companions()
        for source, target in pairs:
            with contextlib.suppress(ImageIssue):
                for path in companions.of(source.path):
                    yield Source(path), companion_place(path, source.path, target)

    def _companions(self) -> Companions:
        return Companions(lambda path: os.path.realpath(path) in self.table.row_of_real)

    def _moves(self, act: int) -> str:
        """The journal of one act's moves, by which `cliqa apply --undo` puts them back too."""
        return f"{self._journal}.moves-{act}.jsonl"

    def _place(
        self, journal: sqlite3.Connection, act: int, sources: Sequence[Source], way: str, along: bool
    ) -> Iterator[str]:
        """Place files; yields what is wrong with those that could not be."""
        mover = Mover(self._moves(act)) if way == "move" else None
        companions = self._companions() if along else None
        placer = FolderPlacer(self.output, _WAYS[way], companions=companions, mover=mover)
        placer.check(
            [self.table.folder]
            if self.table.folder is not None
            else [path for path in self.table.inputs if os.path.isdir(path)]
        )
        with placer:
            for source in sources:
                if self._placed(journal, source, way) is not None:
                    continue
                try:
                    beside = companions.of(source.path) if companions is not None else []
                    target = placer.place(source)
                except ImageIssue as error:
                    yield f"{display(source.path)}: {error}"
                    continue
                self._note(journal, act, source, target, None)
                for path in beside:
                    self._note(journal, act, Source(path), companion_place(path, source.path, target), None)

    def _label(self, journal: sqlite3.Connection, act: int, sources: Sequence[Source], way: str) -> Iterator[str]:
        """Write sidecars; yields what is wrong with those that could not be."""
        check_available()
        for source in sources:
            target, other = sidecars(source.path)
            if os.path.lexists(other) and not os.path.lexists(target):
                target = other
            try:
                if source.content is not None or not os.path.isfile(source.path):
                    raise PlacingError("is no file that could have a sidecar")
                before = None
                with contextlib.suppress(FileNotFoundError), open(target, "rb") as stream:
                    before = stream.read()
                write_sidecar(source.path, LABELS[way])
            except (CliqaError, OSError) as error:
                yield f"{display(source.path)}: {error}"
                continue
            if os.path.isfile(target):
                self._note(journal, act, source, target, before)

    def _note(self, journal: sqlite3.Connection, act: int, source: Source, target: str, before: bytes | None) -> None:
        size, mtime_ns = _state(target) or (None, None)
        row = (act, to_sql_value(source.real_path), to_sql_value(target), size, mtime_ns, before)
        journal.execute(
            "INSERT INTO act_files (act, source, target, size, mtime_ns, before) VALUES (?, ?, ?, ?, ?, ?)", row
        )

    def _placed(self, journal: sqlite3.Connection, source: Source, way: str) -> str | None:
        """Where an earlier act placed a file in the same way, if that still lies there."""
        select = "SELECT target, size, mtime_ns FROM act_files JOIN acts ON acts.id = act WHERE source = ? AND way = ?"
        for target, size, mtime_ns in journal.execute(select, (to_sql_value(source.real_path), way)):
            path = from_sql_text(target)
            if self._is_inside(path) and _state(path) == (size, mtime_ns):
                return path
        return None

    def _is_inside(self, path: str) -> bool:
        """Whether a path lies below the output folder, wherever links lead."""
        root, folder = os.path.realpath(self.output), os.path.realpath(os.path.dirname(path))
        return folder == root or folder.startswith(os.path.join(root, ""))

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The journal; each statement is on the disk when it returns."""
        try:
            os.makedirs(os.path.dirname(self._journal), exist_ok=True)
            connection = sqlite3.connect(self._journal, timeout=30, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise PlacingError(f"the journal {display(self._journal)} can't be written: {reason(error)}") from error
        try:
            yield connection
        finally:
            connection.close()


def _state(path: str) -> tuple[int, int] | None:
    """Size and time of what lies there, of a link itself; None where there is nothing."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


def _bytes(number: int) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.0f} {unit}" if unit == "bytes" or number >= 10 else f"{number:.1f} {unit}"
        number //= 1000
    raise AssertionError
