"""The fit of the exposure unary: what is known as ranges, and its losses against plain loops."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cliqa.signal.exposure.schema import SCHEMA, graph_from_schema  # noqa: E402
from cliqa.training.exposure.fit import (  # noqa: E402
    ExposureFit,
    SeverityRange,
    Sweeps,
    admissible_levels,
    fit_light,
    ranking_loss,
    regression_loss,
)

NAN = np.nan
GRAPH = graph_from_schema(SCHEMA)


def test_a_severity_is_a_range():
    known = SeverityRange.of(np.array([[1.0, 2.2, NAN, 1.0, 3.0, 1.3]]), uncertainty=0.25)
    np.testing.assert_allclose(known.low, [[1.0, 1.95, 1.0, 1.0, 2.75, 1.05]])
    np.testing.assert_allclose(known.high, [[1.0, 2.45, 4.5, 1.0, 3.25, 1.55]])


def levels(low, high, margin=0.06):
    """Admissible levels of each label, as lists."""
    cells = admissible_levels(SeverityRange(np.array([low]), np.array([high])), GRAPH, margin)
    return [(np.flatnonzero(part) + 1).tolist() for part in cells.reshape(6, 4)]


def test_levels_within_the_range_and_near_its_ends_are_admissible():
    low = [1.0, 1.0, 1.6, 1.0, 1.47, 1.0]
    high = [1.0, 2.4, 4.5, 1.0, 1.47, 4.5]
    assert levels(low, high) == [[1], [1, 2], [2, 3, 4], [1], [1, 2], [1, 2, 3, 4]]


def test_combinations_that_the_graph_forbids_are_left_open():
    severity = [3.0, 2.0, 1.0, 1.0, 1.0, 1.0]  # both too bright and too dark
    assert levels(severity, severity) == [[1, 2, 3, 4]] * 2 + [[1]] * 4


def test_scores_within_the_range_cost_nothing():
    low, high = torch.tensor([[1.0, 1.6, 2.0]]), torch.tensor([[1.0, 4.5, 2.0]])
    assert regression_loss(torch.tensor([[-3.0, 2.0, 2.0]]), low, high) == 0
    assert regression_loss(torch.tensor([[1.2, 4.4, 2.0]]), low, high) == 0
    one = [
        float(regression_loss(torch.tensor([row]), low, high))
        for row in ([2.2, 2.0, 2.0], [0.0, 0.6, 2.0], [0.0, 2.0, 3.0])
    ]
    assert one == pytest.approx([(1.0 - 0.15) / 3] * 3)


def test_ranking_asks_a_slope_of_every_pair():
    rng = np.random.default_rng(0)
    scores, ev = rng.normal(size=(3, 5, 6)), np.sort(rng.uniform(-4, 4, (3, 5)), axis=1)
    short = []
    for sweep in range(3):
        for first in range(5):
            for second in range(first + 1, 5):
                wanted = 0.5 * (ev[sweep, second] - ev[sweep, first])
                if second <= 2:
                    short.append(wanted - (scores[sweep, first, 1] - scores[sweep, second, 1]))
                if first >= 2:
                    short.append(wanted - (scores[sweep, second, 0] - scores[sweep, first, 0]))
    found = ranking_loss(torch.from_numpy(scores), torch.from_numpy(ev), 0.5)
    assert float(found) == pytest.approx(np.maximum(short, 0).mean())


def test_a_fit_learns_darkness_and_its_order(tmp_path):
    torch.set_num_threads(1)
    rng = np.random.default_rng(1)
    ev = np.tile(np.linspace(-4, 4, 9), (16, 1)) + np.concatenate([rng.uniform(-0.2, 0.2, (16, 4)), np.zeros((16, 1)),
                                                                    rng.uniform(-0.2, 0.2, (16, 4))], axis=1)  # fmt: skip

    def made(change):
        tones = np.stack([change, np.abs(change), rng.normal(size=change.shape)], axis=-1)
        severity = np.ones((*change.shape, 6))
        severity[..., 1] = np.clip(1 - change, 1, 4.5)
        severity[..., 0] = np.clip(1 + change, 1, 4.5)
        return tones.astype(np.float32), severity

    tones, severity = made(rng.uniform(-4, 4, 256))
    settings = ExposureFit(
        hidden=(16,), epochs=12, batch=32, sweeps=4, rate=1e-2, dropout=0.0, input_noise=0.0, average=0.8
    )
    net = fit_light(tones, SeverityRange.of(severity), Sweeps(*made(ev), ev), GRAPH, settings, tmp_path)
    dark = net.dense(torch.from_numpy(made(np.linspace(-4, 0, 9))[0]))[:, 1].detach()
    assert (dark.diff() < 0).all()
    assert float(dark[0]) > 3.3 and float(dark[-1]) < 1.6
