"""`python -m cliqa.predict_jpeg_qf`: the JPEG quality factor of each image, from its pixels, to CSV and SQLite."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from cliqa.cli.guard import run_body
from cliqa.cli.options import add_columns, add_damaged, add_results, new_parser, positive
from cliqa.inputs.folders import JPEG_SUFFIXES
from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS

COMMAND = "predict_jpeg_qf"


def parser() -> argparse.ArgumentParser:
    """All options; each documented name works with underscores and with dashes."""
    parser = new_parser(
        COMMAND,
        "Predict the JPEG quality factor (1-100) of images from their decoded pixels. Each option works with dashes for underscores "
        "too.",
        "-i INPUT [options]",
    )
    group = parser.add_argument_group("prediction")
    group.add_argument(
        "--ckpt", "--checkpoint", default=None,
        help="weights file (default: the shipped pretrained_models/jpeg_qf.safetensors)",
    )  # fmt: skip
    group.add_argument(
        "--input", "-i", required=True, nargs="+", help="a folder, images, or - for paths on standard input"
    )
    group.add_argument("--recursive", "-r", action="store_true", help="go into sub-folders")
    group.add_argument("--null", action="store_true", help="short: -0; paths on standard input end with a zero byte")
    add_columns(group)
    group.add_argument("--output_mode", choices=("csv", "db", "both"), default="csv", help="what is written")
    group.add_argument("--pred_csv", default="./outputs/predictions.csv", help="CSV of the predictions")
    group.add_argument("--issue_csv", default="./outputs/issues.csv", help="CSV of the files that gave none")
    group.add_argument("--output_db", default="./outputs/results.db", help="SQLite database with both tables")
    group.add_argument(
        "--disable_tta", action="store_true",
        help="no averaging over flips; there is none in any case, since a mirrored picture gives the same estimate: accepted, and "
        "neither the number nor the time changes",
    )  # fmt: skip
    group.add_argument(
        "--no_calibrator", action="store_true",
        help="the estimate as it is measured, without the calibration curve of the weights (the shipped one changes no whole number)",
    )  # fmt: skip
    group.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where networks run")
    group.add_argument(
        "--gpu", "-g", type=int, nargs="+", default=None, help="GPU device ids, -1 for CPU; overrides --device"
    )
    group.add_argument("--enable_pixel_limit", action="store_true", help="skip images above --max_image_pixels")
    group.add_argument(
        "--max_image_pixels", type=positive(int), default=None, metavar="N",
        help=f"the limit; giving one enables it (default: {DEFAULT_MAX_IMAGE_PIXELS})",
    )  # fmt: skip
    add_damaged(group)
    group.add_argument(
        "--exts", nargs="+", default=list(JPEG_SUFFIXES), metavar="EXT", help="suffixes that are processed"
    )
    group.add_argument(
        "--workers", type=positive(int, zero=True), default=None, metavar="N",
        help="decode processes (default: one per processor, none for a single file); 0 decodes in the main one, where nothing "
        "ends a decoder that hangs or bounds its memory",
    )  # fmt: skip
    group.add_argument("--batch_size", type=positive(int), default=16, metavar="N", help="most images scored at once")
    group.add_argument("--print", action="store_true", help="write the paths of the predicted files to standard output")
    group.add_argument("--quiet", action="store_true", help="no progress or messages; results are still written")
    add_results(parser)
    for action in list(group._group_actions):
        for option in action.option_strings:
            if "_" in option:
                parser._option_string_actions[option.replace("_", "-")] = action
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = parser().parse_args(arguments)
    return run_body(COMMAND, "cliqa.cli.prediction:predict", options, resumes=True)


if __name__ == "__main__":
    sys.exit(main())
