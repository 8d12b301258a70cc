"""Placing kept files in the output folder: copies or links, atomically, never over anything that exists.

A taken name gets a suffix (`name_1.jpg`); what was chosen is returned and recorded.
"""

from __future__ import annotations

import contextlib
import errno
import filecmp
import itertools
import os
import stat
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

from cliqa.errors import ImageError, PlacingError, UsageError
from cliqa.files.atomic import copy_file, part_name, sweep
from cliqa.records import Source
from cliqa.text import display

_UNTAKEN_NAMES = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)  # names that the output's file system can't hold
_NAME_BYTES = 255  # the longest file name that common file systems take
_LONGEST_SUFFIX = 32  # bytes; what is longer after the last dot is part of a name


class FolderPlacer:
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
        self._made: list[str] = []
        self._streamed = False  # paths come from a stream: `find` may list what this run has just placed
        self._settled: set[str] = set()  # names that a resumed run has given; without resume, what lies there tells

    def check(self, inputs: Sequence[str]) -> None:
        """Refuse, before anything is written, an output that can't be used with these inputs.

        Raises:
            UsageError: the output is a file, or lies in (or is) an input folder.
            PlacingError: nobody may look at it.
        """
        try:
            is_folder = stat.S_ISDIR(os.stat(self.output).st_mode)
        except FileNotFoundError:
            is_folder = not os.path.lexists(self.output)  # or it is a link to nothing
        except OSError as error:
            raise PlacingError(f"the output {display(self.output)} can't be read: {error.strerror}") from error
        if not is_folder:
            raise UsageError(f"the output {display(self.output)} exists and is no folder")
        self._streamed = "-" in inputs
        real = Path(os.path.realpath(self.output))
        for given in inputs:
            for folder in (real, *real.parents) if given != "-" and os.path.isdir(given) else ():
                if _is_same(str(folder), given):
                    if folder == real:
                        raise UsageError(f"the output folder is the input folder: {display(self.output)}")
                    raise UsageError(f"the output folder {display(self.output)} lies inside the input folder")

    def __enter__(self) -> FolderPlacer:
        """Make the output folder, see that it can be written and, for links, that they are permitted.

        Raises:
            PlacingError: it can't be made or written, or links are not permitted there. What was made is removed again.
        """
        self._made = self._missing_folders()
        try:
            os.makedirs(self.output, exist_ok=True)
            if self.resume:
                sweep(self.output)
            probe = os.path.join(self.output, part_name())
            if self.symlink:
                os.symlink(os.path.realpath(__file__), probe)
            else:
                os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            os.unlink(probe)
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            about_links = self.symlink and os.path.isdir(self.output) and os.access(self.output, os.W_OK)
            self._withdraw()
            if about_links:
                raise PlacingError(
                    f"symbolic links can't be made in {display(self.output)} ({reason}); run without --symlink"
                ) from error
            raise PlacingError(f"the output folder {display(self.output)} can't be written: {reason}") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """After an error, remove the folders that were made, as long as they are empty: each file was placed whole."""
        if kind is not None:
            self._withdraw()

    def _withdraw(self) -> None:
        for folder in self._made:
            with contextlib.suppress(OSError):
                os.rmdir(folder)

    def _missing_folders(self) -> list[str]:
        """The output folder and its parents, as far as they are still to be made, the deepest first."""
        folder, missing = os.path.abspath(self.output), []
        while not os.path.lexists(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        return missing

    def place(
        self,
        source: Source,
        prefix: str = "",
        folder: str | None = None,
        placed: str | None = None,
        taken: Container[str] = (),
    ) -> str:
        """Place one file as `prefix + its name`, in the mirror of its folder (or in `folder`); returns where it lies now.

        Raises:
            ImageError: the source has vanished or can't be read any more.
            PlacingError: the output can't take it (full disk, say); the run's output is lost.
        """
        if placed is not None and placed.startswith(os.path.join(self.output, "")) and os.path.lexists(placed):
            return placed
        if source.content is not None:
            raise ImageError(
                "is no file that could be copied or linked; its samples can go into tars, -o kept/%06d.tar"
            )
        if "\0" in source.path:
            raise ImageError("no path: it holds a zero byte")
        directory = self._directory(source.folder if folder is None else folder)
        real = os.path.realpath(source.path)
        if not os.path.exists(real):
            raise ImageError("has gone since it was scored")
        if not os.path.isfile(real):
            raise ImageError("not a regular file")
        if self._streamed and self._is_inside(os.path.realpath(os.path.dirname(source.path))):
            raise ImageError("lies in the output folder itself")
        for candidate in candidates(prefix + source.filename):
            target = os.path.join(directory, candidate)
            if target in taken or target in self._settled:
                continue
            if not (self.resume and self._is_ours(real, target)) and not self._placed(real, target, directory):
                continue
            if self.resume:
                self._settled.add(target)
            return target
        raise AssertionError("candidates never end")

    def _placed(self, real: str, target: str, directory: str) -> bool:
        """Whether the file could take the name; False where something has it already."""
        if os.path.lexists(target):
            return False
        try:
            if self.symlink:
                os.symlink(real, target)
            else:
                copy_file(real, target, os.path.join(directory, part_name()))
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno in _UNTAKEN_NAMES:
                raise ImageError(f"can't be placed under its name: {error.strerror}") from error
            raise PlacingError(f"{display(target)} can't be written: {error.strerror or error}") from error
        return True

    def _directory(self, below: str) -> str:
        """The folder for a file, made if need be; a link that leads out of the output folder is refused."""
        directory = os.path.join(self.output, below) if below else self.output
        real = os.path.realpath(directory)
        if not self._is_inside(real):
            raise PlacingError(
                f"{display(directory)} leads out of the output folder to {display(real)}; nothing is placed there"
            )
        try:
            os.makedirs(directory, exist_ok=True)
        except OSError as error:
            if error.errno in _UNTAKEN_NAMES:
                raise ImageError(f"its folder can't be made: {error.strerror}") from error
            raise PlacingError(f"the folder {display(directory)} can't be made: {error.strerror}") from error
        return directory

    def _is_inside(self, real: str) -> bool:
        root = os.path.realpath(self.output)
        return real == root or real.startswith(os.path.join(root, ""))

    def _is_ours(self, real: str, target: str) -> bool:
        if self.symlink:
            return os.path.islink(target) and os.path.realpath(target) == real
        if os.path.islink(target) or not os.path.isfile(target):
            return False
        try:
            return os.path.getsize(real) == os.path.getsize(target) and filecmp.cmp(real, target, shallow=False)
        except OSError:
            return False


def _is_same(folder: str, other: str) -> bool:
    """Whether two paths lead to one folder; a folder that isn't there, or that nobody may look at, is no other's."""
    try:
        return os.path.samefile(folder, other)
    except OSError:
        return False


def candidates(name: str) -> Iterator[str]:
    """`a.jpg`, `a_1.jpg`, `a_2.jpg`, ... each short enough for a file system."""
    stem, suffix = os.path.splitext(name)
    if len(os.fsencode(suffix)) > _LONGEST_SUFFIX:
        stem, suffix = name, ""
    for number in itertools.count():
        mark = f"_{number}" if number else ""
        room = _NAME_BYTES - len(os.fsencode(mark + suffix))
        yield os.fsdecode(_cut(os.fsencode(stem), room)) + mark + suffix


def _cut(name: bytes, room: int) -> bytes:
    """At most `room` bytes, not ending inside a UTF-8 character."""
    if len(name) <= room:
        return name
    end = room
    while end > room - 3 and name[end] & 0xC0 == 0x80:  # a character has at most three bytes that continue it
        end -= 1
    return name[:end]
