"""A store -> the parts of the page -> one HTML text."""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import html
import json
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import IO, Any

import numpy as np

from cliqa import __version__
from cliqa.cli.console import Console
from cliqa.duplicates.telling import told_groups
from cliqa.errors import ImageError, ResultsError, UsageError
from cliqa.files.atomic import creating, open_regular, replacing
from cliqa.pipeline.settings import default_workers
from cliqa.report.columns import Column, Rows, read_rows
from cliqa.report.sample import stratified_sample
from cliqa.report.scripts import asset, bundle
from cliqa.report.thumbnails import LONG_SIDE, SMALLER, thumbnails
from cliqa.report.words import starting_conditions, title_of_store, told_column, told_faults
from cliqa.results.conditions import column as find_column
from cliqa.results.store import Store
from cliqa.text import display, reason

MAX_PAGE_BYTES = 38_000_000
MAX_ISSUES = 20_000
_CHUNK = 1_500_000  # bytes of pictures in one block, which the page decodes when the first of them is seen
_HEAD = 4096  # bytes of a page, in which it says who wrote it
_GENERATOR = b'<meta name="generator" content="cliqa">'
_SIMPLE = re.compile(r"\s*([\w.]+|\"[^\"]+\")\s*(>=|<=|>|<)\s*(-?[\d.]+(?:e-?\d+)?)\s*", re.IGNORECASE)


def write_page(options: argparse.Namespace, console: Console) -> int:
    """Write the page that the options ask for; returns the exit status."""
    if os.path.lexists(options.output) and not options.force:
        raise UsageError(f"{display(options.output)} exists; use --force to replace it, or another name")
    if options.force and not _is_page(options.output):
        raise UsageError(f"{display(options.output)} is no page of a report; --force replaces nothing else")
    try:
        os.makedirs(os.path.dirname(os.path.abspath(options.output)), exist_ok=True)
        with (
            (replacing if options.force else creating)(options.output) as part,
            open(part, "w", encoding="utf-8", newline="\n") as stream,
        ):
            told = build(options, console, stream)
    except OSError as error:
        raise ResultsError(f"{display(options.output)} can't be written: {reason(error)}") from error
    megabytes = os.path.getsize(options.output) / 1e6
    console.say(f"{display(options.output)}: {told}, {megabytes:.1f} MB")
    return 0


def build(options: argparse.Namespace, console: Console, stream: IO[str]) -> str:
    """Write the page; returns what it holds, in words."""
    with Store(options.store, options.root) as store:
        rows = read_rows(store, options.max_rows)
        start = starting_thresholds(options.where, rows.columns)
        names = [column.name for column in rows.columns]
        found = store.issues()
        issues = [[display(path), kind, display(message)] for path, kind, message in islice(found, MAX_ISSUES)]
        issue_count = len(issues) + sum(1 for _ in found)
        row_of = {str(path): row for row, path in enumerate(rows.paths)}
        told = told_groups(store, row_of.get)
        groups = told.groups if told is not None else []
        order = picture_order(rows, options.thumbnails, [row for _, members, *_ in groups for row in members])
        located = [store.locate(rows.paths[row]) for row in order]
        rows.paths[:] = map(store.rerooted, rows.paths)
        title = options.title or title_of_store(store, store.path)
        lost = _lost(store, order, located)
    facts = {
        "title": title,
        "version": __version__,
        "store": " ".join([shlex.quote(display(options.store)), *_roots(options.root)]),
        "rows": len(rows.paths),
        "total": rows.total,
        "start": start or starting_conditions(names),
        "faults": told_faults(names),
        "issues": issue_count,
        "groups": groups,
        "columns": [describe(column) for column in rows.columns],
    }
    parts = _data_parts(rows, issues)
    room = MAX_PAGE_BYTES - sum(len(text) for _, text in parts) - 200_000
    chosen, pictures = _read_pictures(order, located, room, options.workers or default_workers(), console)
    facts["pictures"] = _picture_index(chosen, pictures)
    facts["lost"] = "" if pictures else lost  # members of shards are no files, and may be there
    parts += [(f"pictures-{number}", text) for number, text in enumerate(_picture_blocks(pictures))]
    stream.write(page(title, facts, parts))
    if facts["lost"]:
        console.say(lost)
    return f"{len(rows.paths):,} rows, {len(pictures):,} pictures"


def _is_page(path: str) -> bool:
    """Whether a report wrote what is there; true where nothing is there."""
    try:
        with open_regular(path) as stream:
            head = stream.read(_HEAD)
    except FileNotFoundError:
        return not os.path.lexists(path)
    except (OSError, ImageError):
        return False
    return _GENERATOR in head


def _lost(store: Store, order: Sequence[int], located: Sequence[str]) -> str:
    """Why the page will have no picture, where the files are not where they were scored; "" where one of those that it wants is."""
    if not order or any(os.path.lexists(path) or "://" in path for path in located):
        return ""
    return store.told_gone()


def _roots(roots: Sequence[tuple[str, str]]) -> list[str]:
    """The options by which other commands find files that have moved."""
    return [f"--root {shlex.quote(display(f'{old}={new}'))}" for old, new in roots]


def page(title: str, facts: dict[str, Any], parts: Sequence[tuple[str, str]]) -> str:
    """The HTML. Everything that came from files is either escaped or compressed; scripts and styles are known by hash."""
    script = bundle()
    style = asset("page.css")
    blocks = "\n".join(f'<script type="text/plain" id="{name}">{text}</script>' for name, text in parts)
    filled = {
        "title": html.escape(title),
        "policy": f"default-src 'none'; img-src blob:; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'",
        "subtitle": html.escape(_subtitle(facts)),
        "rows": f"{facts['rows']:,}",
        "issues": f"{facts['issues']:,}",
        "style": style,
        "panels": asset("panels.html"),
        "facts": _json(facts),
        "data": blocks,
        "script": script,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: filled[match[1]], asset("page.html"))


def starting_thresholds(condition: str, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """`a.b >= 3 and c.d < 2` -> what the page begins with.

    Raises:
        UsageError: the condition is more than comparisons with numbers joined by `and`, or names an unknown column.
    """
    if not condition.strip():
        return []
    names = [column.name for column in columns if not column.labels]
    found = []
    for term in re.split(r"\s+and\s+", condition, flags=re.IGNORECASE):
        match = _SIMPLE.fullmatch(term)
        if match is None:
            raise UsageError(
                f"the page can begin with comparisons joined by `and`, each like grain_noise.psnr >= 40; not {term!r}"
            )
        found.append(
            {"name": find_column(match[1], names), "operator": match[2], "value": float(match[3]), "keepUnsure": False}
        )
    return found


def picture_order(rows: Rows, count: int, grouped: Sequence[int] = ()) -> list[int]:
    """The rows that get a picture, the most useful first; `grouped`, copies, take up to half of them."""
    main = [column.values for column in rows.columns if column.field.better and not column.labels] or [
        column.values for column in rows.columns
    ]
    sample = stratified_sample(main, len(rows.paths), count) if count else []
    return list(dict.fromkeys([*grouped[: count // 2], *sample]))[:count]


def _data_parts(rows: Rows, issues: list[list[str]]) -> list[tuple[str, str]]:
    """(element id, base64 text) of all data but the pictures."""
    parts = [(f"column-{index}", _base64(column.packed())) for index, column in enumerate(rows.columns)]
    paths = "\n".join(display(path) for path in rows.paths)
    parts.append(("paths", _base64(gzip.compress(paths.encode("utf-8"), 6, mtime=0))))
    parts.append(("issues", _base64(gzip.compress(json.dumps(issues).encode(), 6, mtime=0))))
    return parts


def _read_pictures(
    order: Sequence[int], paths: Sequence[str], room: int, workers: int, console: Console
) -> tuple[list[int], list[bytes]]:
    """Pictures until they are all read or the page is full; rows without a readable picture are left out."""
    chosen: list[int] = []
    pictures: list[bytes] = []
    side = LONG_SIDE if len(order) * 12_000 * 4 // 3 <= room else SMALLER
    made = thumbnails(paths, workers, side)
    for row, picture in console.watched(zip(order, made, strict=True), len(paths)):
        if picture is None:
            continue
        room -= len(picture) * 4 // 3 + 40
        if room < 0:
            break
        chosen.append(row)
        pictures.append(picture)
    return chosen, pictures


def _picture_index(rows: Sequence[int], pictures: Sequence[bytes]) -> dict[str, Any]:
    """Where each row's picture lies: blocks, and the length of each picture within its block."""
    blocks = [number for number, block in enumerate(_blocks(pictures)) for _ in block]
    return {"rows": list(rows), "blocks": blocks, "sizes": [len(picture) for picture in pictures]}


def _picture_blocks(pictures: Sequence[bytes]) -> Iterator[str]:
    for block in _blocks(pictures):
        yield _base64(b"".join(block))


def _blocks(pictures: Sequence[bytes]) -> Iterator[list[bytes]]:
    block: list[bytes] = []
    size = 0
    for picture in pictures:
        block.append(picture)
        size += len(picture)
        if size >= _CHUNK:
            yield block
            block, size = [], 0
    if block:
        yield block


def describe(column: Column) -> dict[str, Any]:
    """What the page is told of a column beside its values."""
    missing = int(np.isnan(column.values).sum())
    own = {"encoding": column.encoding, "labels": column.labels, "missing": missing}
    return told_column(column.name, column.field) | own


def _subtitle(facts: dict[str, Any]) -> str:
    shown = f"{facts['rows']:,} images"
    if facts["total"] > facts["rows"]:
        shown = f"an even sample of {facts['rows']:,} of {facts['total']:,} images"
    scores = sum(column["metric"] != "file" for column in facts["columns"])
    return f"{shown} · {scores} scores · cliqa {facts['version']}"


def _json(value: Any) -> str:
    """JSON that can stand inside a script element, whatever its strings hold."""
    text = json.dumps(value, separators=(",", ":"))  # ASCII alone
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _digest(text: str) -> str:
    return f"sha256-{_base64(hashlib.sha256(text.encode('utf-8')).digest())}"
