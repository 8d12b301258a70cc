import numpy as np
import pytest
from PIL import Image

from cliqa.training.sharpness.calibration import calibration, plain_picture
from cliqa.training.sharpness.scenes import Scene
from tests.drawn_scenes import scene


def test_a_bias_is_taken_off_and_a_few_outliers_do_not_count():
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.1, 6, 600)
    said = np.expm1(np.log1p(truth) + 0.1 + rng.normal(0, 0.03, 600))
    said[::20] = 7.0
    curve = calibration(said, truth)
    assert curve.shape[0] == 2 and (np.diff(curve) >= 0).all() and curve[:, 0].tolist() == [0, 0]
    found = np.expm1(np.interp(np.log1p(said), *curve))
    assert np.median(np.abs(found - truth)) < 0.5 * np.median(np.abs(said - truth))


def test_where_nothing_was_seen_the_curve_is_the_identity():
    curve = calibration(np.full(50, 1.0), np.full(50, 1.3))
    assert curve[1][curve[0] >= 1.25] == pytest.approx(curve[0][curve[0] >= 1.25])


def test_plain_pictures_are_only_blurred():
    grey = np.asarray(Image.fromarray(scene()).convert("L"), np.float32)
    families = set()
    for seed in range(12):
        picture = plain_picture(np.random.default_rng(seed), Scene(grey, (0.0, 0.3)))
        assert picture.grey.shape == grey.shape and picture.least == picture.most <= 8 and picture.layout == "whole"
        if picture.least == 0:
            assert np.abs(picture.grey - grey).mean() < 2
        families.add(picture.family)
    assert {"gaussian", "sharp"} <= families
