"""Scores photographs without a reference, and filters, sorts and reports folders by the scores.

import cliqa

cliqa.load_metric("jpeg_quality").score("photo.jpg")     # {"quality": 93.2, ...}
for record in cliqa.score_images(paths, metrics=["grain_noise", "grepq"]): ...
pandas.DataFrame(cliqa.score_folder("photos"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cliqa.errors import (
    CheckpointError,
    CliqaError,
    ImageError,
    ImageIssue,
    ImageSkipped,
    PlacingError,
    ResultsError,
    RunError,
    UsageError,
)
from cliqa.records import Issue, Record

__version__ = "0.1.0"

if TYPE_CHECKING:
    from cliqa.api import FolderScores, ImageScorer, load_metric, score_folder, score_images
    from cliqa.metrics import list_metrics

__all__ = [
    "CheckpointError",
    "CliqaError",
    "FolderScores",
    "ImageError",
    "ImageIssue",
    "ImageScorer",
    "ImageSkipped",
    "Issue",
    "PlacingError",
    "Record",
    "ResultsError",
    "RunError",
    "UsageError",
    "list_metrics",
    "load_metric",
    "score_folder",
    "score_images",
]


def __getattr__(name: str) -> Any:
    """Import what needs NumPy and Pillow when it is first used, so that every `--help` answers at once."""
    if name in ("FolderScores", "ImageScorer", "list_metrics", "load_metric", "score_folder", "score_images"):
        from cliqa import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
