"""What compiled routines give is what NumPy and Pillow give, bit by bit."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cliqa.compiled import build
from cliqa.compiled.library import compiled, declare
from cliqa.images import loading, shrinking
from cliqa.images.loading import LoadedImage
from cliqa.metrics import View, exposure, scale_factor
from cliqa.metrics import sharpness as sharpness_metric
from cliqa.signal.resampling import co_occurrences, network_traces, spectra
from cliqa.signal.sharpness import tiles as sharpness_tiles


@pytest.fixture(scope="module")
def without_avx2(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The thumbnails' routines as other processors run them."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    made = tmp_path_factory.mktemp("routines") / "thumbnails.so"
    source = build.FOLDER / "thumbnails.c"
    subprocess.run(["cc", *build.FLAGS, "-DONE_CODE", str(source), "-lm", "-o", str(made)], check=True)
    library = ctypes.CDLL(str(made))
    declare(library, [source])
    return library


pytestmark = pytest.mark.skipif(compiled() is None, reason="no compiled routines here")
MODULES = (loading, shrinking, exposure, co_occurrences, network_traces, spectra, sharpness_tiles)


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], tuple[Any, Any]]:
    """Run something with the routines and without."""

    def run(action: Callable[[], Any]) -> tuple[Any, Any]:
        found = action()
        with monkeypatch.context() as without:
            for module in MODULES:
                without.setattr(module, "compiled", lambda: None)
            return found, action()

    return run


def equal(one: Any, other: Any) -> None:
    if isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for first, second in zip(one, other, strict=True):
            equal(first, second)
    else:
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def picture(kind: str, height: int, width: int, seed: int = 0) -> np.ndarray:
    """uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    if kind == "noise":
        return rng.integers(0, 256, (height, width, 3), np.uint8)
    if kind == "flat":
        return np.full((height, width, 3), (200, 30, 90), np.uint8)
    small = Image.fromarray(rng.integers(0, 256, (height // 5 + 1, width // 5 + 1, 3), np.uint8))
    smooth = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).astype(np.int16)
    return np.clip(smooth + rng.integers(-3, 4, smooth.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["noise", "flat", "smooth"])
@pytest.mark.parametrize("shape", [(301, 403), (128, 96), (33, 40)])
def test_grey_levels_and_averages(kind: str, shape: tuple[int, int], both: Callable[..., tuple[Any, Any]]) -> None:
    part = picture(kind, shape[0] + 9, shape[1] + 7)[4:-5, 3:-4]
    equal(*both(lambda: shrinking.grey_levels(part)))
    grey = np.asarray(Image.fromarray(np.ascontiguousarray(part)).convert("L"))
    equal(shrinking.grey_levels(part), grey)
    for factor in (2, 3, 4, 7):
        equal(*both(lambda factor=factor: shrinking.averaged(grey, factor)))


@pytest.mark.parametrize("kind", ["noise", "flat", "smooth"])
@pytest.mark.parametrize("shape", [(512, 512), (300, 511), (257, 266), (32, 265), (40, 33)])
def test_residuals(kind: str, shape: tuple[int, int], both: Callable[..., tuple[Any, Any]]) -> None:
    plane = spectra.luma(picture(kind, *shape))
    found, without = both(lambda: spectra.residual_strips(plane))
    equal(found, without)
    assert [each.shape[1] for each in found] == [shape[1] - shorter for shorter in (1, 4, 1, 2, 8, 6, 6)]


@pytest.mark.parametrize("kind", ["noise", "flat", "smooth"])
@pytest.mark.parametrize("shape", [(4, 128, 128), (3, 64, 100), (1, 33, 47)])
def test_network_traces(kind: str, shape: tuple[int, ...], both: Callable[..., tuple[Any, Any]]) -> None:
    tiles = np.stack([picture(kind, *shape[1:], seed).transpose(2, 0, 1) for seed in range(shape[0])])
    for each in (tiles, tiles[..., ::-1], tiles.swapaxes(2, 3)):
        equal(*both(lambda each=each: network_traces.network_traces(each, 2)))


@pytest.mark.parametrize("side", [1, 16, 32])
@pytest.mark.parametrize("power", [2, 4])
def test_steepness(side: int, power: int, both: Callable[..., tuple[Any, Any]]) -> None:
    plane = picture("noise", 131, 167)[..., 0]
    for each in (np.ascontiguousarray(plane), np.ascontiguousarray(plane)[:, 5:99], plane):
        equal(*both(lambda each=each: sharpness_tiles.steepness(each, side, power)))


@pytest.mark.parametrize("kind", ["noise", "flat", "smooth"])
def test_tones(kind: str, both: Callable[..., tuple[Any, Any]]) -> None:
    image = Image.fromarray(picture(kind, 203, 301))
    found, without = both(lambda: exposure.tone_counts(image))
    equal(found, without)
    assert found.sum() == 6 * 203 * 301


@pytest.mark.parametrize("kind", ["noise", "smooth"])
@pytest.mark.parametrize("shape", [(700, 1100), (1100, 500), (130, 90)])
def test_observations(kind: str, shape: tuple[int, int], both: Callable[..., tuple[Any, Any]]) -> None:
    pixels = picture(kind, *shape)
    pixels[:, :20] = 0  # a bar, which is left out

    def observed() -> list[Any]:
        view = View(LoadedImage.from_array(pixels))
        metrics = (scale_factor.ScaleFactor, exposure.Exposure, sharpness_metric.Sharpness)
        found = [each for metric in metrics for _, each in sorted(metric.observe(view).items())]
        return [*found, view.thumbnail(64), view.thumbnail(384)]

    equal(*both(observed))


@pytest.mark.parametrize("kind", ["noise", "smooth"])
@pytest.mark.parametrize(
    ("shape", "want"),
    [((400, 640), (171, 107)), ((401, 301), (150, 200)), ((64, 500), (333, 43)), ((97, 700), (693, 96))],
)
def test_processors_without_avx2_shrink_to_the_same_bytes(kind, shape, want, without_avx2, monkeypatch) -> None:
    pixels = picture(kind, *shape)
    assert shrinking.can_shrink((shape[1], shape[0]), want)
    found = shrinking.shrink(pixels, want)
    monkeypatch.setattr(shrinking, "compiled", lambda: without_avx2)
    np.testing.assert_array_equal(shrinking.shrink(pixels, want), found)
    cubic = Image.fromarray(pixels).resize(want, Image.Resampling.BICUBIC, reducing_gap=shrinking.GAP)
    np.testing.assert_array_equal(np.asarray(cubic), found)
