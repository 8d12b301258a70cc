"""Pages as a browser draws them, for the conditions of `compression`: other letters, smoothing and layout than training's screens have.

Needs Playwright and a Chromium (`chromium` on the path, or Playwright's own).
"""

from __future__ import annotations

import base64
import io
import shutil
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
WORDS = [
    "account",
    "settings",
    "save",
    "cancel",
    "report",
    "weather",
    "today",
    "city",
    "market",
    "open",
    "results",
    "page",
    "help",
    "a",
]
WORDS += [
    "share",
    "profile",
    "music",
    "video",
    "download",
    "version",
    "update",
    "warning",
    "the",
    "of",
    "in",
    "to",
    "and",
    "for",
    "with",
]
PAGE_PARTS = ("text", "text", "cards", "table", "form", "code", "chart", "picture")


def available() -> bool:
    return find_spec("playwright") is not None


@lru_cache(maxsize=4)
def _browser_page(scale: float) -> Any:
    """A page of a browser that this process keeps, at a display's scale."""
    return _browser().new_context(viewport={"width": 900, "height": 640}, device_scale_factor=scale).new_page()


@lru_cache(maxsize=1)
def _browser() -> Any:
    from playwright.sync_api import sync_playwright

    running = sync_playwright().start()
    return running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])


def screenshot(rng: np.random.Generator, photo: Pixels) -> Pixels:
    """One page, 900x640 pixels of the page at a display's scale of 1, 1.25, 1.5 or 2: uint8 (height, width, 3)."""
    page = _browser_page(float(rng.choice([1.0, 1.0, 1.25, 1.5, 2.0])))
    page.set_content(html(rng, photo))
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))


def html(rng: np.random.Generator, photo: Pixels) -> str:
    """A random page; a photograph in one part of eight."""
    dark = rng.random() < 0.35
    back, ink, line = ("#16181d", "#d8dae0", "#3a3d45") if dark else ("#ffffff", "#202428", "#d5d8dc")
    family = str(rng.choice(["sans-serif", "serif", "monospace", "system-ui"]))
    parts = "".join(_part(rng, str(rng.choice(PAGE_PARTS)), photo) for _ in range(int(rng.integers(2, 6))))
    accent = f"hsl({int(rng.integers(360))} 70% {int(rng.integers(30, 60))}%)"
    header = (
        f"linear-gradient({int(rng.integers(360))}deg,{accent},hsl({int(rng.integers(360))} 60% 45%))"
        if rng.random() < 0.4
        else accent
    )
    style = f"""body{{margin:0;background:{back};color:{ink};font:{int(rng.integers(12, 19))}px/1.45 {family}}}
    header{{background:{header};color:#fff;padding:14px 20px;font-size:1.3em}} main{{padding:16px 24px}}
    table{{border-collapse:collapse}} td,th{{border:1px solid {line};padding:3px 10px}} a{{color:{accent}}}
    .cards{{display:flex;gap:14px}} .card{{flex:1;padding:12px;border-radius:9px;box-shadow:0 2px 9px #0005;border:1px solid {line}}}
    button{{background:{accent};color:#fff;border:0;border-radius:6px;padding:7px 16px}} code{{white-space:pre;color:{accent}}}"""
    return f"<style>{style}</style><header>{_words(rng, 4)}</header><main>{parts}</main>"


def _words(rng: np.random.Generator, count: int) -> str:
    return " ".join(rng.choice(WORDS, count)).capitalize()


def _part(rng: np.random.Generator, kind: str, photo: Pixels) -> str:
    if kind == "text":
        return "".join(
            f"<p>{_words(rng, int(rng.integers(20, 90)))} <a href='#'>{_words(rng, 3)}</a>.</p>"
            for _ in range(int(rng.integers(1, 4)))
        )
    if kind == "cards":
        cards = (f"<div class=card><b>{_words(rng, 2)}</b><p>{_words(rng, 9)}</p></div>" for _ in range(3))
        return f"<div class=cards>{''.join(cards)}</div>"
    if kind == "table":
        rows = "".join(
            f"<tr>{''.join(f'<td>{_words(rng, 1)} {int(rng.integers(999))}</td>' for _ in range(5))}</tr>"
            for _ in range(8)
        )
        return f"<table>{rows}</table>"
    if kind == "form":
        fields = "".join(f"<p><label>{_words(rng, 2)} <input value='{_words(rng, 2)}'></label></p>" for _ in range(3))
        return f"{fields}<p><input type=checkbox checked> {_words(rng, 5)} <button>{_words(rng, 1)}</button></p>"
    if kind == "code":
        return "<br>".join(f"<code>{'    ' * int(rng.integers(3))}{_words(rng, 5)}();</code>" for _ in range(9))
    if kind == "chart":
        heights = rng.integers(10, 120, 14)
        bars = "".join(
            f"<rect x={24 * i} y={120 - h} width=17 height={h} rx=3 fill='currentColor'/>"
            for i, h in enumerate(heights)
        )
        points = " ".join(f"{24 * i + 8},{int(rng.integers(10, 110))}" for i in range(14))
        line = f"<polyline points='{points}' fill=none stroke=orange stroke-width=2 />"
        return f"<svg width=340 height=120>{bars}{line}</svg>"
    stream = io.BytesIO()
    Image.fromarray(photo).save(stream, "PNG")
    width = int(rng.integers(140, 420))
    return f"<img width={width} src='data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}'>"
