"""Small CLIPs at random, of the classes that the published systems use, under names that open_clip then knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

TEXT = {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
RESNET = {"layers": [1, 1, 1, 1], "width": 8, "image_size": 64}
TRANSFORMER = {"layers": 1, "width": 32, "head_width": 16, "patch_size": 16, "image_size": 32}


def tiny_clip(folder: Path, vision: dict[str, object] = RESNET, seed: int = 0) -> tuple[str, str]:
    """(open_clip's name of a new architecture, a file of weights for it)."""
    open_clip = pytest.importorskip("open_clip")
    name = f"tiny-{'resnet' if vision is RESNET else 'transformer'}"
    config = folder / f"{name}.json"
    config.write_text(json.dumps({"embed_dim": 24, "vision_cfg": vision, "text_cfg": TEXT}))
    open_clip.add_model_config(config)
    torch.manual_seed(seed)
    weights = folder / f"{name}-{seed}.pt"
    torch.save(open_clip.create_model(name).state_dict(), weights)
    return name, str(weights)
