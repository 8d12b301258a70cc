"""Images made on the spot, shared by the tests."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


def make_pixels(width: int = 64, height: int = 48, seed: int = 0) -> Pixels:
    """A smooth picture with some texture, uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    return np.clip(smooth + rng.integers(-12, 13, smooth.shape), 0, 255).astype(np.uint8)


def encode(image: Image.Image | Pixels, format_name: str, **options: Any) -> bytes:
    """The bytes of a file."""
    stream = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(stream, format_name, **options)
    return stream.getvalue()


@pytest.fixture
def pixels() -> Pixels:
    return make_pixels()


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """`make_folder({"a.png": 200, "sub/b.png": 10})` -> a folder of flat grey PNG files of these values."""

    def make(files: dict[str, int | bytes], name: str = "in") -> Path:
        root = tmp_path / name
        for path, content in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, int):
                content = encode(np.full((40, 40, 3), content, np.uint8), "PNG")
            target.write_bytes(content)
        return root

    return make
