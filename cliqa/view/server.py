"""What the page asks for, and what it is given: the table, pictures, marks. The page names files by their row alone."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from importlib import resources
from typing import IO, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from cliqa import __version__
from cliqa.errors import CliqaError, ImageIssue, UsageError
from cliqa.files.atomic import open_regular
from cliqa.images.loading import load_image, read_header
from cliqa.inputs.members import image_bytes
from cliqa.report.words import starting_conditions, told_faults
from cliqa.view.marks import FLAGS, MOST_STARS
from cliqa.view.session import Session

MODULES = {  # what is served of the page, and as what
    "report": (
        "conditions.js", "dom.js", "faults.js", "histograms.js", "issues.js", "page.css", "scatter.js", "sorting.js", "table.js",
        "tabs.js",
    ),
    "view": (
        "acting.js", "commands.js", "compare.js", "copies.js", "floors.js", "gallery.js", "grid.js", "keys.js", "live.js", "main.js",
        "marks.js", "picture.js", "server.js", "sharp_map.js", "shown.js", "stage.js", "tile.js",
        "view.css",
    ),
}  # fmt: skip
KINDS = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
SHOWN_AS_THEY_ARE = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
}
UNCACHED = {"cache-control": "no-store"}
PICTURE_POLICY = {"content-security-policy": "default-src 'none'; sandbox"}
LARGEST_SIDE = 1 << 30  # of a picture that is shown: none is made smaller
_CHUNK = 1 << 18


class Refusal(Exception):
    """What was asked for can't be had: a status and a line for a person."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def application(session: Session) -> Starlette:
    """The application around one session. It relies on `cliqa.view.guard.Guard` to stand before it."""
    answers = Answers(session)

    def route(path: str, answer: Callable[[Any], Any], method: str = "GET") -> Route:
        return Route(path, _answering(answer), methods=[method])

    return Starlette(
        routes=[
            route("/", answers.page),
            route("/page/{room}/{name}", answers.module),
            route("/api/table", answers.table),
            route("/api/paths", answers.paths),
            route("/api/column/{index:int}", answers.column),
            route("/api/states", answers.states),
            route("/api/progress", lambda _: session.progress()),
            route("/api/issues", lambda _: session.table.issues()),
            route("/api/copies", lambda _: session.copies.found()),
            route("/api/reasons/{row:int}", answers.reasons),
            route("/api/marks", answers.marks),
            route("/thumbnail/{row:int}", answers.thumbnail),
            route("/picture/{row:int}", answers.picture),
            route("/api/marks", answers.mark, "POST"),
            route("/api/undo", lambda _: {"marks": session.undo_mark()}, "POST"),
            route("/api/calibrate", answers.calibrate, "POST"),
            route("/api/preview", answers.preview, "POST"),
            route("/api/act", answers.act, "POST"),
            route("/api/withdraw", lambda _: session.actor.withdraw(), "POST"),
        ]
    )


def _answering(answer: Callable[[Any], Any]) -> Callable[[Request], Any]:
    """A route that runs in a thread, with what goes wrong told in one line."""

    async def endpoint(request: Request) -> Response:
        try:
            if request.method == "POST":
                found = await run_in_threadpool(answer, await _body(request))
            else:
                found = await run_in_threadpool(answer, request)
        except Refusal as refusal:
            return _told(str(refusal), refusal.status)
        except IndexError:
            return _told("there is no such file", 404)
        except ImageIssue as error:
            return _told(str(error), 404)
        except OSError:
            return _told("it can't be read", 404)
        except CliqaError as error:
            return _told(str(error), 409)
        return found if isinstance(found, Response) else JSONResponse(found, headers=UNCACHED)

    return endpoint


async def _body(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(await request.body())
    except (ValueError, RecursionError, ClientDisconnect):
        raise Refusal(400, "no JSON") from None
    if not isinstance(found, dict):
        raise Refusal(400, "no JSON object")
    return found


def _told(message: str, status: int) -> Response:
    return JSONResponse({"message": message}, status, UNCACHED)


class Answers:
    """One method for each route; those of POST take the body, those of GET the request."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def page(self, request: Request) -> Response:
        """The page itself, which holds nothing of the files."""
        scripts = [f"{room}/{name}" for room, names in MODULES.items() for name in names if name.endswith(".js")]
        preload = "".join(f'<link rel="modulepreload" href="/page/{script}">\n' for script in scripts)
        filled = {"preload": preload.encode(), "panels": _asset("report", "panels.html")}
        whole = re.sub(rb"\{\{(\w+)\}\}", lambda match: filled[match[1].decode()], _asset("view", "view.html"))
        return Response(whole, media_type="text/html; charset=utf-8", headers=UNCACHED)

    def module(self, request: Request) -> Response:
        """A script or style of the page."""
        room, name = request.path_params["room"], request.path_params["name"]
        if name not in MODULES.get(room, ()):
            raise Refusal(404, "there is no such part of the page")
        return Response(
            _asset(room, name), headers={"content-type": KINDS[name.rsplit(".", 1)[1]], "cache-control": "no-cache"}
        )

    def table(self, request: Request) -> Any:
        """What the page begins with."""
        session, table = self.session, self.session.table
        names = [column.name for column in table.columns]
        return {
            "title": table.title, "version": __version__, "store": session.shown_store, "output": session.shown_output,
            "rows": len(table.paths),
            "columns": [column.described() for column in table.columns],
            "faults": told_faults(names),
            "start": starting_conditions(names),
            "ways": session.actor.ways(), "session": session.name,
        }  # fmt: skip

    def paths(self, request: Request) -> Response:
        """The files' paths, a line each."""
        table = self.session.table
        text = "\n".join(table.shown_path(row) for row in range(len(table.paths)))
        return Response(text, media_type="text/plain; charset=utf-8", headers=UNCACHED)

    def column(self, request: Request) -> Response:
        """The values of a column, little-endian float32; labels come in a header, as JSON."""
        index = request.path_params["index"]
        if index >= len(self.session.table.columns):
            raise IndexError(index)
        values, labels = self.session.table.values(index)
        headers = UNCACHED | {"x-labels": json.dumps(labels)}
        return Response(values.astype("<f4").tobytes(), media_type="application/octet-stream", headers=headers)

    def states(self, request: Request) -> Response:
        """A byte for each file: waiting, scored, or without a score."""
        return Response(self.session.table.states.tobytes(), media_type="application/octet-stream", headers=UNCACHED)

    def reasons(self, request: Request) -> Any:
        """Why a file has its scores, and where."""
        source = self.session.table.source(request.path_params["row"])
        return self.session.reasons.of(source.path, self.session.table.record(request.path_params["row"]))

    def thumbnail(self, request: Request) -> Response:
        """A small picture of a file."""
        source = self.session.table.source(request.path_params["row"])
        picture = self.session.thumbnails.of(source.path)
        return Response(
            picture, media_type="image/webp", headers={"cache-control": "private, max-age=600", **PICTURE_POLICY}
        )

    def picture(self, request: Request) -> Response:
        """A file as it is where browsers show its format, else its upright picture as PNG: every pixel either way."""
        path = self.session.table.source(request.path_params["row"]).path
        content = image_bytes(path)
        header = read_header(content)
        kind = SHOWN_AS_THEY_ARE.get(header.format)
        if kind is None or (header.orientation != 1 and header.format != "JPEG"):
            kind = "image/png"
            opened: IO[bytes] = io.BytesIO()
            load_image(content).as_seen(LARGEST_SIDE, framed=True).save(opened, "PNG", compress_level=1)
            opened.seek(0)
        else:
            opened = io.BytesIO(content) if isinstance(content, bytes) else open_regular(content)
        headers = {"content-type": kind, "cache-control": "private, max-age=60", **PICTURE_POLICY}
        return StreamingResponse(_chunks(opened), headers=headers)

    def marks(self, request: Request) -> Any:
        """[row, flag, stars, whether another program set it] of each file that is marked."""
        return {"marks": self.session.marked(), "read": self.session.ratings_read}

    def mark(self, body: dict[str, Any]) -> Any:
        """Mark some rows; answers when it is on the disk."""
        difference: dict[str, Any] = {name: body[name] for name in ("flag", "stars") if name in body}
        if not difference:
            raise Refusal(400, "no mark")
        stars = difference.get("stars", 0)
        if difference.get("flag") not in (*FLAGS, None) or type(stars) is not int or not 0 <= stars <= MOST_STARS:
            raise Refusal(400, "no such mark")
        return {"marks": self.session.mark(self._rows(body), difference)}

    def calibrate(self, body: dict[str, Any]) -> Any:
        """Thresholds learned from the marks, or what they are lacking."""
        try:
            return self.session.calibrated()
        except UsageError as error:
            return {"message": str(error)}

    def preview(self, body: dict[str, Any]) -> Any:
        """What acting would do."""
        return self.session.actor.preview(self._rows(body), self._way(body), body.get("along") is True)

    def act(self, body: dict[str, Any]) -> Any:
        """Copy, link, move or label the files of some rows, `along` with what belongs to them."""
        return self.session.actor.act(self._rows(body), self._way(body), body.get("along") is True)

    def _way(self, body: dict[str, Any]) -> str:
        if body.get("way") not in self.session.actor.ways():
            raise Refusal(400, "no such way")
        return str(body["way"])

    def _rows(self, body: dict[str, Any]) -> list[int]:
        rows = body.get("rows")
        total = len(self.session.table.paths)
        if not isinstance(rows, list) or not all(type(row) is int and 0 <= row < total for row in rows):
            raise Refusal(400, "no such rows")
        return list(dict.fromkeys(rows))


def _asset(room: str, name: str) -> bytes:
    return resources.files(f"cliqa.{room}").joinpath(f"page/{name}").read_bytes()


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    with stream:
        while chunk := stream.read(_CHUNK):
            yield chunk
