"""Which of several copies is the better file, and why."""

from __future__ import annotations

import pytest

from cliqa.duplicates.best import judge
from cliqa.duplicates.grouping import Group
from cliqa.duplicates.links import Link
from cliqa.duplicates.pictures import Picture


def picture(path: str, **values: object) -> Picture:
    return Picture(path, {"width": 1000, "height": 800, "format": "PNG"} | values)


@pytest.mark.parametrize(
    ("better", "worse", "word"),
    [
        ({}, {"width": 500, "height": 400}, "fewer pixels"),
        ({"width": 500, "height": 400}, {"scale_factor.scale": 2.0}, "enlarged 2.0 times"),
        ({"jpeg_quality.quality": 100.0}, {"jpeg_quality.quality": 45.0}, "JPEG of 45"),
        (
            {"jpeg_quality.quality": 60.0, "jpeg_quality.qf_header": 60, "format": "JPEG"},
            {"jpeg_quality.quality": 60.0, "jpeg_quality.qf_header": 95, "format": "JPEG"},
            "saved again at 95",
        ),
        (
            {"jpeg_quality.quality": 80.0, "jpeg_quality.qf_header": 80, "format": "JPEG"},
            {"jpeg_quality.quality": 80.0},
            "made of a JPEG",
        ),
        (
            {"jpeg_quality.quality": 86.0, "compression.codec": "jpeg", "compression.fidelity": 76.0},
            {"jpeg_quality.quality": 94.0, "compression.codec": "jpeg", "compression.fidelity": 54.0},
            "a codec took much of it",
        ),
        ({"grain_noise.psnr": 48.0}, {"grain_noise.psnr": 30.0}, "noisier"),
        ({"camera": "Camera 1"}, {}, "what the camera wrote"),
        ({"grey": 0, "jpeg_quality.quality": 88.0}, {"grey": 1, "jpeg_quality.quality": 100.0}, "lost its colours"),
    ],
)
def test_the_better_file_and_the_reason(better: dict[str, object], worse: dict[str, object], word: str) -> None:
    for order in (0, 1):
        pictures = [picture("a", **better), picture("b", **worse)][:: 1 if order == 0 else -1]
        best, reasons = judge(Group("near", (0, 1), (Link(0, 1, "near"),)), pictures)
        assert pictures[best].path == "a"
        assert word in reasons[1 - best]


def group(*names: str) -> Group:
    return Group("near", tuple(range(len(names))), tuple(Link(0, other, "near") for other in range(1, len(names))))


def judged(*members: dict[str, object]) -> str:
    pictures = [picture(str(values.pop("name")), **values) for values in members]
    return pictures[judge(group(*(one.path for one in pictures)), pictures)[0]].path


def test_an_enlarged_copy_never_hides_what_its_original_has_lost() -> None:
    original = {"name": "original", "jpeg_quality.quality": 63.0, "scale_factor.scale": 1.0, "format": "JPEG"}
    enlarged = {
        "name": "enlarged",
        "width": 1900,
        "height": 1520,
        "jpeg_quality.quality": 100.0,
        "scale_factor.scale": 1.9,
    }
    low = {"name": "low", "jpeg_quality.quality": 45.0, "format": "JPEG"}
    assert judged(dict(original), dict(enlarged), dict(low)) == "original"
    assert judged({**enlarged, "width": 3800, "height": 3040}, dict(low)) == "enlarged"  # of a better file, not here


def test_an_enlargement_is_told_by_its_source_or_by_two_witnesses() -> None:
    weakly = {"name": "b", "width": 1400, "height": 1120, "scale_factor.scale": 1.11, "jpeg_quality.quality": 100.0}
    assert judged({"name": "a", "jpeg_quality.quality": 90.0, "scale_factor.scale": 1.0}, weakly) == "a"
    traces = {"name": "a", "jpeg_quality.quality": 85.0, "jpeg_quality.resized": 1.9, "scale_factor.scale": 1.02}
    saved = {"name": "b", "jpeg_quality.quality": 50.0, "jpeg_quality.resized": 1.0, "scale_factor.scale": 1.01}
    assert judged(dict(traces), dict(saved)) == "a"
    assert judged(traces | {"scale_factor.scale": 1.9}, saved) == "b"


def test_a_reduced_copy_of_a_poor_file_is_no_better() -> None:
    poor = {"name": "poor", "jpeg_quality.quality": 60.0, "format": "JPEG"}
    reduced = {"name": "reduced", "width": 800, "height": 640, "jpeg_quality.quality": 100.0}
    assert judged(poor, reduced) == "poor"


def test_what_a_network_enlarged_loses_to_a_smaller_copy() -> None:
    made = {"name": "made", "width": 4000, "height": 3200, "scale_factor.learned": 0.9}
    assert judged(made, {"name": "original", "scale_factor.learned": 0.1}) == "original"
    assert (
        judged(
            {**made, "name": "made"}, {"name": "same size", "width": 4000, "height": 3200, "jpeg_quality.quality": 50.0}
        )
        == "made"
    )


def test_a_screenshot_with_bars_is_no_larger_than_its_picture() -> None:
    screenshot = {"name": "shot", "width": 1600, "height": 900, "content_box": "300,50,1000,800"}
    assert judged(screenshot, {"name": "a rather long name of the original"}) == "a rather long name of the original"


def test_a_crop_loses_to_the_whole() -> None:
    link = Link(0, 1, "near", (0.05, 0.0, 1.0, 1.0))
    best, reasons = judge(Group("near", (0, 1), (link,)), [picture("whole"), picture("crop")])
    assert best == 0 and "cropped" in reasons[1]


def test_equal_files_go_by_the_plainer_name() -> None:
    pictures = [picture("a (1).png", sha256="1"), picture("a.png", sha256="1")]
    best, reasons = judge(Group("exact", (0, 1), (Link(0, 1, "exact"),)), pictures)
    assert best == 1 and reasons[0] == "the same file under another name"


@pytest.mark.parametrize(("child", "best"), [(1, "source"), (-1, "jpeg"), (0, "jpeg")])
def test_a_jpeg_that_hides_the_history_of_its_source_is_no_better(child: int, best: str) -> None:
    """Where the JPEG is not known to have been made of it, the other one's visible history counts alone."""
    source = picture("source", **{"jpeg_quality.quality": 49.0, "scale_factor.scale": 1.4})
    jpeg = picture("jpeg", **{"jpeg_quality.quality": 80.0, "jpeg_quality.qf_header": 80, "format": "JPEG"})
    found, reasons = judge(Group("near", (0, 1), (Link(0, 1, "near", child=child),)), [source, jpeg])
    assert (source, jpeg)[found].path == best
    assert ("made of the other one" in reasons[1]) == (child == 1)


def test_what_is_hidden_is_inherited_from_save_to_save() -> None:
    source = picture("source", **{"jpeg_quality.quality": 49.0})
    first = picture("first", **{"jpeg_quality.quality": 78.0, "jpeg_quality.qf_header": 78, "format": "JPEG"})
    second = picture("second", **{"jpeg_quality.quality": 96.0, "jpeg_quality.qf_header": 96, "format": "JPEG"})
    links = (Link(1, 2, "near", child=2), Link(0, 1, "near", child=1))
    assert judge(Group("near", (0, 1, 2), links), [source, first, second])[0] == 0
