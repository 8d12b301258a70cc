import numpy as np
import pytest

from cliqa.signal.resampling.factor_network import (
    MAPS,
    NUMBERS,
    SHARED,
    FactorNetwork,
    FactorReader,
    axis_numbers,
    both_axes,
    cautious_factor,
    factor_maps,
    median_factor,
    read_together,
    upper_band,
)
from cliqa.signal.resampling.spectra import BANDS, BINS, FACTORS, RESIDUALS
from tests.factor_readings import READING, observed


def torch_network(seed=0):
    torch = pytest.importorskip("torch")
    from cliqa.training.scale.fit import FactorFitSettings, TorchFactorNetwork

    torch.manual_seed(seed)
    net = TorchFactorNetwork(FactorFitSettings())
    with torch.no_grad():
        for value in (*net.parameters(), net.maps_mean, net.numbers_mean):
            value.add_(0.05 * torch.randn_like(value))
    return net.eval()


def reader(*nets):
    tensors = {f"net{number}.{name}": value for number, net in enumerate(nets) for name, value in net.tensors().items()}
    return FactorReader(tensors | READING)


def test_equals_its_torch_twin():
    torch = pytest.importorskip("torch")
    net = torch_network()
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(4, MAPS + SHARED, BINS)).astype(np.float32)
    numbers = rng.normal(size=(4, 2 * NUMBERS)).astype(np.float32)
    with torch.no_grad():
        expected = net(torch.from_numpy(maps), torch.from_numpy(numbers)).softmax(1).numpy()
    np.testing.assert_allclose(FactorNetwork(net.tensors()).probabilities(maps, numbers), expected, atol=1e-5)


def test_joins_the_axes_as_training_does():
    torch = pytest.importorskip("torch")
    from cliqa.training.scale.fit import _joined

    rng = np.random.default_rng(1)
    maps = rng.normal(size=(2, MAPS, BINS)).astype(np.float32)
    numbers = rng.normal(size=(2, NUMBERS)).astype(np.float32)
    expected = _joined(torch.from_numpy(maps)[None], torch.from_numpy(numbers)[None])
    for ours, theirs in zip(both_axes(maps, numbers), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs.numpy())


def test_swapping_the_axes_swaps_the_answers():
    network = reader(torch_network())
    seen = observed(np.random.default_rng(2))
    forward, swapped = network(seen), network(seen[::-1])
    assert forward.shape == (2, BINS)
    np.testing.assert_allclose(forward.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(swapped, forward[::-1], atol=1e-6)


def test_the_mean_of_the_networks_is_read():
    nets = torch_network(0), torch_network(1)
    seen = observed(np.random.default_rng(5))
    inputs = both_axes(np.stack([factor_maps(each) for each in seen]), np.stack([axis_numbers(each) for each in seen]))
    mean = np.mean([FactorNetwork(net.tensors()).probabilities(*inputs) for net in nets], axis=0)
    same, power, caution, _ = (float(value) for value in READING["reading"])
    caution *= upper_band(np.stack([each.power for each in seen]))
    expected = read_together(mean[None], READING["prior"], same, power, caution)[0]
    np.testing.assert_allclose(reader(*nets)(seen), expected, atol=1e-6)
    assert np.abs(reader(*nets)(seen) - reader(nets[0])(seen)).max() > 1e-3


def test_a_full_upper_band_asks_for_surer_enlargements():
    class Unsure:
        def probabilities(self, maps, numbers):
            return np.stack([0.4 * peak(0, 1.0) + 0.6 * peak(200, 1.0)] * 2).astype(np.float32)

    network, seen = reader(torch_network()), observed(np.random.default_rng(6))
    network.networks = [Unsure()]
    chances = []
    for level in (-2.0, 6.0):  # as an enlargement leaves it, and as noise does
        for each in seen:
            each.power[1, -9:] = level
        assert upper_band(np.stack([each.power for each in seen])) == (0.0 if level < 0 else 3.0)
        chances.append(network.read(seen)[1])
    assert chances[0] > 0.5 and chances[1] < chances[0] - 0.02


def test_maps_gather_a_factor_at_its_bin():
    seen = observed(np.random.default_rng(3))[0]
    kinds, lines = len(RESIDUALS), seen.lines
    lines[:] = -6.0
    lines[2, 100] = lines[2, 200] = lines[2, 512 - 300] = 0.0  # a line, its second and its third harmonic
    maps = factor_maps(seen)
    assert maps.shape == (MAPS, BINS)
    assert maps[2, 100] > 5 and abs(maps[2, 60]) < 0.5
    assert maps[SHARED + kinds + 2, 100] > 5
    assert maps[SHARED + 3 * kinds + 2, 100] > 5
    np.testing.assert_array_equal(maps[SHARED + 4 * kinds : SHARED + 5 * kinds], seen.peaks)
    first = maps[SHARED + 5 * kinds + 2]  # lines of which this bin's is the second harmonic
    assert first[200] > 5 and first[512 - 2 * 212] > 5 and abs(first[100]) < 0.5
    assert axis_numbers(seen).shape == (NUMBERS,)


def test_an_empty_band_steps_at_its_edge():
    seen = observed(np.random.default_rng(4))[0]
    factor = 1.6
    seen.power[:] = np.where(np.arange(BANDS) / (BANDS - 1) < 1 / factor, 5.0, -3.0)
    step = factor_maps(seen)[2 * len(RESIDUALS)]
    assert FACTORS[np.argmin(step)] == pytest.approx(factor, abs=0.08)
    assert step.min() == pytest.approx(-8.0, abs=0.5)


def peak(place: int, share: float) -> np.ndarray:
    """`share` of the probability at one bin, the rest even."""
    row = np.full(BINS, (1 - share) / BINS)
    row[place] += share
    return row


def test_an_unsure_axis_follows_a_sure_one():
    even = np.full(BINS, 1 / BINS, np.float32)
    unsure = 0.5 * peak(0, 1.0) + 0.1 * peak(150, 1.0) + 0.4 * even
    axes = np.stack([peak(150, 0.95), unsure]).astype(np.float32)[None]
    alone, joined = read_together(axes, even, 0.0, 1.0, 0.0), read_together(axes, even, 0.5, 1.0, 0.0)
    np.testing.assert_allclose(alone, axes, atol=1e-6)
    np.testing.assert_allclose(joined.sum(axis=2), 1.0, rtol=1e-5)
    assert median_factor(alone[0])[1] < 1.1
    assert median_factor(joined[0])[1] == pytest.approx(FACTORS[150], abs=0.02)


def test_two_sure_axes_stay_apart():
    even = np.full(BINS, 1 / BINS, np.float32)
    axes = np.stack([peak(150, 0.999), peak(60, 0.999)]).astype(np.float32)[None]
    np.testing.assert_allclose(
        median_factor(read_together(axes, even, 0.5, 1.0, 0.0)[0]), FACTORS[[150, 60]], atol=0.01
    )


def test_each_picture_has_its_own_caution():
    even = np.full(BINS, 1 / BINS, np.float32)
    axes = np.stack([0.6 * peak(0, 1.0) + 0.4 * peak(200, 1.0)] * 2).astype(np.float32)
    moved = read_together(np.stack([axes, axes]), even, 0.0, 1.0, np.array([0.0, np.log(2.0)]))
    np.testing.assert_allclose(moved[:, 0, 0], [0.6, 1.2 / 1.6], rtol=1e-4)


def test_caution_raises_the_odds_of_not_enlarged():
    even = np.full(BINS, 1 / BINS, np.float32)
    axes = np.stack([0.6 * peak(0, 1.0) + 0.4 * peak(200, 1.0)] * 2).astype(np.float32)[None]
    moved = read_together(axes, even, 0.0, 1.0, np.log(2.0))
    assert moved[0, 0, 0] == pytest.approx(1.2 / 1.6, rel=1e-4)


def test_a_surely_enlarged_axis_lowers_the_caution_of_the_other():
    even = np.full(BINS, 1 / BINS, np.float32)
    axes = np.stack([0.4 * peak(0, 1.0) + 0.6 * peak(100, 1.0), peak(200, 0.999)]).astype(np.float32)[None]
    moved = read_together(axes, even, 0.0, 1.0, np.log(2.0))
    assert moved[0, 0, 0] == pytest.approx(0.2 / 0.8, rel=0.02)


def test_a_surer_enlargement_reads_larger():
    shares = np.linspace(0.0, 1.0, 41)
    rows = np.stack([(1 - share) * peak(0, 1.0) + share * peak(170, 1.0) for share in shares])
    read = cautious_factor(rows, 0.8)
    assert (np.diff(read) >= -1e-9).all() and read[0] < 1.001
    np.testing.assert_array_equal(read > 1.05 + 1e-9, shares > 0.5 + 1e-9)  # as the median has it
    np.testing.assert_allclose(read[shares >= 0.8], FACTORS[170], atol=0.005)
    np.testing.assert_allclose(cautious_factor(10 * rows, 0.8), read, atol=1e-9)


@pytest.mark.parametrize("place", [0, 3, 10, 40, 256])
def test_a_sure_factor_is_read_as_it_is(place):
    assert cautious_factor(peak(place, 1.0)[None], 0.7)[0] == pytest.approx(FACTORS[place], abs=0.006)


@pytest.mark.parametrize("place", [0, 3, 100, 256])
def test_median_of_a_sure_distribution(place):
    row = np.zeros((1, BINS), np.float32)
    row[0, place] = 1.0
    assert median_factor(row)[0] == pytest.approx(FACTORS[place], abs=0.005)


def test_median_is_bounded_and_ordered():
    low, high = np.full((1, BINS), 1e-6), np.full((1, BINS), 1e-6)
    low[0, :10] = high[0, -10:] = 0.1
    assert 1.0 <= median_factor(low)[0] < 1.02 and 1.95 < median_factor(high)[0] <= 2.0


def test_incomplete_weights_are_refused():
    tensors = torch_network().tensors()
    with pytest.raises(KeyError):
        FactorNetwork({name: value for name, value in tensors.items() if name != "head.place"})
    with pytest.raises(ValueError, match="other inputs"):
        FactorNetwork(tensors | {"maps.mean": np.zeros(3, np.float32)})
    named = {f"net0.{name}": value for name, value in tensors.items()}
    with pytest.raises(KeyError):
        FactorReader(READING)
    with pytest.raises(ValueError, match="another reading"):
        FactorReader(named | READING | {"reading": np.zeros(3, np.float32)})
