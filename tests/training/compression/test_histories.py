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
    from cliqa.training.compression.histories import make_example

    first, again = (make_example(photos, "train", np.random.default_rng([1, 2]), 2) for _ in range(2))
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_none_lost_nothing_and_saves_did(photos: Path) -> None:
    from cliqa.training.compression.histories import SCENARIOS, draw_history
    from cliqa.training.jpeg.histories import source

    found = [
        draw_history(np.random.default_rng([5, number]), photos, "train", SCENARIOS, source) for number in range(14)
    ]
    assert {history.scenario for history in found} >= {"none", "plain"}
    for history in found:
        assert (history.codec == "none") == (history.scenario == "none")
        assert 0 <= history.target <= 100
        if history.scenario == "none":
            assert history.target == 100 and not history.file


@pytest.mark.parametrize("codec", ["jpeg", "webp", "avif", "heic", "jpeg2000", "jxl", "other"])
def test_every_codec_saves_better_at_the_upper_end_of_its_range(codec: str) -> None:
    from cliqa.training.compression.encoders import draw_save
    from cliqa.training.compression.fidelity import fidelity

    original = textured(3)
    scores = []
    for low in (0.97, 0.0):
        save = draw_save(np.random.default_rng(8), original, codec=codec, low=low)
        assert save.codec == codec
        scores.append(fidelity(np.ascontiguousarray(original[: len(save.pixels), : save.pixels.shape[1]]), save.pixels))
    assert scores[0] >= scores[1] - 1


def test_changes_keep_the_sizes_of_twins_equal() -> None:
    from cliqa.training.compression.histories import draw_change, draw_crop, draw_resize

    for seed in range(12):
        for draw in (draw_change, draw_crop, draw_resize):
            change = draw(np.random.default_rng(seed))
            assert change(textured(1)).shape == change(textured(2)).shape
