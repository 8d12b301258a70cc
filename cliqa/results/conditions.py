"""A condition as people write it -> the SQL that SQLite runs: `jpeg_quality.quality >= 90 and width > height`.

Columns are written without quotes although their names hold a dot. Only expressions pass: columns, numbers, text in single
quotes, operators and the functions of `SAFE_FUNCTIONS`. What is left is written out anew, word by word, so neither
comments nor a second statement can hide in it; the store's authorizer then stands behind this as the second wall.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from cliqa.errors import UsageError

LISTED = 12  # columns in a message; chosen by hand: a line or two

# They read nothing but their arguments and can't make much of little (as printf and randomblob would).
SAFE_FUNCTIONS = frozenset({
    "abs", "ceil", "ceiling", "coalesce", "exp", "floor", "glob", "ifnull", "iif", "instr", "length", "like", "ln", "log",
    "log10", "log2", "lower", "ltrim", "max", "min", "nullif", "pow", "power", "round", "rtrim", "sign", "sqrt", "substr",
    "substring", "trim", "typeof", "upper",
})  # fmt: skip
_WORDS = frozenset({
    "and", "as", "between", "binary", "case", "cast", "collate", "else", "end", "escape", "false", "glob", "in", "integer",
    "is", "isnull", "like", "nocase", "not", "notnull", "null", "or", "real", "rtrim", "text", "then", "true", "when",
})  # fmt: skip
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?!\w))
    |(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)
    |(?P<operator>\|\||<=|>=|<>|!=|==|<<|>>|[-+*/%<>=(),&|~])""",
    re.VERBOSE,
)

_CALL = re.compile(r"\s*\(")


def to_sql(condition: str, columns: Sequence[str]) -> tuple[str, list[str]]:
    """Translate a condition.

    Args:
        condition: as the user wrote it.
        columns: the names that it may use.

    Returns:
        (SQL expression, the columns that it uses in the order of their first use).

    Raises:
        UsageError: it is empty, holds what is no part of an expression, or names a column that isn't there.
    """
    known = {name.lower(): name for name in columns}
    words: list[str] = []
    used: dict[str, None] = {}
    depth = 0
    for kind, token, call in _tokens(condition):
        if kind == "quoted" or (kind == "name" and not call and token.lower() not in _WORDS):
            name = known.get((_unquote(token) if kind == "quoted" else token).lower())
            if name is None:
                raise UsageError(unknown_column(_unquote(token) if kind == "quoted" else token, columns))
            used[name] = None
            words.append(quote(name))
            continue
        if call and token.lower() not in _WORDS and token.lower() not in SAFE_FUNCTIONS:
            raise UsageError(f"the condition can't call {token}(); known: {', '.join(sorted(SAFE_FUNCTIONS))}")
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth < 0:
            break
        words.append(token)
    if depth != 0:
        raise UsageError(f"the parentheses of the condition don't match: {condition}")
    if not words:
        raise UsageError("the condition is empty")
    return " ".join(words), list(used)


def column(name: str, columns: Sequence[str]) -> str:
    """The column that a user means by one name, quoted or not. Raises UsageError with the near ones."""
    plain = _unquote(name.strip()) if name.strip()[:1] in ('"', "`", "[") else name.strip()
    known = {candidate.lower(): candidate for candidate in columns}
    if plain.lower() not in known:
        raise UsageError(unknown_column(plain, columns, text=False))
    return known[plain.lower()]


def unknown_column(name: str, columns: Iterable[str], text: bool = True) -> str:
    """The message for a column that isn't there: the nearest names, or the fields of the metric that was meant.

    `text`: whether a text could have been meant, which goes in quotes.
    """
    names = list(columns)
    folded = {candidate.lower(): candidate for candidate in names}
    metric, _, short = name.lower().rpartition(".")
    same_field = [candidate for candidate in names if candidate.lower().rpartition(".")[2] == short]
    same_metric = [candidate for candidate in names if metric and candidate.lower().startswith(f"{metric}.")]
    near = [folded[match] for match in difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.7)]
    if not near:
        fields = {candidate.lower().rpartition(".")[2]: candidate for candidate in names}
        near = [fields[match] for match in difflib.get_close_matches(short, fields, n=3, cutoff=0.75)]
    found = list(dict.fromkeys([*near, *same_field]))[:4] or same_metric
    hint = f" (text goes in single quotes: '{name}')" if text and "." not in name else ""
    if found:
        return f"there is no column {name}; did you mean {' or '.join(found)}?{hint}"
    scores = [candidate for candidate in names if "." in candidate] or names
    metrics = dict.fromkeys(candidate.rpartition(".")[0] for candidate in names if "." in candidate)
    if metric and metrics:
        return f"there is no column {name}: the scores are those of {', '.join(metrics)}"
    rest = f" and {len(scores) - LISTED} more" if len(scores) > LISTED else ""
    return f"there is no column {name}{hint}; known: {', '.join(scores[:LISTED])}{rest}"


def quote(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _tokens(condition: str) -> Iterable[tuple[str, str, bool]]:
    """(kind, token, whether an opening parenthesis follows)."""
    position = 0
    while position < len(condition):
        match = _TOKEN.match(condition, position)
        if match is None:
            rest = condition[position : position + 20]
            hint = "an unfinished quote" if rest[0] in "'\"`[" else "only a condition is allowed here"
            raise UsageError(f"the condition can't be read at {rest!r}: {hint}")
        position = match.end()
        if match.lastgroup != "space":
            named = match.lastgroup == "name"
            yield str(match.lastgroup), match.group(), named and bool(_CALL.match(condition, position))


def _unquote(token: str) -> str:
    close = {"[": "]"}.get(token[0], token[0])
    inner = token[1:-1]
    return inner if close == "]" else inner.replace(close * 2, close)
