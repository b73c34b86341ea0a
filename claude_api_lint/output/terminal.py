"""Text for a terminal: what could steer it is escaped, and colours are the only steering that is left."""

from __future__ import annotations

import os
import unicodedata
from typing import TextIO


def printable(text: str) -> str:
    """The text on one line, with everything escaped that could steer a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def width(text: str) -> int:
    """How many columns of a terminal a printable text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else _WIDTHS.get(unicodedata.east_asian_width(char), 1) for char in text
    )


_WIDTHS = {"W": 2, "F": 2}


def painted(text: str, wanted: bool, color: str | None = None, *, bold: bool = False) -> str:
    """The text in a colour, if colours are wanted."""
    if not wanted:
        return text
    import click

    return click.style(text, fg=color, bold=bold or None)


def takes_color(stream: TextIO | None) -> bool:
    """Whether to write in colour without being told: to a terminal, unless its user asked for none.

    NO_COLOR is https://no-color.org; FORCE_COLOR is https://force-color.org.
    """
    if stream is None or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
