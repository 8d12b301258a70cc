"""What the recipes declare: their histories are made of the shared steps, keep out what is for testing, and stay the draws that made
the shipped weights.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")  # the extra [train]
pytest.importorskip("scipy")
pytest.importorskip("imagecodecs")
pytest.importorskip("av")
pytest.importorskip("pillow_heif")
pytest.importorskip("pyjpegli")

from cliqa.training.compression import examples as compression
from cliqa.training.histories import encoders
from cliqa.training.histories.filters import noise_of
from cliqa.training.histories.graph import Step, in_order
from cliqa.training.histories.picture import Picture
from cliqa.training.jpeg import jpeg_qf, jpeg_quality
from cliqa.training.learned import scenes
from cliqa.training.noise import saved_photos
from cliqa.training.scale import resized_photos
from tests.jpeg_pictures import textured

DRAWN = {
    "jpeg_quality": "jpeg.jpeg_quality",
    "jpeg_qf": "jpeg.jpeg_qf",
    "scale_factor": "scale.resized_photos",
    "learned": "learned.scenes",
    "grain_noise": "noise.noisy_photos",
    "grain_noise, second stage": "noise.saved_photos",
    "compression": "compression.examples",
}
"""The module of each recipe that declares its histories."""
CHANGING = ("cv2", "PIL.ImageFilter", "PIL.ImageEnhance", "PIL.ImageDraw", "cliqa.training.codecs.decode")


def imported(name: str) -> set[str]:
    module = importlib.import_module(f"cliqa.training.{name}")
    assert module.__file__ is not None
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(module.__file__).read_text())):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
    return found


@pytest.mark.parametrize("name", DRAWN.values(), ids=DRAWN.keys())
def test_a_recipe_changes_pixels_by_shared_steps_alone(name: str) -> None:
    found = imported(name)
    steps = {each for each in found if each.startswith("cliqa.training.histories.")}
    assert "cliqa.training.histories.picture.Picture" in steps
    assert any(".saves." in each or ".encoders." in each for each in steps) and any(".graph." in each for each in steps)
    assert not [each for each in found if each.startswith(CHANGING)]
    assert not hasattr(importlib.import_module(f"cliqa.training.{name}"), "decode")


def of_all(histories: dict[str, Step]) -> Step:
    """Every one of them, each on the same start."""

    def step(rng: np.random.Generator, picture: Picture) -> Picture:
        done = [each(rng, picture) for each in histories.values()]
        return Picture(picture.pixels, saves=tuple(save for each in done for save in each.saves))

    return step


GRAPHS: dict[str, tuple[Step, set[str]]] = {
    "jpeg_quality": (of_all(jpeg_quality.HISTORIES), {"jpeg"}),
    "jpeg_qf": (of_all(jpeg_qf.histories("4:2:0")), {"jpeg", "webp", "avif"}),
    "scale_factor": (in_order(resized_photos.enlarged, resized_photos.FINISH), {"jpeg", "webp", "avif"}),
    "learned": (
        in_order(scenes.BEFORE, scenes.PROCESSED, lambda rng, picture: scenes.finished(rng, picture, 64)),
        {"jpeg", "webp", "avif", "jpeg2000"},
    ),
    "grain_noise": (
        in_order(noise_of("grain", lambda rng: 30.0), of_all(saved_photos.SAVES)),
        {"jpeg", "webp", "avif", "jxl"},
    ),
    "compression": (of_all(compression.HISTORIES), set(encoders.SHARES)),
}
"""Each recipe's histories, and the codecs that they may save by: all others are kept out, such as HEIC, for tests."""
ENCODERS = {
    "jpeg": ("pillow", "opencv", "numpy", "jpegli"),
    "avif": ("aom",),
    "webp": ("libwebp", "vp8"),
    "heic": ("x265",),
    "jxl": ("libjxl",),
}
"""Kept out are mozjpeg, svt, rav1e, and the programs of the benchmarks."""
PINNED = {
    "jpeg_quality": "bf829a857898a89f",
    "jpeg_qf": "7bf5674a74ec73e3",
    "scale_factor": "93fe413082682c1a",
    "learned": "4f0d3d7f94e2275a",
    "grain_noise": "3e3e3cd9e4b5a865",
    "compression": "f45ec79647129678",
}
"""Digests of what was drawn (no pixels: those depend on the codecs' versions). The shipped weights were made by these draws: who
changes them makes the weights anew."""


def run(graph: Step, seeds: int = 24) -> tuple[list[Picture], str]:
    digest, found = hashlib.sha256(), []
    for seed in range(seeds):
        rng = np.random.default_rng([11, seed])
        picture = graph(rng, Picture(textured(seed % 5, 144)))
        saves = [(save.codec, round(float(save.quality), 6), save.encoder, save.sampling) for save in picture.saves]
        facts = (picture.pixels.shape, saves, np.round(picture.factors, 6).tolist(), picture.noise, rng.random())
        digest.update(repr(facts).encode())
        found.append(picture)
    return found, digest.hexdigest()[:16]


@pytest.mark.parametrize("recipe", GRAPHS)
def test_draws_are_those_of_the_shipped_weights_and_keep_encoders_out(recipe: str) -> None:
    graph, codecs = GRAPHS[recipe]
    found, digest = run(graph)
    saves = [save for picture in found for save in picture.saves]
    assert {"jpeg"} <= {save.codec for save in saves} <= codecs
    for save in saves:
        assert not save.encoder or save.encoder.startswith(ENCODERS.get(save.codec, ("",)))
    assert digest == PINNED[recipe]
