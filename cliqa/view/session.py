"""One viewing of one folder or store: the table, the marks, the pictures, what runs beside them."""

from __future__ import annotations

import hashlib
import os
import shlex
import threading
from typing import Any

from cliqa.outputs.ratings import read_marks
from cliqa.text import display
from cliqa.view.acting import Actor
from cliqa.view.copies import CopyGroups
from cliqa.view.deciding import Reasons
from cliqa.view.learning import learned
from cliqa.view.marks import Mark, MarkBook
from cliqa.view.scoring import BackgroundScoring, seconds_left
from cliqa.view.table import SCORED, FileTable
from cliqa.view.thumbnails import Thumbnails


class Session:
    """What the server works with.

    Args:
        table: the files.
        marks: where marks are kept.
        thumbnails: where small pictures are kept.
        actor: what places files.
        scoring: the run that fills the store; None where nothing is to be scored.
    """

    def __init__(
        self,
        table: FileTable,
        marks: MarkBook,
        thumbnails: Thumbnails,
        actor: Actor,
        scoring: BackgroundScoring | None = None,
    ) -> None:
        self.table = table
        self.book = marks
        self.thumbnails = thumbnails
        self.actor = actor
        self.scoring = scoring
        self.reasons = Reasons()
        self.copies = CopyGroups(table)
        self.ratings_read = False  # whether all files were asked for ratings that other programs left
        self._foreign: dict[int, Mark] = {}
        self._own = {
            row: mark for real, mark in self.book.all().items() if (row := table.row_of_real.get(real)) is not None
        }
        self._touched = set(self._own)  # rows whose mark here stands over what other programs say, even if it is none
        self._settled = scoring is None
        self._begun_with = 0
        self._closing = threading.Event()

    @property
    def name(self) -> str:
        """By which a page knows the same store again."""
        return hashlib.sha256(os.fsencode(os.path.realpath(self.table.path))).hexdigest()[:16]

    @property
    def shown_store(self) -> str:
        """The store as a command line writes it."""
        return shlex.quote(display(self.table.path))

    @property
    def shown_output(self) -> str:
        """The output folder as a command line writes it."""
        return shlex.quote(display(self.actor.output))

    def start(self) -> None:
        """Begin what runs beside the page."""
        if self.scoring is not None:
            self._begun_with = self.table.counts()["scored"]
            self.scoring.start()
        threading.Thread(target=self._read_ratings, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self._closing.set()
        if self.scoring is not None:
            self.scoring.stop()
        self.book.close()
        self.thumbnails.close()
        self.table.close()

    def progress(self) -> dict[str, Any]:
        """How far the scoring is, and whether there is anything new."""
        running = self.scoring is not None and self.scoring.running
        ended = self.scoring is not None and self.scoring.over and not self._settled
        self._settled = self._settled or ended
        version = self.table.refresh(everything=ended)  # at the end all rows, since some may have been scored anew
        counts = self.table.counts()
        left = None
        if running and self.scoring is not None:
            done = counts["scored"] + counts["issues"] - self._begun_with
            waiting = counts["total"] - counts["scored"] - counts["issues"]
            left = seconds_left(done, waiting, self.scoring.started)
        message = self.scoring.message if self.scoring is not None else ""
        return {
            **counts,
            "version": version,
            "running": running,
            "left": left,
            "message": message,
            "read": self.ratings_read,
        }

    def marked(self) -> list[tuple[int, str | None, int, bool]]:
        """(row, flag, stars, whether another program set it) of each file with a mark."""
        own = [(row, mark.flag, mark.stars, False) for row, mark in self._own.items() if mark]
        foreign = [
            (row, mark.flag, mark.stars, True) for row, mark in list(self._foreign.items()) if row not in self._touched
        ]
        return own + foreign

    def mark(self, rows: list[int], difference: dict[str, Any]) -> list[tuple[int, str | None, int, bool]]:
        """Mark rows; on the disk when it returns."""
        foreign = [row for row in rows if row not in self._touched and self._foreign.get(row)]
        for row in foreign:  # what another program said of the rest of the mark is taken over
            taken = self._foreign[row]
            self._took(self.book.change([self.table.reals[row]], {"flag": taken.flag, "stars": taken.stars}))
        return self._took(self.book.change([self.table.reals[row] for row in rows], difference))

    def undo_mark(self) -> list[tuple[int, str | None, int, bool]]:
        """Take the last marking back."""
        return self._took(self.book.undo())

    def calibrated(self) -> dict[str, Any]:
        """Thresholds learned from the marks: see `cliqa.view.learning`."""
        self.table.refresh()
        marks = {
            row: mark
            for row, flag, stars, _ in self.marked()
            if (mark := Mark(flag, stars)) and self.table.states[row] == SCORED
        }
        return learned(self.table, marks)

    def _took(self, changed: dict[str, Mark]) -> list[tuple[int, str | None, int, bool]]:
        found = []
        for real, mark in changed.items():
            row = self.table.row_of_real.get(real)
            if row is not None:
                self._own[row] = mark
                self._touched.add(row)
                found.append((row, mark.flag, mark.stars, False))
        return found

    def _read_ratings(self) -> None:
        """Ask every file, one after the other, what other programs say of it."""
        for row, path in enumerate(self.table.paths):
            if self._closing.is_set():
                return
            said = read_marks(path)
            if not said:
                continue
            flag = {"rejected": "drop", "accepted": "keep"}.get(said.pick or "")
            stars = max(0, said.rating or 0)
            mark = Mark("drop" if (said.rating or 0) < 0 else flag, stars)
            if mark:
                self._foreign[row] = mark
        self.ratings_read = True
