"""The exposure recipe's card: the first line, the numbers it is given, and nothing left to fill in."""

import numpy as np
import pytest

pytest.importorskip("torch")

from cliqa.training.exposure.card import write_card
from cliqa.training.exposure.fit import ExposureFit


@pytest.mark.parametrize("rated", [True, False])
def test_the_card_says_what_trained_the_weights(tmp_path, rated):
    weights = tmp_path / "exposure.safetensors"
    weights.write_bytes(b"0" * 123_456)
    tensors = {"net0.mean": np.zeros(7), "net0.weight.0": np.zeros((3, 7)), "net0.bias.0": np.zeros(3)}
    rows = [{"split": "val", "accuracy": 0.91234}, {"split": "test", "accuracy": 0.9, "kappa": 0.8}]
    write_card(tmp_path / "exposure.md", weights, tensors, 2, ExposureFit(hidden=(3,)), rows, rated, 640)
    text = (tmp_path / "exposure.md").read_text(encoding="utf-8")
    assert text.startswith("**Trained in part on photographs of BIQ2021" if rated else "# exposure")
    assert ("--ratings" in text) == rated == ("snapshots that are dark all over" in text)
    assert "7 statistics" in text and "48 parameters" in text and "0.1 MB" in text and "640 exposure sweeps" in text
    assert "| accuracy | 0.912 | 0.900 |" in text and "| kappa |  | 0.800 |" in text
    assert "{" not in text and "Known failures" in text
