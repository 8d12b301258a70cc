"""The commands as processes: start, pipes, signals, kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cliqa.__main__ import main
from cliqa.cli.devices import has_cuda_driver
from cliqa.results.faces import read_table
from tests.filter_runs import filter_, names, scores

HERE = Path(__file__).parent.parent.parent
TOY = [sys.executable, "-m", "tests.toy_filter", "--gpu", "-1"]
PATIENCE = 240  # seconds for what takes a few: other work may have the processors
HEAVY = ("numpy", "PIL", "torch", "torchvision", "tqdm", "safetensors", "sqlite3", "pyarrow", "multiprocessing")
needs_signals = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def environment(metric: str = "Brightness") -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(HERE), "TOY_METRIC": metric}


def command(*arguments: str | Path, metric: str = "Brightness", **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [*TOY, *map(str, arguments)],
        env=environment(metric),
        capture_output=True,
        text=True,
        timeout=120,
        cwd=HERE,
        **options,
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from cliqa.__main__ import COMMANDS, main\n"
        "for name in [[], ['--version'], *([name, '--help'] for name in COMMANDS)]:\n"
        "    try:\n        main(name)\n    except SystemExit as stop:\n        assert not stop.code, name\n"
        f"    heavy = [module for module in {HEAVY!r} if module in sys.modules]\n"
        "    assert not heavy, (name, heavy)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=HERE, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "--max-image-pixels" in done.stdout and "filter_low_quality_jpeg" in done.stdout


def test_unknown_commands_and_options_are_wrong_usage() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cliqa", "filter-low-quality-jpg"], capture_output=True, text=True, cwd=HERE
    )
    assert done.returncode == 2 and "did you mean filter_low_quality_jpeg?" in done.stderr
    done = subprocess.run(
        [sys.executable, "-m", "cliqa", "filter-low-quality-jpeg", "-i", "x", "-o", "y", "--qualty", "3"],
        capture_output=True, text=True, cwd=HERE,
    )  # fmt: skip
    assert done.returncode == 2 and "--qualty" in done.stderr


@needs_signals
def test_filters_chain_through_pipes_and_stream(make_folder: Callable[..., Path]) -> None:
    """A producer that gives one path, and the next only after the answer to the first came out at the other end."""
    root = make_folder({"a b.png": 150, "c.png": 160, "dark.png": 5})
    first = subprocess.Popen(
        [*TOY, "-i", "-", "-0", "--print", "--workers", "1", "--quiet"],
        env=environment(), cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    second = subprocess.Popen(
        [*TOY, "-i", "-", "-0", "--print", "--workers", "0", "--mean", "155", "--quiet", "--invert"],
        env=environment(), cwd=HERE, stdin=first.stdout, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert first.stdin and first.stdout and second.stdout
    first.stdout.close()
    first.stdin.write(os.fsencode(root / "dark.png") + b"\0" + os.fsencode(root / "a b.png") + b"\0")
    first.stdin.flush()
    answer = os.fsencode(root / "a b.png") + b"\0"
    assert second.stdout.read(len(answer)) == answer
    first.stdin.write(os.fsencode(root / "c.png") + b"\0")
    first.stdin.close()
    assert second.stdout.read() == b""
    assert (first.wait(60), second.wait(60)) == (0, 0)
    second.stdout.close()


@needs_signals
def test_a_reader_that_goes_away_ends_the_run_quietly(make_folder: Callable[..., Path]) -> None:
    root = make_folder({f"{n:03d}.png": 150 for n in range(60)})
    running = subprocess.Popen(
        [*TOY, "-i", str(root), "--print", "--workers", "0"],
        env=environment("Unhurried"), cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stdout and running.stderr
    running.stdout.readline()
    running.stdout.close()
    assert running.wait(60) == 1
    assert running.stderr.read() == "toy_filter: stopped, since nobody reads standard output any more\n"
    running.stderr.close()


@needs_signals
def test_standard_streams_may_be_closed(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    root = make_folder({"a.png": 150})
    shell = " ".join(TOY) + f" -i {root} -o {tmp_path}/out --workers 1 <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", shell], env=environment(), cwd=HERE, timeout=60).returncode == 0
    assert names(tmp_path / "out") == ["a.png"]


def interrupted(root: Path, out: Path, results: Path, how: signal.Signals, workers: int, hold: Path) -> tuple[int, str]:
    """Start a run in a process group of its own, stop the group once rows have been written; status and messages.

    The run waits at a picture that is a few behind those of the run before it, so that however long it takes to look, it can't end.
    SIGINT is no longer ignored, as it is where a shell has started the tests in the background.
    """
    before = sum(name.endswith(".png") for name in names(out)) if out.exists() else 0
    hold.write_text(str(100 + before + 5))
    running = subprocess.Popen(
        [
            *TOY, "-i", str(root), "-o", str(out), "--results", str(results), "--workers", str(workers), "--resume",
            "--batch-size", "1",
        ],
        env=environment("Held") | {"TOY_HOLD": str(hold)}, cwd=HERE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    end = time.monotonic() + PATIENCE
    while not out.exists() or sum(name.endswith(".png") for name in names(out)) < before + 3:
        assert time.monotonic() < end and running.poll() is None
        time.sleep(0.01)
    os.killpg(running.pid, how)
    _, messages = running.communicate(timeout=PATIENCE)
    return running.returncode, messages


@needs_signals
@pytest.mark.parametrize(
    ("kind", "stops"),
    [
        ("csv", [(signal.SIGINT, 130, 2), (signal.SIGKILL, -9, 0)]),
        ("parquet", [(signal.SIGTERM, 143, 0), (signal.SIGKILL, -9, 1)]),
    ],
)
def test_a_stopped_run_leaves_nothing_half_and_resume_completes_it(
    kind: str,
    stops: list[tuple[signal.Signals, int, int]],
    make_folder: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    root = make_folder({f"{n:03d}.png": 100 + n for n in range(30)} | {"000.jpg": b"text"})
    out, results, hold = tmp_path / "out", tmp_path / f"r.{kind}", tmp_path / "hold"
    monkeypatch.setenv("TOY_HOLD", str(hold))
    for how, status, workers in stops:
        got, messages = interrupted(root, out, results, how, workers, hold)
        assert got == status, messages
        if how != signal.SIGKILL:
            assert [line for line in messages.splitlines() if not line.startswith("error: ")] == [
                "toy_filter: interrupted; run again with --resume to go on"
            ]
        for name in names(out):
            assert name.startswith(".cliqa-part-") or (out / name).read_bytes() == (root / name).read_bytes()
    hold.unlink()
    assert filter_("-i", root, "-o", out, "--results", results, "--resume", metric="Held") == 0
    whole = tmp_path / f"whole.{kind}"
    assert filter_("-i", root, "-o", tmp_path / "whole", "--results", whole, metric="Held") == 0
    assert names(out) == names(tmp_path / "whole")
    if kind == "csv":
        got_rows, expected = scores(results), scores(tmp_path / "whole.csv")
        assert list(got_rows) == list(expected)
        for path, row in expected.items():
            assert got_rows[path] | {"placed": ""} == row | {"placed": ""}
        assert scores(tmp_path / "r.issues.csv") == scores(tmp_path / "whole.issues.csv")
    else:
        got_table, expected_table = (list(read_table(str(path))[1]) for path in (results, whole))
        assert [row | {"placed": ""} for row in got_table] == [row | {"placed": ""} for row in expected_table]
        assert len(got_table) == 30
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


@needs_signals
@pytest.mark.parametrize("kind", ["csv", "db"])
def test_a_full_disk_is_told_and_resume_completes_the_run(
    kind: str, make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    """A limit on the size of files stands for the disk: first results that can't grow, then copies that don't fit."""
    import resource

    def limit(size: int) -> Callable[[], None]:
        def apply() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        return apply

    root = make_folder({f"{n:03d}.png": 100 + n for n in range(60)})
    out, results = tmp_path / "out", tmp_path / f"r.{kind}"
    arguments: list[str | Path] = ["-i", root, "-o", out, "--results", results, "--workers", "0"]
    done = command(*arguments, preexec_fn=limit(45_000))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "can't be written" in line
    for name in names(out) if out.exists() else []:
        assert (out / name).read_bytes() == (root / name).read_bytes()
    (root / "zzz.png").write_bytes(
        (root / "059.png").read_bytes() + bytes(2_000_000)
    )  # what follows the image is ignored
    done = command(*arguments, "--resume", preexec_fn=limit(1_000_000))
    assert done.returncode == 1 and "zzz.png can't be written: File too large" in done.stderr
    assert filter_(*arguments, "--resume") == 0
    assert names(out) == names(root)
    assert all((out / name).read_bytes() == (root / name).read_bytes() for name in names(out))


@pytest.mark.parametrize("words", [["--help"], ["help"], ["score", "--help"], ["help", "apply"]])
def test_a_reader_that_stops_early_is_no_error(words: list[str]) -> None:
    command = [sys.executable, "-m", "cliqa", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=HERE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_help_and_version_in_the_usual_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-V"]) == 0
    assert capsys.readouterr().out.startswith("cliqa ")
    with pytest.raises(SystemExit) as stop:
        main(["help", "export"])
    assert stop.value.code == 0 and "--spreadsheet" in capsys.readouterr().out


def test_usage_names_the_command_as_it_was_called() -> None:
    for call, name in ([["-m", "cliqa", "export"], "cliqa export"], [["-m", "cliqa.export"], "python -m cliqa.export"]):
        done = subprocess.run([sys.executable, *call, "--help"], capture_output=True, text=True, cwd=HERE, check=True)
        assert done.stdout.startswith(f"usage: {name} ")


def test_what_is_not_installed_is_one_line_that_says_how(tmp_path: Path) -> None:
    """A bare Python, without the packages of its site."""
    words = ["score", "-i", str(HERE), "--results", str(tmp_path / "s.csv")]
    command = [sys.executable, "-S", "-m", "cliqa", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE, env={"PYTHONPATH": str(HERE)})
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "is not installed for" in done.stderr and "make install" in done.stderr


def test_a_gpu_is_missed_only_by_who_asked_for_one(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    root = make_folder({"a.png": 150})
    words = [sys.executable, "-m", "tests.toy_filter", "-i", str(root), "--dry-run", "--workers", "0"]
    for more, missed in (([], False), (["-g", "0"], True)):
        done = subprocess.run([*words, *more], capture_output=True, text=True, cwd=HERE, env=environment())
        assert done.returncode == 0
        if not has_cuda_driver():
            assert ("no CUDA device" in done.stderr) is missed
