"""Brace ranges and lists, as WebDataset and the shell write them: `shards/{000..099}.tar`, `{train,val}-{0..9}.tar`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from cliqa.errors import UsageError

MAX_NAMES = 10_000_000  # chosen by hand: more is a slip of the keyboard
_MARK = re.compile(r"\\[{},]|[{},]")
_RANGE = re.compile(r"(-?\d{1,18})\.\.(-?\d{1,18})(?:\.\.(-?\d{1,18}))?|([a-zA-Z])\.\.([a-zA-Z])")


def has_braces(pattern: str) -> bool:
    """Whether anything in the pattern would be expanded."""
    return _first_group(pattern) is not None


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
    group = _first_group(pattern)
    if group is None:
        yield _unescape(pattern)
        return
    start, end, words = group
    before, body, after = _unescape(pattern[:start]), pattern[start + 1 : end], pattern[end + 1 :]
    for word in words:
        for middle in [word] if _RANGE.fullmatch(body) else _expand(word):
            for rest in _expand(after):
                yield before + middle + rest


def _first_group(pattern: str) -> tuple[int, int, Iterator[str]] | None:
    """The first braces that can be expanded: (where `{` is, where `}` is, the words between)."""
    for start in [where for where, mark, _ in _marks(pattern) if mark == "{"]:
        end = next((where for where, mark, depth in _marks(pattern, start) if mark == "}" and depth == 0), -1)
        words = _words(pattern[start + 1 : end]) if end > 0 else None
        if words is not None:
            return start, end, words
    return None


def _marks(text: str, start: int = 0) -> Iterator[tuple[int, str, int]]:
    """(where, which, how deep) of every `{`, `}` and `,` that no backslash takes out; the two braces of a pair are equally deep."""
    depth = 0
    for found in _MARK.finditer(text, start):
        if len(found[0]) == 1:
            depth -= found[0] == "}"
            yield found.start(), found[0], depth
            depth += found[0] == "{"


def _words(body: str) -> Iterator[str] | None:
    """What stands between a pair of braces, word by word; None where it is neither a range nor a list."""
    if match := _RANGE.fullmatch(body):
        return _letters(match[4], match[5]) if match[4] else _numbers(match[1], match[2], match[3])
    commas = [where for where, mark, depth in _marks(body) if mark == "," and depth == 0]
    edges = [-1, *commas, len(body)]
    return (body[before + 1 : after] for before, after in pairwise(edges)) if commas else None


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
