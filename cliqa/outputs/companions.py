"""What belongs to a picture beside it: its raw file, its sidecars, sound, settings of raw converters; told by their names.

`IMG_1.CR2`, `IMG_1.xmp`, `IMG_1.JPG.xmp` and `IMG_1.CR2.pp3` go along with `IMG_1.JPG`; letters' case does not matter.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from cliqa.errors import ImageError
from cliqa.inputs.folders import ANY_SUFFIX, IMAGE_SUFFIXES, is_wanted
from cliqa.text import reason


def judged_by_suffix(suffixes: Sequence[str]) -> Callable[[str], bool]:
    """Whether a run over folders judges a file by itself: by its name, as folders are listed."""
    own = IMAGE_SUFFIXES if ANY_SUFFIX in suffixes else tuple(suffixes)
    return lambda path: is_wanted(path, own)


class Companions:
    """Finds what goes along with pictures. The names of the folder looked at last are kept: pictures come folder by folder.

    Args:
        judged: whether a file is a picture that the run judges by itself: such a one goes along with no other.
    """

    def __init__(self, judged: Callable[[str], bool]) -> None:
        self._judged = judged
        self._folder: str | None = None
        self._by_stem: dict[str, list[str]] = {}

    def of(self, picture: str) -> list[str]:
        """The paths of what goes along with a picture, in order of name. Raises ImageError where its folder can't be read."""
        folder, name = os.path.split(picture)
        self._look(folder)
        found: dict[str, None] = {}
        stems = [os.path.splitext(name)[0].lower(), name.lower()]
        while stems:
            for other in self._by_stem.get(stems.pop(), ()):
                path = os.path.join(folder, other)
                if other != name and path not in found and os.path.isfile(path) and not self._judged(path):
                    found[path] = None
                    stems.append(other.lower())  # its own sidecars
        return sorted(found, key=os.fsencode)

    def _look(self, folder: str) -> None:
        if folder == self._folder:
            return
        self._folder, self._by_stem = None, {}
        try:
            names = os.listdir(folder or os.curdir)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise ImageError(f"what goes along can't be found: its folder can't be read: {reason(error)}") from error
        self._folder = folder
        for name in names:
            if not name.startswith("."):
                self._by_stem.setdefault(os.path.splitext(name)[0].lower(), []).append(name)
