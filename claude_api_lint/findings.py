"""What a rule reports: findings, the fixes that they carry, and the edits that fixes are made of."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

OWN_PREFIX = "CAV"
"""What the codes of this distribution begin with; no other may bring such a code."""


class Confidence(str, enum.Enum):
    """How a finding is known."""

    CERTAIN = "certain"
    """The dataflow proves it."""
    LIKELY = "likely"
    """Independent evidence carries it; a careful reader would agree."""


class Applicability(str, enum.Enum):
    """Whether a fix may be merged unread."""

    SAFE = "safe"
    """Right on the target version, and nothing else changes."""
    UNSAFE = "unsafe"
    """A person should look; applied on request only."""


@dataclass(frozen=True, order=True)
class Edit:
    """Replace the characters from ``start`` up to ``end`` (0-based offsets into a file's text) by ``text``.

    ``path`` is the absolute path of another file that is edited; it is empty for the finding's own.
    """

    start: int
    end: int
    text: str
    path: str = ""


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made; they must not overlap, and equal ones are made once."""
    pieces: list[str] = []
    position = 0
    for edit in sorted(set(edits)):
        pieces += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*pieces, text[position:]])


@dataclass(frozen=True)
class Fix:
    """Edits that belong together: all of them are applied, or none.

    ``title`` says in the imperative what the fix does, without a full stop. ``region`` is the part of the text (two
    offsets) that it rearranges: no other fix may edit anything there at the same time, also between the edits.
    """

    title: str
    applicability: Applicability
    edits: tuple[Edit, ...]
    region: tuple[int, int] | None = None


@dataclass(frozen=True)
class Finding:
    """One thing found in one file.

    ``path`` is the file's path as it was given. ``line`` and ``column`` count from 1, columns in characters;
    ``end_line`` and ``end_column`` name the place just after the last character. ``fix`` is None where no fix is
    offered, and ``no_fix_reason`` then says why. ``cell`` (from 1) is the cell of a notebook that the lines count in.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    code: str
    name: str
    message: str
    confidence: Confidence
    fix: Fix | None = None
    no_fix_reason: str | None = None
    cell: int | None = None

    @property
    def is_safe(self) -> bool:
        """Whether ``fix`` mends it without being asked twice."""
        return self.fix is not None and self.fix.applicability is Applicability.SAFE

    @property
    def sort_key(self) -> tuple[str, int, int, int, str, str]:
        """The order of every report: file, cell, line, column, code."""
        return (self.path, self.cell or 0, self.line, self.column, self.code, self.message)

    def changes(self) -> Iterator[tuple[str, tuple[Edit, ...]]]:
        """The files that the fix changes, each by its path with the edits of its text; nothing without a fix."""
        edits = self.fix.edits if self.fix is not None else ()
        for path in dict.fromkeys(edit.path for edit in edits):
            yield path or self.path, tuple(edit for edit in edits if edit.path == path)


@dataclass(frozen=True)
class RulePage:
    """What a rule says of itself. ``page`` is its page in the manual, of which the first line is the summary."""

    code: str
    name: str
    page: str

    @property
    def summary(self) -> str:
        """What the rule reports, in a sentence."""
        return self.page.partition("\n")[0]
