"""All scores of a folder as rows: what `cliqa.score_folder` gives, ready for pandas, polars or a loop."""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cliqa.inputs.folders import IMAGE_SUFFIXES
from cliqa.inputs.listing import Listing
from cliqa.records import Issue, Record

if TYPE_CHECKING:
    from cliqa.api import ImageScorer

Row = dict[str, Any]
_SHOWN = 5  # rows in a notebook's table
_FACTS_SHOWN = ("width", "height", "format")


class FolderScores(list[Row]):
    """Rows of scored files, in the order of the folder; every row has the same keys. A list: `pandas.DataFrame(scores)` takes it.

    Attributes:
        folder: what was scored.
        issues: the files that gave no score, each with `path`, `kind` and `message`.
    """

    def __init__(self, folder: str, rows: Iterable[Row] = (), issues: Sequence[Issue] = ()) -> None:
        super().__init__(rows)
        self.folder = folder
        self.issues = list(issues)

    @property
    def columns(self) -> list[str]:
        """The keys of a row: `path`, `metric.field` for every score, then facts of the file."""
        return list(self[0]) if self else []

    def where(self, keep: Callable[[Row], bool]) -> list[str]:
        """The paths of the rows that a function wants."""
        return [row["path"] for row in self if keep(row)]

    def __repr__(self) -> str:
        scores = sum("." in name for name in self.columns)
        return f"<{len(self)} scored files of {self.folder}, {scores} scores each, {len(self.issues)} without a score>"

    def _repr_html_(self) -> str:
        """The first rows, for notebooks: scores and a few facts."""
        names = [name for name in self.columns if "." in name or name in _FACTS_SHOWN]
        names = [name for name in names if not any(len(str(row[name])) > 24 for row in self[:_SHOWN])]  # hashes
        head = "".join(f"<th>{html.escape(name)}</th>" for name in ("file", *names))
        lines = []
        for row in self[:_SHOWN]:
            cells = [os.path.basename(row["path"]), *(_shown(row[name]) for name in names)]
            lines.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
        return f"<p>{html.escape(repr(self))}</p><table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def score_folder(
    folder: str | os.PathLike[str],
    metrics: str | Sequence[str | ImageScorer] = "all",
    *,
    recursive: bool = True,
    progress: bool | None = None,
    **settings: Any,
) -> FolderScores:
    """Score every image of a folder, decoding each file once.

    Args:
        folder: or a shard, a pattern, a remote address: whatever commands take as input.
        metrics: "all", one name, or names and loaded metrics.
        recursive: its sub-folders too.
        progress: a bar, in notebooks one of theirs; None shows it in a terminal and in notebooks.
        settings: `workers`, `device`, `num_patches` and `max_image_pixels`, as of `score_images`.

    Returns:
        A `FolderScores`.

    Raises:
        RunError, UsageError, CheckpointError: there is no such input, metric or weights file; nothing is scored.
    """
    from cliqa.api import score_sources

    name = os.fspath(folder)
    listing = Listing(name, recursive=recursive, suffixes=IMAGE_SUFFIXES)
    listing.check()
    sources = list(listing)
    rows: list[Row] = []
    issues: list[Issue] = []
    with _bar(len(sources), progress) as bar:
        for found in score_sources(sources, metrics, **settings):
            if isinstance(found, Record):
                rows.append({"path": found.path, **found.values, **found.facts})
            else:
                issues.append(found)
            bar.update()
    names = dict.fromkeys(name for row in rows for name in row)
    return FolderScores(name, ({name: row.get(name) for name in names} for row in rows), issues)


def _bar(total: int, progress: bool | None) -> Any:
    """A bar of tqdm: that of notebooks in notebooks."""
    if "ipykernel" in sys.modules and progress is not False:
        from tqdm.auto import tqdm

        return tqdm(total=total, unit=" images")
    from tqdm import tqdm as in_text

    return in_text(total=total, unit=" images", disable=None if progress is None else not progress)


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
