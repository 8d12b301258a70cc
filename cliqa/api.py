"""The Python interface: score one image with one metric, many files with many, or a folder into rows for pandas, polars or a loop."""

from __future__ import annotations

import contextlib
import html
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.errors import ImageError, ImageIssue, ImageSkipped, UsageError
from cliqa.images.loading import LoadedImage, load_image
from cliqa.inputs.listing import Listing
from cliqa.inputs.locations import is_remote
from cliqa.inputs.member_names import is_shard
from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS, DEFAULT_NUM_PATCHES
from cliqa.metrics import Field, Metric, Value, View, list_metrics
from cliqa.metrics import load_metric as load_batch_metric
from cliqa.pipeline.run import PipelineSettings, run
from cliqa.records import Issue, Record, Source
from cliqa.text import display

Row = dict[str, Any]
ImageLike = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]

_SHOWN = 5  # rows in a notebook's table
_FACTS_SHOWN = ("width", "height", "format")


class ImageScorer:
    """A metric ready to score single images; `load_metric` makes one.

    Attributes:
        metric: what scores batches inside a pipeline.
        num_patches: how many 128x128 patches are looked at per image.
    """

    def __init__(self, metric: Metric, num_patches: int = DEFAULT_NUM_PATCHES) -> None:
        self.metric = metric
        self.num_patches = num_patches

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.metric.name

    @property
    def fields(self) -> tuple[Field, ...]:
        """What `score` returns: names, ranges, units, which way is better."""
        return self.metric.fields

    def score(self, image: ImageLike, max_image_pixels: int = DEFAULT_MAX_IMAGE_PIXELS) -> dict[str, Value]:
        """The fields of one image.

        Args:
            image: a path, the bytes of a file, a PIL image, or decoded pixels, uint8 (height, width) or (height, width, 3).
            max_image_pixels: larger images are refused before they are decoded.

        Raises:
            ImageSkipped: sound, but outside the limits (too large, too small, too flat for this metric).
            ImageError: missing, unreadable, broken or no image. Both messages begin with the path, where there is one.
            UsageError: what was given is none of these, such as an open file: give what it reads.
        """
        with _named(image):
            return self.metric.score_view(self._view(image, max_image_pixels))

    def map(self, image: ImageLike, max_image_pixels: int = DEFAULT_MAX_IMAGE_PIXELS) -> NDArray[np.float32]:
        """Where in the picture: a number for each part of it, of metrics that have a map (`sharpness`: blur in pixels, nan can't tell).

        Args and raises: as `score`, and UsageError for a metric without a map.

        Returns:
            float32 (rows, columns), parts of the picture as stored.
        """
        with _named(image):
            found = self.metric.map(self._view(image, max_image_pixels))
        if found is None:
            raise UsageError(f"the metric {self.name} has no map")
        return found

    def _view(self, image: Any, max_image_pixels: int) -> View:
        if isinstance(image, Image.Image):
            loaded = LoadedImage.from_pil(image, max_image_pixels)
        elif isinstance(image, np.ndarray):
            loaded = LoadedImage.from_array(image)
        elif isinstance(image, (str, os.PathLike, bytes)):
            loaded = load_image(image, max_image_pixels)
        else:
            known = "a path, the bytes of a file, a PIL image or a uint8 array"
            raise UsageError(f"an image is {known}, not {type(image).__name__}")
        return View(loaded, self.num_patches)

    def __repr__(self) -> str:
        return f"<metric {self.name}: {', '.join(field.name for field in self.fields)}>"


@contextlib.contextmanager
def _named(image: ImageLike) -> Iterator[None]:
    """What goes wrong with an image is said with its path."""
    try:
        yield
    except ImageIssue as error:
        if not isinstance(image, (str, os.PathLike)):
            raise
        kind = ImageSkipped if isinstance(error, ImageSkipped) else ImageError
        raise kind(f"{display(os.fspath(image))}: {error}") from error


def load_metric(
    name: str, checkpoint: str | None = None, device: str = "cpu", num_patches: int = DEFAULT_NUM_PATCHES
) -> ImageScorer:
    """A metric with its weights, ready to score single images.

    Args:
        name: one of `list_metrics()`, or `package.module:Class`.
        checkpoint: a weights file; None takes the one that ships with cliqa.
        device: "cpu", or a torch device such as "cuda:0" for metrics that run a torch network.
        num_patches: how many 128x128 patches are looked at per image.

    Raises:
        UsageError: there is no such metric.
        CheckpointError: the weights are missing, unreadable or of another metric.
    """
    metric = load_batch_metric(name, checkpoint, device)
    metric.prepare()
    return ImageScorer(metric, num_patches)


def score_images(
    paths: Iterable[str | os.PathLike[str]],
    metrics: str | Sequence[str | ImageScorer] = "all",
    *,
    workers: int = 0,
    device: str = "cpu",
    num_patches: int = DEFAULT_NUM_PATCHES,
    max_image_pixels: int = DEFAULT_MAX_IMAGE_PIXELS,
    damaged: Literal["issue", "score"] = "issue",
) -> Iterator[Record | Issue]:
    """Score files with any number of metrics, decoding each file once; lazily, in order and in bounded memory.

    Args:
        paths: files, shards (each member a record), or addresses that fsspec opens; may be endless.
        metrics: "all", one name, or names and loaded metrics.
        workers: decode processes; 0 decodes in this one, where nothing ends a decoder that hangs or bounds its memory. The
            workers never import the calling script, so it needs no `if __name__ == "__main__":`.
        device: where torch networks of metrics given by name run.
        num_patches: how many 128x128 patches are looked at per image.
        max_image_pixels: larger images become issues.
        damaged: what becomes of damaged image data: an issue, or as with "score" a Record, with a line in its `notes` that begins
            with "damaged image data", of what can be decoded.

    Yields:
        A Record (`path`, `values["metric.field"]`, `facts`) or an Issue (`path`, `kind`, `message`; as text, all three) for each path.

    Raises:
        UsageError, CheckpointError: before anything is scored.
    """
    if damaged not in ("issue", "score"):
        raise UsageError(f"damaged is 'issue' or 'score', not {damaged!r}")
    wanted: Sequence[str | ImageScorer] = [metrics] if isinstance(metrics, str) else metrics
    names = [name for item in wanted for name in (list_metrics() if item == "all" else [item])]
    loaded = [item.metric if isinstance(item, ImageScorer) else load_batch_metric(item, None, device) for item in names]
    settings = PipelineSettings(
        workers=workers, num_patches=num_patches, max_image_pixels=max_image_pixels, score_damaged=damaged == "score"
    )
    return run(_sources(_many(paths)), loaded, settings)


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
    name = _path(folder)
    listing = Listing(name, recursive=recursive)
    listing.check()
    sources: Any = list(listing)  # taken for what they are
    rows: list[Row] = []
    issues: list[Issue] = []
    with _bar(len(sources), progress) as bar:
        for found in score_images(sources, metrics, **settings):
            if isinstance(found, Record):
                rows.append({"path": found.path, **found.values, **found.facts})
            else:
                issues.append(found)
            bar.update()
    names = dict.fromkeys(name for row in rows for name in row)
    return FolderScores(name, ({name: row.get(name) for name in names} for row in rows), issues)


def _sources(paths: Iterable[Any]) -> Iterator[Source | Issue]:
    """What each path stands for; patterns are for commands, since a path that a program made is taken as it is."""
    for given in paths:
        if isinstance(given, (Source, Issue)):
            yield given
            continue
        path = _path(given)
        if is_remote(path) or (is_shard(path) and os.path.isfile(path)):
            yield from Listing(path)
        else:
            yield Source(path)


def _many(paths: Any) -> Iterable[Any]:
    """A single path is one path, not its letters."""
    return [paths] if isinstance(paths, (str, os.PathLike, bytes)) else paths


def _path(given: Any) -> str:
    path = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(path, str):
        raise UsageError(f"a path is a str or an os.PathLike of one, not {type(path).__name__}")
    return path


def _bar(total: int, progress: bool | None) -> Any:
    """A bar of tqdm: that of notebooks in notebooks."""
    if "ipykernel" in sys.modules and progress is not False:
        from tqdm.auto import tqdm

        return tqdm(total=total, unit=" images")
    from tqdm import tqdm as in_text

    return in_text(total=total, unit=" images", disable=None if progress is None else not progress)


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
