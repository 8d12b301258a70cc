"""The page without a browser: what it holds, what it escapes, what it refuses."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html.parser
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cliqa.report.__main__ import main as report
from cliqa.report.build import starting_thresholds
from cliqa.report.columns import read_rows
from cliqa.results.store import Store
from cliqa.text import display
from tests.synthetic_store import make_store

HOSTILE = [
    "photos/<img src=x onerror=alert(1)>.png",
    "photos/</script><script>alert(2)</script>.png",
    "photos/{{script}}.png",
    "photos/a'b\"c`$(touch x)&amp;.png",
    "photos/\u202egnp.exe",
    "photos/new\nline\u2028.png",
]


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    make_store(tmp_path / "scores.db", 500, issues=5, names=HOSTILE)
    (tmp_path / "photos/0000").mkdir(parents=True)
    for number in range(20, 60):
        pixels = np.full((90, 120, 3), 4 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"photos/0000/IMG_{number:07d}.jpg")
    return tmp_path / "scores.db"


class Elements(html.parser.HTMLParser):
    """The elements of a page, with their attributes, and the text of its scripts by id."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = str(dict(attrs).get("id")) if tag == "script" else ""

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.scripts[self.inside] = self.scripts.get(self.inside, "") + data

    def unpacked(self, name: str) -> bytes:
        return gzip.decompress(base64.b64decode(self.scripts[name]))


def build(store_path: Path, *more: str) -> str:
    page = store_path.with_name("report.html")
    assert report([str(store_path), "-o", str(page), "--quiet", "--force", *more]) == 0
    return page.read_text(encoding="utf-8")


def test_the_page_holds_every_row_exactly_enough(store_path: Path) -> None:
    elements = Elements(build(store_path, "--thumbnails", "0"))
    facts = json.loads(elements.scripts["facts"])
    with Store(str(store_path)) as store:
        assert facts["rows"] == facts["total"] == store.count()
        assert [column["name"] for column in facts["columns"]] == [*store.score_columns, "width", "height"]
        for index, column in enumerate(facts["columns"]):
            expected = [row[0] for row in store.rows([column["name"]])]
            raw = np.frombuffer(elements.unpacked(f"column-{index}"), np.uint8)
            if column["labels"]:
                assert [None if code == 255 else column["labels"][code] for code in raw] == expected
                continue
            if column["encoding"] == "u8":
                found = np.where(raw == 255, np.nan, raw)
            else:
                found = np.ascontiguousarray(raw.reshape(4, -1).T).view("<f4").ravel().astype(float)
            wanted = np.array(expected, dtype=float).astype(np.float32)
            assert np.array_equal(found.astype(np.float32), wanted, equal_nan=True)
        assert elements.unpacked("paths").decode().split("\n") == [display(row[0]) for row in store.rows(["path"])]
        assert len(json.loads(elements.unpacked("issues"))) == 5


def test_nothing_from_outside_and_nothing_hostile_in_the_markup(store_path: Path) -> None:
    title = "</title><script>alert(3)</script>"
    page = build(store_path, "--title", title)
    elements = Elements(page)
    tags = [tag for tag, _ in elements.tags]
    assert "alert(" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL).replace("alert(3)", "", 2)
    assert tags.count("title") == 1 and "&lt;/title&gt;" in page
    attributes = {name for _, attrs in elements.tags for name in attrs}
    assert not {name for name in attributes if name.startswith("on")} | (
        attributes & {"src", "href", "style", "action"}
    ) - {"href"}
    assert [attrs["href"] for _, attrs in elements.tags if "href" in attrs] == ["#views"]
    assert not re.search(
        r"(https?:)?//[a-z]", re.sub(r'type="text/plain" id="[^"]*">[^<]*', "", page).replace("http-equiv", "")
    )
    policy = next(attrs["content"] or "" for tag, attrs in elements.tags if attrs.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src blob:;")
    script = page[page.rindex("<script>") + 8 : page.rindex("</script>")]
    style = page[page.index("<style>") + 7 : page.index("</style>")]
    for text in (script, style):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy


def test_pictures_are_those_of_the_sample(store_path: Path) -> None:
    elements = Elements(build(store_path))
    index = json.loads(elements.scripts["facts"])["pictures"]
    assert sorted(index["rows"]) == list(range(20, 60))
    raw = base64.b64decode(elements.scripts["pictures-0"])
    assert sum(index["sizes"]) == len(raw) and raw[:4] == b"RIFF" and raw[8:12] == b"WEBP"


def test_a_large_store_is_shown_by_an_even_sample(store_path: Path) -> None:
    with Store(str(store_path)) as store:
        every = [row[0] for row in store.rows(["path"])]
        rows = read_rows(store, 100)
    assert rows.total == 500 and len(rows.paths) == 100
    assert np.ptp(np.diff([every.index(path) for path in rows.paths])) <= 1
    assert all(len(column.values) == 100 for column in rows.columns)


def test_an_empty_store_and_values_that_are_all_missing(tmp_path: Path) -> None:
    make_store(tmp_path / "scores.db", 0)
    facts = json.loads(Elements(build(tmp_path / "scores.db")).scripts["facts"])
    assert facts["rows"] == 0 and facts["columns"] == []


def test_starting_thresholds(store_path: Path) -> None:
    with Store(str(store_path)) as store:
        columns = read_rows(store, 500).columns
    assert starting_thresholds("grain_noise.psnr >= 40 AND exposure.too_dark_level<3", columns) == [
        {"name": "grain_noise.psnr", "operator": ">=", "value": 40.0, "keepUnsure": False},
        {"name": "exposure.too_dark_level", "operator": "<", "value": 3.0, "keepUnsure": False},
    ]
    assert report([str(store_path), "-o", str(store_path.with_name("x.html")), "-w", "psnr >= 40"]) == 2
    assert report([str(store_path), "-o", str(store_path.with_name("x.html")), "-w", "width = 3 or height > 1"]) == 2
    assert not store_path.with_name("x.html").exists()


def test_it_begins_with_the_filters_thresholds_where_none_are_asked_for(store_path: Path) -> None:
    facts = json.loads(Elements(build(store_path, "--thumbnails", "0")).scripts["facts"])
    begun = {one["name"]: one["value"] for one in facts["start"]}
    assert (
        begun["jpeg_quality.quality"] == 90 and begun["exposure.too_dark_level"] == 2 and "grepq.quality" not in begun
    )
    assert {one["column"] for one in facts["faults"]} >= {*begun, "grepq.quality"}
    facts = json.loads(
        Elements(build(store_path, "--thumbnails", "0", "-w", "scale_factor.scale < 1.2")).scripts["facts"]
    )
    assert [one["name"] for one in facts["start"]] == ["scale_factor.scale"]


def test_a_folder_that_moved_is_told_and_how_to_find_it(store_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(store_path), "-o", str(store_path.with_name("moved.html"))]
    store_path.with_name("photos").rename(store_path.with_name("pictures"))
    assert report(words) == 0
    told = capsys.readouterr().err
    assert (
        "no file of the store is where it was scored" in told
        and "--root photos=NEW" in told
        and ", 0 pictures," in told
    )
    facts = json.loads(Elements(store_path.with_name("moved.html").read_text(encoding="utf-8")).scripts["facts"])
    assert facts["lost"].startswith("no file of the store")
    assert report([*words, "--force", "--root", f"photos={store_path.with_name('pictures')}"]) == 0
    told = capsys.readouterr().err
    assert "--root" not in told and ", 40 pictures," in told
    assert json.loads(Elements(build(store_path, "--thumbnails", "0")).scripts["facts"])["lost"] == ""


def test_a_page_that_exists_stays(store_path: Path) -> None:
    page = store_path.with_name("mine.html")
    assert report([str(store_path), "-o", str(page), "--thumbnails", "0"]) == 0
    before = page.read_bytes()
    assert report([str(store_path), "-o", str(page)]) == 2
    assert report([str(store_path.with_name("none.db")), "-o", str(page), "--force"]) == 1
    assert page.read_bytes() == before
    assert report([str(store_path), "-o", str(page), "--force", "--quiet", "--title", "another"]) == 0
    assert b"another" in page.read_bytes()


def test_force_replaces_nothing_but_pages(store_path: Path) -> None:
    photo, folder, link = (store_path.with_name(name) for name in ("photo.jpg", "folder", "link.html"))
    photo.write_bytes(b"\xff\xd8\xff")
    folder.mkdir()
    link.symlink_to("nowhere")
    before = store_path.read_bytes()
    for output in (store_path, photo, folder, link):
        assert report([str(store_path), "-o", str(output), "--force"]) == 2
    assert store_path.read_bytes() == before and photo.read_bytes() == b"\xff\xd8\xff"
    assert link.is_symlink() and folder.is_dir()
