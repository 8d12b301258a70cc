"""Where the viewer keeps what it may not lose, outside of the folders of pictures: stores of scores and marks, thumbnails."""

from __future__ import annotations

import hashlib
import os
import re
import sys

APPLICATION = "cliqa"


def state_folder() -> str:
    """The folder of this user and this program for what has to stay: CLIQA_STATE, else the system's own place."""
    given = os.environ.get("CLIQA_STATE")
    if given:
        return os.path.abspath(given)
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Application Support", APPLICATION)
    if sys.platform == "win32":
        return os.path.join(os.environ.get("LOCALAPPDATA") or home, APPLICATION)
    base = os.environ.get("XDG_STATE_HOME", "")  # the specification: a relative one is to be ignored
    return os.path.join(base if os.path.isabs(base) else os.path.join(home, ".local", "state"), APPLICATION)


def kept_file(path: str, suffix: str) -> str:
    """A file in the state folder that belongs to a path: its name for people, and a digest of its real path."""
    real = os.path.realpath(path)
    name = re.sub(r"[^\w.-]+", "-", os.path.basename(real)).strip("-.")[:60] or "pictures"
    digest = hashlib.sha256(os.fsencode(os.path.normcase(real))).hexdigest()[:16]
    return os.path.join(state_folder(), "view", f"{name}-{digest}{suffix}")
