"""Weights in, weights out: safetensors files whose metadata names the metric, architecture and version.

A shipped file lies in `pretrained_models/<metric>.safetensors` of a checkout, or inside the wheel. A `.pth` or `.pt` given by
the user is read with torch's `weights_only` loader, so a pickle's code never runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import cliqa
from cliqa.errors import CheckpointError
from cliqa.text import describe

Tensors = dict[str, NDArray[Any]]
_INSIDE = Path(cliqa.__file__).parent / "pretrained_models"
_BESIDE = Path(cliqa.__file__).parent.parent / "pretrained_models"


def shipped_path(metric: str) -> Path:
    """Where the shipped weights of `metric` lie (whether or not the file exists)."""
    inside = _INSIDE / f"{metric}.safetensors"
    return inside if inside.exists() else _BESIDE / f"{metric}.safetensors"


def fingerprint(path: str | os.PathLike[str]) -> str:
    """The first 12 hexadecimal digits of the file's SHA-256: the version of the weights in results."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:12]


def metric_of(path: str | os.PathLike[str]) -> str:
    """The metric that a .safetensors file says it belongs to; "" where it says none, or can't be read (`load` says why)."""
    from safetensors import SafetensorError, safe_open

    with contextlib.suppress(SafetensorError, OSError), safe_open(path, framework="numpy") as stream:
        return str((stream.metadata() or {}).get("metric", ""))
    return ""


def save(path: str | os.PathLike[str], tensors: Mapping[str, NDArray[Any]], *, metric: str, architecture: str,
         version: int, **metadata: str) -> None:  # fmt: skip
    """Write a weights file. Metadata values are strings; the three names are checked again on loading.

    Equal tensors and metadata give equal bytes: safetensors alone writes metadata in an order that differs from run to run.
    """
    from safetensors.numpy import save as serialise

    facts = {"metric": metric, "architecture": architecture, "version": str(version), **metadata}
    data = serialise({name: np.ascontiguousarray(value) for name, value in tensors.items()}, metadata=facts)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length]) | {"__metadata__": dict(sorted(facts.items()))}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the tensors begin at a multiple of 8
    part = f"{os.fspath(path)}.part"
    try:
        with open(part, "wb") as stream:
            stream.write(len(text).to_bytes(8, "little") + text)
            stream.write(memoryview(data)[8 + length :])
        os.chmod(part, 0o644)
        os.replace(part, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)


def load(
    path: str | os.PathLike[str], *, metric: str, architecture: str, version: int
) -> tuple[Tensors, dict[str, str]]:
    """Read a weights file and check that it is what the metric needs.

    Raises:
        CheckpointError: missing, unreadable, unsafe, or of another metric, architecture or version.
    """
    name = os.fspath(path)
    if not os.path.isfile(name):
        raise CheckpointError(f"{name} is no weights file" if os.path.exists(name) else f"no weights file at {name}")
    tensors, metadata = _read_pickled(name) if name.endswith((".pth", ".pt")) else _read_safetensors(name)
    found = metadata.get("metric"), metadata.get("architecture"), metadata.get("version")
    if found[0] != metric:
        raise CheckpointError(f"{name} holds weights of {found[0] or 'an unnamed metric'}, not of {metric}")
    if found[1:] != (architecture, str(version)):
        raise CheckpointError(
            f"{name} holds {metric} weights for {found[1]} version {found[2]}; this cliqa needs {architecture} version {version}"
        )
    return tensors, metadata


def _read_safetensors(name: str) -> tuple[Tensors, dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(name, framework="numpy") as stream:
            metadata = dict(stream.metadata() or {})
            return {key: stream.get_tensor(key) for key in stream.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{name} is no readable safetensors file: {describe(error)}") from error


def _read_pickled(name: str) -> tuple[Tensors, dict[str, str]]:
    import torch

    try:
        content = torch.load(name, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler may raise anything on hostile bytes
        raise CheckpointError(
            f"{name} is no safe torch file: it needs more than plain tensors, or is damaged"
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{name} holds {type(content).__name__}, not a dictionary of tensors")
    state: Any = content.get("tensors", content.get("state_dict", content))
    metadata: Any = content.get("metadata") or {}
    try:
        if isinstance(metadata, str):
            metadata = json.loads(metadata)
        tensors = {str(key): value.numpy(force=True) for key, value in state.items() if isinstance(value, torch.Tensor)}
        return tensors, {str(key): str(value) for key, value in metadata.items()}
    except (AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{name} holds no dictionary of plain tensors with its metadata: {error}") from error
