"""What a run was asked to do, from wherever it was asked: plain data, decided before any file is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claude_api_lint.findings import Applicability


@dataclass(frozen=True)
class Settings:
    """The settings of one run.

    ``target_version`` is a version of the history in ``api/versions.toml``, or None for the default target.
    ``select`` and ``ignore`` are prefixes of rule codes (``CAV1``, ``CAV101``): a rule runs when a prefix of ``select``
    matches it (an empty ``select`` matches all) and the longest matching prefix is not one of ``ignore``.
    ``unsafe_fixes`` lets the fixer apply unsafe fixes. ``honour_noqa`` is off where somebody else (flake8) does it.
    ``ignore_here`` are prefixes of rules that do not run on this file, whatever is selected. ``safe_fixes`` and
    ``unsafe_fixes_of`` are prefixes of rules whose fixes count as safe, or as unsafe, whatever the fixer says; of two
    that match, the longer one decides.
    """

    target_version: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe_fixes: bool = False
    honour_noqa: bool = True
    ignore_here: tuple[str, ...] = ()
    safe_fixes: tuple[str, ...] = ()
    unsafe_fixes_of: tuple[str, ...] = ()

    def selects(self, code: str) -> bool:
        """Whether the rule with this code runs; of two prefixes that match, the longer one decides, then ``ignore``."""
        if code.startswith(self.ignore_here):
            return False
        ignored = _longest(self.ignore, code)
        return _longest(self.select, code) > ignored if self.select else ignored < 0

    def applicability(self, code: str, otherwise: Applicability) -> Applicability:
        """Whether the fixes of a rule count as safe, where its fixer says ``otherwise``."""
        safe, unsafe = _longest(self.safe_fixes, code), _longest(self.unsafe_fixes_of, code)
        if safe == unsafe == -1:
            return otherwise
        from claude_api_lint.findings import Applicability

        return Applicability.SAFE if safe > unsafe else Applicability.UNSAFE


def _longest(prefixes: tuple[str, ...], code: str) -> int:
    """The length of the longest prefix that matches; -1 where none does."""
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)
