"""Where the code blocks of Markdown and reStructuredText stand.

Both are read line by line, and not with a parser: one of CommonMark takes what MkDocs indents below ``!!! note`` for
plain text, one of reStructuredText drops what stands in directives that it does not know, and neither says in which
column a line of code begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from claude_api_lint.source import Source


@dataclass(frozen=True)
class CodeLine:
    """A line of code: its number in the document, what stands before it there, and the code, line end and all."""

    number: int
    before: str
    code: str

    @property
    def is_blank(self) -> bool:
        return not self.code.strip()


@dataclass(frozen=True)
class CodeBlock:
    """A block of code in some language; ``prefix`` is what a new line of it has to have before it."""

    language: str
    lines: tuple[CodeLine, ...]
    prefix: str


# A fence, in quotes and lists, and what is said after it.
_FENCE = re.compile(
    r"(?P<before>[ \t]*(?:>[ \t]*|(?:[-*+]|\d{1,9}[.)])[ \t]+)*)"
    r"(?P<fence>`{3,}(?=[^`]*\Z)|~{3,})[ \t]*(?P<info>[^\r\n]*)"
)
_COMMENT_BEGINS = re.compile(r"[ \t]*<!--(?!.*-->)")
# After a fence: "{code-block} python", as in MyST, whose blocks begin with options; "{.python #id}", as in Pandoc; or
# "python title=..."
_MYST = re.compile(r"\{(?:code|code-block|code-cell|sourcecode)\}[ \t]*(?P<language>[\w+-]*)")
_LANGUAGE = re.compile(r"(?:\{[ \t]*\.?)?(?P<language>[\w+-]*)")
_OPTION = re.compile(r"[ \t]*:[\w-]+:")


def blocks_of_markdown(text: str) -> Iterator[CodeBlock]:
    """The fenced code blocks of a Markdown document, in order."""
    lines = _lines(text)
    index = 0
    while index < len(lines):
        fence = _FENCE.match(lines[index])
        if fence is None:
            index = _after_comment(lines, index) if _COMMENT_BEGINS.match(lines[index]) else index + 1
            continue
        inside, index = _fenced(lines, index + 1, fence)
        myst = _MYST.match(fence["info"])
        named = myst or _LANGUAGE.match(fence["info"])
        assert named is not None
        yield from _block(named["language"], inside[_myst_options(inside) :] if myst else inside)


def _lines(text: str) -> list[str]:
    source = Source(text)
    return [source.lines(number, number) for number in range(1, len(source.line_starts) + 1)]


def _after_comment(lines: Sequence[str], index: int) -> int:
    return next((number for number in range(index + 1, len(lines)) if "-->" in lines[number]), len(lines))


def _fenced(lines: Sequence[str], index: int, fence: re.Match[str]) -> tuple[list[CodeLine], int]:
    """The lines below an opening fence, and the index of what follows the closing one."""
    quotes, indentation = fence["before"].count(">"), len(fence["before"].rpartition(">")[2])
    before = re.compile(rf"(?:[ \t]*>){{{quotes}}}[ \t]{{0,{indentation}}}")
    closing = re.compile(rf"[ \t]*{fence['fence'][0]}{{{len(fence['fence'])},}}[ \t]*(?:\r?\n|\r)?")
    inside: list[CodeLine] = []
    for number in range(index, len(lines)):
        start = before.match(lines[number])
        if start is None:  # the quote ends, and so does what it holds
            return inside, number
        code = lines[number][start.end() :]
        if closing.fullmatch(code):
            return inside, number + 1
        inside.append(CodeLine(number + 1, start[0], code))
    return inside, len(lines)


def _myst_options(lines: Sequence[CodeLine]) -> int:
    """How many lines of options a directive begins with: ``:name: value``, or YAML between two ``---``."""
    if not lines or lines[0].code.strip() != "---":
        return next((number for number, line in enumerate(lines) if not _OPTION.match(line.code)), len(lines))
    ends = (number + 1 for number, line in enumerate(lines) if number and line.code.strip() == "---")
    return next(ends, len(lines))


_BULLETS = r"(?:(?:[-*+]|(?:\d+|#|[A-Za-z])[.)])[ \t]+)*"
_DIRECTIVE = re.compile(
    rf"(?P<before>[ \t]*{_BULLETS})\.\.[ \t]+(?P<name>code|code-block|jupyter-execute|sourcecode|testcode)::"
    r"[ \t]*(?P<language>[\w+-]*)"
)
_LANGUAGES = {"jupyter-execute": "ipython", "testcode": "python"}  # what these directives are in, whatever they say
# Two kinds of text that are not read any further: literal blocks, and comments.
_LITERAL = re.compile(r"(?P<before>[ \t]*)(?![ \t]|\.\.[ \t])[^\r\n]*::[ \t]*(?:\r?\n|\r)?\Z")
_COMMENT = re.compile(r"(?P<before>[ \t]*)\.\.[ \t]+(?![\[_|]|[\w.:+-]+::)\S")


def blocks_of_rst(text: str) -> Iterator[CodeBlock]:
    """The code blocks of a reStructuredText document that name their language, in order."""
    lines = _lines(text)
    index = 0
    while index < len(lines):
        directive = _DIRECTIVE.match(lines[index])
        opening = directive or _LITERAL.match(lines[index]) or _COMMENT.match(lines[index])
        index += 1
        if opening is None:
            continue
        end = _after_indented(lines, index, _width(opening["before"]))
        if directive is not None:
            inside = [CodeLine(number + 1, "", lines[number]) for number in range(index, end)]
            options = next((number for number, line in enumerate(inside) if not _OPTION.match(line.code)), len(inside))
            yield from _block(_LANGUAGES.get(directive["name"], directive["language"]), inside[options:])
        index = end


def _after_indented(lines: Sequence[str], index: int, column: int) -> int:
    """The index of the first line from an index on that is not indented more than to a column."""
    for number in range(index, len(lines)):
        code = lines[number].lstrip(" \t")
        if code.strip() and _width(lines[number][: len(lines[number]) - len(code)]) <= column:
            return number
    return len(lines)


def _width(before: str) -> int:
    return len(before.expandtabs())


def _block(language: str, lines: Iterable[CodeLine]) -> Iterator[CodeBlock]:
    """The block, without the indentation that its lines share, and without blank lines around it; none without code."""
    lines = list(lines)
    code = [index for index, line in enumerate(lines) if not line.is_blank]
    if not code:
        return
    lines = lines[code[0] : code[-1] + 1]
    shared = _shared_indentation([line.code for line in lines if not line.is_blank])
    indented = tuple(_indented(line, shared) for line in lines)
    yield CodeBlock(language.lower(), indented, indented[0].before)


def _shared_indentation(lines: Iterable[str]) -> str:
    indentations = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines]
    first, last = min(indentations), max(indentations)
    differ = (index for index, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(differ, len(first))]


def _indented(line: CodeLine, shared: str) -> CodeLine:
    if not line.code.startswith(shared):  # a blank line
        shared = line.code[: len(line.code) - len(line.code.lstrip(" \t"))]
    return replace(line, before=line.before + shared, code=line.code[len(shared) :])
