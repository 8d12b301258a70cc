"""The options that commands share, each group defined once. Nothing heavy is imported here: `--help` must be instant."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from cliqa import __version__
from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS, DEFAULT_NUM_PATCHES, FILE_SECONDS
from cliqa.text import display

MODULE_CALL = "python -m cliqa."


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows a default where there is one to show, and once."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False or "(default" in (action.help or ""):
            return action.help
        return super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and takes `-0` for `--null`.

    Were `-0` an option of its own, argparse would take the `-1` of `--gpu -1` for one too.
    """

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does; words that are no option of the command are told from options that are mistyped."""
        options, rest = self.parse_known_args(args, namespace)
        if rest:
            self.error(self._unknown(rest))
        return options

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, with `-0` spelled out."""
        given = sys.argv[1:] if args is None else args
        return super().parse_known_args(["--null" if word == "-0" else word for word in given], namespace)

    def error(self, message: str) -> NoReturn:
        """The message, without the usage above it: `--help` has that. Exit status 2."""
        self.exit(2, f"{named(self.prog)}: {display(message)}; --help tells the options\n")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """As argparse does; a reader that has closed the pipe, such as `head -1`, ends it quietly."""
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter would fail once more, at its end
        super().exit(status, message)

    def _unknown(self, rest: list[str]) -> str:
        option = next((word.split("=", 1)[0] for word in rest if word.startswith("-")), "")
        if option:
            near = difflib.get_close_matches(option, self._option_string_actions, 1, 0.7)
            return f"there is no option {option}" + (f", did you mean {near[0]}?" if near else "")
        words = " ".join(rest[:3]) + (" ..." if len(rest) > 3 else "")
        many = "; files go right behind -i" if "-i" in self._option_string_actions else ""
        return f"{words}: {'one word' if len(rest) == 1 else f'{len(rest)} words'} too many{many}"


def called(command: str) -> str:
    """How the user called a command: `cliqa NAME` or `python -m cliqa.NAME`."""
    script = os.path.normpath(sys.argv[0] if sys.argv else "")
    by_name = os.path.basename(script) in ("cliqa", "cliqa.exe") or script.endswith(
        os.path.join("cliqa", "__main__.py")
    )
    return f"cliqa {command}" if by_name else f"{MODULE_CALL}{command}"


def named(prog: str) -> str:
    """The command's name alone, with which every message of it begins, however it was called."""
    return prog.removeprefix(MODULE_CALL).removeprefix("cliqa ")


def new_parser(command: str, description: str, usage: str = "[options]") -> argparse.ArgumentParser:
    """A parser for a command, named as it was called, defaults shown in its help; `usage` is what a user types at the least."""
    parser = Parser(
        prog=called(command),
        usage=f"%(prog)s {usage}",
        description=description,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"cliqa {__version__}")
    return parser


def add_input(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Where the files come from."""
    group = parser.add_argument_group("input")
    group.add_argument(
        "--input", "-i", required=required, nargs="+", default=[],
        help="input image directory, one or more files, or - for paths on standard input; also shards (.tar, .tar.gz, .parquet), "
        "patterns in quotes such as 'shards/{000..099}.tar' or '*.tar', and addresses such as s3://bucket/folder",
    )  # fmt: skip
    add_reading(group)


def add_reading(group: argparse._ArgumentGroup) -> None:
    """How the input is read."""
    group.add_argument(
        "--recursive", "-r", action="store_true", help="go into sub-folders; the output mirrors the tree"
    )
    group.add_argument(
        "--exts", nargs="+", metavar="EXT", default=None,
        help="suffixes to look at in folders, such as .jpg .png; '*' for every file (default: those of all formats read)",
    )  # fmt: skip
    group.add_argument(
        "--null", action="store_true", help="short: -0; paths on standard input and output end with a zero byte"
    )
    add_columns(group)
    group.add_argument(
        "--max-image-pixels", type=positive(int), default=DEFAULT_MAX_IMAGE_PIXELS, metavar="N",
        help="images with more pixels are skipped, with an issue",
    )  # fmt: skip
    add_damaged(group)


def add_damaged(group: argparse._ArgumentGroup) -> None:
    """Whether damaged data are scored."""
    group.add_argument(
        "--damaged", choices=("issue", "score"), default="issue",
        help="what becomes of files with damaged image data: an issue, or scores with a note, as far as they can be decoded",
    )  # fmt: skip


def add_columns(group: argparse._ArgumentGroup) -> None:
    """Which columns of Parquet input are read."""
    group.add_argument(
        "--image-column", default="", metavar="NAME",
        help="column of Parquet input with the bytes of images, image.bytes for a field within one "
        "(default: the one that is named or typed so)",
    )  # fmt: skip
    group.add_argument(
        "--key-column", default="", metavar="NAME",
        help="column of Parquet input that names an image, row for the row's number (default: key, id, filename or the like)",
    )  # fmt: skip


def add_store(parser: argparse.ArgumentParser, roots: bool = True, optional: bool = False) -> None:
    """The saved scores that a command works on, and with `roots` where their files lie now."""
    parser.add_argument(
        "store", **({"nargs": "?"} if optional else {}),  # type: ignore[arg-type]
        help="what cliqa.score or a filter's --results wrote: a .db, .csv, .jsonl or .parquet file, or a folder of parts",
    )  # fmt: skip
    if roots:
        parser.add_argument(
            "--root", type=_root, action="append", default=[], metavar="OLD=NEW",
            help="the files that were scored in the folder OLD lie in the folder NEW now; can be given several times",
        )  # fmt: skip


def add_shard_size(group: argparse._ArgumentGroup) -> None:
    """How large the tars are that a command writes."""
    group.add_argument(
        "--shard-size", type=positive(int), default=1000, metavar="N", help="samples in each tar of -o kept/%%06d.tar"
    )


def add_placing(group: argparse._ArgumentGroup, syncing: bool = True) -> argparse._MutuallyExclusiveGroup:
    """How files get into an output folder; returns the group of ways of which one can be chosen. `syncing`: whether --sync is one."""
    ways = group.add_mutually_exclusive_group()
    ways.add_argument(
        "--symlink", action="store_true",
        help="create symbolic links, instead of copying the real files (recommended on linux)",
    )  # fmt: skip
    ways.add_argument(
        "--hardlink", action="store_true",
        help="give the real files a second name instead of copying them (on one file system; an edit of either shows in both)",
    )  # fmt: skip
    group.add_argument(
        "--with-companions", action="store_true",
        help="the files beside a picture that belong to it go along: raw file, sidecars and others of its name (IMG_1.CR2, "
        "IMG_1.xmp, IMG_1.JPG.xmp with IMG_1.JPG)",
    )  # fmt: skip
    if not syncing:
        return ways
    group.add_argument(
        "--sync", action="store_true",
        help="take away what an earlier run placed in the output folder and this one drops, where nobody has changed it since",
    )  # fmt: skip
    return ways


def way(options: argparse.Namespace) -> str:
    """How files are placed: the way that the options of `add_placing` choose, copy where none is chosen."""
    return next((name for name in ("symlink", "hardlink", "move") if getattr(options, name, False)), "copy")


def file_options(options: argparse.Namespace) -> list[str]:
    """Those options that were given and say something of single files in a folder alone."""
    names = ("symlink", "hardlink", "move", "with_companions", "sync")
    return ["--" + name.replace("_", "-") for name in names if getattr(options, name, False)]


def add_output(parser: argparse.ArgumentParser) -> None:
    """Where the kept files go."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--output", "-o",
        help="output image directory; optional with --print, --results, --keys or --dry-run; for input in tars, tars of whole "
        "samples: kept/%%06d.tar",
    )  # fmt: skip
    add_shard_size(group)
    add_placing(group)
    group.add_argument("--score-prefix", action="store_true", help="add score prefix to the output filename")
    group.add_argument("--invert", action="store_true", help="extract the images that the filter would drop")
    group.add_argument("--print", action="store_true", help="write the paths of the kept files to standard output")
    group.add_argument(
        "--keys", metavar="FILE",
        help="write the keys of the kept samples of shards to a new file, one a line (with --null, a zero byte after each)",
    )  # fmt: skip
    group.add_argument(
        "--dry-run", action="store_true",
        help="place nothing, name the files that would be placed; results and keys are still written",
    )  # fmt: skip


def add_results(parser: argparse.ArgumentParser) -> None:
    """Where the scores go."""
    group = parser.add_argument_group("results")
    group.add_argument(
        "--results", metavar="FILE", default=None,
        help="write every scored file, kept or not, to a .csv, .jsonl, .db or .parquet file",
    )  # fmt: skip
    group.add_argument(
        "--resume", action="store_true", help="go on with an interrupted run; files in --results are not scored again"
    )
    group.add_argument("--strict", action="store_true", help="exit with status 3 when some files had issues")


def add_compute(parser: argparse.ArgumentParser, shipped: str) -> None:
    """How the work is carried out; `shipped` names the default weights in the help."""
    group = parser.add_argument_group("computation")
    group.add_argument("--checkpoint", default=None, help=f"model parameter file (default: the shipped {shipped})")
    group.add_argument(
        "--gpu", "-g", type=int, nargs="+", default=None,
        help="GPU device ids. -1 for CPU (default: the first GPU, where there is one)",
    )  # fmt: skip
    group.add_argument(
        "--num-patches",
        type=positive(int),
        default=DEFAULT_NUM_PATCHES,
        help="number of 128x128 patches used per image",
    )
    group.add_argument(
        "--workers", type=positive(int, zero=True), default=None, metavar="N",
        help="decode processes (default: one per processor that this process, or its container, may use, as far as memory goes); "
        "0 decodes in the main one, where nothing ends a decoder that hangs or bounds its memory; with --file-seconds it is one "
        "process beside it, where both hold",
    )  # fmt: skip
    group.add_argument(
        "--file-seconds", type=positive(float, zero=True), default=None, metavar="S",
        help="processor seconds of a worker that any file may take, half a second more for each megapixel; 0 for no limit "
        f"(default: {FILE_SECONDS:g})",
    )  # fmt: skip
    group.add_argument("--batch-size", type=positive(int), default=16, metavar="N", help="most images scored at once")
    group.add_argument("--quiet", action="store_true", help="no progress, summary or issue lines on standard error")


def positive(kind: Callable[[str], Any], zero: bool = False) -> Callable[[str], Any]:
    """An argparse type: a number above 0 (or from 0)."""

    def parse(text: str) -> Any:
        value = kind(text)
        if value < 0 or (value == 0 and not zero):
            raise argparse.ArgumentTypeError(f"must be {'0 or more' if zero else 'above 0'}, not {text}")
        return value

    parse.__name__ = kind.__name__ if isinstance(kind, type) else "number"
    return parse


def _root(text: str) -> tuple[str, str]:
    """An argparse type: `OLD=NEW`, two folders."""
    old, mark, new = text.partition("=")
    if not (mark and old and new):
        raise argparse.ArgumentTypeError(f"{text!r} is not OLD=NEW, two folders")
    return old, new


def bounded(low: float, high: float) -> Callable[[str], float]:
    """An argparse type: a number from `low` to `high`, an int where it is written as one."""

    def parse(text: str) -> float:
        value = int(text) if text.lstrip("+-").isdigit() else float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be from {low:g} to {high:g}, not {text}")
        return value

    parse.__name__ = "number"
    return parse
