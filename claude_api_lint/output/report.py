"""What a report is made from: the same for every format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from claude_api_lint.source import Source

if TYPE_CHECKING:
    from claude_api_lint.findings import Finding, RulePage


class Skipped(NamedTuple):
    """A file that could not be checked, or not all of it, and why; the path is empty where it is about no file."""

    path: str
    reason: str


@dataclass(frozen=True)
class Report:
    """What a run came to.

    ``findings`` are what was found, or what ``fix`` has left; ``fixed`` is what it has fixed. ``scanned`` counts the
    files that were looked at; ``known`` the findings that are left out because they stand in the baseline.
    ``read`` gives the text of a file by its path, as it is now, or None where it is gone; ``pages`` gives the pages of
    all rules.
    """

    findings: tuple[Finding, ...]
    read: Callable[[str], Source | None]
    pages: Callable[[], Iterable[RulePage]]
    scanned: int = 0
    skipped: tuple[Skipped, ...] = ()
    known: int = 0
    fixed: tuple[Finding, ...] = ()
    color: bool = False

    @cached_property
    def version(self) -> str:
        """The version of this tool."""
        from importlib.metadata import PackageNotFoundError, version  # slow to import, and few formats tell it

        try:
            return version("claude-api-lint")
        except PackageNotFoundError:  # unpacked, and never installed
            return "0"

    @cached_property
    def rules(self) -> dict[str, RulePage]:
        """The pages of all rules by their codes."""
        return {page.code: page for page in self.pages()}

    def changes(self, finding: Finding) -> Iterator[tuple[str, Source, Source]]:
        """What the fix of a finding, if it has one, would change: path, text before, and text after."""
        from claude_api_lint.findings import apply

        for path, edits in finding.changes():
            before = self.read(path)
            if before is not None:
                yield path, before, Source(apply(before.text, edits), before.encoding, before.bom)


Render = Callable[[Report], str]
