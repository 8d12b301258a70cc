"""A TensorFlow.js model written here by hand."""

import json

import numpy as np
import torch

from cliqa.training.learned.keras_graph import KerasNetwork


def layer(kind: str, name: str, before: list[str], **config: object) -> dict[str, object]:
    nodes = [[[each, 0, 0, {}] for each in before]] if before else []
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": nodes}


def test_quantized_convolution_sum_and_depth_to_space(tmp_path):
    rng = np.random.default_rng(1)
    kernel, bias = rng.integers(0, 256, (1, 1, 3, 12)).astype(np.uint8), rng.normal(size=12).astype(np.float32)
    (tmp_path / "weights.bin").write_bytes(kernel.tobytes() + bias.tobytes())
    stored = {"dtype": "uint8", "scale": 0.01, "min": -1.0}
    weights = [{"name": "wide/kernel", "shape": [1, 1, 3, 12], "dtype": "float32", "quantization": stored},
               {"name": "wide/bias", "shape": [12], "dtype": "float32"}]  # fmt: skip
    layers = [
        layer("InputLayer", "in", []),
        layer("Conv2D", "wide", ["in"], padding="same", activation="linear"),
        layer("Add", "twice", ["wide", "wide"]),
        layer("MultiplyBeta", "less", ["twice"], beta=0.2),
        layer("PixelShuffle2x", "shuffle", ["less"], scale=2),
    ]
    model = {"modelTopology": {"model_config": {"config": {"layers": layers, "output_layers": [["shuffle", 0, 0]]}}},
             "weightsManifest": [{"paths": ["weights.bin"], "weights": weights}]}  # fmt: skip
    (tmp_path / "model.json").write_text(json.dumps(model))
    x = rng.random((5, 4, 3)).astype(np.float32)
    wide = 0.4 * (x @ (kernel[0, 0].astype(np.float32) * 0.01 - 1.0) + bias)
    expected = wide.reshape(5, 4, 2, 2, 3).transpose(0, 2, 1, 3, 4).reshape(10, 8, 3)  # TensorFlow's order
    found = (
        KerasNetwork(tmp_path / "model.json")(torch.from_numpy(x).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
