"""Finds and rewrites Python code that falls short of the Claude API's versioning.

``check_source``, ``fix_source`` and ``check_paths`` are for other programs. They are imported when they are asked for:
flake8 imports this package in every run, also in those that have nothing to do with the API.
"""

TYPE_CHECKING = False  # type checkers take it for typing's, which would cost an import
if TYPE_CHECKING:
    from claude_api_lint.configuration import ConfigurationError
    from claude_api_lint.findings import Applicability, Confidence, Edit, Finding, Fix
    from claude_api_lint.fixer import FixResult
    from claude_api_lint.interface import PathsResult, check_paths, check_source, fix_source
    from claude_api_lint.linter import CheckResult

__all__ = [
    "Applicability",
    "CheckResult",
    "Confidence",
    "ConfigurationError",
    "Edit",
    "Finding",
    "Fix",
    "FixResult",
    "PathsResult",
    "check_paths",
    "check_source",
    "fix_source",
]

_HOMES = {
    "configuration": ("ConfigurationError",),
    "findings": ("Applicability", "Confidence", "Edit", "Finding", "Fix"),
    "fixer": ("FixResult",),
    "interface": ("PathsResult", "check_paths", "check_source", "fix_source"),
    "linter": ("CheckResult",),
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            import importlib

            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
