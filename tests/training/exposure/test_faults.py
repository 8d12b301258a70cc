"""Faults of exposure: what they do to pixels, and the levels that they are given."""

import numpy as np
import pytest
from PIL import Image

from cliqa.training.exposure import faults


@pytest.fixture
def picture():
    """A picture that reaches black and white."""
    small = np.random.default_rng(1).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    wide = np.asarray(Image.fromarray(small).resize((240, 180), Image.Resampling.BICUBIC)).astype(float)
    grey = wide.mean(axis=2, keepdims=True)
    mixed = 0.4 * wide + 0.6 * grey
    low, high = np.quantile(mixed, [0.01, 0.985])
    return np.rint(np.clip((mixed - low) / (high - low), 0, 1) * 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("label", "amounts"),
    [
        (faults.BRIGHT, (0.69, 0.71, 1.49, 1.51, 2.74, 2.76)),
        (faults.DARK, (0.69, 0.71, 1.49, 1.51, 2.74, 2.76)),
        (faults.HIGH, (1.24, 1.26, 1.59, 1.61, 2.19, 2.21)),
        (faults.LOW, (0.76, 0.74, 0.51, 0.49, 0.31, 0.29)),
        (faults.CLIPPED, (0.0099, 0.0101, 0.049, 0.051, 0.149, 0.151)),
        (faults.SUPPRESSED, (0.86, 0.84, 0.71, 0.69, 0.56, 0.54)),
    ],
)
def test_levels_change_at_the_boundaries_of_the_scale(label, amounts):
    levels = [round(faults.severity(label, amount)) for amount in amounts]
    assert levels == [1, 2, 2, 3, 3, 4]
    for position in (1.2, 2.0, 3.1, 4.4):
        assert faults.severity(label, faults.amount_at(label, position)) == pytest.approx(position)


def test_exposure_is_a_factor_in_linear_light(picture):
    changed = faults.start(picture)
    faults.expose(changed, -1.0)
    pixels = faults.finish(changed)

    def linear(values):
        u = values / 255.0
        return np.where(u <= 0.04045, u / 12.92, ((u + 0.055) / 1.055) ** 2.4)

    inner = (picture > 60) & (picture < 250)
    np.testing.assert_allclose(linear(pixels)[inner], linear(picture)[inner] / 2, rtol=0.03)
    assert changed.severities[faults.DARK] == pytest.approx(1.5 + 0.3 / 0.8)
    assert changed.severities[[0, 2, 3, 4, 5]].tolist() == [1.0] * 5


@pytest.mark.parametrize("style", ["linear", "luma", "channel"])
def test_contrast_keeps_the_mean_and_scales_the_deviation(picture, style):
    changed = faults.start(picture)
    faults.change_contrast(changed, 0.6, style)
    pixels = faults.finish(changed)
    before, after = picture / 255.0, pixels / 255.0
    if style == "linear":
        assert after.mean() == pytest.approx(before.mean(), abs=2e-3)
    if style != "channel":
        assert after.std() == pytest.approx(0.6 * before.std(), rel=0.01)
    assert round(changed.severities[faults.LOW]) == 2


@pytest.mark.parametrize("style", ["linear", "smooth", "light", "luma"])
def test_clipping_reaches_about_the_share_and_is_measured_exactly(picture, style):
    picture = np.repeat(picture[..., 1:2], 3, axis=2)  # in colour, fewer pixels reach white in all channels
    changed = faults.start(picture)
    faults.clip_highlights(changed, 0.10, 0.4, style)
    pixels = faults.finish(changed)
    luma = np.asarray(Image.fromarray(pixels).convert("L"))
    before = np.asarray(Image.fromarray(picture).convert("L"))
    share = (luma >= 254).mean() - (before >= 254).mean()
    assert 0.05 < share < 0.15
    assert changed.severities[faults.CLIPPED] == pytest.approx(faults.severity(faults.CLIPPED, share))
    dark = before < 0.35 * 255
    if style != "luma":
        assert np.abs(pixels[dark].astype(int) - picture[dark]).mean() < 12


@pytest.mark.parametrize("style", ["linear", "exponential", "rational", "luma", "local"])
def test_suppression_brings_the_percentile_to_its_target(picture, style):
    changed = faults.start(picture)
    assert faults.suppress_highlights(changed, 0.72, style)
    pixels = faults.finish(changed)
    assert np.quantile(faults.luma(pixels), 0.995) == pytest.approx(0.72, abs=0.03)
    below = (picture < 0.3 * 255).all(axis=2)
    if style != "local":
        assert np.abs(pixels[below].astype(int) - picture[below]).max() <= 1


def test_suppression_needs_an_original_that_reaches_white(picture):
    dull = (picture * 0.8).astype(np.uint8)
    assert not faults.suppress_highlights(faults.start(dull), 0.7)


def test_no_change_is_no_fault(picture):
    untouched = faults.start(picture)
    assert (faults.finish(untouched) == picture).all()
    assert untouched.severities.tolist() == [1.0] * 6
