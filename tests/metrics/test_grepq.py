"""The metric grepq on random weights of the right shapes."""

import numpy as np
import pytest

from cliqa.metrics.encoder_layout import EARLY_WIDTH
from cliqa.metrics.grepq import GRepQ
from cliqa.signal.densities import logit
from cliqa.signal.quality.picture_statistics import STATISTICS, picture_statistics
from tests.grepq_weights import small_tensors, view


@pytest.fixture(scope="module")
def tensors():
    return small_tensors()


def test_fields_are_in_range_and_do_not_depend_on_what_came_before(tensors):
    metric = GRepQ(tensors, {})
    observations = [metric.observe(view(seed=0)), metric.observe(view(400, 600, 1)), metric.observe(view(33, 200, 2))]
    for observation in observations:
        fields = metric.score(observation)
        assert all(0 <= fields[f.name] <= f.high for f in metric.fields)
        assert GRepQ(tensors, {}).score(observation) == fields


def test_pictures_larger_than_needed_cost_no_more(tensors):
    observed = GRepQ.observe(view(900, 1400))
    assert max(observed["picture"].shape) == 384
    assert max(observed["detail"].shape) == 512


def test_traces_of_compression_and_noise_take_from_the_scores(tensors):
    plain = GRepQ(tensors | {"blend.traces": np.zeros(2)}, {})
    strict = GRepQ(tensors | {"blend.traces": np.array([2.0, 7.0]), "quality.traces": np.array([0.1, 7.0])}, {})
    seen = plain.observe(view(200, 300))
    before, after = plain.score(seen), strict.score(seen)
    assert logit(after["q"]) == pytest.approx(logit(before["q"]) - 2.0 * 0.5**2)  # the noise of 0.1 is below the floor
    assert after["quality"] == pytest.approx(before["quality"] - 100 * 0.1 * 0.5**2)
    assert {name: after[name] for name in ("q_low", "q_high")} == {name: before[name] for name in ("q_low", "q_high")}


def test_quality_adds_what_the_free_branch_and_the_pixels_say_to_the_rated_branch(tensors):
    plain = GRepQ(tensors, {})
    seen = plain.observe(view(200, 300))
    pooled = plain.network.embed(seen["picture"])[0]
    early = pooled[:EARLY_WIDTH]
    free = 0.1 * early / (early @ early)
    before = plain.score(seen)["quality"]
    both = GRepQ(tensors | {"quality.free": free, "quality.pixels.bias.0": np.array([-0.05])}, {})
    assert both.score(seen)["quality"] == pytest.approx(before + 100 * (0.1 - 0.05), abs=1e-3)
    fresh = both.observe(
        view(200, 300)
    )  # `quality` alone, of a picture that nothing is known of, runs less of the branch
    assert both.quality(fresh) == pytest.approx(both.score(seen)["quality"], abs=1e-4)


def test_q_adds_up_its_numbers_and_what_the_free_branch_and_the_pixels_say(tensors):
    plain = GRepQ(tensors, {})
    seen = plain.observe(view(200, 300))
    pooled = plain.network.embed(seen["picture"])[0]
    early = pooled[:EARLY_WIDTH]
    more = {"blend.free": 0.1 * early / (early @ early), "blend.pixels.bias.0": np.array([-0.3])}
    before, after = plain.score(seen), GRepQ(tensors | more, {}).score(seen)
    assert logit(after["q"]) == pytest.approx(logit(before["q"]) + 0.1 - 0.3, abs=1e-3)
    assert {name: after[name] for name in ("q_low", "q_high")} == {name: before[name] for name in ("q_low", "q_high")}
    steps = np.array(tensors["blend"])
    steps[4] += 0.01  # the deviation of luma, standardised by 50 grey values here
    moved = GRepQ(tensors | {"blend": steps}, {}).score(seen)
    spread = float(picture_statistics(seen["detail"])[STATISTICS.index("luma_deviation")]) / 50.0
    assert logit(moved["q"]) == pytest.approx(logit(before["q"]) + 0.01 * spread, abs=1e-6)
