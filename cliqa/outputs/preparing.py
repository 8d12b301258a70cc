"""Output folders before anything goes into them: which are refused, how one is made and found writable, and taken back."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from cliqa.errors import PlacingError, UsageError
from cliqa.files.atomic import part_name, sweep
from cliqa.text import display, reason


def check_folder(output: str, inputs: Sequence[str]) -> None:
    """Refuse, before anything is written, an output folder that can't be used with these inputs.

    Raises:
        UsageError: the output is a file, or lies in (or is) an input folder.
        PlacingError: nobody may look at it.
    """
    try:
        is_folder = stat.S_ISDIR(os.stat(output).st_mode)
    except FileNotFoundError:
        is_folder = not os.path.lexists(output)  # or it is a link to nothing
    except OSError as error:
        raise PlacingError(f"the output {display(output)} can't be read: {reason(error)}") from error
    if not is_folder:
        raise UsageError(f"the output {display(output)} exists and is no folder")
    real = Path(os.path.realpath(output))
    for given in inputs:
        for folder in (real, *real.parents) if given != "-" and os.path.isdir(given) else ():
            if _is_same(str(folder), given):
                if folder == real:
                    raise UsageError(f"the output folder is the input folder: {display(output)}")
                raise UsageError(f"the output folder {display(output)} lies inside the input folder")


def make_folder(output: str, resume: bool, links: bool = False) -> list[str]:
    """Make an output folder, see that it can be written and, with `links`, that they are permitted; `resume` sweeps up first.

    Returns:
        the folders that were made, the deepest first.

    Raises:
        PlacingError: it can't be made or written, or links are not permitted there. What was made is removed again.
    """
    folder, made = os.path.abspath(output), []
    while not os.path.lexists(folder):
        made.append(folder)
        folder = os.path.dirname(folder)
    try:
        os.makedirs(output, exist_ok=True)
        if resume:
            sweep(output)
        probe = os.path.join(output, part_name())
        if links:
            os.symlink(os.path.realpath(__file__), probe)
        else:
            os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.unlink(probe)
    except (OSError, NotImplementedError) as error:
        about_links = links and os.path.isdir(output) and os.access(output, os.W_OK)
        remove_folders(made)
        if about_links:
            raise PlacingError(
                f"symbolic links can't be made in {display(output)} ({reason(error)}); run without --symlink"
            ) from error
        raise PlacingError(f"the output folder {display(output)} can't be written: {reason(error)}") from error
    return made


def remove_folders(made: Sequence[str]) -> None:
    """Remove the folders that were made, as far as they are empty."""
    for folder in made:
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def remove_empty(folder: str, output: str) -> None:
    """Remove a folder below the output folder, and those around it, as far as they are empty."""
    while folder.startswith(os.path.join(output, "")) and folder != os.path.join(output, ""):
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


def _is_same(folder: str, other: str) -> bool:
    """Whether two paths lead to one folder; a folder that isn't there, or that nobody may look at, is no other's."""
    try:
        return os.path.samefile(folder, other)
    except OSError:
        return False
