"""A run in parts: what each part reads, and the Parquet files by which a part is known to be done.

A part is one shard, or some hundreds of files. Its results are `scores/NAME.parquet` and `issues/NAME.parquet`, each put in place
whole, the scores last: that the scores are there, of the same files and by the same weights, is the whole protocol.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cliqa.errors import CliqaError, ResultsError, UsageError
from cliqa.files.atomic import replacing
from cliqa.inputs.listing import Listing
from cliqa.inputs.locations import file_system, is_remote, reason, state_of
from cliqa.records import Issue, Record, Source
from cliqa.results.faces import read_parquet, write_parquet
from cliqa.results.schema import ISSUE_COLUMNS, Schema
from cliqa.text import display

PART_FILES = 256  # of a part that is no shard: seconds of work, so that little is lost with a worker
TABLES = ("scores", "issues")
_MARK = b"cliqa"


@dataclass(frozen=True)
class Part:
    """`shard` is the path of the one shard to read, or "" where `sources` are read. `name` tells parts apart, run after run."""

    name: str
    shard: str = ""
    sources: tuple[Source | Issue, ...] = ()

    def state(self) -> str:
        """A digest of what the part reads: paths, sizes, times; "" where that can't be told, so that it is read again."""
        digest = hashlib.sha256()
        for source in self.sources or [Source(self.shard)]:
            path = source.path
            if isinstance(source, Issue):
                digest.update(os.fsencode(f"{path}\0{source.message}\n"))
                continue
            state = state_of(path) if self.shard else source.state()
            if state is not None and state.mtime_ns is None:
                return ""
            digest.update(os.fsencode(f"{path}\0{state}\n"))
        return digest.hexdigest()


@dataclass(frozen=True)
class Counts:
    """How many images of a part were scored, and how many became issues."""

    scored: int
    issues: int


def plan(listing: Listing) -> Iterator[Part]:
    """Parts in the order of the input: every shard is one, files come in groups of `PART_FILES`."""
    group: list[Source | Issue] = []
    number = 0
    for unit in listing.units():
        if not isinstance(unit, (Source, Issue)):
            stem = re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(unit.path))[:64]
            yield Part(f"{stem}-{_digest([unit.path])}", unit.path)
            continue
        group.append(unit)
        if len(group) == PART_FILES:
            yield _group(number, group)
            number += 1
            group = []
    if group:
        yield _group(number, group)


def _group(number: int, sources: list[Source | Issue]) -> Part:
    return Part(f"files-{number:06d}-{_digest([source.path for source in sources])}", "", tuple(sources))


def _digest(paths: Iterable[str]) -> str:
    return hashlib.sha256(b"\n".join(map(os.fsencode, paths))).hexdigest()[:12]


class PartFolder:
    """The folder of a run's results, local or at a remote address.

    Args:
        path: the folder.
        schema: the columns.
        settings: whatever else decides what is in a part, as text: parts that were made otherwise are made again.
    """

    def __init__(self, path: str, schema: Schema, settings: str = "") -> None:
        self.path = path.rstrip("/") if len(path) > 1 else path
        self.schema = schema
        self.settings = settings

    def open(self, resume: bool, notes: Mapping[str, Any]) -> None:
        """Make the folder and put `notes` beside the parts, for commands that read them.

        Raises:
            UsageError: there are parts already, and `resume` was not given.
            ResultsError: it can't be written.
        """
        if not resume and any(self.names("scores")):
            raise UsageError(f"{display(self.path)} holds results; use --resume to go on with them, or another name")
        self._put(f"{self.path}/cliqa.json", json.dumps(dict(notes)).encode())

    def done(self, part: Part) -> Counts | None:
        """The counts of a part that is done: of these very files, by these weights and settings."""
        mark = self._mark(self._name("scores", part.name))
        state = part.state()
        if mark is None or not state or mark.get("state") != state or mark.get("settings") != self.settings:
            return None
        if mark.get("weights") != self.schema.weights_mark:
            return None
        return Counts(int(mark["scored"]), int(mark["issues"]))

    def write(self, part: Part, state: str, records: Iterable[Record], issues: Iterable[Issue]) -> Counts:
        """Put a part in place, the issues first. `state` is what the part was before it was read. Raises ResultsError."""
        rows = {
            "scores": [self.schema.score_row(record, None, None) for record in records],
            "issues": [self.schema.issue_row(issue) for issue in issues],
        }
        columns = {"scores": self.schema.columns, "issues": list(ISSUE_COLUMNS)}
        counts = Counts(len(rows["scores"]), len(rows["issues"]))
        mark = {"state": state, "settings": self.settings, "weights": self.schema.weights_mark} | vars(counts)
        for table in reversed(TABLES):
            self._put(self._name(table, part.name), self._encoded(rows[table], columns[table], mark))
        return counts

    def paths(self, part: Part) -> list[str]:
        """The paths of the images that were scored in a part that is done."""
        with self._opened(self._name("scores", part.name)) as stream:
            return [str(row["path"]) for row in read_parquet(stream)[1]]

    def issues(self, part: Part) -> list[Issue]:
        """The images of a part that gave no score."""
        with self._opened(self._name("issues", part.name)) as stream:
            return [
                Issue(Source(str(row["path"])), str(row["issue_type"]), str(row["issue_message"]))
                for row in read_parquet(stream)[1]
            ]

    def names(self, table: str) -> Iterator[str]:
        """The names of the parts that are there."""
        folder = f"{self.path}/{table}"
        with contextlib.suppress(FileNotFoundError):
            if is_remote(self.path):
                system, name = file_system(folder)
                found = [os.path.basename(path) for path in system.ls(name, detail=False)]
            else:
                found = os.listdir(folder)
            yield from sorted(name[:-8] for name in found if name.endswith(".parquet") and not name.startswith("."))

    def _encoded(self, rows: list[dict[str, Any]], columns: list[str], mark: Mapping[str, Any]) -> bytes:
        stream = io.BytesIO()
        types = {column: self.schema.type_of(column) for column in columns}
        cells = ([row[column] for column in columns] for row in rows)
        write_parquet(stream, types, cells, {_MARK: json.dumps(dict(mark)).encode()})
        return stream.getvalue()

    def _name(self, table: str, part: str) -> str:
        return f"{self.path}/{table}/{part}.parquet"

    def _mark(self, name: str) -> dict[str, Any] | None:
        import pyarrow
        import pyarrow.parquet

        try:
            with self._opened(name) as stream:
                metadata = pyarrow.parquet.read_schema(stream).metadata or {}
            mark = json.loads(metadata[_MARK])
        except (FileNotFoundError, KeyError, ValueError, pyarrow.ArrowException):
            return None
        return mark if isinstance(mark, dict) else None

    def _opened(self, name: str) -> Any:
        if is_remote(name):
            system, inside = file_system(name)
            return system.open(inside, "rb")
        return open(name, "rb")

    def _put(self, name: str, data: bytes) -> None:
        """A file whole or not at all: stores take objects whole, and local files are renamed into place."""
        try:
            if is_remote(name):
                _put_remote(name, data)
                return
            os.makedirs(os.path.dirname(name), exist_ok=True)
            with replacing(name) as part, open(part, "wb") as stream:
                stream.write(data)
        except CliqaError:
            raise
        except Exception as error:  # every store has exceptions of its own
            raise ResultsError(f"{display(name)} can't be written: {reason(error)}") from error


def _put_remote(name: str, data: bytes) -> None:
    """An object. Folders are made where a file system needs them, but no bucket: a name that is mistyped is no wish for one."""
    system, inside = file_system(name)
    try:
        system.pipe_file(inside, data)
    except OSError:
        bucket = inside[: inside.find("/", 1)]
        if not system.exists(bucket):
            raise ResultsError(f"{display(name)} can't be written: the store has no {bucket}") from None
        system.makedirs(os.path.dirname(inside), exist_ok=True)
        system.pipe_file(inside, data)
