"""GRepQ's low-level encoder as published: a ResNet-18 from scratch, contrastive over the versions of one photograph. No ratings.

    python -m cliqa.training.train grepq_low --data versions/ --out Results

The data are folders, one for each photograph, with its versions in it (`python -m cliqa.training.grepq.distorted_versions photos -o
versions` makes some). `Results/LLM/grepq_low.safetensors` is what `python -m cliqa.grepq --encoder clip --checkpoint` takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cliqa.grepq.low_level import ARCHITECTURE, TRAINED, VERSION, cut, embed_patches, new_resnet
from cliqa.metrics import checkpoints
from cliqa.metrics.encoder import standardise
from cliqa.signal.quality.niqe import gaussian_of
from cliqa.signal.quality.pristine_patches import PATCH, pristine_origins
from cliqa.training.averaged_fit import AveragedFit, FitSettings
from cliqa.training.card import write_new_card
from cliqa.training.grepq.distorted_versions import fragments, load_versions, read_versions
from cliqa.training.grepq.low_level import contrastive_loss
from cliqa.training.train import TrainOptions

# Published: nine versions of a photograph, 7x7 fragments of 32 pixels, temperature 0.5. Not published, so ours and untuned: the rest.
TEMPERATURE = 0.5
FIT = FitSettings(epochs=100, batch=8, rate=1e-3, decay=1e-2)  # batch: photographs, each with all its versions twice
USUAL = 9  # versions of a photograph in a step, the original among them; those with fewer give what they have
FSIM_SIDE = 512  # pixels; versions are compared in their middle, at most this large


def train(options: TrainOptions) -> None:
    """Compare the versions, fit, place the pristine patches, write the model and its card."""
    torch.set_flush_denormal(True)
    folders = read_versions(options.data)[: options.examples]
    alike = [similarities(paths, options.work / "fsim") for paths in folders]
    network = fit(folders, alike, options.work, replace(FIT, epochs=options.epochs or FIT.epochs, seed=options.seed))
    mean, covariance = pristine([paths[0] for paths in folders], network)
    tensors = {f"network.{name}": value.numpy() for name, value in network.state_dict().items()}
    tensors |= {"pristine.mean": mean, "pristine.covariance": covariance}
    path = options.out / "LLM" / "grepq_low.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = {name: value.astype(np.float32) for name, value in tensors.items()}
    checkpoints.save(path, stored, metric=TRAINED, architecture=ARCHITECTURE, version=VERSION)
    write_new_card(
        path,
        "GRepQ's low-level encoder (LLM)",
        f"Made by `python -m cliqa.training.train grepq_low --data {options.data.name}/` from the versions of {len(folders)} "
        "photographs; no ratings. `python -m cliqa.grepq evaluate FOLDER --encoder clip --checkpoint` measures it.",
    )


def similarities(paths: Sequence[Path], work: Path) -> NDArray[np.float32]:
    """FSIM between the versions of a photograph, (versions, versions); kept in `work`."""
    import piq

    store = work / f"{paths[0].parent.name}.npy"
    if not store.exists():
        work.mkdir(parents=True, exist_ok=True)
        grey = torch.stack([torch.from_numpy(_middle(each)).permute(2, 0, 1) / 255.0 for each in load_versions(paths)])
        found = np.eye(len(paths), dtype=np.float32)
        for i in range(len(paths) - 1):
            others = grey[i + 1 :]
            row = piq.fsim(grey[i : i + 1].expand_as(others), others, reduction="none", chromatic=False)
            found[i, i + 1 :] = found[i + 1 :, i] = row.numpy()
        np.save(store.with_suffix(".part.npy"), found)
        store.with_suffix(".part.npy").replace(store)
    return np.asarray(np.load(store), dtype=np.float32)


def fit(
    folders: Sequence[Sequence[Path]], alike: Sequence[NDArray[np.float32]], work: Path, settings: FitSettings
) -> nn.Module:
    """The network; resumable through `work/state.pt`, which is written after every epoch."""
    torch.manual_seed(settings.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    run = AveragedFit(new_resnet().to(device), len(folders), settings, work)
    for epoch, batches in run.epochs():
        total = 0.0
        for number, batch in enumerate(batches):
            rng = np.random.default_rng([settings.seed, epoch, number])
            seen = [_seen(folders[i], alike[i], rng) for i in batch.tolist()]
            counts = [len(fsim) for _, _, fsim in seen]
            first, second = (
                run.net(standardise(torch.from_numpy(np.concatenate([each[k] for each in seen])).to(device))).split(
                    counts
                )
                for k in range(2)
            )
            losses = [
                contrastive_loss(one, other, torch.from_numpy(fsim).to(device), TEMPERATURE)
                for one, other, (_, _, fsim) in zip(first, second, seen, strict=True)
            ]
            total += run.step(torch.stack(losses).mean())
        run.log({"epoch": epoch, "loss": total / len(batches)})
    return run.net.cpu().eval()


def _seen(
    paths: Sequence[Path], fsim: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """Two sets of fragments of a photograph's versions, and how alike these are."""
    chosen = np.concatenate([[0], rng.permutation(np.arange(1, len(paths)))[: USUAL - 1]])
    versions = load_versions([paths[i] for i in chosen])
    return fragments(versions, rng), fragments(versions, rng), fsim[np.ix_(chosen, chosen)]


def pristine(originals: Sequence[Path], network: nn.Module) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean and covariance of the embeddings of the originals' sharpest, then most colourful, patches."""
    chosen = []
    for path in originals:
        pixels = load_versions([path])[0]
        origins = pristine_origins(pixels)
        patches = np.stack([pixels[y : y + PATCH, x : x + PATCH] for y, x in origins]) if origins else cut(pixels)
        chosen.append(embed_patches(network, patches))
    return gaussian_of(np.concatenate(chosen))


def _middle(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    height, width = (min(side, FSIM_SIDE) for side in pixels.shape[:2])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width].astype(np.float32)
