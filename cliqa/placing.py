"""Placing kept files in the output folder: copies or links, atomically, never over anything that exists.

A copy is written to an unnamed (or hidden) file and then given its name in one step that fails if the name is taken, so a killed run
leaves no half file. A taken name gets a suffix (`name_1.jpg`); what was chosen is returned and recorded.
"""

from __future__ import annotations

import contextlib
import errno
import filecmp
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from cliqa.errors import ImageError, PlacingError, UsageError
from cliqa.listing import display
from cliqa.records import Source

_PART = ".cliqa-part-"
_NAME_BYTES = 255  # the longest file name that common file systems take


class Placer:
    """Places files under `output`.

    Args:
        output: the folder; made when the first file is placed.
        symlink: link to the real file instead of copying it.
        resume: a file that already lies there as this run would place it is taken for placed by an earlier run.
    """

    def __init__(self, output: str, symlink: bool = False, resume: bool = False) -> None:
        self.output = output
        self.symlink = symlink
        self.resume = resume
        self._claimed: set[str] = set()

    def check(self, source: str) -> None:
        """Refuse, before anything is written, an output that can't be used with this input.

        Raises:
            UsageError: the output is a file, or lies in (or is) the input folder.
            PlacingError: it can't be made or written, or links are not permitted there.
        """
        if os.path.lexists(self.output) and not os.path.isdir(self.output):
            raise UsageError(f"the output {display(self.output)} exists and is no folder")
        if source != "-" and os.path.isdir(source):
            real_input, real_output = os.path.realpath(source), os.path.realpath(self.output)
            if real_input == real_output:
                raise UsageError(f"the output folder is the input folder: {display(self.output)}")
            if real_output.startswith(os.path.join(real_input, "")):
                raise UsageError(f"the output folder {display(self.output)} lies inside the input folder")

    def prepare(self) -> None:
        """Make the output folder, see that it can be written and, for links, that they are permitted."""
        made = not os.path.isdir(self.output)
        try:
            os.makedirs(self.output, exist_ok=True)
            self._sweep()
            probe = os.path.join(self.output, f"{_PART}probe-{os.getpid()}")
            if self.symlink:
                os.symlink(os.path.realpath(__file__), probe)
            else:
                os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            os.unlink(probe)
        except (OSError, NotImplementedError) as error:
            if made:
                with contextlib.suppress(OSError):
                    os.rmdir(self.output)
            reason = getattr(error, "strerror", None) or str(error)
            if self.symlink and os.path.isdir(self.output):
                raise PlacingError(
                    f"symbolic links can't be made in {display(self.output)} ({reason}); run without --symlink"
                ) from error
            raise PlacingError(f"the output folder {display(self.output)} can't be written: {reason}") from error

    def claim(self, target: str) -> None:
        """Leave a name alone: an earlier run recorded it for another file."""
        self._claimed.add(target)

    def place(self, source: Source, prefix: str = "", folder: str | None = None) -> str:
        """Place one file as `prefix + its name`, in the mirror of its folder (or in `folder`); returns where it lies now.

        Raises:
            ImageError: the source has vanished or can't be read any more.
            PlacingError: the output can't take it (full disk, say); the run's output is lost.
        """
        directory = self._directory(source.folder if folder is None else folder)
        real = os.path.realpath(source.path)
        for candidate in _candidates(prefix + source.filename):
            target = os.path.join(directory, candidate)
            if target in self._claimed:
                continue
            if os.path.lexists(target):
                if self.resume and self._is_ours(real, target):
                    self._claimed.add(target)
                    return target
                continue
            try:
                if self.symlink:
                    os.symlink(real, target)
                else:
                    _copy(real, target, directory)
            except FileExistsError:
                continue
            except OSError as error:
                raise PlacingError(f"{display(target)} can't be written: {error.strerror or error}") from error
            self._claimed.add(target)
            return target
        raise AssertionError("candidates never end")

    def _directory(self, below: str) -> str:
        """The folder for a file, made if need be; a link that leads out of the output folder is refused."""
        directory = os.path.join(self.output, below) if below else self.output
        try:
            os.makedirs(directory, exist_ok=True)
        except OSError as error:
            raise PlacingError(f"the folder {display(directory)} can't be made: {error.strerror}") from error
        root, real = os.path.realpath(self.output), os.path.realpath(directory)
        if real != root and not real.startswith(os.path.join(root, "")):
            raise PlacingError(
                f"{display(directory)} leads out of the output folder to {display(real)}; nothing is placed there"
            )
        return directory

    def _is_ours(self, real: str, target: str) -> bool:
        if self.symlink:
            return os.path.islink(target) and os.path.realpath(target) == real
        if os.path.islink(target) or not os.path.isfile(target):
            return False
        try:
            return os.path.getsize(real) == os.path.getsize(target) and filecmp.cmp(real, target, shallow=False)
        except OSError:
            return False

    def _sweep(self) -> None:
        """Remove what killed runs left half done: only hidden files of our own naming, only where a run resumes."""
        if not self.resume:
            return
        for part in Path(self.output).rglob(f"{_PART}*"):
            if part.is_file() and not part.is_symlink():
                part.unlink(missing_ok=True)


def _candidates(name: str) -> Iterator[str]:
    """`a.jpg`, `a_1.jpg`, `a_2.jpg`, ... each short enough for a file system."""
    stem, suffix = os.path.splitext(name)
    number = 0
    while True:
        mark = f"_{number}" if number else ""
        room = _NAME_BYTES - len(os.fsencode(mark + suffix))
        yield os.fsdecode(_cut(os.fsencode(stem), room)) + mark + suffix
        number += 1


def _cut(name: bytes, room: int) -> bytes:
    """At most `room` bytes, not ending inside a UTF-8 character."""
    if len(name) <= room:
        return name
    while room > 0 and name[room] & 0xC0 == 0x80:
        room -= 1
    return name[:room]


def _copy(source: str, target: str, directory: str) -> None:
    """Copy with times and permissions, then name it in one step. Raises FileExistsError where the name is taken."""
    try:
        opened = open(source, "rb")  # noqa: SIM115
    except OSError as error:
        raise ImageError(f"can't be copied: {error.strerror}") from error
    with opened as reader:
        if not stat.S_ISREG(os.fstat(reader.fileno()).st_mode):
            raise ImageError("can't be copied: not a regular file")
        if not _copy_unnamed(reader, target, directory):
            _copy_hidden(reader, target, directory)


def _copy_unnamed(reader: IO[bytes], target: str, directory: str) -> bool:
    """Through an unnamed file (Linux), of which a killed run leaves nothing. False where that isn't supported."""
    if not hasattr(os, "O_TMPFILE"):
        return False
    try:
        descriptor = os.open(directory, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT):
            return False
        raise
    with os.fdopen(descriptor, "wb") as writer:
        _copy_content(reader, writer)
        try:
            os.link(f"/proc/self/fd/{writer.fileno()}", target, follow_symlinks=True)
        except FileExistsError:
            raise
        except OSError:  # no /proc, or a file system without hard links
            reader.seek(0)
            return False
    return True


def _copy_hidden(reader: IO[bytes], target: str, directory: str) -> None:
    part = os.path.join(directory, f"{_PART}{os.getpid()}-{abs(hash(target)):x}")
    try:
        with open(part, "xb") as writer:
            _copy_content(reader, writer)
        if os.name == "nt":
            os.rename(part, target)  # fails on Windows where the name is taken
            return
        try:
            os.link(part, target)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))  # take the name, then fill it in one step
            os.replace(part, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)


def _copy_content(reader: IO[bytes], writer: IO[bytes]) -> None:
    shutil.copyfileobj(reader, writer, 1 << 20)
    writer.flush()
    status = os.fstat(reader.fileno())
    if os.utime in os.supports_fd:
        os.utime(writer.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
    if hasattr(os, "fchmod"):
        os.fchmod(writer.fileno(), stat.S_IMODE(status.st_mode) & 0o777 | stat.S_IWUSR)
