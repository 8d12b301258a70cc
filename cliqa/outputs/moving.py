"""Moving files, never over anything, with a journal that undoes it. A kill at any place loses nothing.

Before each step one line of JSON is in the journal and on the disk: from where, to where, and by which size and time the file is known.
On one file system a file gets its new name beside the old one, then the old name goes; where there are no hard links it is renamed
onto a name that was taken first. Between file systems it is copied, compared byte for byte, then removed. So at any moment the
file is whole under one of its names or both, and what a killed run left half done is finished by the next move, or by `undo`.
"""

from __future__ import annotations

import contextlib
import errno
import filecmp
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from cliqa.errors import ImageError, PlacingError, UsageError
from cliqa.files.atomic import copy_file, name_finished, part_name
from cliqa.records import State
from cliqa.text import display, reason


@dataclass(frozen=True)
class Step:
    """One line of a journal: a file that was about to be moved, absolute paths, and by what it is known."""

    source: str
    target: str
    state: State


@dataclass
class Undone:
    """What came of undoing.

    Attributes:
        restored: how many files are back at their places.
        left: those that could not be put back: where they lie (or lay), and why.
    """

    restored: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)


class Mover:
    """Moves files one by one. Use as a context manager, or `close` it.

    Args:
        journal_path: made before the first move; one that is there is gone on with.
    """

    def __init__(self, journal_path: str) -> None:
        self.journal_path = journal_path
        self.moved = 0
        self._stream: IO[bytes] | None = None

    def __enter__(self) -> Mover:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def move(self, source: str, target: str, finish: bool = False) -> None:
        """Move one file to a name that nothing has; its folder must be there.

        Args:
            source: the file.
            target: where it goes.
            finish: an earlier run is known to have begun this very move: where the target is another name of the source or a copy of
                the same bytes, the source alone is still to be removed.

        Raises:
            FileExistsError: something else has the name.
            ImageError: the source can't be moved: it has gone, is a link or no regular file, can't be read or not be removed.
            OSError: the target can't be written.
            PlacingError: the journal can't be written.
        """
        status = _regular(source)
        source, target = _place(source), _place(target)
        if source == target:
            raise ImageError("lies there already")
        half = os.path.lexists(target)
        if half and not (finish and is_half_moved(source, target)):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
        self._note(Step(source, target, State(status.st_size, status.st_mtime_ns)))
        if half:
            _remove(source)
        else:
            try:
                _move(source, target)
            except BaseException as error:
                if isinstance(error, FileExistsError) or not os.path.lexists(target):
                    self._write({"void": target})
                raise
        after = os.lstat(target)
        if after.st_mtime_ns != status.st_mtime_ns:  # a file system that keeps times less exactly
            self._note(Step(source, target, State(after.st_size, after.st_mtime_ns)))
        self.moved += 1

    def close(self) -> None:
        """Nothing more is moved."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(OSError):  # what a full disk did not take is tried once more
                stream.close()

    def _note(self, step: Step) -> None:
        self._write({"from": step.source, "to": step.target, "size": step.state.size, "mtime_ns": step.state.mtime_ns})

    def _write(self, row: dict[str, object]) -> None:
        try:
            if self._stream is None:
                os.makedirs(os.path.dirname(self.journal_path) or os.curdir, exist_ok=True)
                torn = _is_torn(self.journal_path)
                self._stream = open(self.journal_path, "ab")  # noqa: SIM115 - open while the run lasts
                _sync_folder(os.path.dirname(self.journal_path) or os.curdir)
                if torn:
                    self._stream.write(b"\n")
            self._stream.write(json.dumps(row).encode("ascii") + b"\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            self.close()
            raise PlacingError(f"the journal {display(self.journal_path)} can't be written: {reason(error)}") from error


def undo(journal_path: str) -> Undone:
    """Put back what a journal says was moved, the last first; what has been changed since stays, and is told.

    Nothing is overwritten and nothing removed but a second name or a second whole copy of a file that is at its old place. It can
    be interrupted and done again.

    Raises:
        UsageError: there is no such journal, or the file is none.
        PlacingError: it can't be read.
    """
    done = Undone()
    for step in reversed(read_journal(journal_path)):
        try:
            done.restored += _put_back(step)
        except (ImageError, OSError) as error:
            done.left.append((step.target, reason(error)))
    return done


def read_journal(journal_path: str) -> list[Step]:
    """The steps of a journal that were taken, in order; a last line that was not written whole began no step.

    Raises:
        UsageError: there is no such journal, or the file is none.
        PlacingError: it can't be read.
    """
    steps: dict[str, Step] = {}
    try:
        with open(journal_path, "rb") as stream:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                    if "void" in row:
                        steps.pop(str(row["void"]), None)
                        continue
                    step = Step(str(row["from"]), str(row["to"]), State(int(row["size"]), int(row["mtime_ns"])))
                except (ValueError, TypeError, KeyError):
                    if number == 1 and line.endswith(b"\n"):
                        raise UsageError(f"{display(journal_path)} is no journal of moves") from None
                    continue
                steps.pop(step.target, None)
                steps[step.target] = step
    except FileNotFoundError:
        raise UsageError(f"there is no journal {display(journal_path)}") from None
    except OSError as error:
        raise PlacingError(f"{display(journal_path)} can't be read: {reason(error)}") from error
    return list(steps.values())


def is_half_moved(source: str, target: str) -> bool:
    """Whether two paths are two names of one file, or two whole copies of the same bytes."""
    try:
        one, other = os.lstat(source), os.lstat(target)
        if not (stat.S_ISREG(one.st_mode) and stat.S_ISREG(other.st_mode)) or _place(source) == _place(target):
            return False
        if os.path.samestat(one, other):
            return one.st_nlink > 1  # else they are one name, by way of another mount or of letters' case
        return one.st_size == other.st_size and filecmp.cmp(source, target, shallow=False)
    except OSError:
        return False


def _is_second_name(source: str, target: str) -> bool:
    try:
        one = os.lstat(source)
        return os.path.samestat(one, os.lstat(target)) and one.st_nlink > 1
    except FileNotFoundError:
        return False


def _put_back(step: Step) -> bool:
    """Whether the file had to be put back and is. Raises ImageError or OSError where it can't be."""
    here, there = os.path.lexists(step.target), os.path.lexists(step.source)
    if not here:
        if not there:
            raise ImageError("has gone")
        return False  # never moved, or back already
    if there:
        if not is_half_moved(step.source, step.target):
            raise ImageError("its old place is taken by another file")
        _remove(step.target)
        return True
    status = _regular(step.target)
    if (status.st_size, status.st_mtime_ns) != (step.state.size, step.state.mtime_ns):
        raise ImageError("has changed since it was moved")
    os.makedirs(os.path.dirname(step.source), exist_ok=True)
    _move(step.target, step.source)
    return True


def _move(source: str, target: str) -> None:
    """Raises FileExistsError where the name is taken, ImageError where the source is at fault, else OSError."""
    try:
        name_finished(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_over(source, target)
    else:
        if not _is_second_name(source, target):
            return  # renamed
    try:
        _remove(source)
    except ImageError:
        with contextlib.suppress(OSError):  # two names or copies are no loss
            os.unlink(target)
        raise


def _copy_over(source: str, target: str) -> None:
    """A copy on another file system, on the disk and compared, before anything may be removed."""
    before = _regular(source)
    copy_file(source, target, os.path.join(os.path.dirname(target), part_name()))
    try:
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _sync_folder(os.path.dirname(target))
        if not filecmp.cmp(source, target, shallow=False) or _changed(before, _regular(source)):
            raise ImageError("changed while it was copied; it stays where it is")
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(target)
        raise


def _changed(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns, before.st_ino) != (after.st_size, after.st_mtime_ns, after.st_ino)


def _regular(path: str) -> os.stat_result:
    try:
        status = os.lstat(path)
    except OSError as error:
        raise ImageError(f"can't be moved: {reason(error)}") from error
    if stat.S_ISLNK(status.st_mode):
        raise ImageError("is a link; only files themselves are moved")
    if not stat.S_ISREG(status.st_mode):
        raise ImageError("not a regular file")
    return status


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError as error:
        raise ImageError(f"can't be taken from its folder: {reason(error)}") from error


def _place(path: str) -> str:
    """The absolute path with links to folders followed, not that of the file itself."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


def _is_torn(path: str) -> bool:
    """Whether a journal ends in the middle of a line: the step was not taken."""
    try:
        with open(path, "rb") as stream:
            stream.seek(-1, os.SEEK_END)
            return stream.read(1) != b"\n"
    except OSError:  # there is none, or an empty one
        return False


def _sync_folder(folder: str) -> None:
    """Have a new name on the disk too, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder or os.curdir, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def journals(path: str) -> Iterator[str]:
    """A journal itself; of a folder those that lie in it, the newest first."""
    if not os.path.isdir(path):
        yield path
        return
    names = sorted((name for name in os.listdir(path) if is_journal(name)), reverse=True)
    if not names:
        raise UsageError(f"there is no journal of moves in {display(path)}")
    yield from (os.path.join(path, name) for name in names)


def journal_name(time: str) -> str:
    """How a journal is called that lies in the folder that files were moved to; `time` so that names sort by it."""
    return f".cliqa-moves-{time}-{os.getpid()}.jsonl"


def is_journal(name: str) -> bool:
    """Whether a file is a journal by its name."""
    return name.startswith(".cliqa-moves-") and name.endswith(".jsonl")
