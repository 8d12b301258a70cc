"""Shards of pictures -> shards of what the metric observes of them, kept beside, so that evidence can change without new pictures."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from cliqa.errors import ImageIssue
from cliqa.images.codec_headers import CodecHeader, read_codec_header
from cliqa.images.loading import read_header
from cliqa.metrics.compression import coding_of
from cliqa.signal.compression.evidence import CURVE, evidence, file_inputs

Examples = dict[str, NDArray[Any]]
FLOOR = 0.02  # of a fidelity 0-1 before its logit is taken
TRUTHS = ("target", "codec", "scenario", "encoder", "quality")
BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIF", b"heix": "HEIF", b"mif1": "HEIF"}


def observed(pictures: Sequence[Path], folder: Path, workers: int) -> Examples:
    """Make (or read back) the observations of all shards, stacked: `evidence` (n, 2, inputs), `header` (n, inputs) and the truth."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [path for path in pictures if not (folder / path.name).exists()]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(
            tqdm(pool.map(partial(_observe_shard, folder), missing), total=len(missing), unit="shard", desc="evidence")
        )
    shards = [np.load(folder / path.name) for path in pictures]
    return {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0].files}


def _observe_shard(folder: Path, path: Path) -> None:
    with np.load(path) as stored:
        tiles, counts = stored["tiles"], stored["counts"]
        found: Examples = {name: stored[name] for name in TRUTHS}
        found["evidence"] = np.stack(
            [
                [evidence(variant[:count]) for variant, count in zip(each, numbers, strict=True)]
                for each, numbers in zip(tiles, counts, strict=True)
            ]
        ).astype(np.float32)
        found["header"] = np.stack(
            [_file(head.tobytes()[: int(size[0])]) for head, size in zip(stored["head"], stored["sizes"], strict=True)]
        )
    part = folder / f"{path.stem}.{os.getpid()}.part.npz"
    np.savez(part, **found)  # type: ignore[arg-type]
    os.replace(part, folder / path.name)


def _file(head: bytes) -> NDArray[np.float32]:
    """`file_inputs` of a file's first bytes, as the metric takes them; zeros where there is no lossy file that cliqa reads."""
    found, sampling = head_coding(head)
    lossy = found is not None and found.lossless is False
    return file_inputs(found.codec, found.quality, sampling) if found and lossy else file_inputs()


def head_coding(head: bytes) -> tuple[CodecHeader | None, str]:
    """What a file's first bytes say of its codec, and the chroma sampling of a JPEG."""
    if head[:2] == b"\xff\xd8":
        try:
            header = read_header(head)
        except ImageIssue:
            return None, ""
        return coding_of(header), header.sampling
    format = "WEBP" if head[8:12] == b"WEBP" else "JPEG2000" if head[4:6] == b"jP" else BRANDS.get(head[8:12], "")
    return read_codec_header(io.BytesIO(head), format), ""


@dataclass(frozen=True)
class Rows:
    """A row an input of the networks: `evidence`, `file` (see `file_inputs`), and the truth.

    `target` is (n, 3): fidelity 0-1, place in CODECS, the logit of the fidelity to start from.
    """

    evidence: NDArray[np.float32]
    file: NDArray[np.float32]
    target: NDArray[np.float32]
    scenario: NDArray[np.str_]


def pixel_rows(examples: Examples, views: tuple[int, ...] = (0, 1)) -> Rows:
    """Pixels alone: each picture as it is (view 0) and cropped (view 1)."""
    truth = np.stack(
        [examples["target"][:, 0] / 100, examples["codec"], np.zeros(len(examples["codec"]))], axis=1, dtype=np.float32
    )
    return Rows(
        np.concatenate([examples["evidence"][:, view] for view in views]),
        np.concatenate([np.zeros_like(examples["header"])] * len(views)),
        np.concatenate([truth] * len(views)),
        np.concatenate([examples["scenario"]] * len(views)),
    )


def file_rows(examples: Examples, curve: NDArray[np.float32], views: tuple[int, ...] = (0,)) -> Rows:
    """Pictures that are lossy files, with their header. More views are more of the picture's content, under the same header."""
    filed = np.asarray(examples["header"].any(axis=1))
    some = {name: values[filed] for name, values in examples.items()}
    rows = pixel_rows(some, views)
    file = np.concatenate([some["header"]] * len(views))
    start = file[:, : len(curve)] @ curve
    return Rows(rows.evidence, file, np.column_stack([rows.target[:, :2], start]).astype(np.float32), rows.scenario)


def quality_curve(examples: Examples) -> NDArray[np.float32]:
    """The logit of the fidelity that files of each codec and quality have on average: weights of the first `file_inputs`."""
    filed = np.asarray(examples["header"].any(axis=1))
    triangles = examples["header"][filed, :CURVE].astype(np.float64)
    fidelity = np.clip(examples["target"][filed, 0] / 100, FLOOR, 1 - FLOOR)
    logits = np.log(fidelity / (1 - fidelity))
    mean = logits.mean()  # drawn to it where a codec has few files
    weights = np.linalg.solve(triangles.T @ triangles + np.eye(CURVE), triangles.T @ (logits - mean))
    curve: NDArray[np.float32] = (weights + mean).astype(np.float32)
    return curve
