"""Requests that are not the page's own: all refused, whatever they try."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.viewer import Viewer, make_pictures, token_of, viewing

OWN = (
    "/api/table", "/api/paths", "/api/column/0", "/api/states", "/api/progress", "/api/issues", "/api/marks", "/thumbnail/3",
    "/picture/3", "/api/reasons/3", "/", "/page/view/main.js",
)  # fmt: skip
POSTS = ("/api/marks", "/api/undo", "/api/calibrate", "/api/preview", "/api/act", "/api/withdraw")


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    folder = tmp_path_factory.mktemp("guard")
    store = make_pictures(folder, 30)
    (folder / "secret.txt").write_text("secret")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLIQA_STATE", str(folder / "state"))
        with viewing(store, "-o", str(folder / "kept")) as running:
            yield running


def bad_requests(viewer: Viewer) -> Iterator[tuple[str, str, bytes | None, dict[str, Any]]]:
    """(method, path, body, headers) of every request that has to be refused."""
    own, port = viewer.own_headers(), viewer.serving.port
    token = viewer.serving.guard.token
    cookie = viewer.serving.guard.cookie
    wrong_headers: list[dict[str, Any]] = [
        {**own, "Cookie": f"{cookie}=wrong"},
        {**own, "Cookie": f"other={token}"},
        {"Sec-Fetch-Site": "same-origin"},
        {**own, "Cookie": f"{cookie}={token}x"},
        {**own, "Cookie": f"{cookie}="},
        {**own, "Host": "evil.example"},
        {**own, "Host": f"evil.example:{port}"},
        {**own, "Host": "127.0.0.1"},
        {**own, "Host": f"127.0.0.1:{port + 1}"},
        {**own, "Host": f"127.0.0.1.evil.example:{port}"},
        {**own, "Host": f"[::1]:{port}"},
        {**own, "Origin": "http://evil.example"},
        {**own, "Origin": "null"},
        {**own, "Origin": f"https://127.0.0.1:{port}"},
        {**own, "Origin": f"http://localhost:{port}"},
        {**own, "Origin": f"http://127.0.0.1:{port + 1}"},
        {**own, "Sec-Fetch-Site": "cross-site"},
        {**own, "Sec-Fetch-Site": "same-site"},
    ]
    for path in OWN:
        for headers in wrong_headers:
            yield "GET", path, None, headers
    posting = viewer.own_headers(posting=True)
    body = b'{"rows": [0], "flag": "drop", "way": "copy"}'
    for path in POSTS:
        yield "POST", path, body, {name: value for name, value in posting.items() if name != "Origin"}
        yield "POST", path, body, {name: value for name, value in posting.items() if name != "Cookie"}
        yield "POST", path, body, posting | {"Content-Type": "text/plain"}
        yield "POST", path, body, posting | {"Content-Type": "application/x-www-form-urlencoded"}
        yield "POST", path, body, posting | {"Origin": "http://evil.example"}
        yield "POST", path, body, posting | {"Sec-Fetch-Site": "cross-site"}
        yield "POST", path, body, posting | {"Host": "evil.example"}
        yield "PUT", path, body, posting
        yield "DELETE", path, None, posting
        yield "OPTIONS", path, None, posting
    for path in (
        "/../secret.txt", "/picture/../../secret.txt", "/picture/..%2f..%2fsecret.txt", "/picture/%2e%2e/secret.txt",
        "/thumbnail//etc/passwd", "/picture/%2fetc%2fpasswd", "/picture/-1", "/picture/32", "/picture/99999999999999999999",
        "/picture/1e3", "/picture/0x1", "/thumbnail/abc", "/page/view/../../../secret.txt", "/page/view/..%2f..%2fserver.py",
        "/page/view/%2e%2e%2fserver.py", "/page/../server.py", "/page/cliqa/server.py", "/page/view/server.py",
        "/page/view/view.html", "/page/report/main.js", "/page/report/page.html", "/scores.db", "/photos/0000/IMG_0000003.jpg",
        "/api/column/-1", "/api/column/1000", "/api/reasons/32", "/api/nothing", "/favicon.ico", "/.", "/..", "//evil.example/",
        "/picture/3/../../",
    ):  # fmt: skip
        yield "GET", path, None, own
    for given in ("", "wrong", token[:-1], token + "x", f"{token}&token=x"):
        yield "GET", f"/?token={given}", None, {}
    yield "GET", f"/api/table?token={token}", None, {}
    yield "GET", f"/?token={token}", None, {"Sec-Fetch-Site": "cross-site"}
    yield "GET", f"/?token={token}", None, {"Host": "evil.example"}


def test_two_hundred_bad_requests_are_all_refused(viewer: Viewer) -> None:
    tried = list(bad_requests(viewer))
    assert len(tried) >= 200
    for method, path, body, headers in tried:
        status, found, answer = viewer.request(method, path, body, headers)
        assert status in (400, 403, 404, 405), (method, path, headers, status)
        assert b"secret\n" not in answer and b"JFIF" not in answer and b"root:" not in answer
        assert viewer.serving.guard.token not in str(found) and viewer.serving.guard.token.encode() not in answer
    assert viewer.ask("/api/marks")["marks"] == []
    assert not Path(viewer.session.actor.output).exists()


def test_rows_that_are_none_and_bodies_that_are_no_objects(viewer: Viewer) -> None:
    for rows in ([32], [-1], ["0"], ["../secret.txt"], [1.0], [True], {"a": 1}, None, "0", [[0]], [10**30]):
        for path in ("/api/marks", "/api/preview", "/api/act"):
            assert viewer.tell(path, {"rows": rows, "flag": "keep", "way": "copy"})[0] == 400
    for body in ([], "text", 3, None):
        assert viewer.tell("/api/marks", body)[0] == 400
    for way in ("burn", "/etc", "", None, 3, "accept"):
        assert viewer.tell("/api/act", {"rows": [0], "way": way})[0] == 400
    assert viewer.request("POST", "/api/marks", b"[" * 100_000, viewer.own_headers(posting=True))[0] == 400
    assert viewer.ask("/api/marks")["marks"] == []


def test_the_printed_address_gives_the_secret_away_once(viewer: Viewer) -> None:
    token = token_of(viewer.serving.address)
    assert len(token) >= 40
    status, headers, _ = viewer.request("GET", f"/?token={token}", None, {"Sec-Fetch-Site": "none"})
    assert status == 303 and headers["location"] == "/"
    assert all(word in headers["set-cookie"] for word in (token, "HttpOnly", "SameSite=Strict", "Path=/"))
    status, headers, body = viewer.request("GET", "/", None, viewer.own_headers() | {"Sec-Fetch-Site": "none"})
    assert status == 200 and token.encode() not in body
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["x-frame-options"] == "DENY" and headers["cross-origin-resource-policy"] == "same-origin"


def test_a_picture_is_never_a_page(viewer: Viewer) -> None:
    for path in ("/picture/3", "/thumbnail/3"):
        status, headers, body = viewer.request("GET", path, None, viewer.own_headers())
        assert status == 200 and headers["content-type"] in ("image/jpeg", "image/webp") and body
        assert (
            headers["content-security-policy"] == "default-src 'none'; sandbox"
            and headers["x-content-type-options"] == "nosniff"
        )


def test_a_body_without_end_is_cut(viewer: Viewer) -> None:
    body = b'{"rows": [' + b"0, " * 6_000_000 + b"0]}"
    with contextlib.suppress(OSError):  # the connection may end before all was sent
        assert viewer.request("POST", "/api/marks", body, viewer.own_headers(posting=True))[0] == 400
    assert viewer.ask("/api/marks")["marks"] == []
