"""What a fix would change, as a patch that ``git apply`` and ``patch -p1`` take."""

from __future__ import annotations

import difflib
import io
import os
from collections.abc import Iterator

from claude_api_lint.output.paths import from_here

_MISSING_NEWLINE = b"\n\\ No newline at end of file\n"


def render(path: str, before: bytes, after: bytes) -> bytes:
    """The unified diff between two contents of a file, byte for byte; nothing where they are the same."""
    name = from_here(path).lstrip("/")
    return b"".join(_complete_lines(before, after, _quoted(f"a/{name}"), _quoted(f"b/{name}")))


def _complete_lines(before: bytes, after: bytes, old: bytes, new: bytes) -> Iterator[bytes]:
    for line in difflib.diff_bytes(difflib.unified_diff, _lines(before), _lines(after), old, new):
        yield line if line.endswith(b"\n") else line + _MISSING_NEWLINE


def _lines(data: bytes) -> list[bytes]:
    """Lines as ``patch`` counts them: a lone carriage return does not end one."""
    return io.BytesIO(data).readlines()


def _quoted(name: str) -> bytes:
    """The name as git writes it: in quotes if it holds control characters, closed by a tab if it holds spaces."""
    raw = os.fsencode(name)
    if any(byte < 0x20 or byte in b'"\\\x7f' for byte in raw):
        return b'"' + b"".join(map(_quoted_byte, raw)) + b'"'
    return raw + b"\t" if b" " in raw else raw


def _quoted_byte(byte: int) -> bytes:
    if byte in b'"\\':
        return b"\\" + bytes([byte])
    return bytes([byte]) if 0x20 <= byte < 0x7F else b"\\%03o" % byte
