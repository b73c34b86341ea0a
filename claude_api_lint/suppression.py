"""``# noqa`` and ``# flake8: noqa``, meaning what they mean in flake8 7.5.

flake8 looks for the comment in the text of a line, not among the tokens: a string that says ``# noqa`` counts. A line
is a physical line, except that a string over several lines, or a backslash at the end of one, makes them one.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_INLINE = re.compile(r"# noqa(?::[\s]?(?P<codes>([A-Z]+[0-9]+(?:[,\s]+)?)+))?", re.IGNORECASE)
_WHOLE_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)
_BETWEEN_CODES = re.compile(r"[,\s]")

# Every code begins with it: this is what a comment without codes covers.
_ANY_CODE = ("",)


@dataclass(frozen=True)
class Suppressions:
    """What the comments of one file silence: the whole file, or on a line the codes that begin with a prefix."""

    whole_file: bool
    prefixes: Mapping[int, tuple[str, ...]]

    @classmethod
    def of(cls, text: str) -> Suppressions:
        """Read the comments of a file's text, which may be anything."""
        if "noqa" not in text.lower():
            return cls(False, {})
        lines = _lines(text)
        if any(_WHOLE_FILE.match(line) for line in lines):
            return cls(True, {})
        return cls(False, dict(_inline(lines)))

    def covers(self, line: int, code: str) -> bool:
        """Whether a finding with this code, on this line (from 1), is silenced."""
        return self.whole_file or code.startswith(self.prefixes.get(line, ()))


def _lines(text: str) -> list[str]:
    """The lines as flake8 reads them: universal newlines, no byte order mark."""
    return io.StringIO(text.removeprefix("\ufeff"), newline=None).readlines()


def _inline(lines: list[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    # Physical lines first: the joined ones after them overwrite what they know better.
    for first, last in [*((number, number) for number in range(1, len(lines) + 1)), *_joined_lines(lines)]:
        comment = _INLINE.search("".join(lines[first - 1 : last]))
        prefixes = _prefixes(comment) if comment else ()
        yield from ((number, prefixes) for number in range(first, last + 1))


def _prefixes(comment: re.Match[str]) -> tuple[str, ...]:
    codes = comment["codes"]
    if codes is None:
        return _ANY_CODE
    return tuple(code for code in _BETWEEN_CODES.split(codes) if code)


def _joined_lines(lines: list[str]) -> list[tuple[int, int]]:
    """The first and last line of every run of lines that tokens join; none at all where the text is not Python."""
    try:
        tokens = list(tokenize.generate_tokens(iter(lines).__next__))
    except (tokenize.TokenError, SyntaxError):
        return []
    runs = []
    first, last = len(lines) + 1, 0
    for token in tokens:
        if token.type in (tokenize.ENDMARKER, tokenize.DEDENT):
            continue
        first, last = min(first, token.start[0]), max(last, token.end[0])
        if token.type in (tokenize.NL, tokenize.NEWLINE):
            runs.append((first, last))
            first, last = len(lines) + 1, 0
    return runs
