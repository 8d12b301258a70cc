import numpy as np
import pytest
from PIL import Image

from cliqa.training.histories.resampling import (
    FAMILIES,
    Resampler,
    axis_weights,
    box,
    cubic,
    lanczos,
    sample_resampler,
    separable,
    triangle,
)

PIXELS = np.random.default_rng(0).integers(0, 256, (48, 40, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("kernel", "method"),
    [(triangle(), "BILINEAR"), (cubic(0.0, 0.5), "BICUBIC"), (lanczos(3), "LANCZOS"), (box(), "BOX")],
)
@pytest.mark.parametrize("size", [(67, 51), (31, 23)])
def test_agrees_with_pillow_inside(kernel, method, size):
    ours, factors = separable(PIXELS, size, kernel, antialias=True)
    theirs = np.asarray(Image.fromarray(PIXELS).resize((size[1], size[0]), Image.Resampling[method]))
    assert factors == (size[0] / 48, size[1] / 40)
    difference = np.abs(ours.astype(int) - theirs)[
        10:-10, 8:-8
    ]  # outside, we repeat the border and Pillow leaves it out
    assert (
        np.percentile(difference, 94) <= 1
    )  # Pillow rounds between its two passes, and ties in a box go the other way


@pytest.mark.parametrize("kernel", [box(), triangle(), cubic(1 / 3, 1 / 3), lanczos(4)])
@pytest.mark.parametrize("phase", ["centers", "corners", "origin"])
@pytest.mark.parametrize("target", [20, 40, 57, 80])
def test_weights_sum_to_one(kernel, phase, target):
    indices, weights, factor = axis_weights(40, target, kernel, antialias=True, phase=phase)
    assert indices.min() >= 0 and indices.max() < 40
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-6)
    assert factor == ((target - 1) / 39 if phase == "corners" else target / 40)


def test_phases_lie_where_they_say():
    ramp = np.repeat(np.arange(0, 200, 5, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(8, axis=0)
    corners, _ = separable(ramp, (8, 79), triangle(), phase="corners")
    assert corners[0, 0, 0] == 0 and corners[0, -1, 0] == 195
    np.testing.assert_array_equal(corners[0, ::2, 0], ramp[0, :, 0])
    origin, _ = separable(ramp, (8, 80), triangle(), phase="origin")
    np.testing.assert_array_equal(origin[0, ::2, 0], ramp[0, :, 0])


def test_torch_with_aligned_corners_is_ours():
    pytest.importorskip("torch")
    how = Resampler("bilinear", "torch", "bilinear", False, "corners")
    theirs, factors = how.resize(PIXELS, (71, 66))
    ours, ours_factors = separable(PIXELS, (71, 66), triangle(), antialias=False, phase="corners")
    assert factors == pytest.approx(ours_factors)
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_linear_light_brightens_an_average():
    checks = (np.indices((40, 40)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    plain, _ = separable(checks, (20, 20), box())
    light, _ = separable(checks, (20, 20), box(), gamma=2.2)
    assert abs(int(plain[5, 5, 0]) - 127) <= 1 and int(light[5, 5, 0]) == pytest.approx(186, abs=2)


@pytest.mark.parametrize("kernel", FAMILIES)
def test_every_family_resizes(kernel):
    rng = np.random.default_rng(3)
    for _ in range(6):
        how = sample_resampler(rng, kernel)
        if how.library in ("opencv", "scipy"):
            pytest.importorskip({"opencv": "cv2", "scipy": "scipy"}[how.library])
        done, factors = how.resize(PIXELS, (60, 50))
        assert how.kernel == kernel and done.shape == (60, 50, 3) and done.dtype == np.uint8
        assert abs(float(done.mean()) - float(PIXELS.mean())) < 8
        assert factors == pytest.approx((1.25, 1.25), abs=0.01)


def test_sampling_is_seeded():
    first = [sample_resampler(np.random.default_rng(5)) for _ in range(3)]
    assert first[0] == first[1] == first[2]
