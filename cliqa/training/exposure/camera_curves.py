"""Other exposures of a photograph as cameras and raw developers render them.

A sensor counts light up to its white; a curve then brings the light into the picture, and bends it before white in one way or another.
So a frame with too much light need not be clipped: its bright tones may lie close together below white, pale, without texture.
Curves are of linear light, 1 the white of the original, and keep mid-grey.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cliqa.signal.exposure.histogram_traces import linear_to_srgb, srgb_to_linear
from cliqa.training.exposure.faults import Faulty

Light = NDArray[np.float64]
Curve = Callable[[Light], Light]

GREY = 0.18  # reflectance that every curve keeps
BRIGHTEST = 64.0  # light up to which curves are tabulated, six stops above white
FAMILIES = ("clip", "clip", "exponential", "tanh", "rational", "sigmoid", "log", "knee")
HELD_BACK = ("film", "power")  # for reports: no training frame goes through these
CLIPPING = 0.35  # share of the cameras whose sensor ends where the picture's white is, as most phones' do
_GRID = np.concatenate([[0.0], np.geomspace(1e-5, BRIGHTEST, 2000)])


def family(name: str, bend: float, reach: float) -> Curve:
    """A curve of a family: light -> light 0-1, rising.

    Args:
        bend: light from which it bends, 0-1.
        reach: light that it brings to white, >= 1, where it has such a point.
    """
    room = 1.0 - bend

    def shape(light: Light) -> Light:
        over = np.maximum(light - bend, 0.0)
        if name == "clip":
            return np.minimum(light, 1.0)
        if name == "exponential":
            return np.where(over > 0, bend + room * (1.0 - np.exp(-over / room)), light)
        if name == "tanh":
            return np.where(over > 0, bend + room * np.tanh(over / room), light)
        if name == "rational":  # Reinhard's, with a white
            return np.minimum(light * (1.0 + light / reach**2) / (1.0 + light), 1.0)
        if name == "sigmoid":  # logistic in log light
            powered: Light = np.power(light, 1.0 + 0.7 * bend)
            sigmoid: Light = powered / (powered + 0.3)
            return sigmoid
        if name == "log":
            logarithm: Light = np.log1p(3.0 * light) / np.log1p(3.0 * reach)
            return np.minimum(logarithm, 1.0)
        if name == "knee":  # of video: straight from there on, in encoded values
            u, at = linear_to_srgb(light), float(linear_to_srgb(np.array(bend)))
            slope = (1.0 - at) / max(float(linear_to_srgb(np.array(reach))) - at, 1e-3)
            return srgb_to_linear(np.minimum(np.where(u > at, at + slope * (u - at), u), 1.0))
        if name == "film":  # Narkowicz's fit of ACES
            return np.minimum(light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14), 1.0)
        if name == "power":
            part = np.clip(over / (reach - bend), 0.0, 1.0)
            return np.where(over > 0, bend + room * (1.0 - (1.0 - part) ** ((reach - bend) / room)), light)
        raise ValueError(name)

    before = float(np.interp(GREY, shape(_GRID), _GRID))  # a gain in front of the curve that keeps mid-grey
    return lambda light: shape(light * before / GREY)


def exposed_curve(curve: Curve, ev: float, undo: bool, sensor: float) -> Curve:
    """u -> u of a picture whose scene gets `ev` more: light, the sensor's white at `sensor`, the curve.

    `undo`: the picture itself went through the curve, so it is taken back first.
    """
    rendered = curve(_GRID)

    def change(u: Light) -> Light:
        light = srgb_to_linear(u)
        if undo:
            light = np.interp(light, rendered, _GRID)
        result: Light = linear_to_srgb(np.clip(curve(np.minimum(light * 2.0**ev, sensor)), 0.0, 1.0))
        return result

    return change


def expose_as_camera(picture: Faulty, ev: float, rng: np.random.Generator, families: Sequence[str] = FAMILIES) -> None:
    """Change the exposure by `ev` as a camera drawn at random renders it. Severities are left as they are.

    Two cameras in three bend each channel by itself, which pales and twists bright colours, some with a sensor's white of its own for
    each; the others bend the luma and carry the colours along. Some end below white, as flat profiles do.
    """
    reach = 2.0 ** rng.uniform(0.5, 2.5)
    curve = family(str(rng.choice(families)), float(rng.uniform(0.2, 0.85)), reach)
    undo, clipping = bool(rng.random() < 0.4), bool(rng.random() < CLIPPING)
    sensor = float(np.interp(1.0, curve(_GRID), _GRID)) if not clipping else 2.0 ** rng.uniform(0.0, 1.0)
    end = float(linear_to_srgb(curve(np.array([sensor])))[0])
    white = float(rng.uniform(0.9, 1.0)) if rng.random() < 0.2 else 1.0
    gain = white if not clipping else white / max(end, 0.8)  # what saturates the sensor is white
    if rng.random() < 0.35:
        change = exposed_curve(curve, ev, undo, sensor)
        brightness = picture.luma()
        picture.scale_by(gain * change(brightness) / np.maximum(brightness, 1e-3))
        return
    spread = 2.0 ** rng.uniform(0.0, 0.5, 3) if rng.random() < 0.4 else np.ones(3)
    for channel in range(3):
        part = Faulty(picture.values[..., channel], 0.0)
        change = exposed_curve(curve, ev, undo, sensor * float(spread[channel]))
        part.curve(lambda u, change=change: gain * change(u))  # type: ignore[misc]
        picture.values[..., channel] = part.values
