"""`python -m cliqa.grepq`: zero-shot perceptual quality, its evaluation on rated sets, and models fitted to labels of one's own.

score IMAGE...                      zero-shot scores of single images
evaluate FOLDER [--table FILE]      SRCC, PLCC and KRCC, zero-shot and with 50, 100 and 200 labels
features DIR -o features.npz        label-free features of a folder
fit --labels mos.csv FEATURES -o m  ridge on labels (path, score); FEATURES is a folder or a .npz
predict FEATURES --model m          scores by a fitted model, to standard output or a CSV file
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cliqa.errors import RunError, UsageError
from cliqa.guard import guarded
from cliqa.options import HelpFormatter, positive

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cliqa.console import Console
    from cliqa.metrics.grepq import GRepQ

COMMAND = "grepq"


def parser() -> argparse.ArgumentParser:
    """All sub-commands and their options."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--checkpoint", help="weights file (default: the shipped pretrained_models/grepq.safetensors)")
    shared.add_argument("--gpu", "-g", type=int, nargs="+", default=[0], help="GPU device ids. -1 for CPU")
    shared.add_argument("--quiet", action="store_true", help="errors alone on standard error")
    parser = argparse.ArgumentParser(
        prog=f"python -m cliqa.{COMMAND}", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )  # fmt: skip
    commands = parser.add_subparsers(dest="action", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[shared], formatter_class=HelpFormatter)

    one = add("score", "Scores of single images, as CSV on standard output.")
    one.add_argument("images", nargs="+", help="image files")
    rated = add("evaluate", "Correlation with the ratings of a data set (BIQ2021, CLIVE, KonIQ-10k, SPAQ or a table).")
    rated.add_argument("folder", help="the data set's folder, in its published layout, or any folder with --table")
    rated.add_argument("--table", help="CSV with columns image (or path) and mos (or score)")
    rated.add_argument("--draws", type=positive(int), default=10, help="random draws of the labels, averaged")
    rated.add_argument("--limit", type=positive(int), help="evaluate on this many photographs, chosen at random")
    rated.add_argument("--split", choices=("train", "test"), help="only the publisher's list of this name")
    made = add("features", "Features of the images of a folder, for `fit` and `predict`.")
    made.add_argument("folder", help="a folder of images, sub-folders included, or one image")
    made.add_argument("-o", "--output", required=True, metavar="FILE.npz", help="where the features go")
    fitted = add("fit", "Fit a model to labels: ridge, its strength chosen by cross-validation.")
    fitted.add_argument("features", help="a folder of images, or features that were made of one")
    fitted.add_argument("--labels", required=True, help="CSV with columns path and score")
    fitted.add_argument("-o", "--output", required=True, metavar="FILE.safetensors", help="where the model goes")
    told = add("predict", "Scores by a fitted model, as CSV.")
    told.add_argument("features", help="a folder of images, or features that were made of one")
    told.add_argument("--model", required=True, help="model that `fit` made")
    told.add_argument("-o", "--output", metavar="FILE.csv", help="where the scores go (default: standard output)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; returns the exit status."""
    options = parser().parse_args(arguments)
    actions = {"score": _score, "evaluate": _evaluate, "features": _features, "fit": _fit, "predict": _predict}
    return guarded(COMMAND, options.quiet, lambda console: actions[options.action](options, console))


def _open(options: argparse.Namespace, console: Console, checkpoint: str | None = None) -> GRepQ:
    from cliqa import devices
    from cliqa.metrics import load_metric
    from cliqa.metrics.grepq import GRepQ

    found, message = devices.resolve(options.gpu, True)
    if message:
        console.say(message)
    metric = load_metric("grepq", checkpoint or options.checkpoint, found[0])
    assert isinstance(metric, GRepQ)
    return metric


def _score(options: argparse.Namespace, console: Console) -> int:
    metric, lost = _open(options, console), 0
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["path", *(field.name for field in metric.fields)])
    for path in options.images:
        observed = _observe(path, metric, console)
        if observed is None:
            lost += 1
            continue
        values = metric.score([observed])[0]
        writer.writerow([path, *(f"{values[field.name]:.6g}" for field in metric.fields)])
    return 1 if lost == len(options.images) else 0


def _observe(path: str, metric: GRepQ, console: Console) -> dict[str, NDArray[Any]] | None:
    from cliqa.errors import ImageIssue
    from cliqa.images import load_image
    from cliqa.metrics import View
    from cliqa.records import Issue, Source

    try:
        return metric.observe(View(load_image(path)))
    except ImageIssue as error:
        console.issue(Issue(Source(path), error.issue_type, str(error)))
        return None


def _features(options: argparse.Namespace, console: Console) -> int:
    import numpy as np

    metric = _open(options, console)
    paths, features = _compute(options.folder, metric, console)
    if not paths:
        raise RunError(f"no image of {options.folder} gave features")
    part = f"{options.output}.part.npz"
    np.savez(part, path=np.array(paths), features=features, weights=np.array(metric.metadata["weights"]))
    os.replace(part, options.output)
    console.say(f"{len(paths)} images, {features.shape[1]} features each: {options.output}")
    return 0


def _compute(folder: str, metric: GRepQ, console: Console) -> tuple[list[str], NDArray[np.float32]]:
    import numpy as np

    from cliqa.listing import Listing
    from cliqa.records import Issue

    listing = Listing(folder, recursive=True)
    listing.check()
    paths, rows = [], []
    with console.progress(listing.count()):
        for source in listing:
            console.step()
            if isinstance(source, Issue):
                console.issue(source)
                continue
            observed = _observe(source.path, metric, console)
            if observed is not None:
                paths.append(source.path)
                rows.append(metric.features(observed))
    return paths, np.stack(rows) if rows else np.empty((0, 0), dtype=np.float32)


def _read_features(name: str, metric: GRepQ, console: Console) -> tuple[list[str], NDArray[np.float32]]:
    """Features of a folder, computed now, or those of a file. Raises UsageError when they are of other weights."""
    import numpy as np

    if not name.endswith(".npz"):
        return _compute(name, metric, console)
    try:
        with np.load(name, allow_pickle=False) as stored:
            paths, features, weights = stored["path"].tolist(), stored["features"], str(stored["weights"])
    except (OSError, KeyError, ValueError) as error:
        raise UsageError(f"{name} holds no features: {error}") from error
    if weights != metric.metadata.get("features_of", metric.metadata["weights"]):
        raise UsageError(f"{name} was made with other weights; make the features again")
    return paths, features


def _fit(options: argparse.Namespace, console: Console) -> int:
    import numpy as np

    from cliqa import checkpoints
    from cliqa.metrics.grepq import GRepQ
    from cliqa.signal.ridge import fit

    labels = read_labels(options.labels)
    base = options.checkpoint or checkpoints.shipped_path("grepq")
    metric = _open(options, console, str(base))
    if metric.fitted:
        raise UsageError(f"{base} is itself a fitted model; fit on the weights that it was made from")
    paths, features = _read_features(options.features, metric, console)
    rows, targets = match_labels(paths, labels, options.labels)
    try:
        found = fit(features[rows].astype(np.float64), np.array(targets))
    except ValueError as error:
        raise UsageError(f"{options.labels}: {error}") from error
    tensors, facts = checkpoints.load(base, metric="grepq", architecture=GRepQ.architecture, version=GRepQ.version)
    tensors = {name: value for name, value in tensors.items() if not name.startswith("quality.")}
    tensors |= {"fit.weight": found.weight.astype(np.float32), "fit.bias": np.array([found.bias], dtype=np.float32)}
    own = {"features_of": metric.metadata["weights"], "labels": str(len(targets)), "alpha": f"{found.alpha:g}"}
    kept = {key: value for key, value in facts.items() if key not in ("metric", "architecture", "version")}
    checkpoints.save(options.output, tensors, metric="grepq", architecture=GRepQ.architecture,
                     version=GRepQ.version, **(kept | own))  # fmt: skip
    console.say(
        f"{len(targets)} labels, alpha {found.alpha:g}: cross-validated SRCC {found.srcc:.3f}, PLCC {found.plcc:.3f}"
    )
    console.say(more_labels(found.curve))
    return 0


def read_labels(path: str) -> list[tuple[str, float]]:
    """Rows (path, score) of a CSV. Raises UsageError for a file, column or number that can't be used."""
    import math

    try:
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
            reader = csv.DictReader(stream)
            if not {"path", "score"} <= set(reader.fieldnames or ()):
                raise UsageError(f"{path} must have the columns path and score")
            rows = [(row["path"], row["score"]) for row in reader]
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error
    found = []
    for name, text in rows:
        try:
            value = float(text)
        except (TypeError, ValueError):
            raise UsageError(f"{path}: the score of {name} is no number: {text!r}") from None
        if not math.isfinite(value):
            raise UsageError(f"{path}: the score of {name} is {text}")
        found.append((name, value))
    if len(found) < 3:
        raise UsageError(f"{path} holds {len(found)} labels; at least three are needed, fifty are a good start")
    return found


def match_labels(
    paths: Sequence[str], labels: Sequence[tuple[str, float]], table: str
) -> tuple[list[int], list[float]]:
    """Positions in `paths` and scores; a label matches by whole path, by its end, or by file name where that is unique."""
    ends: dict[str, list[int]] = {}
    for number, path in enumerate(paths):
        words = path.replace("\\", "/").split("/")
        for start in range(len(words)):
            ends.setdefault("/".join(words[start:]), []).append(number)
    rows, targets, lost = [], [], []
    for name, score in labels:
        key = name.replace("\\", "/").removeprefix("./")
        found = ends.get(key) or ends.get(key.split("/")[-1]) or []
        if len(found) > 1:
            raise UsageError(
                f"{table}: {name} could be {' or '.join(paths[i] for i in found[:2])}; give more of the path"
            )
        if not found:
            lost.append(name)
            continue
        rows.append(found[0])
        targets.append(score)
    if lost:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise UsageError(f"{table}: no image matches {', '.join(lost[:3])}{more}")
    return rows, targets


def more_labels(curve: Sequence[tuple[int, float]]) -> str:
    """What the growth so far says of further labels, in words."""
    if len(curve) < 2:
        return "too few labels to say how much more of them would help"
    steps = ", ".join(f"{value:.3f} with {count}" for count, value in curve)
    gain = curve[-1][1] - curve[-2][1]
    verdict = f"twice as many may add about {max(gain * 0.7, 0.0):.2f}" if gain > 0.01 else "more would help little"
    return f"SRCC on held-out labels: {steps}; {verdict}"


def _predict(options: argparse.Namespace, console: Console) -> int:
    metric = _open(options, console, options.model)
    if not metric.fitted:
        raise UsageError(f"{options.model} is no fitted model; make one with: python -m cliqa.grepq fit")
    paths, features = _read_features(options.features, metric, console)
    weight, bias = metric.regressor
    scores: Sequence[float] = (features @ weight + bias).tolist() if paths else []
    with open(options.output, "w", newline="", encoding="utf-8") if options.output else _Standard() as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["path", "score"])
        writer.writerows([path, f"{score:.6g}"] for path, score in zip(paths, scores, strict=True))
    return 0


class _Standard:
    """Standard output as a context that does not close it."""

    def __enter__(self) -> Any:
        return sys.stdout

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()


def _evaluate(options: argparse.Namespace, console: Console) -> int:
    from cliqa.training.rated_sets import read_rated

    images = read_rated(options.folder, options.table)
    images = [image for image in images if options.split in (None, image.split)]
    metric = _open(options, console)
    for line in evaluation_table(metric, images, options.draws, options.limit, console):
        print(line)
    return 0


def evaluation_table(
    metric: GRepQ, images: Sequence[Any], draws: int, limit: int | None, console: Console
) -> Iterator[str]:
    """Lines of the report: name, SRCC, PLCC, KRCC."""
    import numpy as np

    from cliqa.metrics.grepq import FEATURE_PARTS, zero_shot_columns
    from cliqa.signal.correlation import krcc, plcc, srcc
    from cliqa.signal.ridge import choose_alpha, ridge

    order = np.random.default_rng(0).permutation(len(images))[:limit]
    rows, targets = [], []
    with console.progress(len(order)):
        for number in order:
            console.step()
            observed = _observe(str(images[number].path), metric, console)
            if observed is not None:
                rows.append(metric.features(observed))
                targets.append(images[number].score)
    if len(rows) < 3:
        raise RunError(f"{len(rows)} photographs gave features; an evaluation needs at least three")
    features, mos = np.stack(rows).astype(np.float64), np.array(targets)
    yield f"{len(mos)} photographs"
    yield f"{'':24s}{'SRCC':>8s}{'PLCC':>8s}{'KRCC':>8s}"

    def line(name: str, figures: Sequence[float]) -> str:
        return f"{name:24s}" + "".join(f"{value:8.3f}" for value in figures)

    for name, column in zip(("low", "high", "combined"), zero_shot_columns(features), strict=True):
        yield line(f"{name}, zero-shot", (srcc(column, mos), plcc(column, mos), krcc(column, mos)))
    for count in (50, 100, 200):
        if count + 10 > len(mos):
            continue
        for name, part in FEATURE_PARTS.items():
            figures = []
            for draw in range(draws):
                chosen = np.random.default_rng(draw).permutation(len(mos))
                used, held = chosen[:count], chosen[count:]
                alpha, _ = choose_alpha(features[used][:, part], mos[used])
                weight, bias = ridge(features[used][:, part], mos[used], alpha)
                guess = features[held][:, part] @ weight + bias
                figures.append((srcc(guess, mos[held]), plcc(guess, mos[held]), krcc(guess, mos[held])))
            yield line(f"{name}, {count} labels", np.mean(figures, axis=0))


if __name__ == "__main__":
    sys.exit(main())
