"""What a run was asked to do, from wherever it was asked: plain data, decided before any file is read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The settings of one run.

    ``target_version`` is a version of the history in ``api/versions.toml``, or None for the default target.
    ``select`` and ``ignore`` are prefixes of rule codes (``CAV1``, ``CAV101``): a rule runs when a prefix of ``select``
    matches it (an empty ``select`` matches all) and the longest matching prefix is not one of ``ignore``.
    ``unsafe_fixes`` lets the fixer apply unsafe fixes. ``honour_noqa`` is off where somebody else (flake8) does it.
    """

    target_version: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe_fixes: bool = False
    honour_noqa: bool = True

    def selects(self, code: str) -> bool:
        """Whether the rule with this code runs; of two prefixes that match, the longer one decides, then ``ignore``."""
        selected = max((len(prefix) for prefix in self.select if code.startswith(prefix)), default=-1)
        ignored = max((len(prefix) for prefix in self.ignore if code.startswith(prefix)), default=-1)
        if not self.select:
            return ignored < 0
        return selected > ignored
