"""Pairs that look alike are compared in the files' pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cliqa.duplicates import __main__ as duplicates
from cliqa.duplicates import looking
from cliqa.duplicates.best import judge
from cliqa.duplicates.decoding import Pixels
from cliqa.duplicates.grouping import Group
from cliqa.duplicates.keeping import superfluous
from cliqa.duplicates.links import Link
from cliqa.duplicates.looking import looked_at
from cliqa.duplicates.pictures import Picture
from cliqa.signal.copies.shots import Shots
from cliqa.signal.jpeg.quantization import LUMA_TABLES
from tests.jpeg_pictures import saved, textured
from tests.signal.copies.scenes import fine_scene
from tests.signal.copies.test_motion import window


def grey(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"))


SCENE = fine_scene(6)
FILES = [
    grey(window(SCENE)),
    grey(window(SCENE, 6, 3, 0.2)),
    grey(window(SCENE).resize((120, 120), Image.Resampling.LANCZOS)),
    np.clip(np.rint(grey(window(SCENE, -7, 2)) * 2 ** (1.0 / 2.2)), 0, 255).astype(np.uint8),
]
PICTURES = [
    Picture(f"{number}.jpg", {"width": file.shape[1], "height": file.shape[0]}) for number, file in enumerate(FILES)
]


def look(index: int) -> Pixels | None:
    return Pixels(FILES[index], FILES[index]) if index < len(FILES) else None


def test_frames_copies_and_exposures_are_told_apart() -> None:
    decided, left = looked_at([Link(0, 2, "near"), Link(0, 1, "near"), Link(0, 3, "near")], PICTURES, look)
    assert {(link.first, link.second): link.kind for link in decided} == {
        (0, 1): "burst",
        (0, 2): "near",
        (0, 3): "bracket",
    }
    assert left == []
    assert {link.second: round(link.light) for link in decided} == {1: 0, 2: 0, 3: 1}


def test_large_pictures_are_compared_first() -> None:
    decided, _ = looked_at([Link(0, 2, "near"), Link(0, 1, "near")], PICTURES, look)
    assert [link.second for link in decided] == [1, 2]


def test_what_can_not_be_read_is_left_to_the_fingerprints() -> None:
    links = [Link(0, 4, "near"), Link(0, 2, "near")]
    decided, left = looked_at(links, [*PICTURES, Picture("4.jpg", {})], look)
    assert [link.second for link in decided] == [2] and left == [links[0]]
    decided, left = looked_at([Link(0, 1, "near"), Link(0, 2, "near")], PICTURES, look, most=1)
    assert (len(decided), len(left)) == (1, 1)


def test_of_many_copies_each_is_compared_once_more_or_less() -> None:
    asked = []

    def counted(index: int) -> Pixels:
        asked.append(index)
        return Pixels(FILES[2], FILES[2])

    count = 16
    pictures = [Picture(f"{number}.jpg", {"width": 120, "height": 120}) for number in range(count)]
    links = [Link(one, two, "near") for one in range(count) for two in range(one + 1, count)]
    decided, left = looked_at(links, pictures, counted)
    assert len(asked) / 2 == len(decided) < 60 and not left


@pytest.mark.parametrize(("light", "rest"), [(0.1, {1}), (-0.8, set())])
def test_what_could_be_another_exposure_is_never_proposed_for_removal(light: float, rest: set[int]) -> None:
    group = Group("near", (0, 1), (Link(0, 1, "near", light=light),))
    pictures = [Picture("a.jpg", {"width": 900, "height": 600}), Picture("b.jpg", {"width": 300, "height": 200})]
    best, reasons = judge(group, pictures)
    assert best == 0 and superfluous([(group, best, reasons)], [group]) == rest
    assert ("0.8 EV apart: kept" in reasons[1]) == (not rest)


def test_exposures_from_a_tripod_without_exif_stay(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    root = tmp_path / "in"
    root.mkdir()
    image = np.asarray(window(fine_scene(8)).convert("RGB"), np.float32) * 0.6
    for number, ev in enumerate((-1.0, 0.0, 1.0)):
        noise = np.random.default_rng(number).normal(0, 1.5, image.shape)
        shot = np.clip(image * 2 ** (ev / 2.2) + noise, 0, 255).astype(np.uint8)
        Image.fromarray(shot).save(root / f"{number}.jpg", quality=92)
    assert duplicates.main([str(root), "-g", "-1", "--workers", "0", "--quiet", "--keep", "rest", "--print"]) == 0
    assert capsysbinary.readouterr().out == b""


@pytest.mark.parametrize(
    ("sides", "kind"), [((200, 200, 200, 200), "near"), ((200, 200, 120, 200), "burst"), ((200, 200, 0, 200), "burst")]
)
def test_shots_that_large_enough_others_are_copies_of_are_copies(
    monkeypatch: pytest.MonkeyPatch, sides: tuple[int, ...], kind: str
) -> None:
    """Pictures 0 and 1 are taken for two shots; 2 and 3, as far as they are there, for copies of both."""

    def compared(first: np.ndarray, second: np.ndarray, _: object) -> Shots:
        return Shots(False, False, False, moved={int(first[0, 0]), int(second[0, 0])} == {0, 1})

    monkeypatch.setattr(looking, "compare", compared)
    pictures = [Picture(f"{number}.jpg", {"width": side, "height": side}) for number, side in enumerate(sides)]
    there = [number for number, side in enumerate(sides) if side]
    links = [Link(one, two, "near") for one in there for two in there if one < two]
    decided, _ = looked_at(links, pictures, lambda index: Pixels(full := np.full((32, 32), index, np.uint8), full))
    assert {link.kind for link in decided if (link.first, link.second) == (0, 1)} == {kind}
    assert all(link.kind == "near" for link in decided if (link.first, link.second) != (0, 1))


STEPS = (1,) * 64
ALIKE = (STEPS, STEPS)


@pytest.mark.parametrize(
    ("tables", "lowest", "other", "asked"),
    [
        (ALIKE, 91.0, {}, [True]),
        (ALIKE, 70.0, {}, [False]),
        (ALIKE, None, {}, [False]),
        ((STEPS, (2, *STEPS[1:])), 91.0, {}, [False]),
        (((), ()), 91.0, {}, [False]),
        (ALIKE, 91.0, {"width": 16}, []),
    ],
)
def test_noise_of_files_of_one_size_is_asked_for_by_how_they_were_made(
    monkeypatch: pytest.MonkeyPatch,
    tables: tuple[tuple[int, ...], ...],
    lowest: float | None,
    other: dict[str, int],
    asked: list[bool],
) -> None:
    found: list[bool] = []

    def noise_apart(first: np.ndarray, second: np.ndarray, alike: bool) -> bool:
        found.append(alike)
        return True

    monkeypatch.setattr(looking, "noise_apart", noise_apart)
    history = {"jpeg_quality.quality": lowest, "jpeg_quality.qf_header": 92}
    pictures = [
        Picture("0.jpg", {"width": 8, "height": 8} | history),
        Picture("1.jpg", {"width": 8, "height": 8} | history | other),
    ]
    files = [Pixels(FILES[0], FILES[0], table) for table in tables]
    decided, _ = looked_at([Link(0, 1, "near")], pictures, lambda index: files[index])
    assert found == asked and [link.kind for link in decided] == ["burst" if asked else "near"]


@pytest.mark.parametrize("swapped", [False, True])
def test_a_jpeg_is_known_for_the_child_of_the_file_that_it_was_made_of(swapped: bool) -> None:
    source = saved(textured(11, 384), 45)
    child = saved(source, 85)
    files = [
        Pixels(grey(Image.fromarray(source)), grey(Image.fromarray(source))),
        Pixels(grey(Image.fromarray(child)), grey(Image.fromarray(child)), tuple(LUMA_TABLES[84])),
    ][:: -1 if swapped else 1]
    pictures = [Picture(str(number), {"width": 384, "height": 384}) for number in range(2)]
    (link,), _ = looked_at([Link(0, 1, "near")], pictures, files.__getitem__)
    assert (link.kind, link.child) == ("near", 0 if swapped else 1)
