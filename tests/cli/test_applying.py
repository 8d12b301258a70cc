"""Acting on saved scores."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cliqa.apply import main as apply
from cliqa.cli.applying import score_mark
from cliqa.metrics import Field
from cliqa.outputs.placed import RECORD
from cliqa.score import main as score

HOSTILE = ["with space.png", "quote'\".png", "-dash.png", "new\nline.png", "\U0001f4f7.png", "caf\udce9.png"]
FILES: dict[str, int | bytes] = {"a.png": 10, "sub/a.png": 90, "sub/b.png": 150, "c.png": 250}


@pytest.fixture
def scored(make_folder: Callable[..., Path], tmp_path: Path) -> Path:
    """A store of a few grey pictures, beside their folder `in`."""
    folder = make_folder(FILES | dict.fromkeys(HOSTILE, 200))
    arguments = ["-i", str(folder), "-r", "-g", "-1", "--workers", "0", "--quiet", "--results", str(tmp_path / "s.db")]
    assert score([*arguments, "--metrics", "tests.toy_metric:Brightness"]) == 0
    return tmp_path / "s.db"


def placed(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() and path.name != RECORD
    )


def test_copies_what_fulfils_the_condition_and_mirrors_the_tree(scored: Path, tmp_path: Path) -> None:
    assert apply([str(scored), "--where", "brightness.mean between 50 and 160", "-o", str(tmp_path / "out")]) == 0
    assert placed(tmp_path / "out") == ["sub/a.png", "sub/b.png"]
    assert (tmp_path / "out/sub/b.png").read_bytes() == (tmp_path / "in/sub/b.png").read_bytes()
    assert apply([str(scored), "--where", "brightness.mean >= 50", "--invert", "-o", str(tmp_path / "rest")]) == 0
    assert placed(tmp_path / "rest") == ["a.png"]


def test_links_lead_to_the_real_files(scored: Path, tmp_path: Path) -> None:
    assert apply([str(scored), "--where", "brightness.mean < 50", "-o", str(tmp_path / "out"), "--symlink"]) == 0
    assert os.readlink(tmp_path / "out/a.png") == os.path.realpath(tmp_path / "in/a.png")


def test_hostile_names_are_printed_and_copied_byte_for_byte(
    scored: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    condition = "brightness.mean = 200"
    assert apply([str(scored), "--where", condition, "--print", "-0", "-o", str(tmp_path / "out"), "--quiet"]) == 0
    both = sorted(capfdbinary.readouterr().out.split(b"\0")[:-1])
    assert apply([str(scored), "--where", condition, "--print", "-0", "--quiet"]) == 0
    assert sorted(capfdbinary.readouterr().out.split(b"\0")[:-1]) == both
    assert both == sorted(os.fsencode(tmp_path / "in" / name) for name in HOSTILE)
    assert placed(tmp_path / "out") == sorted(HOSTILE)


def test_order_limit_and_prefix(scored: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = [
        str(scored),
        "--where",
        "path glob '*/[abc].png'",
        "--sort-by",
        "brightness.mean",
        "--print",
        "--quiet",
    ]
    assert apply(arguments) == 0
    names = [os.path.relpath(line, tmp_path / "in") for line in capfd.readouterr().out.splitlines()]
    assert names == ["c.png", "sub/b.png", "sub/a.png", "a.png"]
    assert apply([*arguments, "--reverse", "--limit", "1"]) == 0
    assert capfd.readouterr().out.splitlines() == [str(tmp_path / "in/a.png")]
    out = str(tmp_path / "out")
    assert apply([str(scored), "--where", "brightness.mean < 160", "-o", out, "--score-prefix"]) == 0
    assert placed(tmp_path / "out") == ["010.00_a.png", "sub/090.00_a.png", "sub/150.00_b.png"]
    assert (
        apply(
            [
                str(scored),
                "--where",
                "brightness.mean > 240",
                "-o",
                out,
                "--score-prefix",
                "brightness.label,brightness.mean",
            ]
        )
        == 0
    )
    assert "light_250.00_c.png" in placed(tmp_path / "out")


def test_nothing_is_overwritten_and_a_stopped_run_goes_on(scored: Path, tmp_path: Path) -> None:
    arguments = [str(scored), "--where", "brightness.mean < 100", "-o", str(tmp_path / "out"), "--quiet"]
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.png").write_bytes(b"mine")
    assert apply(arguments) == 0
    assert placed(tmp_path / "out") == ["a.png", "a_1.png", "sub/a.png"]
    assert (tmp_path / "out/a.png").read_bytes() == b"mine"
    (tmp_path / "out/sub/a.png").unlink()
    assert apply([*arguments, "--resume"]) == 0
    assert placed(tmp_path / "out") == ["a.png", "a_1.png", "sub/a.png"]


def test_a_dry_run_tells_and_places_nothing(scored: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert apply([str(scored), "--where", "brightness.mean < 100", "-o", str(tmp_path / "out"), "--dry-run"]) == 0
    told = capfd.readouterr().err
    assert "2 of 10 files would be placed" in told and str(tmp_path / "in/sub/a.png") in told
    assert not (tmp_path / "out").exists()


def test_files_that_have_gone_become_issues(scored: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in/a.png").unlink()
    assert apply([str(scored), "-w", "brightness.mean < 100", "-o", str(tmp_path / "out"), "--strict"]) == 3
    assert placed(tmp_path / "out") == ["sub/a.png"]
    assert "1 could not be placed" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--where", "brightness.maen > 3", "--print"], "did you mean brightness.mean"),
        (["--where", "brightness.mean > 3 and", "--print"], "SQLite does not take the condition"),
        (["--where", "1; drop table scores", "--print"], "only a condition"),
        (["--sort-by", "brigthness.mean", "--print"], "did you mean brightness.mean"),
        (["--score-prefix", "-o", "out"], "names none"),
        (["--score-prefix=mean", "-o", "out"], "brightness.mean"),
        (["-o", "in/below"], "inside the input folder"),
    ],
)
def test_wrong_use_is_one_line_and_nothing_is_written(
    scored: Path, tmp_path: Path, arguments: list[str], message: str, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    assert apply([str(scored), *arguments]) == 2
    captured = capfd.readouterr()
    assert message in captured.err and captured.err.count("\n") == 1 and not captured.out
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("value", "field", "mark"),
    [
        (93.4, Field("quality", "", 0, 100, better="higher"), "093"),
        (41.2, Field("psnr", "", 0, 50, better="higher"), "41"),
        (0.347, Field("relative", "", 0, 250, better="lower"), "000.35"),
        (12.0, Field("motion", "", 0, 40), "12.00"),
        (1.247, Field("scale", "", 1, 2), "1.25"),
        (2, Field("level", "", 1, 4, kind="int"), "2"),
        ("so/so", Field("label", "", kind="str"), "so-so"),
        (None, Field("psnr", "", 0, 50), "none"),
    ],
)
def test_score_marks(value: float | str | None, field: Field, mark: str) -> None:
    assert score_mark(value, field) == mark


def test_moved_files_are_put_back(scored: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in (tmp_path / "in").rglob("*") if path.is_file()}
    (tmp_path / "in/a.png.xmp").write_text("stars")
    words = [str(scored), "-w", "brightness.mean < 100", "-o", str(tmp_path / "out"), "--move", "--with-companions"]
    assert apply(words) == 0
    moved = ["a.png", "a.png.xmp", "sub/a.png"]
    assert [name for name in placed(tmp_path / "out") if not name.startswith(".")] == moved
    assert not any((tmp_path / "in" / name).exists() for name in moved)
    told = capfd.readouterr().err
    assert "2 of 10 files moved" in told and "cliqa apply --undo" in told
    assert apply(words) == 0
    assert "0 of 10 files moved; 2 already there" in capfd.readouterr().err
    assert apply(["--undo", str(tmp_path / "out")]) == 0
    assert "3 files put back" in capfd.readouterr().err
    assert {path: path.read_bytes() for path in before} == before and (tmp_path / "in/a.png.xmp").exists()
    assert [name for name in placed(tmp_path / "out") if not name.startswith(".")] == []


def test_what_another_condition_drops_is_named_or_taken_away(
    scored: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    assert apply([str(scored), "-w", "brightness.mean < 160", "-o", out]) == 0
    assert apply([str(scored), "-w", "brightness.mean between 50 and 255", "-o", out]) == 0
    told = capfd.readouterr().err
    assert (
        f"dropped by this one: {tmp_path / 'out/a.png'}\n" in told and "7 of 10 files placed; 2 already there" in told
    )
    assert apply([str(scored), "-w", "brightness.mean = 90", "-o", out, "--sync", "--quiet"]) == 0
    assert placed(tmp_path / "out") == ["sub/a.png"]


def test_a_folder_that_was_moved_is_found_by_its_new_root(
    scored: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").rename(tmp_path / "archive")
    words = [str(scored), "-w", "brightness.mean between 50 and 160", "-o", str(tmp_path / "out")]
    assert apply(words) == 1
    assert f"--root {tmp_path / 'in'}=NEW" in capfd.readouterr().err
    assert apply([*words, "--root", f"{tmp_path / 'in'}={tmp_path / 'archive'}", "--print"]) == 0
    assert placed(tmp_path / "out") == ["sub/a.png", "sub/b.png"]
    assert capfd.readouterr().out.splitlines() == [
        str(tmp_path / "archive/sub/a.png"),
        str(tmp_path / "archive/sub/b.png"),
    ]
    with pytest.raises(SystemExit):
        apply([*words, "--root", "no folders"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sync", "--print"], "--sync is about an output folder"),
        (["--move", "-o", "kept/%06d.tar"], "--move is for single files"),
        (["-o", "out", "--journal", "j"], "--journal is for --move"),
    ],
)
def test_options_of_placing_need_a_folder(
    scored: Path, tmp_path: Path, words: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert apply([str(scored), *words]) == 2
    assert message in capfd.readouterr().err


def test_relative_paths_that_are_printed_elsewhere_can_be_opened_there(
    make_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    make_folder({"a.png": 10})
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    words = ["-g", "-1", "--workers", "0", "--quiet", "--results", "s.db", "--metrics", "tests.toy_metric:Brightness"]
    assert score(["-i", "in", *words]) == 0
    assert apply(["s.db", "--print", "--quiet"]) == 0
    assert capfd.readouterr().out == "in/a.png\n"
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert apply(["../s.db", "--print", "--quiet"]) == 0
    assert os.path.samefile(capfd.readouterr().out.strip(), tmp_path / "in/a.png")
    (tmp_path / "elsewhere/in").mkdir()
    (tmp_path / "elsewhere/in/a.png").write_bytes(b"another one of that name")
    assert apply(["../s.db", "--move", "-o", "kept", "--quiet"]) == 0
    assert not (tmp_path / "in/a.png").exists(), "the one that was scored is moved"
    assert (tmp_path / "elsewhere/in/a.png").read_bytes() == b"another one of that name"
    (tmp_path / "elsewhere/kept/a.png").replace(tmp_path / "elsewhere/in/a.png")
    (tmp_path / "in").rmdir()  # taken along
    assert apply(["../s.db", "--print", "--quiet"]) == 0
    assert capfd.readouterr().out == "in/a.png\n"


def test_relative_paths_follow_the_folder_of_the_scoring_to_its_new_place(
    make_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    make_folder({"a.png": 10}).rename(old / "in")
    monkeypatch.chdir(old)
    words = ["-g", "-1", "--workers", "0", "--quiet", "--results", "s.db", "--metrics", "tests.toy_metric:Brightness"]
    assert score(["-i", "in", *words]) == 0
    monkeypatch.chdir(tmp_path)
    old.rename(tmp_path / "new")
    assert apply(["new/s.db", "--root", f"{old}={tmp_path / 'new'}", "--print", "--quiet"]) == 0
    assert capfd.readouterr().out == f"{tmp_path / 'new/in/a.png'}\n"
