"""A file's text: decoded as Python would, with offsets, lines and columns that count characters."""

from __future__ import annotations

import bisect
import codecs
import io
import re
import tokenize
from dataclasses import dataclass
from functools import cached_property

# Python ends a line at these three only; str.splitlines() knows eight more (form feed, U+2028 ...).
_LINE_END = re.compile(r"\r\n|\n|\r")


class UnreadableSource(Exception):
    """The bytes are not Python source text; the message says why, and what to do."""


@dataclass(frozen=True)
class Source:
    """The text of one file. ``encoding`` and ``bom`` say how to turn the text back into the same bytes."""

    text: str
    encoding: str = "utf-8"
    bom: bytes = b""

    @classmethod
    def decode(cls, data: bytes) -> Source:
        """Decode a file as Python does (byte order mark, coding cookie, UTF-8 by default).

        Raises UnreadableSource for bytes that Python would refuse.
        """
        bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise UnreadableSource("it is UTF-16, which Python does not read as source; save it as UTF-8")
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            encoding = "utf-8" if bom else encoding
            text = data[len(bom) :].decode(encoding)
            if encoding != "utf-8":
                text.encode(encoding)  # some codecs give a text that they do not take back
        except (SyntaxError, UnicodeError, LookupError) as error:
            reason = str(error).splitlines()[0]
            raise UnreadableSource(f"it cannot be decoded ({reason}); add a coding line or save it as UTF-8") from None
        return cls(text, encoding, bom)

    def encode(self, text: str) -> bytes:
        """The bytes of a changed text, in the encoding and with the byte order mark that the file had.

        Raises UnicodeError for text that the encoding does not hold.
        """
        return self.bom + text.encode(self.encoding)

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset at which each line begins."""
        return [0, *(end.end() for end in _LINE_END.finditer(self.text))]

    def offset(self, line: int, column: int) -> int:
        """The offset of a place; lines count from 1, columns from 0."""
        return self.line_starts[line - 1] + column

    def position(self, offset: int) -> tuple[int, int]:
        """The line (from 1) and column (from 0) of an offset."""
        line = bisect.bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1]

    def lines(self, first: int, last: int) -> str:
        """The text of the lines ``first`` to ``last`` (from 1, both included), line ends and all."""
        end = self.line_starts[last] if last < len(self.line_starts) else len(self.text)
        return self.text[self.line_starts[first - 1] : end]
