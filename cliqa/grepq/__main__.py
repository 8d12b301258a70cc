"""`python -m cliqa.grepq`: zero-shot perceptual quality, its evaluation on rated sets, and models fitted to labels of one's own.

score IMAGE...                      zero-shot scores of single images
evaluate FOLDER [--table FILE]      SRCC, PLCC and KRCC, zero-shot and with 50, 100 and 200 labels
features DIR -o features.npz        features of a folder: label-free, rated or all
fit --labels mos.csv FEATURES -o m  ridge on labels (path, score); FEATURES is a folder or a .npz
predict FEATURES --model m          scores by a fitted model, to standard output or a CSV file
suggest FEATURES                    which images to label next

All of it runs on the shipped encoders, or, with --encoder clip, as published: CLIP's image encoder with two prompts, and a
low-level encoder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from cliqa.cli.guard import run_body
from cliqa.cli.options import HelpFormatter, Parser, called, positive

COMMAND = "grepq"
BODIES = {
    "score": "models:score_images",
    "evaluate": "evaluation:evaluate",
    "features": "models:make_features",
    "fit": "models:fit_model",
    "predict": "models:predict",
    "suggest": "suggestions:suggest",
}
"""What each sub-command does, in modules of this package."""
KINDS = ("label-free", "rated", "all")  # of features, see `cliqa.metrics.grepq_features`


def parser() -> argparse.ArgumentParser:
    """All sub-commands and their options."""
    shared = Parser(add_help=False)
    shared.add_argument(
        "--checkpoint",
        help="weights file (default: the shipped pretrained_models/grepq.safetensors); with --encoder clip the low-level encoder, "
        "such as the LLM that training.train grepq_low makes",
    )  # fmt: skip
    shared.add_argument(
        "--encoder", choices=("light", "clip"), default="light",
        help="light: the shipped one; clip: as published, on a CLIP with a ResNet image encoder (needs the extra clip)",
    )  # fmt: skip
    shared.add_argument(
        "--clip-weights", default="openai", metavar="FILE",
        help="CLIP's weights: a file (OpenAI's RN50.pt, open_clip's, or the HLM that training.train grepq_high makes), or a name "
        "that open_clip knows and has in its cache",
    )  # fmt: skip
    shared.add_argument("--clip-model", default="RN50-quickgelu", metavar="NAME", help="open_clip's name of the CLIP")
    shared.add_argument(
        "--max-side", type=positive(int, zero=True), default=1024, metavar="N",
        help="with --encoder clip: larger pictures are scaled down to this long side first; 0: any size as it is (12 megapixels "
        "take gigabytes)",
    )  # fmt: skip
    shared.add_argument(
        "--gpu", "-g", type=int, nargs="+", help="GPU device ids, -1 for the CPU (default: 0 where CUDA is)"
    )
    shared.add_argument("--quiet", action="store_true", help="errors alone on standard error")
    parser = Parser(
        prog=called(COMMAND), description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )  # fmt: skip
    commands = parser.add_subparsers(dest="action", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[shared], formatter_class=HelpFormatter)

    def add_kind(command: argparse.ArgumentParser, default: str) -> None:
        command.add_argument(
            "--kind", choices=KINDS,
            help="label-free: no rating had a part in them; rated: from the branch that learned from human ratings (BIQ2021), which "
            f"needs fewer labels where your taste is like that of most people; all: both (default: {default})",
        )  # fmt: skip

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
    add_kind(made, "all")
    fitted = add("fit", "Fit a model to labels: ridge, its strength chosen by cross-validation.")
    fitted.add_argument("features", help="a folder of images, or features that were made of one")
    fitted.add_argument("--labels", required=True, help="CSV with columns path and score")
    fitted.add_argument("-o", "--output", required=True, metavar="FILE.safetensors", help="where the model goes")
    fitted.add_argument(
        "--alpha", type=positive(float), nargs="+", default=[0.1, 1.0, 10.0, 100.0],
        help="strengths of the ridge, of which cross-validation chooses one",
    )  # fmt: skip
    add_kind(fitted, "what cross-validation on the labels prefers")
    told = add("predict", "Scores by a fitted model, as CSV.")
    told.add_argument("features", help="a folder of images, or features that were made of one")
    told.add_argument("--model", required=True, help="model that `fit` made")
    told.add_argument("-o", "--output", metavar="FILE.csv", help="where the scores go (default: standard output)")
    next_ones = add("suggest", "Images to label next, spread over the scores so far, as CSV on standard output.")
    next_ones.add_argument("features", help="a folder of images, or features that were made of one")
    next_ones.add_argument("--labels", help="CSV with columns path and score: what is labelled already")
    next_ones.add_argument("--model", help="model that `fit` made, whose scores are then used instead of q")
    next_ones.add_argument("-n", "--count", type=positive(int), default=20, help="how many")
    next_ones.add_argument("--seed", type=int, default=0, help="another seed, other images")
    add_kind(next_ones, "label-free, or the model's")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; returns the exit status."""
    options = parser().parse_args(arguments)
    return run_body(f"{COMMAND} {options.action}", f"cliqa.grepq.{BODIES[options.action]}", options)


if __name__ == "__main__":
    sys.exit(main())
