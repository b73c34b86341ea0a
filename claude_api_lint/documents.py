"""Documents: each Python code block of a Markdown or reStructuredText file is checked as a module of its own.

A block that is no Python is not spoken of: it is documentation, and may be an outline, a session or a mistake on
purpose.
"""

from __future__ import annotations

import bisect
import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from claude_api_lint.code_blocks import CodeBlock, blocks_of_markdown, blocks_of_rst
from claude_api_lint.elisions import hide_elisions
from claude_api_lint.embedded import Hidden, Piece, check_pieces, decoded, refusal
from claude_api_lint.findings import Edit
from claude_api_lint.ipython_commands import hide_commands, is_python, is_python_cell
from claude_api_lint.linter import CheckResult
from claude_api_lint.prefilter import mentions_api
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source

if TYPE_CHECKING:
    from claude_api_lint.fixer import FixResult

RST = ".rst"

_PYTHON = frozenset({"py", "py3", "python", "python3"})
_IPYTHON = frozenset({"ipython", "ipython3"})


def check_document(data: bytes, path: str, settings: Settings) -> CheckResult:
    """Check the bytes of a document. Never raises for bad input."""
    try:
        return _check(decoded(data).text, path, settings)
    except UnicodeDecodeError as error:
        return CheckResult(skipped=_undecodable(error))


def fix_document(data: bytes, path: str, settings: Settings) -> FixResult:
    """Fix the bytes of a document as far as ``settings`` allows."""
    from claude_api_lint.fixer import FixResult, Reading, fix_decoded

    reading = Reading(lambda text: _check(text, path, settings), lambda text: _unreadable(text, path))
    try:
        return fix_decoded(data, decoded(data), reading, settings)
    except UnicodeDecodeError as error:
        return FixResult(data, skipped=_undecodable(error))


def _undecodable(error: UnicodeDecodeError) -> str:
    return f"it cannot be decoded ({error}); save it as UTF-8"


@dataclass(frozen=True, eq=False)
class Snippet(Piece):
    """A block of Python code in a document."""

    block: CodeBlock
    offsets: tuple[int, ...]
    """Where in the document each line of the block begins, counted without what stands before the code."""
    text: str
    hidden: tuple[Hidden, ...]

    def place(self, line: int, column: int) -> tuple[int, int]:
        found = self.block.lines[line - 1]
        return found.number, len(found.before) + column

    def offset(self, offset: int) -> int:
        line, column = self._position(offset)
        return self.offsets[line] + column

    def outside(self, edit: Edit) -> Edit:
        (first, column), (last, last_column) = self._position(edit.start), self._position(edit.end)
        *whole, final = re.split(r"(?<=\n)", edit.text)
        rest = self.block.lines[last].code[last_column:]
        befores = [*map(self._before, whole), self._before_rest(final, last, rest)]
        old = self.block.lines[first].before
        if column:  # what stands before the line is not touched
            old = befores[0] = ""
        text = "".join(before + line for before, line in zip(befores, [*whole, final], strict=True))
        start, end = self.offset(edit.start), self.offset(edit.end)
        if text.startswith(old):
            return Edit(start, end, text.removeprefix(old))
        return Edit(start - len(old), end, text)

    def _before(self, line: str) -> str:
        """What has to stand before a new line."""
        return self.block.prefix if line.strip() else self.block.prefix.rstrip()

    def _before_rest(self, new: str, index: int, rest: str) -> str:
        """What has to stand before new text that the rest of an old line follows."""
        return self.block.lines[index].before if rest.strip() or not new.strip() else self._before(new)

    def _position(self, offset: int) -> tuple[int, int]:
        """The index of the line, and the column, both from 0."""
        index = bisect.bisect_right(self._starts, offset) - 1
        return index, offset - self._starts[index]

    @cached_property
    def _starts(self) -> list[int]:
        lengths = [len(line.code) for line in self.block.lines[:-1]]
        return list(itertools.accumulate(lengths, initial=0))


def _check(text: str, path: str, settings: Settings) -> CheckResult:
    results = [check_pieces([snippet], path, settings) for snippet in _snippets(text, path)]
    findings = (finding for result in results for finding in result.findings)
    skipped = "; ".join(result.skipped for result in results if result.skipped)
    return CheckResult(tuple(sorted(findings, key=lambda finding: finding.sort_key)), skipped or None)


def _unreadable(text: str, path: str) -> int:
    return sum(refusal(_shown(block)[0]) is not None for block in _python_blocks(text, path))


def _snippets(text: str, path: str) -> Iterator[Snippet]:
    """The blocks that can be read and mention the API."""
    starts = Source(text).line_starts
    for block in _python_blocks(text, path):
        if not mentions_api(_code(block).encode("utf-8", "surrogatepass")):
            continue
        shown, hidden = _shown(block)
        if refusal(shown) is None:
            offsets = tuple(starts[line.number - 1] + len(line.before) for line in block.lines)
            yield Snippet(block, offsets, shown, hidden)


def _python_blocks(text: str, path: str) -> Iterator[CodeBlock]:
    blocks = blocks_of_rst if os.path.splitext(path)[1].lower() == RST else blocks_of_markdown
    return (block for block in blocks(text) if block.language in _PYTHON | _IPYTHON)


def _code(block: CodeBlock) -> str:
    return "".join(line.code for line in block.lines).rstrip("\r\n")


def _shown(block: CodeBlock) -> tuple[str, tuple[Hidden, ...]]:
    """The code of a block as the linter is shown it, and what of it is hidden."""
    code = _code(block)
    elided, hidden = hide_elisions(code)
    if hidden and is_python(elided):
        return elided, hidden
    return hide_commands(code) if block.language in _IPYTHON and is_python_cell(code) else (code, ())
