"""The names of the exposure labels and their levels: English ones, and the Chinese ones under which they were first published."""

from __future__ import annotations

LABELS = (
    "too_bright",
    "too_dark",
    "contrast_too_high",
    "contrast_too_low",
    "highlights_clipped",
    "highlights_over_suppressed",
)
ALIASES = ("整体偏亮", "整体偏暗", "整体对比度高", "整体对比度低", "高光过曝", "高光压制过度")
LEVELS = {1: "no such issue", 2: "moderate", 3: "severe", 4: "blocking"}
