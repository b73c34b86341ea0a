"""What a document leaves out of its examples: ``post(url, ...)``, ``{"x-api-key": key, ...}``.

To Python ``...`` is a value; to a reader it says that there is more. So it is shown to the linter as more arguments, or
entries, of which nothing is known.
"""

from __future__ import annotations

import re

from claude_api_lint.embedded import PLACEHOLDER, Hidden

_MORE = f"**{PLACEHOLDER}"
_PART = re.compile(
    r"""
    (?P<string> '''(?:\\.|[^\\])*?''' | \"""(?:\\.|[^\\])*?\""" | '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*" )
    | (?P<said> \#[ \t]*(?:\.\.\.|…)[^\r\n]* )
    | (?P<comment> \#[^\r\n]* )
    | (?P<dots> \.\.\.(?=[ \t\r\n]*(?:\#[^\n]*\n[ \t\r\n]*)*[,)}]) )
    | (?P<space> \s+ )
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


def hide_elisions(code: str) -> tuple[str, tuple[Hidden, ...]]:
    """The code with the dots that stand for more arguments or entries shown as such, as long as it was."""
    pieces: list[str] = []
    hidden: list[Hidden] = []
    before = ""
    for part in _PART.finditer(code):
        shown = part[0]
        if part.lastgroup in ("dots", "said") and before in ("(", "{", ","):
            shown = (_MORE if part["dots"] else f"{_MORE},").ljust(len(shown))
            hidden.append(Hidden(*part.span(), part.end()))
        if part.lastgroup not in ("comment", "said", "space"):
            before = part[0][-1]
        pieces.append(shown)
    return "".join(pieces), tuple(hidden)
