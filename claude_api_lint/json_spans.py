"""Where things stand in a JSON text, so that a part of it can be edited and the rest stays as it is.

The text must be valid JSON: it has been parsed before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")
# One character of a string as it is written: a pair of surrogates is one character, too.
_CHARACTER = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]")

Span = tuple[int, int]


def members(text: str, start: int) -> dict[str, int]:
    """Where the values of an object begin that begins at ``start``; of two with the same key the last one counts."""
    found = {}
    position = _skip_space(text, start + 1)
    while text[position] != "}":
        key, position = _value(text, position)
        position = _skip_space(text, _skip_space(text, position) + 1)  # the colon
        found[key] = position
        position = _after_comma(text, _value(text, position)[1])
    return found


def elements(text: str, start: int) -> Iterator[Span]:
    """The spans of the elements of an array that begins at ``start``."""
    position = _skip_space(text, start + 1)
    while text[position] != "]":
        end = _value(text, position)[1]
        yield position, end
        position = _after_comma(text, end)


@dataclass(frozen=True)
class JsonText:
    """A string that may be written as several, in an array, and stands at ``start`` of a JSON text."""

    json: str
    start: int

    @cached_property
    def _strings(self) -> list[Span]:
        if self.json[self.start] == "[":
            return list(elements(self.json, self.start))
        return [(self.start, _value(self.json, self.start)[1])]

    @cached_property
    def _offsets(self) -> list[int]:
        """Where each character is written, and where the string ends."""
        offsets, end = [], self.start + 1
        for start, after in self._strings:
            end = after - 1
            offsets += [match.start() for match in _CHARACTER.finditer(self.json, start + 1, end)]
        return [*offsets, end]

    @cached_property
    def _between(self) -> str | None:
        """What stands between two lines: the end of a string and the beginning of the next; None if it is but one."""
        if self.json[self.start] != "[":
            return None
        strings = self._strings
        if len(strings) > 1:
            return f'"{self.json[strings[0][1] : strings[1][0]]}"'
        return f'",{self.json[self.start + 1 : strings[0][0]]}"'

    def offset(self, offset: int) -> int:
        """Where in the JSON text a character of the string is written."""
        return self._offsets[offset]

    def written(self, new: str, *, is_last: bool) -> str:
        """How new text is to be written in this string; ``is_last`` if nothing of the string follows it."""
        lines = [new] if self._between is None else re.split(r"(?<=\n)", new)
        if is_last and len(lines) > 1 and not lines[-1]:
            lines.pop()
        keep_ascii = self.json.isascii()
        return (self._between or "").join(json.dumps(line, ensure_ascii=keep_ascii)[1:-1] for line in lines)


def _value(text: str, start: int) -> tuple[Any, int]:
    """The value that begins at ``start``, and where it ends."""
    return _DECODER.raw_decode(text, start)


def _skip_space(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position


def _after_comma(text: str, position: int) -> int:
    """Where the next member begins, or the closing bracket stands."""
    position = _skip_space(text, position)
    return _skip_space(text, position + 1) if text[position] == "," else position
