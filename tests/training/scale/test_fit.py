from dataclasses import fields

import numpy as np
import pytest

from cliqa.signal.resampling.factor_network import FactorReader
from cliqa.signal.resampling.spectra import BINS, FACTORS, Evidence
from tests.factor_readings import READING, observed

torch = pytest.importorskip("torch")

from cliqa.training.scale.fit import (  # noqa: E402
    FactorFitSettings,
    fit_factors,
    peaks,
    predicted,
    prepared,
)

SETTINGS = FactorFitSettings(width=8, context=(16, 8), epochs=4, batch=8, rate=1e-2, average=0.8, dropout=0.0)


def examples(count: int, seed: int) -> dict[str, np.ndarray]:
    """Random observations with a clear line at the factor of each axis."""
    rng = np.random.default_rng(seed)
    names = [field.name for field in fields(Evidence)]
    stacked = {name: [] for name in names} | {"factors": []}
    for _ in range(count):
        seen, places = observed(rng), rng.integers(20, 250, 2)
        for axis, place in zip(seen, places, strict=True):
            axis.lines[:, place] = 0.0
        for name in names:
            stacked[name].append([getattr(axis, name) for axis in seen])
        stacked["factors"].append(FACTORS[places])
    return {name: np.stack(values).astype(np.float32) for name, values in stacked.items()}


def test_targets_peak_at_the_factor():
    target = peaks(torch.tensor([1.0, 1.3, 2.0]), 0.004).numpy()
    np.testing.assert_allclose(target.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(FACTORS[target.argmax(axis=1)], [1.0, 1.3, 2.0], atol=0.004)


def test_learns_resumes_and_runs_in_numpy(tmp_path):
    torch.set_num_threads(1)
    train, val = examples(32, 0), examples(8, 1)
    net = fit_factors(train, val, tmp_path, SETTINGS)
    curve = (tmp_path / "curve.csv").read_text().splitlines()
    assert len(curve) == 1 + SETTINGS.epochs
    losses = [float(row.split(",")[1]) for row in curve[1:]]
    assert losses[-1] < losses[0]
    again = fit_factors(train, val, tmp_path, SETTINGS)  # finished: read back, not fitted again
    assert len((tmp_path / "curve.csv").read_text().splitlines()) == len(curve)
    maps, numbers, factors = prepared(val)
    assert factors.shape == (8, 2)
    found = predicted(again, maps, numbers)
    np.testing.assert_allclose(found, predicted(net, maps, numbers), atol=1e-6)
    reading = {"prior": READING["prior"], "reading": np.array([0.0, 1.0, 0.0, 0.8], np.float32)}
    network = FactorReader({f"net0.{name}": value for name, value in net.tensors().items()} | reading)
    ours = network([Evidence(*(val[field.name][0][axis] for field in fields(Evidence))) for axis in range(2)])
    assert ours.shape == (2, BINS)
    np.testing.assert_allclose(ours, found[0], atol=5e-3)  # training keeps maps in half precision
