"""Moving files, never over anything, with a journal that undoes it. A kill at any place loses nothing.

Before each step a line of the journal is on the disk. On one file system a file gets its new name beside the old one, then the old
name goes; where there are no hard links it is renamed onto a name that was taken first. Between file systems it is copied, compared
byte for byte, then removed. So at any moment the file is whole under one of its names or both, and what a killed run left half done
is finished by the next move, or by `undo`.
"""

from __future__ import annotations

import contextlib
import errno
import filecmp
import os
import stat
from dataclasses import dataclass, field

from cliqa.errors import ImageError
from cliqa.files.atomic import copy_file, name_finished
from cliqa.outputs.journal import Journal, Step, read_journal, sync_folder
from cliqa.records import State
from cliqa.text import reason


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
        self.moved = 0
        self.journal = Journal(journal_path)

    def __enter__(self) -> Mover:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing more is moved."""
        self.journal.close()

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
        self.journal.note(Step(source, target, State(status.st_size, status.st_mtime_ns)))
        if half:
            _remove(source)
        else:
            try:
                _move(source, target)
            except BaseException as error:
                if isinstance(error, FileExistsError) or not os.path.lexists(target):
                    self.journal.void(target)
                raise
        after = os.lstat(target)
        if after.st_mtime_ns != status.st_mtime_ns:  # a file system that keeps times less exactly
            self.journal.note(Step(source, target, State(after.st_size, after.st_mtime_ns)))
        self.moved += 1


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
    copy_file(source, target)
    try:
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(os.path.dirname(target))
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


def is_alike(real: str, target: str) -> bool:
    """Whether the target is a file of the same bytes."""
    if os.path.islink(target) or not os.path.isfile(target):
        return False
    try:
        return os.path.getsize(real) == os.path.getsize(target) and filecmp.cmp(real, target, shallow=False)
    except OSError:
        return False
