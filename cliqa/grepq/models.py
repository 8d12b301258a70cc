"""Scores and features of images, and models of quality fitted to labels: `cliqa.grepq score`, `features`, `fit` and `predict`."""

from __future__ import annotations

import argparse
import contextlib
import csv
import math
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from cliqa.cli import devices
from cliqa.cli.console import Console, standard_output
from cliqa.errors import ImageIssue, RunError, UsageError
from cliqa.files.atomic import creating
from cliqa.grepq.published import KIND, Published, open_published
from cliqa.images.loading import load_image
from cliqa.inputs.listing import Listing
from cliqa.metrics import View, checkpoints, load_metric
from cliqa.metrics.grepq import GRepQ
from cliqa.metrics.grepq_features import DEFAULT_KIND, KINDS, of_kind
from cliqa.records import Issue, Source
from cliqa.results.labels import match_paths, read_labels, told_missing
from cliqa.signal.statistics.ridge import fit

# What a model that was fitted on the published features is.
FITTED: dict[str, Any] = {"metric": "grepq_published", "architecture": "clip-and-patches-ridge", "version": 1}
FEWEST = 3  # labels: below, cross-validation has nothing to hold out
ENOUGH = 50  # labels: below, the fifth that is held out (ten of fifty) can't tell a gain from luck; chosen by hand


def open_metric(options: argparse.Namespace, console: Console, checkpoint: str | None = None) -> GRepQ | Published:
    """The metric with the weights and the encoder asked for, on the device asked for."""
    device = devices.resolve(options.gpu, True, console.say)[0]
    if options.encoder == "clip":
        if getattr(options, "kind", None):
            raise UsageError("--kind is of the shipped encoders; with --encoder clip there is one kind of features")
        return open_published(options, device, checkpoint)
    metric = load_metric("grepq", checkpoint or options.checkpoint, device)
    assert isinstance(metric, GRepQ)
    return metric


def observe(path: str, metric: GRepQ | Published, console: Console) -> dict[str, NDArray[Any]] | None:
    """What the metric needs of an image; None, and a line on standard error, where it can't be read."""
    try:
        return metric.observe(View(load_image(path)))
    except ImageIssue as error:
        console.issue(Issue(Source(path), error.issue_type, str(error)))
        return None


def score_images(options: argparse.Namespace, console: Console) -> int:
    """Print the scores of single images as CSV."""
    metric, lost = open_metric(options, console), 0
    writer = csv.writer(sys.stdout, lineterminator="\n")
    with standard_output():
        writer.writerow(["path", *(field.name for field in metric.fields)])
    for path in options.images:
        observed = observe(path, metric, console)
        if observed is None:
            lost += 1
            continue
        values = metric.score(observed)
        with standard_output():
            writer.writerow([path, *(f"{values[field.name]:.6g}" for field in metric.fields)])
    return 1 if lost == len(options.images) else 0


def make_features(options: argparse.Namespace, console: Console) -> int:
    """Write the features of a folder into a .npz: `path`, `features`, `kind`, and the fingerprint of the `weights`."""
    metric = open_metric(options, console)
    kind = _kind_of(metric, options.kind)
    paths, features = _compute(options.folder, metric, kind, console)
    if not paths:
        raise RunError(f"no image of {options.folder} gave features")
    with creating(options.output) as part, open(part, "wb") as stream:
        weights = metric.metadata["weights"]
        np.savez(stream, path=np.array(paths), features=features, kind=np.array(kind), weights=np.array(weights))
    console.say(f"{len(paths)} images, {features.shape[1]} {kind} features each: {options.output}")
    return 0


def _kind_of(metric: GRepQ | Published, asked: str | None) -> str:
    return KIND if isinstance(metric, Published) else asked or DEFAULT_KIND


def _listed(folder: str) -> Listing:
    listing = Listing(folder, recursive=True)
    listing.check()
    return listing


def _compute(
    folder: str, metric: GRepQ | Published, kind: str, console: Console, wanted: Collection[str] | None = None
) -> tuple[list[str], NDArray[np.float32]]:
    """Paths and features of a folder's images, or of those that are `wanted` alone."""
    listing = _listed(folder)
    paths, rows = [], []
    for source in console.watched(listing, listing.count()):
        if isinstance(source, Issue):
            console.issue(source)
            continue
        if wanted is not None and source.path not in wanted:
            continue
        observed = observe(source.path, metric, console)
        if observed is not None:
            paths.append(source.path)
            rows.append(metric.features(observed, kind))
    return paths, np.stack(rows) if rows else np.empty((0, 0), dtype=np.float32)


def read_features(
    name: str, metric: GRepQ | Published, kind: str | None, console: Console, wanted: Collection[str] | None = None
) -> tuple[list[str], NDArray[np.float32], str]:
    """Paths, features and their kind: of a folder, computed now (of the paths `wanted` alone, if given), or those of a file.

    Raises:
        UsageError: the file holds no features, or those of other weights or of another kind.
    """
    if not name.endswith(".npz"):
        kind = _kind_of(metric, kind)
        return *_compute(name, metric, kind, console, wanted), kind
    paths, features, weights, stored_kind = _stored_features(name)
    if weights != metric.metadata.get("features_of", metric.metadata["weights"]):
        raise UsageError(f"{name} was made with other weights; make the features again")
    try:
        return paths, of_kind(features, stored_kind, kind or stored_kind), kind or stored_kind
    except ValueError as error:
        raise UsageError(f"{name} holds {error}") from None


def _stored_features(name: str) -> tuple[list[str], NDArray[np.float32], str, str]:
    """Paths, features, fingerprint of the weights and kind, of a file. Raises UsageError."""
    try:
        with np.load(name, allow_pickle=False) as stored:
            return stored["path"].tolist(), stored["features"], str(stored["weights"]), str(stored["kind"])
    except (OSError, KeyError, ValueError) as error:
        raise UsageError(f"{name} holds no features: {error}") from error


def fit_model(options: argparse.Namespace, console: Console) -> int:
    """Fit a ridge to labels and write it, with the encoder, as weights that the metric and the filter take.

    Where no kind of features is asked for, cross-validation on the labels chooses it.
    """
    ratings = read_labels(options.labels).ratings
    if len(ratings) < FEWEST:
        raise UsageError(
            f"{options.labels} holds {len(ratings)} labels; at least three are needed, fifty are a good start"
        )
    matched = _matched(ratings, options)
    base = str(options.checkpoint or checkpoints.shipped_path("grepq"))
    metric = open_metric(options, console, base)
    if metric.fitted:
        raise UsageError(f"{base} is itself a fitted model; fit on the weights that it was made from")
    paths, features, kind = read_features(options.features, metric, options.kind, console, set(matched.values()))
    places = {path: place for place, path in enumerate(paths)}
    if unread := [name for name in ratings if matched[name] not in places]:
        raise UsageError(f"{options.labels}: {', '.join(unread[:3])} can't be read; take such labels out")
    rows, targets = [places[matched[name]] for name in ratings], list(ratings.values())
    tried = KINDS if kind == "all" and options.kind is None else (kind,)
    alphas, given = tuple(options.alpha), np.array(targets)
    try:
        fits = {name: fit(of_kind(features[rows], kind, name).astype(np.float64), given, alphas) for name in tried}
    except ValueError as error:
        raise UsageError(f"{options.labels}: {error}") from error
    kind, found = min(fits.items(), key=lambda pair: pair[1].error)
    fitted = {"fit.weight": found.weight.astype(np.float32), "fit.bias": np.array([found.bias], dtype=np.float32)}
    own = {
        "features_of": metric.metadata["weights"],
        "kind": kind,
        "labels": str(len(targets)),
        "alpha": f"{found.alpha:g}",
    } | ({"within": f"{found.within:.6g}"} if math.isfinite(found.within) else {})
    with creating(options.output) as part:
        if isinstance(metric, Published):  # the encoders are the user's own, and large: the model names them
            checkpoints.save(part, fitted, **(FITTED | own))
        else:
            light = {"metric": "grepq", "architecture": GRepQ.architecture, "version": GRepQ.version}
            tensors, facts = checkpoints.load(base, **light)  # type: ignore[arg-type]
            tensors = {name: value for name, value in tensors.items() if not name.startswith("quality.")}
            kept = {key: value for key, value in facts.items() if key not in light}
            checkpoints.save(part, tensors | fitted, **light, **(kept | own))  # type: ignore[arg-type]
    low, high = found.srcc_range
    console.say(
        f"{len(targets)} labels, {kind} features, alpha {found.alpha:g}: cross-validated SRCC {found.srcc:.3f} "
        f"(90 % of resamples {low:.2f} to {high:.2f}), PLCC {found.plcc:.3f}"
    )
    if math.isfinite(found.within):
        console.say(
            f"nine of ten images lie within {found.within:.3g} of their prediction, as far as these labels tell"
        )
    console.say(more_labels(found.curve, len(targets)))
    return 0


def _matched(ratings: Mapping[str, float], options: argparse.Namespace) -> dict[str, str]:
    """Labelled path -> image, before any is opened. Raises UsageError unless each label has its one image."""
    if options.features.endswith(".npz"):
        paths = _stored_features(options.features)[0]
    else:
        paths = [source.path for source in _listed(options.features) if not isinstance(source, Issue)]
    matched, unclear = match_paths(ratings, paths)
    for name, alike in unclear.items():
        raise UsageError(f"{options.labels}: {name} could be {' or '.join(alike[:2])}; give more of the path")
    if missing := told_missing(list(ratings), matched, options.features):
        raise UsageError(f"{options.labels}: {missing}")
    return matched


def predict(options: argparse.Namespace, console: Console) -> int:
    """Write the scores of a fitted model as CSV."""
    if checkpoints.metric_of(options.model) == FITTED["metric"]:
        paths, features, weight, bias = _published_prediction(options, console)
    else:
        metric = open_metric(argparse.Namespace(**{**vars(options), "encoder": "light"}), console, options.model)
        assert isinstance(metric, GRepQ)
        if not metric.fitted:
            raise UsageError(f"{options.model} is no fitted model; make one with: python -m cliqa.grepq fit")
        paths, features, _ = read_features(options.features, metric, metric.kind, console)
        weight, bias = metric.regressor
    scores: Sequence[float] = (features @ weight + bias).tolist() if paths else []
    with contextlib.ExitStack() as stack:
        stream: IO[str] = sys.stdout
        if options.output:
            part = stack.enter_context(creating(options.output))
            stream = stack.enter_context(open(part, "w", newline="", encoding="utf-8", errors="surrogateescape"))
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["path", "score"])
        writer.writerows([path, f"{score:.6g}"] for path, score in zip(paths, scores, strict=True))
    return 0


def _published_prediction(
    options: argparse.Namespace, console: Console
) -> tuple[list[str], NDArray[np.float32], NDArray[np.float64], float]:
    """Paths, features, weight and bias. Features from a file need no encoder. Raises UsageError where they are of other weights."""
    tensors, facts = checkpoints.load(options.model, **FITTED)
    if options.features.endswith(".npz"):
        paths, features, weights, _ = _stored_features(options.features)
    else:
        metric = open_metric(argparse.Namespace(**{**vars(options), "encoder": "clip"}), console)
        paths, features = _compute(options.features, metric, KIND, console)
        weights = metric.metadata["weights"]
    if weights != facts.get("features_of"):
        raise UsageError(
            f"{options.features}: {options.model} was fitted on features of other encoders, or at another --max-side; name the same "
            "ones with --clip-weights and --checkpoint"
        )
    return paths, features, tensors["fit.weight"].astype(np.float64), float(tensors["fit.bias"].reshape(()))


def more_labels(curve: Sequence[tuple[int, float]], labels: int) -> str:
    """What the growth so far says of further labels, in words; that it says nothing where the labels are few."""
    if len(curve) < 2 or labels < ENOUGH:
        return (
            f"this rests on {labels} labels, each predicted by a model that did not see it: too few to say how much more of them would "
            f"help; {ENOUGH} are a good start"
        )
    steps = ", ".join(f"{value:.3f} with {count}" for count, value in curve)
    gain = curve[-1][1] - curve[-2][1]
    verdict = f"twice as many may add about {max(gain * 0.7, 0.0):.2f}" if gain > 0.01 else "more would help little"
    return f"SRCC on held-out labels: {steps}; {verdict}"
