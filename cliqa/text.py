"""Words for messages: paths, exceptions and counts, as a terminal can show them."""

from __future__ import annotations

_LONGEST = 200  # characters of a library's message that are passed on; chosen by hand: a line or two


def display(path: str) -> str:
    """A path for messages: printable on any terminal, control characters and stray bytes escaped."""
    return "".join(char if char.isprintable() else _escape(char) for char in path)


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as Python's file functions carry it
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def reason(error: BaseException) -> str:
    """Why the system refused: its own words where it has some."""
    return str(getattr(error, "strerror", None) or error)


def describe(error: BaseException) -> str:
    """An exception's message in one line of at most 200 characters; its type where it says nothing."""
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__


def described(error: BaseException) -> str:
    """The type and message of an unforeseen exception, in one line."""
    name, message = type(error).__name__, describe(error)
    return name if message == name else f"{name}: {message}"


def counted(number: int, noun: str = "image") -> str:
    """In words: "1 image", "2 images"."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
