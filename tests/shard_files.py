"""Shards made on the spot, for tests."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cliqa.inputs.listing import Listing
from cliqa.metrics import load_metric
from cliqa.pipeline.run import PipelineSettings, run
from cliqa.records import Record
from tests.conftest import encode

VALUES = {f"{number:03d}": number * 20 + 5 for number in range(12)}  # 5, 25, ... 225; the toy keeps from 100 on


def grey(value: int) -> bytes:
    """A flat grey PNG file."""
    return encode(np.full((40, 40, 3), value, np.uint8), "PNG")


def tar_bytes(
    members: Mapping[str, bytes] | list[tuple[str, bytes]], mode: str = "w", mtime: int = 1_700_000_000
) -> bytes:
    """A tar of regular files, as Python's own writer makes it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as tar:
        for name, data in members.items() if isinstance(members, Mapping) else members:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), mtime
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def samples(values: Mapping[str, int]) -> dict[str, bytes]:
    """WebDataset samples: an image, a caption and a class for each key."""
    members: dict[str, bytes] = {}
    for key, value in values.items():
        members |= {f"{key}.png": grey(value), f"{key}.txt": f"a picture of {value}".encode(), f"{key}.cls": b"7"}
    return members


def write_tar(path: Path, members: Mapping[str, bytes] | list[tuple[str, bytes]]) -> Path:
    """A tar on disk, packed where its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tar_bytes(members, "w" if path.suffix == ".tar" else "w:gz"))
    return path


def read_tar(path: Path | str) -> dict[str, bytes]:
    """The regular files of a tar, by Python's own reader."""
    found: dict[str, bytes] = {}
    with tarfile.open(path) as tar:
        for member in tar:
            content = tar.extractfile(member)
            assert content is not None and member.name not in found
            found[member.name] = content.read()
    return found


def scored(given: str, workers: int = 0, **columns: str) -> dict[str, float | str]:
    """Path below the shards -> mean, or the message of an issue."""
    listing = Listing(given, **columns)  # type: ignore[arg-type]
    listing.check()
    metric = load_metric("tests.toy_metric:Brightness")
    found = list(run(listing, [metric], PipelineSettings(workers=workers)))
    assert len({item.path for item in found}) == len(found)
    return {
        item.path: float(item.values["brightness.mean"] or 0) if isinstance(item, Record) else item.message
        for item in found
    }
