"""The commands that are run over one small folder, in every way in which they differ for its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from cliqa import apply, filter_low_aesthetic, score
from tests import toy_filter
from tests.image_bytes import PACKET

TOY = "tests.toy_metric:Brightness"


@dataclass(frozen=True)
class Command:
    """A run: what is started with which arguments in a workspace, and which results it writes."""

    name: str
    main: Callable[[Sequence[str]], int]
    arguments: Callable[[Path], list[str]]
    results: str = ""
    links: bool = False
    prepare: Callable[[Path], None] | None = None
    moves: bool = False  # inputs may be found in the output folder instead
    again: tuple[str, ...] = (
        "--resume",
    )  # what is added when it is run again; nothing where a plain second run must do


def _filter(kind: str, *more: str, earlier: str = "") -> Command:
    """A filter; with `earlier`, into a folder that one by another threshold has filled, beside pictures with sidecars."""
    results = f"r.{kind}" if kind else ""

    def words(root: Path, *others: str) -> list[str]:
        given = ["-i", str(root / "in"), "-o", str(root / "out"), "-r", "--workers", "0", "--gpu", "-1", "--quiet"]
        return [*given, *others]

    def arguments(root: Path) -> list[str]:
        return words(root, *more, *(["--results", str(root / results)] if results else []))

    def prepare(root: Path) -> None:
        _sidecars(root)
        ways = [word for word in more if word in ("--symlink", "--hardlink", "--with-companions")]
        if earlier:
            assert toy_filter.COMMAND.main(words(root, *ways, "--mean", earlier)) == 0

    name = " ".join(["filter", kind or "without results", *more])
    beside = bool(earlier) or "--with-companions" in more
    return Command(
        name, toy_filter.COMMAND.main, arguments, results, "--symlink" in more, prepare=prepare if beside else None
    )


def _score(kind: str) -> Command:
    return Command(
        f"score {kind}",
        score.main,
        lambda root: [
            "-i", str(root / "in"), "-r", "--metrics", TOY, "--results", str(root / f"r.{kind}"), "--workers", "0", "--gpu", "-1",
            "--quiet",
        ],
        f"r.{kind}",
    )  # fmt: skip


def _sidecars(root: Path) -> None:
    """A file of somebody's own beside every other picture."""
    for path in sorted((root / "in").rglob("*.png"))[::2]:
        path.with_suffix(".png.xmp").write_bytes(b"stars of " + path.name.encode())


def _labelled(*more: str, earlier: str) -> Command:
    """`filter_low_aesthetic --xmp` by a toy metric, into a folder that one for another class has filled."""
    command = replace(filter_low_aesthetic.COMMAND, metric="tests.toy_labels:Brightness")

    def words(root: Path, *others: str) -> list[str]:
        given = ["-i", str(root / "in"), "-o", str(root / "out"), "-r", "--workers", "0", "--gpu", "-1", "--quiet"]
        return [*given, "--xmp", "--with-companions", *others]

    def prepare(root: Path) -> None:
        for path in sorted((root / "in").rglob("*.png"))[::2]:
            path.with_suffix(".png.xmp").write_text(PACKET % 'xmp:Rating="4"/>')
        ways = [word for word in more if word in ("--symlink", "--hardlink")]
        assert command.main(words(root, *ways, "--keep", earlier)) == 0

    name = " ".join(["filter --xmp", *more])
    return Command(name, command.main, lambda root: words(root, *more), "", "--symlink" in more, prepare=prepare)


def _scored(root: Path) -> None:
    words = [
        "-i",
        str(root / "in"),
        "-r",
        "--metrics",
        TOY,
        "--results",
        str(root / "s.db"),
        "--workers",
        "0",
        "--quiet",
    ]
    assert score.main(words) == 0


APPLY = Command(
    "apply",
    apply.main,
    lambda root: [str(root / "s.db"), "--where", "brightness.mean >= 100", "-o", str(root / "out"), "--quiet"],
    prepare=_scored,
)


def _apply(name: str, condition: str, *more: str, earlier: str = "", moves: bool = False) -> Command:
    """An `apply` into a folder that an earlier one, by another condition, has filled."""

    def prepare(root: Path) -> None:
        _scored(root)
        _sidecars(root)
        if earlier:
            words = [str(root / "s.db"), "--where", earlier, "-o", str(root / "out"), "--with-companions", "--quiet"]
            assert apply.main(words) == 0

    def arguments(root: Path) -> list[str]:
        return [
            str(root / "s.db"),
            "--where",
            condition,
            "-o",
            str(root / "out"),
            "--with-companions",
            "--quiet",
            *more,
        ]

    return Command(f"apply {name}", apply.main, arguments, prepare=prepare, moves=moves, again=())


def _undo() -> Command:
    """All files are moved, then put back."""
    moving = _apply("", "1", "--move", "--journal", "moves.jsonl")

    def prepare(root: Path) -> None:
        assert moving.prepare is not None
        moving.prepare(root)
        words = [str(root / "s.db"), "-o", str(root / "out"), "--move", "--with-companions", "--quiet"]
        assert apply.main([*words, "--journal", str(root / "moves.jsonl")]) == 0

    return Command(
        "undo", apply.main, lambda root: ["--undo", str(root / "moves.jsonl"), "--quiet"], prepare=prepare,
        moves=True, again=(),
    )  # fmt: skip


COMMANDS = [
    *(_filter(kind) for kind in ("csv", "jsonl", "db", "parquet", "")),
    _filter("csv", "--symlink"), _filter("db", "--score-prefix", "--invert"), _score("db"), _score("csv"), _score("parquet"), APPLY,
    _filter("db", "--hardlink", "--with-companions"),
    _filter("csv", "--sync", "--with-companions", "--mean", "80", earlier="70"),
    _filter("parquet", "--sync", "--hardlink", "--with-companions", "--invert", earlier="120"),
    _filter("", "--sync", "--symlink", "--with-companions", "--mean", "80", earlier="130"),
    *(_labelled("--sync", *way, earlier="rejected") for way in (["--symlink"], []) if find_spec("lxml")),
    _apply("again", "brightness.mean >= 80", earlier="brightness.mean >= 120"),
    _apply("hard links", "brightness.mean >= 80", "--hardlink"),
    _apply("sync", "brightness.mean between 80 and 130", "--sync", earlier="brightness.mean >= 100"),
    _apply("sync links", "brightness.mean between 80 and 130", "--sync", "--symlink", earlier="brightness.mean >= 100"),
    _apply("move", "brightness.mean >= 80", "--move", moves=True),
    _undo(),
]  # fmt: skip
