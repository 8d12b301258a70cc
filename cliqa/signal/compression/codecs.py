"""The codecs that `compression` names, in the order of its network's classes."""

from __future__ import annotations

CODECS = ("none", "jpeg", "webp", "avif", "heic", "jpeg2000", "jxl", "other")
