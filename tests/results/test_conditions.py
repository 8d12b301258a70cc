"""The language of conditions: what passes, what it becomes, what is refused and with which words."""

from __future__ import annotations

import pytest

from cliqa.errors import UsageError
from cliqa.results.conditions import column, to_sql

COLUMNS = [
    "path",
    "width",
    "height",
    "jpeg_quality.quality",
    "grain_noise.psnr",
    "exposure.too_dark_level",
    "aesthetic.label",
]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("jpeg_quality.quality >= 90", '"jpeg_quality.quality" >= 90'),
        ("JPEG_Quality.Quality>=9e1", '"jpeg_quality.quality" >= 9e1'),
        ('"jpeg_quality.quality" < .5', '"jpeg_quality.quality" < .5'),
        ("[grain_noise.psnr] is not null", '"grain_noise.psnr" is not null'),
        ("exposure.too_dark_level < 3 AND width>height", '"exposure.too_dark_level" < 3 AND "width" > "height"'),
        ("aesthetic.label IN ('accepted','it''s')", "\"aesthetic.label\" IN ( 'accepted' , 'it''s' )"),
        (
            "width between 1 and 2 or max(width, height) > 3",
            '"width" between 1 and 2 or max ( "width" , "height" ) > 3',
        ),
        ("path like '%;drop table scores--%'", "\"path\" like '%;drop table scores--%'"),
        ("width - -3 > 1", '"width" - - 3 > 1'),
    ],
)
def test_columns_are_quoted_and_the_rest_is_kept(condition: str, expected: str) -> None:
    assert to_sql(condition, COLUMNS)[0] == expected


def test_the_columns_used_are_told_once_each_in_order() -> None:
    assert to_sql("width > 1 and grain_noise.psnr > 1 and width < 9", COLUMNS)[1] == ["width", "grain_noise.psnr"]


def test_comments_become_arithmetic() -> None:
    assert to_sql("width > 1 -- 2", COLUMNS)[0] == '"width" > 1 - - 2'
    assert to_sql("width > 1 /* 2", COLUMNS)[0] == '"width" > 1 / * 2'  # SQLite says what is wrong with that


@pytest.mark.parametrize(
    "attack",
    [
        "1; drop table scores",
        "1) union select sql from sqlite_master where (1",
        "width > (select 1)",
        "load_extension('x.so')",
        "randomblob(1000000000) > 1",
        "printf('%1000000000d', 1)",
        "writefile('a', path)",
        "width > ?",
        "width > :name",
        "width > 1)",
        "(width > 1",
        "path = 'open",
        '"width',
        "x'41' = path",
        "path match 'x'",
        "exists (select 1)",
        "0x10 < width",
        "",
        "   ",
        "\0",
    ],
)
def test_what_is_no_plain_condition_is_refused(attack: str) -> None:
    with pytest.raises(UsageError):
        to_sql(attack, COLUMNS)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("jpeg_quality.qualty > 1", "did you mean jpeg_quality.quality"),
        ("psnr > 1", "did you mean grain_noise.psnr"),
        ("noise.psnr > 1", "grain_noise.psnr"),
        ("grain_noise.snr > 1", "grain_noise.psnr"),
        ('"jpeg_quality.qualty" > 1', "did you mean jpeg_quality.quality"),
        ("aesthetic.label = accepted", "text goes in single quotes: 'accepted'"),
        ("aesthetic.zzz = 1", "aesthetic.label"),
        ("wdth > 1", "did you mean width"),
        ("sharpness.mtf > 1", "no column sharpness.mtf: the scores are those of jpeg_quality, grain_noise"),
    ],
)
def test_a_wrong_column_names_the_near_ones(wrong: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint.replace(".", r"\.")):
        to_sql(wrong, COLUMNS)


def test_one_column_by_name() -> None:
    assert column(" Grain_Noise.PSNR ", COLUMNS) == column('"grain_noise.psnr"', COLUMNS) == "grain_noise.psnr"
    with pytest.raises(UsageError, match="did you mean height"):
        column("hight", COLUMNS)
