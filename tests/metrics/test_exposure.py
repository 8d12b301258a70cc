"""The metric `exposure`: its parts on small made-up weights, its promises on the shipped ones."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cliqa.errors import CheckpointError, UsageError
from cliqa.images.loading import LoadedImage
from cliqa.metrics import load_metric
from cliqa.metrics.base import View
from cliqa.metrics.exposure import (
    LIT_SHIFT,
    SAMPLE_PIXELS,
    Exposure,
    gloom,
    levels_and_probabilities,
    lit,
    observe_tones,
    softened,
)
from cliqa.signal.exposure.labels import LABELS
from cliqa.signal.exposure.schema import SCHEMA, graph_from_schema
from cliqa.signal.exposure.tones import WIDTH
from tests.exposed_pictures import cut_out, exposed, scene


def random_tensors(networks=2, seed=0):
    rng = np.random.default_rng(seed)
    tensors = {}
    for index in range(networks):
        tensors |= {
            f"net{index}.mean": np.zeros(WIDTH, np.float32),
            f"net{index}.scale": np.ones(WIDTH, np.float32),
            f"net{index}.weight.0": rng.normal(0, 0.1, (8, WIDTH)).astype(np.float16),
            f"net{index}.bias.0": np.zeros(8, np.float16),
            f"net{index}.weight.1": rng.normal(0, 0.5, (6, 8)).astype(np.float16),
            f"net{index}.bias.1": np.full(6, 2, np.float16),
        }
    tensors["scale"] = np.full((networks, 6), 0.5, np.float32)
    tensors["thresholds"] = np.tile(np.array([1.5, 2.5, 3.5], np.float32), (networks, 6, 1))
    return tensors


def view(pixels):
    return View(LoadedImage.from_array(pixels))


def tones_of(pixels):
    return observe_tones(view(pixels))["tones"]


def test_fields_are_those_declared_and_in_range():
    metric = Exposure(random_tensors(), {})
    for seed in range(4):
        fields = metric.score_view(view(scene(seed)))
        assert list(fields) == [field.name for field in Exposure.fields]
        for field in Exposure.fields:
            assert field.low <= fields[field.name] <= field.high
        for label in LABELS:
            assert fields[f"{label}_p2"] >= fields[f"{label}_p3"] >= fields[f"{label}_p4"]


def test_opposite_labels_exclude_each_other():
    z = np.random.default_rng(0).normal(3, 6, (60, 6, 3))
    graph = graph_from_schema(SCHEMA)
    for fields in (levels_and_probabilities(graph, image) for image in z):
        for a, b in zip(LABELS[::2], LABELS[1::2], strict=True):
            assert min(fields[f"{a}_level"], fields[f"{b}_level"]) == 1
            assert fields[f"{a}_p2"] + fields[f"{b}_p2"] <= 1 + 1e-12


def test_softening_keeps_levels_and_keeps_probabilities_apart():
    scores = np.linspace(-14, 20, 69)
    z = np.zeros((len(scores), 6, 3))
    z[:, 1] = 3 * (scores[:, None] - [1.5, 2.5, 3.5])
    graph = graph_from_schema(SCHEMA)
    hard, soft = ([levels_and_probabilities(graph, one) for one in values] for values in (z, softened(z)))
    assert [row["too_dark_level"] for row in hard] == [row["too_dark_level"] for row in soft]
    dark = np.array([row["too_dark_p2"] for row in soft])
    assert (np.diff(dark) > 0).all()  # without it, the upper end is 1.0 many times over
    assert len(np.unique([row["too_dark_p2"] for row in hard])) < len(dark)
    np.testing.assert_allclose(softened(np.array([-0.1, 0.0, 0.1])), [-0.1, 0.0, 0.1], rtol=1e-3)


def test_gloom_adds_to_pictures_without_any_light_and_to_no_other():
    added = [gloom(tones_of(exposed(scene(3), ev))) for ev in (0, -2, -4, -5.5, -6.5, -8)]
    assert added[:3] == [0, 0, 0]
    assert 0 < added[3] < added[4] < added[5]
    lamp = exposed(scene(3), -8)
    lamp[:24, :32] = 255  # a hundredth of the picture
    assert gloom(tones_of(lamp)) == 0


def test_doubt_about_dark_pictures_goes_to_level_two_and_no_further():
    tensors = random_tensors()
    plain, doubting = (Exposure(tensors | more, {}) for more in ({}, {"dusk": np.array([0.24, 0.16, 1.5], np.float32)}))
    for ev, share in ((0.0, 0.0), (-6.0, 1.0)):
        tones = plain.observe(view(exposed(scene(5), ev)))["tones"]
        difference = doubting.unary(tones) - plain.unary(tones)
        assert difference[1, 0] == pytest.approx(1.5 * share)
        difference[1, 0] = 0
        assert (difference == 0).all()


def test_a_lit_subject_before_black_is_not_severely_dark_but_a_frame_that_lost_its_highlights_may_be():
    subject = np.full((200, 300, 3), 6, np.uint8)
    subject[60:140, 100:180] = scene(2)[:80, :80]
    assert lit(tones_of(subject)) == LIT_SHIFT
    assert lit(tones_of(exposed(subject, -2.5))) == 0
    tones = [tones_of(exposed(subject, ev)) for ev in np.linspace(0, -2.5, 11)]
    assert (np.diff([lit(row) for row in tones]) <= 0).all()


def test_doubt_leans_to_too_bright_and_too_dark_at_level_2_and_meant_clipping_is_not_severe():
    tensors = random_tensors()
    tones = tones_of(exposed(scene(5), 2.0))
    before = Exposure(tensors, {}).unary(tones)
    leaning = tensors | {"lean": np.array([0.75, 0.25], np.float32), "meant": np.array([2.5], np.float32)}
    difference = Exposure(leaning, {}).unary(tones) - before
    assert difference[:2, 0] == pytest.approx([0.75, 0.25]) and difference[4, 1] == pytest.approx(-2.5)
    assert np.count_nonzero(difference) == 3


def test_a_white_ground_is_neither_clipped_nor_too_bright_and_a_dark_thing_on_it_not_too_dark():
    metric = load_metric("exposure")
    on_white, _ = cut_out(seed=3)
    seen = metric.observe(view(on_white))
    assert set(seen) == {"tones", "subject"}
    assert metric.score(seen)["highlights_clipped_level"] == 1
    assert metric.score({"tones": seen["tones"]})["highlights_clipped_level"] >= 3
    dark, _ = cut_out(texture=exposed(scene(3), -3.0))
    assert metric.score_view(view(dark))["too_dark_level"] == 1
    blown, _ = cut_out(texture=exposed(scene(3), 3.0))
    assert metric.score_view(view(blown))["highlights_clipped_level"] >= 3


def test_a_picture_without_a_ground_is_observed_as_it_is():
    assert set(Exposure.observe(view(exposed(scene(1), 3.0)))) == {"tones"}


def test_fields_do_not_depend_on_the_order_of_the_schema():
    z = np.random.default_rng(1).normal(0, 3, (3, 6, 3))
    turned = dict(SCHEMA, Nodes=SCHEMA["Nodes"][::-1])
    one, other = (
        [levels_and_probabilities(graph_from_schema(schema), one) for one in z] for schema in (SCHEMA, turned)
    )
    for left, right in zip(one, other, strict=True):
        assert left == pytest.approx(right)


def test_another_schema_may_add_rules_but_not_change_the_labels():
    metric = Exposure(random_tensors(), {})
    extra = {"label_a": "highlights_clipped", "label_b": "too_bright", "map": [[3, 2]]}
    metric.use_schema(SCHEMA | {"Subsumptions": [*SCHEMA["Subsumptions"], extra]})
    for seed in range(4):
        fields = metric.score_view(view(scene(seed)))
        assert fields["highlights_clipped_p3"] <= fields["too_bright_p2"] + 1e-12
    with pytest.raises(UsageError, match="exactly the labels"):
        metric.use_schema({"Nodes": [{"label": label} for label in LABELS[:5]] + [{"label": "blue"}]} | {})
    with pytest.raises(UsageError):
        metric.use_schema({"Nodes": [{"label": label, "levels": [1, 2, 3]} for label in LABELS]})


def test_weights_that_lack_a_part_say_so():
    tensors = random_tensors()
    del tensors["thresholds"]
    with pytest.raises(CheckpointError, match="thresholds"):
        Exposure(tensors, {})


def test_statistics_are_of_the_upright_picture_and_flat_in_cost():
    pixels = scene()
    big = np.asarray(Image.fromarray(pixels).resize((1600, 1200), Image.Resampling.NEAREST))
    sample = LoadedImage.from_array(big).sample(SAMPLE_PIXELS)
    assert sample.width * sample.height <= SAMPLE_PIXELS * 1.01
    assert set(np.unique(np.asarray(sample))) <= set(np.unique(big))
    assert tones_of(big).shape == (WIDTH,)


def test_probabilities_follow_exposure():
    metric = load_metric("exposure")
    pixels = scene(2)
    dark = [metric.score_view(view(exposed(pixels, ev)))["too_dark_p2"] for ev in (-3.5, -2.5, -1.5, -0.5)]
    bright = [metric.score_view(view(exposed(pixels, ev)))["too_bright_p2"] for ev in (0.5, 1.5, 2.5, 3.5)]
    assert dark == sorted(dark, reverse=True) and dark[0] > 0.9
    assert bright == sorted(bright) and bright[-1] > 0.9


def test_extremes_are_told():
    metric = load_metric("exposure")
    assert metric.score_view(view(exposed(scene(4), -3.5)))["too_dark_level"] >= 3
    assert metric.score_view(view(exposed(scene(4), 3.5)))["too_bright_level"] >= 3
    flat = np.rint(128 + (scene(4) - 128.0) * 0.2).astype(np.uint8)
    assert metric.score_view(view(flat))["contrast_too_low_level"] >= 3
