"""Placing kept files in the output folder: copied, linked or moved, atomically, never over anything that exists.

A taken name gets a suffix (`name_1.jpg`); what was chosen is returned and recorded. What an earlier run placed from the same source
is found in the folder's record and left.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Container, Sequence
from dataclasses import replace

from cliqa.errors import ImageError, PlacingError
from cliqa.files.atomic import copy_file
from cliqa.outputs.companions import Companions
from cliqa.outputs.moving import Mover
from cliqa.outputs.names import candidates, companion_place
from cliqa.outputs.placed import EarlierRuns, Entry, PlacedRecord
from cliqa.outputs.preparing import check_folder, make_folder, remove_folders
from cliqa.records import Source
from cliqa.text import display, reason

_UNTAKEN_NAMES = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)  # names that the output's file system can't hold


class FolderPlacer:
    """Places files under `output`.

    Args:
        output: the folder; made when the first file is placed.
        way: copy, symlink (to the real file), hardlink (another name of it), or move, for which there must be a `mover`.
        resume: a file that already lies there as this run would place it is taken for placed by an earlier run.
        companions: finds what goes along with a picture; None: it goes alone.
        sync: take away what an earlier run placed of pictures that this one drops.
        mover: moves the files.

    Attributes:
        mover: what moves the files; None where they are not moved.
        already: how many pictures an earlier run had placed.
    """

    def __init__(
        self,
        output: str,
        way: str = "copy",
        resume: bool = False,
        companions: Companions | None = None,
        sync: bool = False,
        mover: Mover | None = None,
    ) -> None:
        self.output = output
        self.way = way
        self.resume = resume
        self.already = 0
        self._sync = sync
        self._companions = companions
        self.mover = mover
        self._earlier: EarlierRuns | None = None
        self._made: list[str] = []
        self._streamed = False  # paths come from a stream: `find` may list what this run has just placed

    def check(self, inputs: Sequence[str]) -> None:
        """Refuse, before anything is written, an output that can't be used with these inputs.

        Raises:
            UsageError: the output is a file, or lies in (or is) an input folder.
            PlacingError: nobody may look at it.
        """
        self._streamed = "-" in inputs
        check_folder(self.output, inputs)

    def __enter__(self) -> FolderPlacer:
        """Make the output folder, see that it can be written and, for links, that they are permitted.

        Raises:
            PlacingError: it can't be made or written, or links are not permitted there. What was made is removed again.
        """
        self._made = make_folder(self.output, self.resume, links=self.way == "symlink")
        self._earlier = EarlierRuns(PlacedRecord(self.output), self.way, self.resume, self._sync)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Take away what `sync` says. After an error, remove the folders that were made, if empty: each file was placed whole."""
        runs = self._earlier
        try:
            if kind is None and runs is not None:
                runs.settle()
        finally:
            if runs is not None:
                runs.record.close()
            if self.mover is not None:
                self.mover.close()
            if kind is not None:
                if runs is not None and not runs.knew:
                    runs.record.remove_empty()
                remove_folders(self._made)

    @property
    def knew(self) -> bool:
        """Whether the folder's record told of earlier runs when this one began."""
        return self._runs.knew

    @property
    def record(self) -> PlacedRecord:
        """What runs have placed here."""
        return self._runs.record

    @property
    def _runs(self) -> EarlierRuns:
        assert self._earlier is not None, "the placer is a context"
        return self._earlier

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
            ImageError: the source, or what goes along with it, has vanished or can't be read any more.
            PlacingError: the output can't take it (full disk, say); the run's output is lost.
        """
        if source.content is not None:
            raise ImageError(
                "is no file that could be copied or linked; its samples can go into tars, -o kept/%06d.tar"
            )
        if "\0" in source.path:
            raise ImageError("no path: it holds a zero byte")
        below = source.folder if folder is None else folder
        picture, name = source.real_path, prefix + os.path.basename(source.path)
        along = self._companions.of(source.path) if self._companions is not None else []
        if placed is not None and placed.startswith(os.path.join(self.output, "")) and os.path.lexists(placed):
            there: str | None = os.path.relpath(placed, self.output)
        else:
            there = self._runs.where(picture, below, name)
        if there is None:
            there = self._placed_anew(source, picture, below, name, along, taken)
        else:
            self.already += there not in self._runs.touched
            self._bring(along, source, there, picture)
            if self.way == "move" and os.path.lexists(source.path) and not self._put(picture, there, picture):
                raise ImageError(f"can't be moved: {display(os.path.join(self.output, there))} is another file")
        self._runs.touched.add(there)
        if self.knew:
            self._runs.pass_over(picture, there)
        return os.path.join(self.output, there)

    def drop(self, source: Source) -> None:
        """This run keeps a picture out: what an earlier run placed of it is told or, with `sync`, taken away at the end."""
        if self.knew and source.content is None and "\0" not in source.path:
            self._runs.pass_over(os.path.realpath(source.path))

    def summary(self) -> list[str]:
        """What there is to say of earlier runs, once this one is over: a few lines, or none."""
        return self._runs.told

    def _placed_anew(
        self, source: Source, picture: str, below: str, name: str, along: Sequence[str], taken: Container[str]
    ) -> str:
        """Place a picture, and before it what goes along, under the first names that are free; returns the picture's."""
        if not os.path.exists(picture):
            raise ImageError("has gone since it was scored")
        if not os.path.isfile(picture):
            raise ImageError("not a regular file")
        if self.way == "move" and os.path.islink(source.path):
            raise ImageError("is a link; only files themselves are moved")
        if self._streamed and self._is_inside(os.path.realpath(os.path.dirname(source.path))):
            raise ImageError("lies in the output folder itself")
        directory = self._directory(below)
        for candidate in candidates(name):
            to = os.path.join(below, candidate)
            if os.path.join(directory, candidate) in taken or to in self._runs.touched:
                continue
            others = [(os.path.realpath(path), companion_place(path, source.path, to)) for path in along]
            if not all(self._is_free(real, beside) for real, beside in [(picture, to), *others]):
                continue
            self._bring(along, source, to, picture)
            if self._put(picture, to, picture):
                return to
            if along:
                raise ImageError("its name was taken while its companions were placed; run again")
        raise AssertionError("candidates never end")

    def _bring(self, along: Sequence[str], source: Source, to: str, picture: str) -> None:
        """Place what goes along with a picture that lies, or will lie, at `to`. Raises ImageError where it can't be."""
        for path in along:
            beside = companion_place(path, source.path, to)
            try:
                if self.way == "move" and os.path.islink(path):
                    raise ImageError("is a link; only files themselves are moved")
                if not self._put(os.path.realpath(path), beside, picture):
                    raise ImageError(f"the name {display(os.path.basename(beside))} is taken")
            except ImageError as error:
                raise ImageError(f"{display(os.path.basename(path))} can't go along: {error}") from error
            self._runs.touched.add(beside)

    def _is_free(self, real: str, to: str) -> bool:
        """Whether `_put` can place a file there, as far as can be told before."""
        return not os.path.lexists(os.path.join(self.output, to)) or self._runs.is_ours(real, to)

    def _put(self, real: str, to: str, picture: str) -> bool:
        """Place one file at `to`; False where something else has the name. What an earlier run placed there is left."""
        target = os.path.join(self.output, to)
        ours = os.path.lexists(target)
        if ours and not self._runs.is_ours(real, to):
            return False
        done = ours and (self.way != "move" or not os.path.lexists(real))
        if done and self._runs.record.at(to) is not None:
            return True
        try:
            status = os.stat(real)
        except OSError as error:
            raise ImageError("has gone since it was scored") from error
        entry = Entry(to, real, picture, self.way, status.st_size, status.st_mtime_ns)
        if not ours or done:
            self._runs.record.add(entry)
        try:
            if not done:
                self._make(real, target, finish=ours)
        except BaseException as error:
            if isinstance(error, FileExistsError) or not os.path.lexists(target):
                with contextlib.suppress(PlacingError):
                    self._runs.record.forget(to)
            if isinstance(error, FileExistsError):
                return False
            raise
        time = os.lstat(target).st_mtime_ns
        if self.way != "symlink" and time != entry.mtime_ns:  # the file system did not keep it
            self._runs.record.add(replace(entry, placed_ns=time))
        return True

    def _make(self, real: str, target: str, finish: bool) -> None:
        """Raises FileExistsError where the name is taken, ImageError or PlacingError where it can't be."""
        try:
            if self.way == "symlink":
                os.symlink(real, target)
            elif self.way == "hardlink":
                os.link(real, target)
            elif self.way == "move":
                assert self.mover is not None, "what moves needs a mover"
                self.mover.move(real, target, finish)
            else:
                copy_file(real, target)
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno in _UNTAKEN_NAMES:
                raise ImageError(f"can't be placed under its name: {reason(error)}") from error
            if self.way == "hardlink" and error.errno in (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
                raise PlacingError(
                    f"hard links to {display(real)} can't be made in {display(os.path.dirname(target))} "
                    f"({reason(error)}); run without --hardlink"
                ) from error
            raise PlacingError(f"{display(target)} can't be written: {reason(error)}") from error

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
                raise ImageError(f"its folder can't be made: {reason(error)}") from error
            raise PlacingError(f"the folder {display(directory)} can't be made: {reason(error)}") from error
        return directory

    def _is_inside(self, real: str) -> bool:
        root = os.path.realpath(self.output)
        return real == root or real.startswith(os.path.join(root, ""))
