"""Python code that stands in another file: it is shown to the linter as one text, and what is found goes back.

A piece is a cell of a notebook, or a code block of a document. Pieces that share their names are joined into one text,
with a line between them that is a statement of its own: so it is always clear to which piece an edit belongs.
"""

from __future__ import annotations

import bisect
import codecs
import itertools
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from claude_api_lint.findings import Edit, Finding, Fix
from claude_api_lint.linter import CheckResult, check_text
from claude_api_lint.parsing import Refused, split, with_big_stack
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source

PLACEHOLDER = "\u01c3"
"""Stands for what is not Python: a name of one character that nobody binds, so that nothing is known of its value."""

_LAST_LINE_END = re.compile(r"(?:\r\n|\n|\r)\Z")
# Other lines that a message speaks of; "line 4 of other.py" is not of this text.
_LINE = re.compile(r"\bline (\d+)\b(?! of )")

_CANNOT_BE_WRITTEN = "it would change two cells at once, or a line that is no plain Python"


@dataclass(frozen=True)
class Hidden:
    """A part of a piece (two offsets) that is not Python as it stands; what follows ``code`` in it is shown."""

    start: int
    end: int
    code: int

    def allows(self, edit: Edit) -> bool:
        """Whether an edit leaves alone what is hidden, and the one line that the rest must stay."""
        is_inside = (edit.start < self.end and self.start < edit.end) or self.start < edit.start < self.end
        if not is_inside:
            return True
        return self.code <= edit.start and edit.end <= self.end and not re.search(r"[\r\n]", edit.text)


class Piece(ABC):
    """Python code that stands in another file; ``text`` is what the linter is shown of it, ``hidden`` what it is not.

    What is hidden is as long in the text as in the file.
    """

    text: str
    hidden: tuple[Hidden, ...]

    @property
    def cell(self) -> int | None:
        """The cell of a notebook, from 1."""
        return None

    @abstractmethod
    def place(self, line: int, column: int) -> tuple[int, int]:
        """Where a place in the text is to be found, as lines and columns are counted in the file; both from 1."""

    @abstractmethod
    def offset(self, offset: int) -> int:
        """Where in the file's text a character of the piece stands."""

    @abstractmethod
    def outside(self, edit: Edit) -> Edit:
        """The edit of the file's text that makes an edit of the piece."""

    @cached_property
    def newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def line_name(self, line: int, seen_from: Piece | None) -> str:
        """What a message that stands at a piece, if at any, calls a line of this one."""
        name = f"line {self.place(line, 1)[0]}"
        return name if self is seen_from or self.cell is None else f"{name} of cell {self.cell}"


def decoded(data: bytes) -> Source:
    """The text of a file in UTF-8. Raises UnicodeDecodeError."""
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    return Source(data[len(bom) :].decode("utf-8"), bom=bom)


def refusal(text: str) -> str | None:
    """Why a text cannot be read as Python, or None if it can."""
    try:
        with_big_stack(lambda: split(Source(text)))
    except Refused as error:
        return str(error)
    return None


def check_pieces(pieces: Sequence[Piece], path: str, settings: Settings) -> CheckResult:
    """Check pieces that share their names. Places and edits of the findings are those of the file around them."""
    if not pieces:
        return CheckResult()
    joined = _Joined(pieces)
    result = check_text(joined.source.text, path, settings)
    findings = tuple(joined.relocated(finding) for finding in result.findings)
    return CheckResult(findings, result.skipped and joined.renamed(result.skipped, None))


class _Joined:
    """Pieces, and the text that they are together."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        texts = [f"{piece.text}{piece.newline}{PLACEHOLDER}{piece.newline}" for piece in pieces]
        self.starts = list(itertools.accumulate(map(len, texts[:-1]), initial=0))
        self.source = Source("".join(texts))

    def relocated(self, finding: Finding) -> Finding:
        """The finding, at its place in the file."""
        start = self.source.offset(finding.line, finding.column - 1)
        piece, first = self._piece_at(start)
        end = min(self.source.offset(finding.end_line, finding.end_column - 1), first + len(piece.text))
        line, column = _place(piece, start - first)
        end_line, end_column = _place(piece, end - first)
        fix = self._fix(finding.fix) if finding.fix else None
        reason = _CANNOT_BE_WRITTEN if finding.fix and not fix else finding.no_fix_reason
        return replace(
            finding,
            line=line,
            column=column,
            end_line=end_line,
            end_column=end_column,
            cell=piece.cell,
            message=self.renamed(finding.message, piece),
            fix=fix,
            no_fix_reason=reason and self.renamed(reason, piece),
        )

    def renamed(self, message: str, here: Piece | None) -> str:
        """A message whose lines are those of the file, as somebody reads it who looks at a piece."""

        def name(match: re.Match[str]) -> str:
            line = int(match[1])
            if not 0 < line <= len(self.source.line_starts):
                return match[0]
            piece, first = self._piece_at(self.source.offset(line, 0))
            return piece.line_name(line - self.source.position(first)[0] + 1, here)

        return _LINE.sub(name, message)

    def _fix(self, fix: Fix) -> Fix | None:
        """The fix as one of the file, or None where it cannot be made there."""
        edits = [self._edit(edit) for edit in fix.edits]
        if None in edits:
            return None
        region = fix.region and (self._offset_outside(fix.region[0]), self._offset_outside(fix.region[1]))
        return replace(fix, edits=tuple(edit for edit in edits if edit), region=region)

    def _edit(self, edit: Edit) -> Edit | None:
        piece, first = self._piece_at(edit.start)
        inner = _within(piece, Edit(edit.start - first, edit.end - first, edit.text))
        if inner is None or not all(hidden.allows(inner) for hidden in piece.hidden):
            return None
        return piece.outside(inner)

    def _offset_outside(self, offset: int) -> int:
        piece, first = self._piece_at(offset)
        return piece.offset(min(offset - first, len(piece.text)))

    def _piece_at(self, offset: int) -> tuple[Piece, int]:
        """The piece that a place of the joined text is in, and where the piece begins."""
        index = bisect.bisect_right(self.starts, offset) - 1
        return self.pieces[index], self.starts[index]


def _place(piece: Piece, offset: int) -> tuple[int, int]:
    line, column = Source(piece.text).position(offset)
    return piece.place(line, column + 1)


def _within(piece: Piece, edit: Edit) -> Edit | None:
    """The edit, without the line break after the piece, which only the joined text has; None if it goes beyond."""
    length = len(piece.text)
    if edit.end <= length:
        return edit
    if edit.end != length + len(piece.newline):
        return None
    text = _LAST_LINE_END.sub("", edit.text)
    if edit.start == edit.end:
        return Edit(length, length, piece.newline + text) if text != edit.text else None
    if edit.start > length:
        return None
    if text != edit.text:
        return Edit(edit.start, length, text)
    before = _LAST_LINE_END.sub("", piece.text[: edit.start])
    is_whole_lines = edit.start == 0 or len(before) < edit.start
    return Edit(len(before), length, "") if not edit.text and is_whole_lines else None
