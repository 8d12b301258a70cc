"""`cliqa COMMAND ...`, the same as `python -m cliqa.COMMAND ...`; alone it lists the commands."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from cliqa import __version__
from cliqa.cli.completion import completion
from cliqa.errors import UsageError

COMMANDS = {
    "score": "every metric, one decode, one row per file in a store",
    "view": "look at pictures and scores in a browser, mark them, take the ones you keep",
    "apply": "copy, link or print files by a condition on saved scores",
    "duplicates": "copies of one picture, bursts and brackets, and which file is the best copy",
    "report": "one HTML page to look at saved scores and choose thresholds",
    "calibrate": "thresholds learned from a few labelled files",
    "export": "saved scores as a CSV, JSON Lines or Parquet table",
    "metrics": "the metrics: fields, ranges, weights, speed on this machine",
    "filter_low_quality_jpeg": "keep images that were never saved as a low quality JPEG",
    "filter_low_quality_compression": "keep images that lossy codecs left nearly as they were",
    "filter_noisy_photo": "keep images without visible noise",
    "filter_low_quality_resize": "keep images that were not enlarged",
    "filter_bad_exposure": "keep images without severe faults of exposure or contrast",
    "filter_low_perceptual_quality": "keep images that look good to people",
    "filter_low_aesthetic": "keep, sort or label images: rejected, pending, accepted",
    "filter_blurry_photo": "keep photographs that are sharp somewhere",
    "predict_jpeg_qf": "estimate JPEG quality factors from pixels, to CSV and SQLite",
    "grepq": "perceptual quality tuned to your own ratings: features, fit, predict, evaluate",
}
MODULES = {  # where it isn't `cliqa.<command>`
    "metrics": "cliqa.cli.metric_listing",
    **{name: f"cliqa.{name}.__main__" for name in ("duplicates", "grepq", "report", "view")},
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command by name; dashes work as well as underscores."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given)
    except BrokenPipeError:  # `cliqa --help | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter would fail once more, at its end
        return 0


def _run(given: list[str]) -> int:
    first = given[0] if given else "--help"
    if first == "help" and len(given) > 1:
        return _run([given[1], "--help"])
    if first in ("-h", "--help", "help"):
        print(_help(), flush=True)
        return 0
    if first in ("-V", "--version"):
        print(f"cliqa {__version__}", flush=True)
        return 0
    if first == "completion":
        return _completion(given[1:])
    name = first.replace("-", "_")
    if name not in COMMANDS:
        import difflib

        near = ["apply --undo JOURNAL"] if name == "undo" else difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else "; `cliqa` alone lists the commands"
        print(f"cliqa: there is no command {first!r}{hint}", file=sys.stderr)
        return 2
    return int(importlib.import_module(MODULES.get(name, f"cliqa.{name}")).main(given[1:]))


def _help() -> str:
    return "\n".join(
        [
            "usage: cliqa COMMAND [options]      (cliqa COMMAND --help tells its options)\n",
            "Scores photographs without a reference, and filters, sorts and reports folders by the scores.\n\ncommands:",
            *(f"  {name:<32} {summary}" for name, summary in COMMANDS.items()),
            "\n  cliqa completion bash|zsh|tcsh    a script for the shell's completion;  cliqa -V  the version",
        ]
    )


def _completion(words: Sequence[str]) -> int:
    try:
        print(completion(words[0] if words else "", COMMANDS, MODULES), flush=True)
    except UsageError as error:
        print(f"cliqa: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
