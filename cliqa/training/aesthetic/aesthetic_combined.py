"""The combined aesthetic task: rejected, pending, accepted from any of AVA, EVA, KonIQ-10k, SPAQ (and BIQ2021) together.

    python -m cliqa.training.train aesthetic_combined --ratings AVA/ --ratings EVA/ --ratings koniq10k/ --ratings SPAQ/

`cliqa.grepq.rated_sets` says how scores become classes. A photograph's name decides its side of the split, whatever table rates it.
`--backbone inception` fits the whole-size network instead of the light one. Every epoch leaves `epoch-NN.pt` in the work folder, and a
run that was stopped goes on. The epoch that is best on the val photographs is calibrated there and measured on the test photographs:
confusion by data set, beside what knowing the data set alone would give. The weights go to `filter_low_aesthetic --checkpoint`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from cliqa.errors import UsageError
from cliqa.grepq.rated_sets import RatedImage, read_rated, split_by_image
from cliqa.metrics import checkpoints
from cliqa.metrics.aesthetic import LABELS, Aesthetic, decide, probabilities
from cliqa.metrics.aesthetic_inception import AestheticInception
from cliqa.training.aesthetic.confusion import by_source, confusion_table, source_only
from cliqa.training.aesthetic.networks import InceptionClasses, LightClasses, new_network
from cliqa.training.averaged_fit import AveragedFit, FitSettings
from cliqa.training.card import write_new_card
from cliqa.training.grepq.aesthetic import choose_decision, fit_softmax, macro_f1
from cliqa.training.rated.examples import cropped
from cliqa.training.train import TrainOptions

# Tuned on none of the four sets, which are not at hand: those of the fit to BIQ2021, and usual ones of whole-size networks.
LIGHT = FitSettings(epochs=10, batch=32, rate=3e-4, decay=2e-2, average=0.998)
INCEPTION = FitSettings(epochs=10, batch=32, rate=1e-4, decay=2e-2, average=0.998)
SMOOTHING = 0.05  # of the labels
AT_ONCE = 32  # pictures in a pass without gradient

Network = LightClasses | InceptionClasses


def train(options: TrainOptions) -> None:
    """Read the sets, fit, choose, calibrate, measure, write weights and card."""
    images = read_sets(options)
    network = new_network(options)
    settings = INCEPTION if options.backbone == "inception" else LIGHT
    settings = replace(settings, epochs=options.epochs or settings.epochs, seed=options.seed)
    best = fit(images["train"], images["val"], network, settings, options)
    outputs = {split: logits(network, images[split], options) for split in ("val", "test")}
    labels = {split: classes(images[split]) for split in images}
    calibration = fit_softmax(outputs["val"], labels["val"])
    decision = choose_decision(probabilities(outputs["val"], *calibration), labels["val"])
    said = decide(probabilities(outputs["test"], *calibration), decision)
    path = save(options, network, *calibration, decision)
    sources = {split: [image.source for image in images[split]] for split in images}
    alone = source_only(sources["train"], labels["train"], sources["test"])
    counts = [f"| {name} | {counted} |" for name, counted in by_source(sources, labels)]
    write_new_card(
        path,
        f"aesthetic classes, {options.backbone} backbone",
        f"Made by `python -m cliqa.training.train aesthetic_combined --backbone {options.backbone}` with --ratings "
        f"{' '.join(folder.name for folder in options.rated_sets)}; epoch {best + 1} of {settings.epochs} was the best on the val "
        "photographs. Used by `cliqa filter_low_aesthetic --checkpoint`.",
        "| photographs | train | val | test |", "|---|---|---|---|", *counts, "",
        "| on the test photographs | accuracy | macro F1 |", "|---|---|---|",
        _figures("the network", labels["test"], said),
        _figures("the commonest class of the photograph's data set", labels["test"], alone), "",
        *confusion_table(sources["test"], labels["test"], said),
    )  # fmt: skip
    print(f"weights and their card: {path}", file=sys.stderr)


def read_sets(options: TrainOptions) -> dict[str, list[RatedImage]]:
    """The classed photographs of all sets, by split. Raises UsageError where a split would be empty or has one class alone."""
    if not options.rated_sets:
        raise UsageError("this recipe needs --ratings: AVA, EVA, KonIQ-10k, SPAQ or BIQ2021, once or several times")
    read = [image for folder in options.rated_sets for image in read_rated(folder) if image.label is not None]
    if options.examples is not None:
        order = np.random.default_rng(options.seed).permutation(len(read))[: options.examples]
        read = [read[i] for i in sorted(order)]
    found = {
        split: [image for image in split_by_image(read) if image.split == split] for split in ("train", "val", "test")
    }
    for split, images in found.items():
        if len({image.label for image in images}) < 2:
            raise UsageError(f"the {split} photographs ({len(images)}) are of fewer than two classes")
    return found


def classes(images: Sequence[RatedImage]) -> NDArray[np.int64]:
    """Places in `LABELS`."""
    return np.array([LABELS.index(image.label or "") for image in images])


def fit(
    train_set: Sequence[RatedImage],
    val_set: Sequence[RatedImage],
    network: Network,
    settings: FitSettings,
    options: TrainOptions,
) -> int:
    """Fit the network in place; its weights are those of the best epoch on the val photographs, whose number is returned."""
    torch.manual_seed(settings.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network.begin(views(train_set[:64], network.side, np.random.default_rng(settings.seed), options.workers))
    network.to(device)
    labels, truth = torch.from_numpy(classes(train_set)), classes(val_set)
    frequency = torch.bincount(labels, minlength=len(LABELS)).clamp_min(1).float()
    weight = (frequency.sum() / frequency / len(LABELS)).sqrt().to(device)  # half-way to equal say of every class
    run = AveragedFit(network, len(train_set), settings, options.work)
    for epoch, batches in run.epochs():
        total = 0.0
        for number, batch in enumerate(batches):
            rng = np.random.default_rng([settings.seed, epoch, number])
            pixels = views([train_set[i] for i in batch.tolist()], network.side, rng, options.workers)
            outputs = run.net(pixels.to(device))
            total += run.step(F.cross_entropy(outputs, labels[batch].to(device), weight, label_smoothing=SMOOTHING))
        torch.save(run.averaged.state_dict(), options.work / f"epoch-{epoch:02d}.pt")
        guess = logits(run.averaged, val_set, options).argmax(axis=1)
        f1, right = macro_f1(truth, guess), float((guess == truth).mean())
        run.log({"epoch": epoch, "loss": total / len(batches), "macro F1": f1, "accuracy": right})
        print(f"epoch {epoch + 1}: loss {total / len(batches):.4f}, val macro F1 {f1:.3f}", file=sys.stderr)
    lines = (options.work / "curve.csv").read_text(encoding="utf-8").splitlines()[1:]
    best = max((float(line.split(",")[2]), -int(line.split(",")[0])) for line in lines)
    network.load_state_dict(torch.load(options.work / f"epoch-{-best[1]:02d}.pt", weights_only=True))
    return -best[1]


def views(images: Sequence[RatedImage], side: int, rng: np.random.Generator, workers: int) -> Tensor:
    """A crop of each photograph, at least four fifths of it, mirrored half the time: uint8 (n, side, side, 3)."""
    seeds = rng.integers(2**31, size=len(images))

    def view(place: int) -> NDArray[np.uint8]:
        cut = cropped(images[place].path, (side, side), np.random.default_rng(seeds[place]))
        return np.asarray(cut.resize((side, side)))

    with ThreadPoolExecutor(max(1, workers)) as pool:
        return torch.from_numpy(np.stack(list(pool.map(view, range(len(images))))))


def logits(network: Network, images: Sequence[RatedImage], options: TrainOptions) -> NDArray[np.float64]:
    """The outputs for whole photographs, squeezed to the network's side: (n, 3)."""
    from cliqa.images.loading import load_image

    device = next(network.parameters()).device

    def whole(image: RatedImage) -> NDArray[np.uint8]:
        return np.asarray(load_image(image.path).as_seen(2 * network.side).resize((network.side, network.side)))

    network.eval()
    found = []
    with torch.inference_mode(), ThreadPoolExecutor(max(1, options.workers)) as pool:
        for at in range(0, len(images), AT_ONCE):
            pixels = torch.from_numpy(np.stack(list(pool.map(whole, images[at : at + AT_ONCE]))))
            found.append(network(pixels.to(device)).double().cpu())
    return torch.cat(found).numpy()


def save(
    options: TrainOptions, network: Network, weight: NDArray[Any], bias: NDArray[Any], decision: NDArray[Any]
) -> Any:
    """Write the weights that the backbone's metric reads; returns their path."""
    light = isinstance(network, LightClasses)
    metric = Aesthetic if light else AestheticInception
    if light:  # its head has two outputs more, which nothing has trained here
        weight = np.concatenate([np.zeros((len(LABELS), 2)), weight], axis=1)
    fitted = {"calibration.weight": weight, "calibration.bias": bias, "decision": decision}
    tensors = network.tensors() | {name: value.astype(np.float32) for name, value in fitted.items()}
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{metric.name}.safetensors"
    sets = ", ".join(folder.name for folder in options.rated_sets)
    checkpoints.save(path, tensors, metric=metric.name, architecture=metric.architecture, version=metric.version,
                     ratings=sets, side=str(network.side))  # fmt: skip
    return path


def _figures(name: str, truth: NDArray[np.int64], said: NDArray[Any]) -> str:
    return f"| {name} | {(said == truth).mean():.3f} | {macro_f1(truth, said):.3f} |"
