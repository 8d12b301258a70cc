"""GRepQ's high-level encoder as published: CLIP's image encoder, tuned by the group contrastive loss. No ratings.

    python -m cliqa.training.train grepq_high --data versions/ --clip-weights RN50.pt --out Results

The data are folders, one for each photograph, as for `grepq_low`; only the originals are read. `Results/HLM/grepq_high.safetensors`
is what `python -m cliqa.grepq --encoder clip --clip-weights` takes. A batch of 128 wants a GPU of 24 GB.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cliqa.errors import UsageError
from cliqa.images.loading import load_image
from cliqa.metrics.grepq_clip import ClipEncoder, standardise
from cliqa.training.averaged_fit import resumable
from cliqa.training.card import write_new_card
from cliqa.training.grepq.distorted_versions import read_versions
from cliqa.training.grepq.group_contrastive import BATCH, GROUP, RATE, tune
from cliqa.training.train import TrainOptions

# Published: batches of 128, groups of 4, temperature 0.5, rate 1e-6 (in `group_contrastive`). Not published, so ours and untuned:
EPOCHS = 10
SIDE = 224  # of the crops: what CLIP was trained on
SHORT = (224, 448)  # pixels that the short side is scaled to before a crop, at random


def train(options: TrainOptions) -> None:
    """Tune, write the model and its card."""
    originals = [paths[0] for paths in read_versions(options.data, fewest=1)][: options.examples]
    group = min(GROUP, len(originals) // 2)
    if group < 2:
        raise UsageError(f"{options.data} has {len(originals)} photographs; two groups need four at least")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    encoder = ClipEncoder.load(options.clip_weights, device, model=options.clip_model)
    visual = encoder.model.visual
    optimizer = torch.optim.AdamW(visual.parameters(), lr=RATE)
    options.work.mkdir(parents=True, exist_ok=True)
    for epoch in resumable(
        options.work / "state.pt", {"visual": visual, "optimizer": optimizer}, options.epochs or EPOCHS
    ):
        batches = (each.to(device) for each in _batches(originals, epoch, options.seed, 2 * group))
        found = tune(encoder.forward, [], encoder.prompts(), batches, group=group, optimizer=optimizer)
        print(f"epoch {epoch + 1}: loss {float(np.mean(found)):.4f}", file=sys.stderr)
    path = options.out / "HLM" / "grepq_high.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    encoder.save(path, options.clip_model)
    write_new_card(
        path,
        "GRepQ's high-level encoder (HLM)",
        f"Made by `python -m cliqa.training.train grepq_high --data {options.data.name}/ --clip-model {options.clip_model}` from "
        f"CLIP's weights and {len(originals)} photographs; no ratings. `python -m cliqa.grepq evaluate FOLDER --encoder clip "
        "--clip-weights` measures it.",
    )


def _batches(originals: Sequence[Path], epoch: int, seed: int, fewest: int) -> Iterator[torch.Tensor]:
    """Crops of all photographs in an order of the epoch's own, (n, 3, SIDE, SIDE); a rest of fewer than `fewest` is left out."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(originals))
    for at in range(0, len(order), BATCH):
        chosen = order[at : at + BATCH]
        if len(chosen) >= fewest:
            yield torch.cat([standardise(_crop(originals[i], rng)) for i in chosen])


def _crop(path: Path, rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    picture = Image.fromarray(load_image(path).pixels)
    scale = float(rng.integers(SHORT[0], SHORT[1] + 1)) / min(picture.size)
    size = [max(SIDE, round(side * scale)) for side in picture.size]
    picture = picture.resize((size[0], size[1]), Image.Resampling.BICUBIC, reducing_gap=2.0)
    left, top = (int(rng.integers(side - SIDE + 1)) for side in size)
    picture = picture.crop((left, top, left + SIDE, top + SIDE))
    return np.asarray(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else picture)
