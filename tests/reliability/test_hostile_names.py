"""Names that attack what shows them: spreadsheets, pages, databases, terminals, sidecars, other folders."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import sqlite3
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cliqa import apply, export, score
from cliqa.outputs.placed import RECORD
from cliqa.report import __main__ as report_command
from cliqa.results.store import Store
from tests import toy_filter
from tests.conftest import encode, make_pixels
from tests.reliability.commands import TOY

NAMES = [
    "=cmd|' /C calc'!A0.png", "+1+1.png", "-2+3.png", "@SUM(1).png", "\t=1+1.png", "\r=1+1.png", '=HYPERLINK("http:x","y").png',
    "<script>alert(1)</script>.png", "</script><img src=x onerror=alert(1)>.png", "<!--<script>.png", "&lt;b&gt;.png", "`${1}`.png",
    "'; DROP TABLE scores; --.png", '"; DROP TABLE scores; --.png', "%s%n{0}.png", "\x1b[31mred\x1b]0;title\x07.png",
    "\u202egnp.exe.png",
    "a\nb.png", "$(touch ran).png", "`touch ran`.png", "-rf.png", "--output=x.png", "caf\udce9.png", "\u2028line.png",
    "{braces},comma.png",
    "..png", "...png", "~.png", "con.png", " .png",
]  # fmt: skip
needs_posix = pytest.mark.skipif(os.name == "nt", reason="names that Windows can't hold")
pytestmark = needs_posix


@pytest.fixture
def scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of pictures with such names, in a folder with one too; the current folder is above it."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "=in<i>"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        (folder / name.replace("/", "\u2044")).write_bytes(encode(make_pixels(40, 40, number), "PNG"))
    words = ["-i", folder.name, "--exts", "*", "--metrics", TOY, "--results", "s.db", "--workers", "0", "--quiet"]
    assert score.main(words) == 0
    return tmp_path


def test_every_table_gives_the_names_back(scored: Path) -> None:
    paths = sorted(os.path.join("=in<i>", name.replace("/", "\u2044")) for name in NAMES)
    for kind in ("csv", "jsonl", "parquet"):
        assert export.main(["s.db", "-o", f"t.{kind}", "--quiet"]) == 0
        for source in ("s.db", f"t.{kind}"):
            with Store(source) as store:
                assert sorted(path for (path,) in store.rows(["path"])) == paths
    with contextlib.closing(sqlite3.connect("s.db")) as connection:
        assert {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")} >= {
            "scores",
            "issues",
        }


def test_a_table_for_a_spreadsheet_holds_no_formula(scored: Path) -> None:
    assert export.main(["s.db", "-o", "t.csv", "--spreadsheet", "--quiet"]) == 0
    with open("t.csv", newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(NAMES)
    for row in rows:
        for column in ("path", "filename", "notes", "weights"):
            assert not (row[column] or "").startswith(("=", "+", "-", "@", "\t", "\r")), row
        assert float(row["brightness.mean"]) >= 0  # numbers stay numbers
        assert row["path"].startswith("'=in<i>")


def test_the_page_holds_names_as_text_alone(scored: Path) -> None:
    assert report_command.main(["s.db", "-o", "p.html", "--quiet", "--thumbnails", "3"]) == 0
    page = Path("p.html").read_text(encoding="utf-8", errors="surrogatepass")
    names = [name for name in NAMES if "<" in name]
    assert not any(name in page for name in names)

    class Tags(HTMLParser):
        found: list[str]

        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            self.found.append(tag)
            assert not any(key.startswith("on") for key, _ in attributes), (tag, attributes)

    tags = Tags()
    tags.found = []
    tags.feed(page)
    plain = report_page_without_rows(scored)
    assert sorted(set(tags.found)) == sorted(set(plain))
    assert page.count("<script") == plain.count("script")


def report_page_without_rows(folder: Path) -> list[str]:
    """The tags of the same page over harmless names."""
    (folder / "plain").mkdir()
    for number in range(3):
        (folder / "plain" / f"{number}.png").write_bytes(encode(make_pixels(40, 40, number), "PNG"))
    assert score.main(["-i", "plain", "--metrics", TOY, "--results", "plain.db", "--workers", "0", "--quiet"]) == 0
    assert report_command.main(["plain.db", "-o", "plain.html", "--quiet"]) == 0
    return re.findall(r"<([a-z0-9]+)[\s>]", Path("plain.html").read_text(encoding="utf-8"))


def test_messages_show_no_control_character(scored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in Path("=in<i>").iterdir():
        path.write_bytes(b"no picture")
    assert score.main(["-i", "=in<i>", "--exts", "*", "--metrics", TOY, "--results", "again.db", "--workers", "0"]) == 0
    assert apply.main(["s.db", "-o", "out"]) == 0
    for name in ("\x1b[2J.db", "\x1b[2J.csv"):
        assert apply.main([name, "--print"]) == 1
        assert score.main(["-i", name, "--metrics", TOY, "--results", name, "--workers", "0"]) == 1
    shown = capsys.readouterr()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\u2028]", shown.err), shown.err
    assert "\\x1b[31mred" in shown.err


def test_every_name_is_placed_in_the_output_and_nowhere_else(scored: Path) -> None:
    before = {path for path in scored.rglob("*") if "out" not in path.parts}
    assert apply.main(["s.db", "-o", "out", "--quiet"]) == 0
    assert sorted(set(os.listdir("out")) - {RECORD}) == sorted(os.listdir("=in<i>"))
    assert {path for path in scored.rglob("*") if "out" not in path.relative_to(scored).parts} == before
    assert (
        toy_filter.COMMAND.main(
            ["-i", "=in<i>", "--exts", "*", "-o", "links", "--symlink", "--mean", "0", "--workers", "0", "--quiet"]
        )
        == 0
    )
    assert sorted(set(os.listdir("links")) - {RECORD}) == sorted(os.listdir("=in<i>"))


@pytest.mark.parametrize("kind", ["db", "csv", "jsonl"])
def test_a_store_that_names_other_folders_places_nothing_outside(
    kind: str, scored: Path, make_folder: Callable[..., Path]
) -> None:
    """Its paths climb, point to links, folders, pipes and devices; its inputs claim the root."""
    (scored / "secret").mkdir()
    (scored / "secret" / "key.png").write_bytes(b"key")
    os.mkfifo(scored / "pipe.png")
    os.symlink(scored / "secret", scored / "link")
    paths = [
        "../../../../etc/passwd", "secret/../../x.png", "=in<i>/../secret/key.png", str(scored / "secret" / "key.png"),
        "/dev/zero", "pipe.png",
        "secret", "link/key.png", "", ".", "..", "\x00", "a\x00b.png", "x" * 5000, "//etc/hostname", "=in<i>/./../=in<i>/..png",
    ]  # fmt: skip
    store = scored / f"h.{kind}"
    if kind == "db":
        with contextlib.closing(sqlite3.connect(store)) as connection, connection:
            connection.execute('CREATE TABLE scores (id INTEGER PRIMARY KEY, path, filename, "brightness.mean" REAL)')
            connection.execute("CREATE TABLE meta (key TEXT, value TEXT)")
            connection.executemany(
                "INSERT INTO scores (path, filename) VALUES (?, ?)", [(path, "../../evil") for path in paths]
            )
            connection.execute(
                "INSERT INTO meta VALUES ('inputs', ?), ('base', ?)",
                (json.dumps(["/", "..", "secret/.."]), json.dumps("/")),
            )
    elif kind == "jsonl":
        store.write_text("".join(json.dumps({"path": path, "filename": "../evil"}) + "\n" for path in paths))
    else:
        with open(store, "w", newline="") as stream:
            csv.writer(stream).writerows(
                [["path", "filename"], *([path.replace("\0", "\\0"), "../evil"] for path in paths)]
            )
    before = {path: path.stat().st_mtime_ns for path in scored.rglob("*") if path.is_file()}
    status = apply.main([store.name, "-o", "deep/er/out", "--quiet"])
    assert status == (2 if kind == "db" else 0)  # the root as input: every output lies inside it
    outside = {path for path in scored.rglob("*") if path.is_file() and "deep" not in path.relative_to(scored).parts}
    assert outside == set(before)
    assert all(path.stat().st_mtime_ns == before[path] for path in outside)
    for path in (scored / "deep").rglob("*"):
        assert path.resolve().is_relative_to(scored / "deep" / "er" / "out") or path.is_dir()
        assert not path.is_symlink()


def test_links_in_the_output_and_in_the_place_of_our_files_are_not_followed(
    scored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (scored / "precious").mkdir()
    (scored / "precious" / "file").write_text("mine")
    (scored / "out").mkdir()
    for name in os.listdir("=in<i>"):
        os.symlink(
            scored / "precious" / "file", scored / "out" / name
        )  # each name is taken, by a link to somebody's file
    assert apply.main(["s.db", "-o", "out", "--quiet"]) == 0
    os.symlink(scored / "precious" / "file", "r.csv")
    os.symlink(scored / "precious" / "new", "dangling.csv")
    for name in ("r.csv", "dangling.csv"):
        assert export.main(["s.db", "-o", name, "--quiet"]) == 2
        assert toy_filter.COMMAND.main(["-i", "=in<i>", "--results", name, "--workers", "0", "--quiet"]) == 2
    assert report_command.main(["s.db", "-o", "dangling.csv", "--quiet"]) == 2
    assert [path.read_text() for path in (scored / "precious").iterdir()] == ["mine"]
    os.mkfifo("fifo.db")
    os.unlink("fifo.db")
    assert "exists" in capsys.readouterr().err


def test_pipes_print_names_byte_for_byte(scored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed))
    assert apply.main(["s.db", "--print", "-0", "--quiet"]) == 0
    assert sorted(printed.getvalue().split(b"\0")[:-1]) == sorted(
        b"=in<i>/" + os.fsencode(name) for name in os.listdir("=in<i>")
    )
