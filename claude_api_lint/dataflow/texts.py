"""Gluing texts of which pieces are unknown."""

from __future__ import annotations

import re
import string
from urllib.parse import urljoin

from claude_api_lint.dataflow.values import HOLE, Const, Text, Value

MAX_LENGTH = 20_000
"""Characters of a text that are kept; what follows is a hole."""
MAX_WORK = 1_000_000
"""Characters that are put together at most before a text is cut to its length."""
_PERCENT = re.compile(r"%(?:\((?P<name>[^)]*)\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?(?P<kind>[a-zA-Z%])")

# Methods whose result str itself computes, holes and all. What they take away at a hole's edge nobody knows anyway.
_PLAIN_METHODS = frozenset(
    "strip lstrip rstrip removeprefix removesuffix replace lower upper casefold capitalize title".split()
)


def pattern_of(value: Value) -> str:
    """The text that ``str(value)`` would give, with a hole for what is unknown."""
    if isinstance(value, Text):
        return value.pattern
    if isinstance(value, Const):
        return value.value if isinstance(value.value, str) else str(value.value)
    return HOLE


def is_text(value: Value) -> bool:
    return isinstance(value, Text) or (isinstance(value, Const) and isinstance(value.value, str))


def text(pattern: str) -> Value:
    """The value of a pattern: a constant where it has no hole."""
    squeezed = re.sub(f"{HOLE}+", HOLE, pattern)
    if len(squeezed) > MAX_LENGTH:
        squeezed = squeezed[:MAX_LENGTH] + HOLE
    return Text(squeezed) if HOLE in squeezed else Const(squeezed)


def joined(separator: str, pieces: list[str]) -> Value:
    """``separator.join(pieces)``."""
    if len(separator) * len(pieces) + sum(map(len, pieces)) > MAX_WORK:
        return Text(HOLE)
    return text(separator.join(pieces))


def call_method(receiver: str, method: str, arguments: list[str]) -> Value | None:
    """``receiver.method(*arguments)`` for a method of str that needs no more than texts; None for another method."""
    if method in ("encode", "decode", "format_map"):
        return text(receiver)
    if method not in _PLAIN_METHODS:
        return None
    if method == "replace" and len(receiver) * max(map(len, arguments), default=0) > MAX_WORK:
        return Text(HOLE)
    try:
        return text(getattr(receiver, method)(*arguments))
    except (TypeError, ValueError):
        return Text(HOLE)


def format_braces(template: str, positional: list[str], keywords: dict[str, str]) -> Value:
    """``template.format(*positional, **keywords)``; a field that cannot be filled is a hole."""
    pieces: list[str] = []
    automatic = 0
    try:
        for literal, name, _, _ in string.Formatter().parse(template):
            pieces.append(literal)
            if name is None:
                continue
            if name == "":
                name, automatic = str(automatic), automatic + 1
            if name.isdecimal():
                pieces.append(positional[int(name)] if int(name) < len(positional) else HOLE)
            else:
                pieces.append(keywords.get(name, HOLE))
    except ValueError:
        return Text(HOLE)
    return joined("", pieces)


def format_percent(template: str, positional: list[str], keywords: dict[str, str]) -> Value:
    """``template % values``; a conversion that cannot be filled is a hole."""
    remaining = iter(positional)

    def fill(match: re.Match[str]) -> str:
        if match["kind"] == "%":
            return "%"
        if match["name"] is not None:
            return keywords.get(match["name"], HOLE)
        return next(remaining, HOLE)

    pieces: list[str] = []
    position = 0
    for match in _PERCENT.finditer(template):
        pieces += [template[position : match.start()], fill(match)]
        position = match.end()
    return joined("", [*pieces, template[position:]])


def join_urls(base: str, url: str) -> Value:
    """``urllib.parse.urljoin``; a hole keeps its place, as it is a character like any other there."""
    if url.startswith(HOLE):
        return text(HOLE)
    scheme = "https://" if base.startswith(HOLE) else ""
    try:
        return text(urljoin(scheme + base, url).removeprefix(scheme))
    except ValueError:
        return Text(HOLE)
