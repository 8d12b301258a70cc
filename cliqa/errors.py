"""Every way in which cliqa can fail.

CliqaError                  anything cliqa raises on purpose
  UsageError                the caller asked for something that can't be done (exit status 2)
  RunError                  the run could not start, or lost its output (exit status 1)
    PlacingError            a file could not be placed in the output folder
    ResultsError            scores could not be written or read
    CheckpointError         a weights file is missing, unreadable, or of another metric
  ImageIssue                one image gave no score; the run goes on
    ImageSkipped            the image is sound but outside the limits (too large, too small, too flat)
    ImageError              the file is missing, unreadable or broken
"""

from __future__ import annotations

from typing import Literal

DAMAGED = "damaged image data"
"""How the message begins that tells of a file whose pixels were decoded only in part; a note of what was scored all the same."""


class CliqaError(Exception):
    """Base of all exceptions that cliqa raises on purpose; the message is one line for people."""

    exit_status: int = 1


class UsageError(CliqaError):
    """The caller asked for something that can't be done: a wrong option, value or combination."""

    exit_status = 2


class RunError(CliqaError):
    """The run could not start, or its output was lost."""


class PlacingError(RunError):
    """A file could not be placed in the output folder."""


class ResultsError(RunError):
    """Scores could not be written to, or read from, a results file."""


class CheckpointError(RunError):
    """A weights file is missing, unreadable, unsafe, or belongs to another metric or version."""


class ImageIssue(CliqaError):
    """One image gave no score. `issue_type` is what the issues table stores."""

    issue_type: Literal["skipped", "error"] = "error"


class ImageSkipped(ImageIssue):
    """A sound image that is outside the limits: too many pixels, too small, too little content."""

    issue_type = "skipped"


class ImageError(ImageIssue):
    """A file that is missing, unreadable, truncated, or no image."""
