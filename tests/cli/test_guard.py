from __future__ import annotations

import os

import pytest

from cliqa.cli.guard import LINEAR_ALGEBRA, guarded
from cliqa.score import main as score
from tests.toy_filter import COMMAND


def test_resume_is_named_where_it_goes_on(make_folder, tmp_path, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    root = make_folder({"a.png": 5})
    monkeypatch.setattr("cliqa.cli.scoring_run.run", stop)
    words = ["-m", "tests.toy_metric:Brightness", "-g", "-1"]
    for more, goes_on in (([], False), (["--results", str(tmp_path / "s.db")], True)):
        assert score([str(root), *words, *more]) == 130
        assert ("--resume" in capsys.readouterr().err) == goes_on
    for more, goes_on in ((["--print"], False), (["--dry-run"], False), (["-o", str(tmp_path / "out")], True)):
        assert COMMAND.main(["-i", str(root), "-g", "-1", *more]) == 130
        assert ("--resume" in capsys.readouterr().err) == goes_on


@pytest.mark.parametrize("script", ["/usr/bin/cliqa", "/x/cliqa/score.py"])
def test_every_message_of_a_command_begins_with_its_name(script, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", [script, "score"])
    with pytest.raises(SystemExit):
        score([])
    assert score(["/none", "-m", "nothing"]) == 2
    assert [line[:7] for line in capsys.readouterr().err.splitlines()] == ["score: "] * 2


@pytest.mark.parametrize(("before", "wanted"), [(None, "1"), ("3", "3")])
def test_linear_algebra_has_one_thread_unless_the_user_says_otherwise(monkeypatch, before, wanted):
    for name in LINEAR_ALGEBRA:
        monkeypatch.setenv(name, "2")  # so that what the command sets is taken back
        monkeypatch.delenv(name) if before is None else monkeypatch.setenv(name, before)
    assert guarded("test", True, lambda _: int(os.environ["OPENBLAS_NUM_THREADS"])) == int(wanted)
