"""A viewer for tests: folders with a store, and a server that answers without a browser."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from cliqa.view.__main__ import parser
from cliqa.view.opening import open_session
from cliqa.view.serving import Serving
from cliqa.view.session import Session
from tests.synthetic_store import make_store

HOSTILE = "photos/<img src=x onerror=document.title='owned'>.jpg"


def make_pictures(folder: Path, rows: int, names: tuple[str, ...] = (), pictures: int = 40) -> Path:
    """A store of `rows` files (`names` first) and the first `pictures` of these files; returns the store."""
    make_store(folder / "scores.db", rows, issues=2, names=list(names))
    shade = np.linspace(0, 255, 120).astype(np.uint8)
    for number in range(min(rows, pictures)):
        name = names[number] if number < len(names) else f"photos/{number // 1000:04d}/IMG_{number:07d}.jpg"
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.stack([np.tile(shade, (90, 1))] * 2 + [np.full((90, 120), number * 5 % 256, np.uint8)], axis=2)
        Image.fromarray(pixels).save(target, "JPEG")
    return folder / "scores.db"


@dataclass
class Viewer:
    """A running server; `ask` is what its own page would ask."""

    session: Session
    serving: Serving

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request exactly as it is given, with no header added but Host."""
        connection = http.client.HTTPConnection("127.0.0.1", self.serving.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            given = {"Host": f"127.0.0.1:{self.serving.port}"} | (headers or {})
            if body is not None:
                given |= {"Content-Length": str(len(body))}
            for name, value in given.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def own_headers(self, posting: bool = False) -> dict[str, str]:
        """Those of the page itself."""
        headers = {"Cookie": f"{self.serving.guard.cookie}={self.serving.guard.token}", "Sec-Fetch-Site": "same-origin"}
        if posting:
            headers |= {"Origin": f"http://127.0.0.1:{self.serving.port}", "Content-Type": "application/json"}
        return headers

    def ask(self, path: str) -> Any:
        """GET as the page does; JSON, text or bytes. Fails where it is refused."""
        status, headers, body = self.request("GET", path, None, self.own_headers())
        assert status == 200, (path, status, body[:200])
        return json.loads(body) if headers["content-type"].startswith("application/json") else body

    def tell(self, path: str, body: Any) -> tuple[int, Any]:
        """POST as the page does: (status, JSON)."""
        status, _, answer = self.request("POST", path, json.dumps(body).encode(), self.own_headers(posting=True))
        return status, json.loads(answer)


@contextlib.contextmanager
def viewing(target: Path, *more: str, port: int = 0) -> Iterator[Viewer]:
    """A viewer of a folder or store."""
    options = parser().parse_args([str(target), "--port", str(port), "--no-browser", *more])
    session = open_session(options)
    try:
        with Serving(session, options.port) as serving:
            session.start()
            yield Viewer(session, serving)
    finally:
        session.close()


def token_of(address: str) -> str:
    found = re.search(r"token=([\w-]+)$", address)
    assert found
    return found[1]
