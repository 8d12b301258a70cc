import numpy as np
import pytest
import torch

from cliqa.signal.sharpness.features import WIDTH
from cliqa.signal.sharpness.reading import (
    LEVELS,
    MOTION_UNIT,
    OUTPUTS,
    STEADY,
    STEP,
    SharpnessNetworks,
    statistics_of,
)
from cliqa.training.sharpness.fit import TorchSharpness

COARSE = np.arange(10) >= 6


def rows(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (10, WIDTH)).astype(np.float32)


@pytest.fixture(scope="module")
def torch_network() -> TorchSharpness:
    torch.manual_seed(0)
    return TorchSharpness(torch.randn(20, 2 * WIDTH), torch.randn(60, WIDTH), (16, 12), 0.0).eval()


def test_torch_and_numpy_answer_alike(torch_network):
    read = SharpnessNetworks(torch_network.tensors("net0."))
    features = rows()
    whole = statistics_of(features, COARSE)
    with torch.no_grad():
        answers, tiles = torch_network(torch.from_numpy(whole[None]), torch.from_numpy(features[None]))
    np.testing.assert_allclose(read.networks[0](whole, features), answers[0].numpy(), atol=1e-4)
    blur, tells = read.tiles(features)
    np.testing.assert_allclose(np.log1p(blur), np.clip(tiles[0, :, 0].numpy(), 0, None), atol=1e-4)
    np.testing.assert_allclose(tells, torch.sigmoid(tiles[0, :, 2]).numpy(), atol=1e-4)
    assert read.fit(WIDTH) and not read.fit(WIDTH + 1)


def saying(torch_network: TorchSharpness, level: int, motion: complex, tells: float) -> SharpnessNetworks:
    """Networks that say one thing whatever they see."""
    tensors = torch_network.tensors("net0.")
    last = max(name for name in tensors if ".head.bias." in name)
    answers = np.full(OUTPUTS, -20.0, np.float32)
    answers[level] = 20
    answers[LEVELS:] = motion.real / MOTION_UNIT, motion.imag / MOTION_UNIT, tells
    tensors[last] = answers
    tensors[last.replace("bias", "weight")] *= 0
    return SharpnessNetworks(tensors)


def test_the_answer_is_the_median_of_the_histogram_and_a_vector_of_twice_the_angle(torch_network):
    motion = 12 * np.exp(2j * np.radians(30))
    found = saying(torch_network, 20, motion, 3.0)(rows(), COARSE, 25.0)
    assert found.blur == pytest.approx(np.expm1(20 * STEP), rel=0.05)
    assert found.motion == pytest.approx(12, rel=1e-3) and found.angle == pytest.approx(55, abs=0.1)
    assert found.confidence == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-3)


def test_short_motion_is_none(torch_network):
    found = saying(torch_network, 0, complex(0.9 * STEADY, 0), -3.0)(rows(), COARSE, 0.0)
    assert found.motion == 0 and found.angle is None and found.confidence < 0.1 and found.blur < 0.05


def test_the_share_that_is_sharp_counts_coarse_tiles_that_tell(torch_network):
    found = saying(torch_network, 0, 0j, 0.0)(rows(), COARSE, 0.0)
    assert found.blur < 0.1
    object.__setattr__(found, "tile_blur", np.array([0] * 6 + [0.2, 0.4, 0.9, 0.0], np.float32))
    object.__setattr__(found, "tile_tells", np.array([1] * 6 + [0.9, 0.8, 0.7, 0.3], np.float32))
    assert found.sharp_share(COARSE) == pytest.approx(2 / 3)  # the last does not tell, the third is half a pixel worse
    object.__setattr__(found, "tile_tells", np.zeros(10, np.float32))
    assert found.sharp_share(COARSE) is None
