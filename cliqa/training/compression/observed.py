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
from cliqa.signal.compression.evidence import evidence
from cliqa.signal.compression.file_inputs import file_inputs

Examples = dict[str, NDArray[Any]]
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
    """Inputs and truth, a row each: of every picture as it is, cropped, and with its file's header where it has one.

    `view` is 0, 1 or 2 for these; `target` is (n, 2): fidelity 0-1, place in CODECS.
    """

    inputs: NDArray[np.float32]
    target: NDArray[np.float32]
    view: NDArray[np.int8]
    scenario: NDArray[np.str_]


def rows(examples: Examples) -> Rows:
    """One row a view."""
    filed = np.asarray(examples["header"].any(axis=1))
    blank = np.zeros_like(examples["header"])
    as_is, cropped = examples["evidence"][:, 0], examples["evidence"][:, 1]
    inputs = [np.concatenate([part, blank], axis=1) for part in (as_is, cropped)]
    inputs.append(np.concatenate([as_is, examples["header"]], axis=1)[filed])
    truth = np.stack([examples["target"][:, 0] / 100, examples["codec"]], axis=1).astype(np.float32)
    scenario = examples["scenario"]
    view = np.repeat(np.arange(3, dtype=np.int8), [len(filed), len(filed), int(filed.sum())])
    return Rows(
        np.concatenate(inputs),
        np.concatenate([truth, truth, truth[filed]]),
        view,
        np.concatenate([scenario, scenario, scenario[filed]]),
    )
