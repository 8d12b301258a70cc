"""What `cliqa.calibrate` does: thresholds from a few labelled files, and the condition that uses them."""

from __future__ import annotations

import argparse
import math
import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.cli.console import Console, standard_output
from cliqa.errors import UsageError
from cliqa.files.atomic import creating
from cliqa.results.conditions import column
from cliqa.results.labels import Labels, match_paths, read_labels, told_missing
from cliqa.results.store import Store
from cliqa.signal.statistics import thresholds
from cliqa.signal.statistics.thresholds import Direction, Estimate, Rule
from cliqa.text import display, reason

FEWEST = 5  # labels of either kind, one for each fold of the cross-validation: below, nothing can be said
ENOUGH = 25  # of either kind: below, the estimates are too wide to rely on; with 25 a 95 % interval is up to 0.2 to either side
LISTED = 12  # scores, unless all are asked for; chosen by hand
CHANCE = 0.6  # balanced accuracy that a score has to reach to be of use; guessing has 0.5; chosen by hand


def calibrate(options: argparse.Namespace, console: Console) -> int:
    """Print the thresholds that the labels ask for; returns the exit status."""
    labels = read_labels(options.labels)
    with Store(options.store, options.root) as store:
        names = _names(options, store)
        values, good = _labelled_rows(store, names, labels, labels.keep_from(options.keep_from), console)
        _check(good, console)
        directions = [_directions(store, name) for name in names]
        units = {name: store.field(name).unit for name in names}
        whole = [store.field(name).kind == "int" for name in names]
    useful = [index for index in range(len(names)) if len(np.unique(values[~np.isnan(values[:, index]), index])) > 1]
    if not useful:
        raise UsageError("no score differs between the labelled files")
    values, names = values[:, useful], [names[index] for index in useful]
    directions, whole = [directions[index] for index in useful], [whole[index] for index in useful]
    precision = float(options.min_precision)
    repeats = thresholds.REPEATS if len(good) <= 2000 else 2
    single, joint = thresholds.cross_validate(values, good, directions, options.max_conditions, precision, repeats)
    everything = np.ones(len(good), bool)
    rules = [
        thresholds.best_rule(values, good, column, directions[column], everything, precision)[1]
        for column in range(len(names))
    ]
    path = thresholds.best_conjunction(values, good, directions, options.max_conditions, precision)
    length = min(thresholds.choose_length(joint, precision), len(path))
    rules = [_whole(rule) if whole[rule.column] else rule for rule in rules]
    conjunction = [_whole(rule) if whole[rule.column] else rule for rule in path[length - 1]]
    estimate = joint[length - 1]
    where = " and ".join(_term(rule, names) for rule in conjunction)
    if options.plot:
        _plot(options.plot, values, good, names, rules, single, [rule.column for rule in conjunction], units)
    text = where
    if not options.print:
        table = _table(rules, single, names, len(rules) if options.all else LISTED)
        text = f"{table}\n\n{_proposal(where, estimate, options)}"
    with standard_output():
        print("\n".join(map(display, text.split("\n"))))  # the names of columns are a store's, and foreign
    if estimate.balanced_accuracy < CHANCE:
        console.say("the scores hardly tell your labels apart: do not rely on these thresholds")
    if estimate.precision < precision:
        console.say(
            f"on labels held out the precision is {_share(estimate.precision)}, "
            f"below the {_share(precision)} asked for by --min-precision"
        )
    return 0


def _names(options: argparse.Namespace, store: Store) -> list[str]:
    """The scores to look at: numbers that were asked for, or all."""
    numbers = [name for name in store.score_columns if store.field(name).kind != "str"]
    if not options.fields:  # a grid's offset, say, is no better at either end
        return [name for name in numbers if store.field(name).better] or numbers
    return list(dict.fromkeys(column(name, numbers) for words in options.fields for name in words.split(",") if name))


def _directions(store: Store, name: str) -> list[Direction]:
    better = store.field(name).better
    return [">="] if better == "higher" else ["<="] if better == "lower" else [">=", "<="]


def _labelled_rows(
    store: Store, names: Sequence[str], labels: Labels, edge: float, console: Console
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores (rows, columns; NaN where missing) and whether to keep, of the files that are labelled."""
    matched, _ = match_paths(labels.ratings, (store.rerooted(row[0]) for row in store.rows(["path"])), store.base)
    if not matched:
        named = told_missing(list(labels.ratings), matched, "the store")
        raise UsageError(f"{named}; paths are compared with those that `cliqa.export` writes")
    if missing := told_missing(list(labels.ratings), matched, "the store"):
        console.say(missing)
    if labels.repeated:
        console.say(f"{len(labels.repeated)} paths are labelled more than once; the last label counts")
    if labels.rated:
        console.say(f"ratings from {edge:g} up mean keep")
    good_of = {saved: labels.ratings[wanted] >= edge for wanted, saved in matched.items()}
    saved = ((store.rerooted(row[0]), row[1:]) for row in store.rows(["path", *names]))
    rows = [(good_of[path], cells) for path, cells in saved if path in good_of]
    values = np.array([cells for _, cells in rows], dtype=np.float64).reshape(len(rows), len(names))
    return values, np.array([good for good, _ in rows], dtype=bool)


def _check(good: NDArray[np.bool_], console: Console) -> None:
    """Say when there are too few labels, or refuse."""
    keep, drop = int(good.sum()), int((~good).sum())
    fewest, kind = min((keep, "keep"), (drop, "drop"))
    if fewest < FEWEST:
        raise UsageError(
            f"too few labels: {keep} keep and {drop} drop; label at least {FEWEST - fewest} more to {kind}, better {ENOUGH} of each"
        )
    if fewest < ENOUGH:
        console.say(
            f"few labels: {keep} keep and {drop} drop; take the thresholds for a first guess and label about "
            f"{ENOUGH - fewest} more to {kind}"
        )


def _term(rule: Rule, names: Sequence[str]) -> str:
    return f"{names[rule.column]} {rule.direction} {rule.threshold:.12g}"


def _whole(rule: Rule) -> Rule:
    """The same rule for whole numbers: `>= 54.5` is `>= 55`."""
    return replace(rule, threshold=float((math.ceil if rule.direction == ">=" else math.floor)(rule.threshold)))


def _table(rules: Sequence[Rule], estimates: Sequence[Estimate], names: Sequence[str], most: int) -> str:
    """Each score's own threshold, the most telling first."""
    order = sorted(range(len(rules)), key=lambda index: -estimates[index].balanced_accuracy)[:most]
    terms = [_term(rules[index], names) for index in order]
    width = max(len(term) for term in terms)
    lines = [f"{'threshold':<{width}}  precision  recall  balanced accuracy"]
    for index, term in zip(order, terms, strict=True):
        one = estimates[index]
        lines.append(
            f"{term:<{width}}  {_share(one.precision):>9}  {_share(one.recall):>6}  {_share(one.balanced_accuracy):>17}"
        )
    if most < len(rules):
        lines.append(f"({len(rules) - most} more with --all)")
    return "\n".join(lines)


def _proposal(where: str, estimate: Estimate, options: argparse.Namespace) -> str:
    low, high = estimate.precision_interval
    lowest, highest = estimate.recall_interval
    store = shlex.quote(options.store)
    return "\n".join(
        [
            f"best combination, by {estimate.good} keep and {estimate.bad} drop labels:",
            f"  precision {_share(estimate.precision)} ({_share(low)} to {_share(high)}): of the files it keeps, how many are keepers",
            f"  recall    {_share(estimate.recall)} ({_share(lowest)} to {_share(highest)}): of the keepers, how many it keeps",
            "  (on labels held out, 95 % intervals; the precision holds for a folder mixed like your labels)",
            "",
            f'  --where "{where}"',
            "",
            f'cliqa report {store} --where "{where}"',
            f'cliqa apply {store} --where "{where}" -o kept',
        ]
    )


def _share(value: float) -> str:
    return "–" if value != value else f"{value:.2f}"


def _plot(
    name: str, values: NDArray[np.float64], good: NDArray[np.bool_], names: Sequence[str], rules: Sequence[Rule],
    estimates: Sequence[Estimate], chosen: Sequence[int], units: dict[str, str],
) -> None:  # fmt: skip
    """The labels over the most telling scores, those of the combination first."""
    try:
        import matplotlib
    except ImportError:
        raise UsageError("--plot needs the extra: pip install 'cliqa[plot]'") from None
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rest = sorted(set(range(len(names))) - set(chosen), key=lambda index: -estimates[index].balanced_accuracy)
    shown = [*chosen, *rest][:6]
    across = min(3, len(shown))
    down = -(-len(shown) // across)
    figure, axes = plt.subplots(down, across, figsize=(4.2 * across, 2.9 * down), squeeze=False, layout="constrained")
    for axis, index in zip(axes.flat, shown, strict=False):
        column = values[:, index]
        edges = np.histogram_bin_edges(column[~np.isnan(column)], 24)
        groups: list[Any] = [column[good & ~np.isnan(column)], column[~good & ~np.isnan(column)]]
        axis.hist(groups, edges, stacked=True, color=["#0f766e", "#d98a6a"], label=["keep", "drop"])
        axis.axvline(rules[index].threshold, color="black", linewidth=1.5)
        axis.set_title(f"{names[index]} {rules[index].direction} {rules[index].threshold:g}", fontsize=10)
        axis.set_xlabel(
            f"{units[names[index]]}  balanced accuracy {_share(estimates[index].balanced_accuracy)}".strip(), fontsize=9
        )
        axis.spines[["top", "right"]].set_visible(False)
    for axis in list(axes.flat)[len(shown) :]:
        axis.set_axis_off()
    axes.flat[0].legend(frameon=False, fontsize=9)
    try:
        with creating(name) as part:
            figure.savefig(part, dpi=130, format=os.path.splitext(name)[1].lstrip(".").lower() or "png")
    except (OSError, ValueError) as error:
        raise UsageError(f"the plot can't be written: {reason(error)}") from error
    finally:
        plt.close(figure)
