"""Cameras' curves: every one rises and keeps mid-grey, more light is brighter, and what is bent keeps its order."""

import numpy as np
import pytest

from cliqa.signal.exposure.histogram_traces import linear_to_srgb
from cliqa.training.exposure import camera_curves as cameras
from cliqa.training.exposure.faults import finish, start

NAMES = sorted({*cameras.FAMILIES, *cameras.HELD_BACK})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("bend", "reach"), [(0.2, 1.5), (0.5, 3.0), (0.85, 5.6)])
def test_a_curve_rises_from_black_and_keeps_mid_grey(name, bend, reach):
    curve = cameras.family(name, bend, reach)
    light = np.geomspace(1e-4, 60, 4000)
    rendered = curve(light)
    assert (np.diff(rendered) >= -1e-12).all()
    assert curve(np.zeros(1))[0] == pytest.approx(0, abs=1e-6) and rendered.max() <= 1 + 1e-9
    assert curve(np.array([cameras.GREY]))[0] == pytest.approx(cameras.GREY, abs=2e-3)


def test_no_curve_of_the_reports_is_trained_on():
    assert not set(cameras.FAMILIES) & set(cameras.HELD_BACK)
    with pytest.raises(ValueError, match="none such"):
        cameras.family("none such", 0.5, 2.0)(np.ones(1))


@pytest.mark.parametrize("name", NAMES)
def test_undoing_the_curve_first_makes_no_change_without_more_light(name):
    curve = cameras.family(name, 0.5, 4.0)
    u = np.linspace(0.02, 0.8, 50)
    assert cameras.exposed_curve(curve, 0.0, True, 60.0)(u) == pytest.approx(u, abs=0.01)
    brighter = cameras.exposed_curve(curve, 1.0, True, 60.0)(u)
    assert (brighter > u).all()
    assert (
        cameras.exposed_curve(curve, 1.0, True, 0.3)(u) <= float(linear_to_srgb(curve(np.array([0.3])))[0]) + 1e-9
    ).all()


def test_more_light_is_brighter_and_less_is_darker_through_any_camera():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(8, axis=0)
    for seed in range(24):
        grey = []
        for ev in (-1.5, 0.0, 1.5):
            picture = start(ramp)
            cameras.expose_as_camera(picture, ev, np.random.default_rng(seed))
            pixels = finish(picture).astype(int)
            assert (np.diff(pixels, axis=1) >= 0).all()
            grey.append(pixels[:, 60:120].mean())
        assert grey[0] < grey[1] - 10 and grey[2] > grey[1] + 10
