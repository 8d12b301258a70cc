"""Small pictures for the page, in order, and none for what can't be read."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from cliqa.report.thumbnails import LONG_SIDE, thumbnails
from tests.conftest import encode, make_pixels


def test_pictures_come_in_order_and_gaps_stay_gaps(tmp_path: Path) -> None:
    paths = []
    for number in range(12):
        path = tmp_path / f"{number}.jpg"
        if number % 4 == 3:
            path.write_bytes(b"no picture")
        else:
            path.write_bytes(encode(make_pixels(400 + 16 * number, 200, number), "JPEG"))
        paths.append(str(path))
    found = list(thumbnails(paths, workers=2))
    assert [data is None for data in found] == [number % 4 == 3 for number in range(12)]
    for number, data in enumerate(found):
        if data is not None:
            picture = Image.open(io.BytesIO(data))
            assert picture.format == "WEBP" and picture.size == (
                LONG_SIDE,
                round(200 * LONG_SIDE / (400 + 16 * number)),
            )


def test_a_smaller_size_on_request(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode(make_pixels(300, 300), "PNG"))
    (data,) = thumbnails([str(tmp_path / "a.png")], 1, long_side=50)
    assert data is not None and Image.open(io.BytesIO(data)).size == (50, 50)
