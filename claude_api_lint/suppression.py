"""``# noqa`` and ``# flake8: noqa``, meaning what they mean in flake8 7.5.

flake8 looks for the comment in the text of a line, not among the tokens: a string that says ``# noqa`` counts. A line
is a physical line, except that a string over several lines, or a backslash at the end of one, makes them one.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from claude_api_lint.findings import Edit
from claude_api_lint.source import Source

_INLINE = re.compile(r"# noqa(?::[\s]?(?P<codes>([A-Z]+[0-9]+(?:[,\s]+)?)+))?", re.IGNORECASE)
_WHOLE_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)
_CODE = re.compile(r"[^,\s]+")

# Every code begins with it: this is what a comment without codes covers.
_ANY_CODE = ("",)


@dataclass(frozen=True)
class Suppressions:
    """What the comments in a file's text, which may be anything, silence. They are read when a finding asks for them:
    this tokenizes the text.
    """

    text: str

    @cached_property
    def whole_file(self) -> bool:
        """Whether all that the file has is silenced."""
        return "noqa" in self.text.lower() and any(_WHOLE_FILE.match(line) for line in _lines(self.text))

    @cached_property
    def _prefixes(self) -> Mapping[int, tuple[str, ...]]:
        """What the codes that are silenced begin with, by line."""
        return dict(_inline(_lines(self.text))) if "noqa" in self.text.lower() else {}

    def covers(self, line: int, code: str) -> bool:
        """Whether a finding with this code, on this line (from 1), is silenced."""
        return self.whole_file or code.startswith(self._prefixes.get(line, ()))


@dataclass(frozen=True)
class NoqaComment:
    """A comment that silences the codes it names on the lines ``first`` to ``last``, which count as one.

    It stands in ``line``, from ``start`` up to ``end``; ``codes`` are where each code stands, and all columns count
    from 0. A comment that names no code silences all.
    """

    first: int
    last: int
    line: int
    start: int
    end: int
    codes: tuple[tuple[str, int, int], ...]


def noqa_comments(text: str) -> tuple[NoqaComment, ...]:
    """The comments that count: the first on each line, and only real ones, as a string is nobody's to rewrite."""
    if "noqa" not in text.lower():
        return ()
    lines = _lines(text)
    tokens = _tokens(lines)
    real = {(token.start[0], token.start[1]): token.end[1] for token in tokens if token.type == tokenize.COMMENT}
    found = (_located(lines, first, last, real) for first, last in _runs(tokens))
    return tuple(comment for comment in found if comment is not None)


def joined_lines(text: str) -> list[tuple[int, int]]:
    """The first and last line of every run of lines that count as one; none where the text is not Python."""
    return _runs(_tokens(_lines(text)))


def without_codes(source: Source, comment: NoqaComment, unused: Collection[str]) -> Edit:
    """The edit that takes codes out of a comment, and the comment away where it has no others."""
    kept = [code for code, _, _ in comment.codes if code not in unused]
    if kept:
        first, last = comment.codes[0][1], comment.codes[-1][2]
        return Edit(source.offset(comment.line, first), source.offset(comment.line, last), ", ".join(kept))
    line = source.lines(comment.line, comment.line)
    rest = line[comment.end :].strip()
    start = len(line[: comment.start].rstrip())
    if rest:
        said = rest if rest.startswith("#") else f"# {rest}"
        return Edit(
            source.offset(comment.line, comment.start), source.offset(comment.line, len(line.rstrip("\r\n"))), said
        )
    end = len(line) if not start else len(line.rstrip("\r\n"))  # a line that held nothing else goes as a whole
    return Edit(source.offset(comment.line, start), source.offset(comment.line, end), "")


def _located(lines: list[str], first: int, last: int, real: Mapping[tuple[int, int], int]) -> NoqaComment | None:
    joined = "".join(lines[first - 1 : last])
    match = _INLINE.search(joined)
    if match is None:
        return None
    line = first + joined.count("\n", 0, match.start())
    origin = joined.rfind("\n", 0, match.start()) + 1
    start = match.start() - origin
    if not any(row == line and column <= start < end for (row, column), end in real.items()):
        return None
    at = match.start("codes") - origin
    codes = [(one[0], at + one.start(), at + one.end()) for one in _CODE.finditer(match["codes"] or "")]
    end = codes[-1][2] if codes else match.end() - origin
    return NoqaComment(first, last, line, start, end, tuple(codes))


def hands_off(line: int, path: str = "") -> str:
    """Why a fix is not offered that would change a line which a comment marks; ``path`` names another file."""
    return f"line {line}{f' of {path}' if path else ''} is marked noqa"


def _lines(text: str) -> list[str]:
    """The lines as flake8 reads them: universal newlines, no byte order mark."""
    return io.StringIO(text.removeprefix("\ufeff"), newline=None).readlines()


def _inline(lines: list[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    # Physical lines first: the joined ones after them overwrite what they know better.
    for first, last in [*((number, number) for number in range(1, len(lines) + 1)), *_runs(_tokens(lines))]:
        comment = _INLINE.search("".join(lines[first - 1 : last]))
        prefixes = _prefixes(comment) if comment else ()
        yield from ((number, prefixes) for number in range(first, last + 1))


def _prefixes(comment: re.Match[str]) -> tuple[str, ...]:
    codes = comment["codes"]
    if codes is None:
        return _ANY_CODE
    return tuple(_CODE.findall(codes))


def _tokens(lines: list[str]) -> list[tokenize.TokenInfo]:
    """The tokens of the lines; none at all where the text is not Python."""
    try:
        return list(tokenize.generate_tokens(iter(lines).__next__))
    except (tokenize.TokenError, SyntaxError):
        return []


def _runs(tokens: Iterable[tokenize.TokenInfo]) -> list[tuple[int, int]]:
    """The first and last line of every run of lines that tokens join."""
    runs = []
    first, last = sys.maxsize, 0
    for token in tokens:
        if token.type in (tokenize.ENDMARKER, tokenize.DEDENT):
            continue
        first, last = min(first, token.start[0]), max(last, token.end[0])
        if token.type in (tokenize.NL, tokenize.NEWLINE):
            runs.append((first, last))
            first, last = sys.maxsize, 0
    return runs
