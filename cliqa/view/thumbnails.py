"""Small pictures, made when they are first seen and kept: one database of WebP files, known by path, size and time of change."""

from __future__ import annotations

import os
import sqlite3
import threading

from cliqa.images.loading import load_thumbnail
from cliqa.inputs.members import image_bytes
from cliqa.records import Source
from cliqa.report.thumbnails import encode
from cliqa.results.database import to_sql_value

LONG_SIDE = 320
QUALITY = 70
MOST_BYTES = 400_000_000  # of pictures that are kept; beyond, the oldest go
AT_ONCE = 2  # pictures that are decoded at the same time: each may take a few hundred megabytes


class Thumbnails:
    """Makes and keeps thumbnails; may be called from any thread. Without a database nothing is kept."""

    def __init__(self, database: str | None) -> None:
        self._lock = threading.Lock()
        self._decoding = threading.BoundedSemaphore(AT_ONCE)
        self._connection: sqlite3.Connection | None = None
        if database is not None:
            try:
                os.makedirs(os.path.dirname(database), exist_ok=True)
                self._connection = sqlite3.connect(database, timeout=1, isolation_level=None, check_same_thread=False)
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = OFF")  # what is lost is made again
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS thumbnails (path PRIMARY KEY, size INTEGER, mtime_ns INTEGER, picture BLOB)"
                )
                self._shrink()
            except (OSError, sqlite3.Error):
                self._connection = None

    def of(self, path: str) -> bytes:
        """The WebP bytes of a picture. Raises ImageIssue or OSError where there is none to be had."""
        state = Source(path).state()
        key = (to_sql_value(path), state.size if state else None, state.mtime_ns if state else None)
        kept = self._kept(key) if state else None
        if kept is not None:
            return kept
        with self._decoding:
            picture = encode(load_thumbnail(image_bytes(path), LONG_SIDE), QUALITY)
        if state is not None:
            self._keep(key, picture)
        return picture

    def close(self) -> None:
        """Close the database."""
        if self._connection is not None:
            self._connection.close()

    def _kept(self, key: tuple[object, ...]) -> bytes | None:
        if self._connection is None:
            return None
        select = "SELECT picture FROM thumbnails WHERE path = ? AND size = ? AND mtime_ns IS ?"
        try:
            with self._lock:
                found = self._connection.execute(select, key).fetchone()
        except sqlite3.Error:
            return None
        return bytes(found[0]) if found else None

    def _keep(self, key: tuple[object, ...], picture: bytes) -> None:
        if self._connection is None:
            return
        try:
            with self._lock:
                self._connection.execute("INSERT OR REPLACE INTO thumbnails VALUES (?, ?, ?, ?)", (*key, picture))
        except sqlite3.Error:
            return

    def _shrink(self) -> None:
        assert self._connection is not None
        total = self._connection.execute("SELECT coalesce(sum(length(picture)), 0) FROM thumbnails").fetchone()[0]
        if total > MOST_BYTES:
            half = "DELETE FROM thumbnails WHERE rowid <= (SELECT min(rowid) + (max(rowid) - min(rowid)) / 2 FROM thumbnails)"
            self._connection.execute(half)
