"""Brace ranges and lists, as WebDataset and the shell write them: `shards/{000..099}.tar`, `{train,val}-{0..9}.tar`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cliqa.errors import UsageError

MAX_NAMES = 10_000_000
_RANGE = re.compile(r"(-?\d{1,18})\.\.(-?\d{1,18})(?:\.\.(-?\d{1,18}))?|([a-zA-Z])\.\.([a-zA-Z])")


def has_braces(pattern: str) -> bool:
    """Whether anything in the pattern would be expanded."""
    return next((True for start, _, _ in _groups(pattern) if start >= 0), False)


def expand_braces(pattern: str) -> Iterator[str]:
    """The names that a pattern stands for, in order and one at a time; a pattern without braces stands for itself.

    `{000..099}` counts with leading zeros if either end has them, backwards too, with a step as `{0..10..5}`; `{a,b}` lists;
    both nest. Braces that hold neither stay as they are; `\\{` is a brace of the name itself.

    Raises:
        UsageError: more names than `MAX_NAMES`.
    """
    for count, name in enumerate(_expand(pattern)):
        if count >= MAX_NAMES:
            raise UsageError(f"{pattern} stands for more than {MAX_NAMES:,} names")
        yield name


def _expand(pattern: str) -> Iterator[str]:
    """The first group's words times the rest's; the rest is expanded again for each word, so nothing is held."""
    for start, end, words in _groups(pattern):
        if start < 0:
            break
        before, after = _unescape(pattern[:start]), pattern[end + 1 :]
        for word in words:
            for middle in [word] if _RANGE.fullmatch(pattern[start + 1 : end]) else _expand(word):
                for rest in _expand(after):
                    yield before + middle + rest
        return
    yield _unescape(pattern)


def _groups(pattern: str) -> Iterator[tuple[int, int, Iterator[str]]]:
    """The first group that can be expanded: (where `{` is, where `}` is, its words); (-1, -1, ...) where there is none."""
    position = 0
    while (start := _find(pattern, position)) >= 0:
        end = _matching(pattern, start)
        words = _words(pattern[start + 1 : end]) if end > 0 else None
        if words is not None:
            yield start, end, words
            return
        position = start + 1
    yield -1, -1, iter(())


def _find(pattern: str, position: int) -> int:
    while position < len(pattern):
        if pattern[position] == "\\" and pattern[position + 1 : position + 2] in ("{", "}", ","):
            position += 2
        elif pattern[position] == "{":
            return position
        else:
            position += 1
    return -1


def _matching(pattern: str, start: int) -> int:
    depth, position = 0, start
    while position < len(pattern):
        char = pattern[position]
        if char == "\\" and pattern[position + 1 : position + 2] in ("{", "}", ","):
            position += 1
        elif char in "{}":
            depth += 1 if char == "{" else -1
            if depth == 0:
                return position
        position += 1
    return -1


def _words(body: str) -> Iterator[str] | None:
    """What stands between a pair of braces, word by word; None where it is neither a range nor a list."""
    if match := _RANGE.fullmatch(body):
        return _letters(match[4], match[5]) if match[4] else _numbers(match[1], match[2], match[3])
    pieces, depth, last, position = [], 0, 0, 0
    while position < len(body):
        char = body[position]
        if char == "\\" and body[position + 1 : position + 2] in ("{", "}", ","):
            position += 1
        elif char in "{}":
            depth += 1 if char == "{" else -1
        elif char == "," and depth == 0:
            pieces.append(body[last:position])
            last = position + 1
        position += 1
    return iter([*pieces, body[last:]]) if pieces else None


def _numbers(first: str, last: str, step: str | None) -> Iterator[str]:
    low, high = int(first), int(last)
    stride = abs(int(step)) if step else 1
    padded = any(text.lstrip("-").startswith("0") and len(text.lstrip("-")) > 1 for text in (first, last))
    width = max(len(first), len(last)) if padded else 0
    numbers = range(low, high + 1, stride or 1) if low <= high else range(low, high - 1, -(stride or 1))
    return (f"{number:0{width}d}" for number in numbers)


def _letters(first: str, last: str) -> Iterator[str]:
    low, high = ord(first), ord(last)
    codes = range(low, high + 1) if low <= high else range(low, high - 1, -1)
    return (chr(code) for code in codes)


def _unescape(text: str) -> str:
    return re.sub(r"\\([{},])", r"\1", text)
