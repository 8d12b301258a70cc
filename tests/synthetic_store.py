"""Stores of any size with the fields of all metrics and scores that look real, made without an image."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliqa.metrics import Field
from cliqa.results import Schema

_LABELS = (
    "too_bright", "too_dark", "contrast_too_high", "contrast_too_low", "highlights_clipped", "highlights_over_suppressed",
)  # fmt: skip
FIELDS: dict[str, tuple[Field, ...]] = {
    "jpeg_quality": (
        Field("quality", "the lowest JPEG quality of the image's history", 0, 100, better="higher"),
        Field("subsampling_420", "probability that chroma was subsampled", better="lower"),
        Field("qf_header", "quality by the file's own tables", 1, 100, kind="int", optional=True),
    ),
    "grain_noise": (Field("psnr", "against the same picture without noise", 0, 50, "dB", "higher"),),
    "scale_factor": (
        Field("scale", "how far the picture was enlarged", 1, 2, better="lower"),
        Field("scale_x", "in width", 1, 2, better="lower"),
        Field("scale_y", "in height", 1, 2, better="lower"),
        Field("quality", "100 - (scale - 1) * 100", 0, 100, better="higher"),
    ),
    "jpeg_qf": (
        Field("qf", "quality factor of the last save", 1, 100),
        Field("qf_final", "the same, rounded", 1, 100, kind="int"),
        Field("confidence", "of the estimate", better="higher"),
        Field("grid_x", "offset of the 8x8 grid", 0, 7, "px", kind="int"),
        Field("grid_y", "offset of the 8x8 grid", 0, 7, "px", kind="int"),
        Field("previous_qf", "quality factor of the save before", 1, 100, kind="int", optional=True),
    ),
    "exposure": tuple(
        field
        for label in _LABELS
        for field in (
            Field(f"{label}_level", "1 none to 4 extreme", 1, 4, better="lower", kind="int"),
            *(Field(f"{label}_p{k}", f"P(level >= {k})", better="lower") for k in (2, 3, 4)),
        )
    ),
    "aesthetic": (
        Field("label", "rejected, pending or accepted", kind="str"),
        Field("p_rejected", "probability", better="lower"),
        Field("p_pending", "probability"),
        Field("p_accepted", "probability", better="higher"),
        Field("score", "expected class", 0, 2, better="higher"),
    ),
    "grepq": (
        Field("q_low", "low-level quality, label-free", better="higher"),
        Field("q_high", "high-level quality, label-free", better="higher"),
        Field("q", "both", better="higher"),
        Field("quality", "trained on ratings", better="higher"),
    ),
}
SCHEMA = Schema(FIELDS, {name: f"{index:012x}" for index, name in enumerate(FIELDS)})


def make_store(
    path: str | os.PathLike[str], rows: int, issues: int = 0, names: list[str] | None = None, seed: int = 0
) -> None:
    """Write a store of `rows` scored files (`names` first, then `photos/…`)."""
    rng = np.random.default_rng(seed)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN")
    types = {int: "INTEGER", float: "REAL", str: "TEXT"}
    body = "".join(f', "{name}" {types[SCHEMA.type_of(name)]}' for name in SCHEMA.columns if name != "path")
    connection.execute(f"CREATE TABLE scores (id INTEGER PRIMARY KEY, path NOT NULL UNIQUE{body})")
    connection.execute(
        "CREATE TABLE issues (id INTEGER PRIMARY KEY, path NOT NULL UNIQUE, filename TEXT, issue_type TEXT,"
        " issue_message TEXT, size INTEGER, mtime_ns INTEGER, weights TEXT, real_path TEXT)"
    )
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
    meta = {f"field.{metric}.{field.name}": json.dumps(asdict(field)) for metric in FIELDS for field in FIELDS[metric]}
    meta |= {"base": json.dumps(os.fspath(Path(path).parent)), "inputs": json.dumps(["photos"])}
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    marks = ", ".join("?" * len(SCHEMA.columns))
    insert = f"INSERT INTO scores ({', '.join(_quoted(name) for name in SCHEMA.columns)}) VALUES ({marks})"
    given = list(names or [])
    for start in range(0, rows, 20_000):
        count = min(20_000, rows - start)
        paths = [
            given[i] if i < len(given) else f"photos/{i // 1000:04d}/IMG_{i:07d}.jpg"
            for i in range(start, start + count)
        ]
        columns = _facts(rng, paths) | _scores(rng, count)
        connection.executemany(insert, zip(*(columns[name] for name in SCHEMA.columns), strict=True))
    for number in range(issues):
        name = f"IMG_{number:05d}.jpg"
        kind, message = (("error", "image file is truncated"), ("skipped", "20x20 is smaller than 32 pixels a side"))[
            number % 2
        ]
        connection.execute(
            "INSERT INTO issues (path, filename, issue_type, issue_message) VALUES (?, ?, ?, ?)",
            (f"photos/broken/{name}", name, kind, message),
        )
    connection.execute("COMMIT")
    connection.close()


def _facts(rng: np.random.Generator, paths: list[str]) -> dict[str, list[object]]:
    count = len(paths)
    same: dict[str, object] = {"mode": "RGB", "bits": 8, "orientation": 1, "frames": 1, "grey": 0, "flat": 0}
    same |= dict.fromkeys(("kept", "placed", "notes", "content_box", "taken", "camera", "exposure_value"))
    columns: dict[str, list[object]] = {name: [value] * count for name, value in same.items()}
    columns |= {"path": list(paths), "filename": [os.path.basename(path) for path in paths]}
    columns["real_path"] = list(paths)
    columns |= {"format": ["JPEG"] * count, "width": [4000] * count, "height": [3000] * count}
    columns |= {
        "size": rng.integers(100_000, 9_000_000, count).tolist(),
        "mtime_ns": rng.integers(10**18, 2 * 10**18, count).tolist(),
    }
    return columns | {"sha256": [f"{i:064x}" for i in range(count)], "weights": [SCHEMA.weights_mark] * count}


def _scores(rng: np.random.Generator, count: int) -> dict[str, list[object]]:
    """Skewed, peaked and partly missing values, correlated through one hidden quality per file."""
    hidden = rng.beta(4, 2, count)
    scores: dict[str, list[object]] = {}
    for metric, fields in FIELDS.items():
        for field in fields:
            noisy = np.clip(0.6 * hidden + 0.4 * rng.beta(2, 2, count), 0, 1)
            noisy = 1 - noisy**2 if field.better == "lower" else noisy
            values: NDArray[np.float64] = field.low + (field.high - field.low) * noisy
            if metric == "jpeg_quality" and field.name == "quality":
                values = np.where(rng.random(count) < 0.4, 100.0, values)
            if field.kind == "str":
                scores[f"{metric}.{field.name}"] = np.array(["rejected", "pending", "accepted"])[
                    (hidden * 2.99).astype(int)
                ].tolist()
                continue
            cells: list[object] = (np.rint(values).astype(int) if field.kind == "int" else np.round(values, 4)).tolist()
            if field.optional:
                cells = [None if gone else cell for gone, cell in zip(rng.random(count) < 0.7, cells, strict=True)]
            scores[f"{metric}.{field.name}"] = cells
    return scores


def _quoted(name: str) -> str:
    return f'"{name}"'


ODD = ["photos/a 'b' \"c\".jpg", "photos/new\nline.jpg", "photos/caf\udce9.jpg", "photos/\U0001f4f7.jpg"]


def make_odd_store(path: Path) -> Path:
    """A small store with issues and odd names. Paths that are no UTF-8 are blobs in it, as the writer stores them."""
    make_store(path, 300, issues=7, names=[ODD[0], ODD[1], "placeholder", ODD[3]])
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE scores SET path = ? WHERE path = 'placeholder'", [os.fsencode(ODD[2])])
    return path
