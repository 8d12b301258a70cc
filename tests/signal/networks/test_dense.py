import numpy as np
import pytest

from cliqa.signal.densities import softmax
from cliqa.signal.networks.dense import median_level


@pytest.mark.parametrize(
    ("chances", "median"),
    [
        ([1, 0, 0], 10.0),
        ([0, 0, 1], 12.0),
        ([0.5, 0.5, 0], 10.5),
        ([0.2, 0.6, 0.2], 11.0),
        ([0, 0.25, 0.75], 11.5 + 1 / 3),
    ],
)
def test_median_of_a_histogram(chances, median):
    assert median_level(np.array(chances, np.float32), 10.0) == pytest.approx(median, abs=1e-4)


def test_median_agrees_with_samples():
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(8))
    samples = rng.choice(8, 200_000, p=chances) * 2 + 10 + rng.uniform(-1, 1, 200_000)
    assert median_level(chances.astype(np.float32), 10.0, 2.0) == pytest.approx(np.median(samples), abs=0.05)


def test_softmax_sums_to_one_for_any_size():
    found = softmax(np.array([[1e4, 0, -1e4], [1, 1, 1]], np.float32))
    np.testing.assert_allclose(found, [[1, 0, 0], [1 / 3] * 3], atol=1e-6)
