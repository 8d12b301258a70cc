"""Histories are made again from their seed, keep their truth, and need the encoders of the extra `train`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.jpeg_pictures import textured

for name in ("ssimulacra2", "cv2", "imagecodecs", "pillow_heif", "av", "pyjpegli"):
    pytest.importorskip(name)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos") / "lossless"
    folder.mkdir()
    for seed in range(16):  # enough for some to be of the training split
        Image.fromarray(textured(seed, 300)).save(folder / f"{seed}.png")
    drawn = folder.parent / "drawn"
    drawn.mkdir()
    for seed in range(16):
        Image.fromarray(textured(seed, 300)).save(drawn / f"{seed}.png")
    return folder.parent


def test_a_seed_makes_the_same_example_again(photos: Path) -> None:
    from cliqa.training.compression.examples import make_example

    first, again = (make_example(photos, "train", np.random.default_rng([1, 2]), 2) for _ in range(2))
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_none_lost_nothing_and_saves_did(photos: Path) -> None:
    from cliqa.training.compression.examples import SCENARIOS, draw_history, target_of
    from cliqa.training.jpeg.sources import source

    found = [
        draw_history(np.random.default_rng([5, number]), photos, "train", SCENARIOS, source) for number in range(14)
    ]
    assert {scenario for scenario, _ in found} >= {"none", "plain"}
    for scenario, picture in found:
        assert bool(picture.saves) == (scenario != "none")
        assert 0 <= target_of(picture) <= 100 and picture.lossless.shape == picture.pixels.shape
        if scenario == "none":
            assert target_of(picture) == 100 and not picture.file
            assert np.array_equal(picture.lossless, picture.pixels)


@pytest.mark.parametrize("codec", ["jpeg", "webp", "avif", "heic", "jpeg2000", "jxl", "other"])
def test_every_codec_saves_better_at_the_upper_end_of_its_range(codec: str) -> None:
    from cliqa.training.compression.examples import target_of
    from cliqa.training.histories.encoders import any_save
    from cliqa.training.histories.picture import Picture

    original = textured(3)
    scores = []
    for low in (0.97, 0.0):
        picture = any_save(codec, low)(np.random.default_rng(8), Picture(original, lossless=original))
        assert picture.strongest.codec == codec and picture.strongest.error > 0
        scores.append(target_of(picture))
    assert scores[0] >= scores[1] - 1


def test_changes_keep_the_sizes_of_twins_equal() -> None:
    from cliqa.training.histories.filters import retouched
    from cliqa.training.histories.geometry import rescaled, trimmed
    from cliqa.training.histories.picture import Picture

    for seed in range(12):
        for step in (retouched, trimmed, rescaled):
            picture = step(np.random.default_rng(seed), Picture(textured(1), lossless=textured(2)))
            assert picture.lossless.shape == picture.pixels.shape
