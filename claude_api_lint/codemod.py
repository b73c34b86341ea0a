"""Fixers as LibCST codemods, for ``python -m libcst.tool codemod``.

``libcst.codemod`` takes a fifth of a second to import, so a fixer's command is made when somebody asks its module for
it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from libcst.codemod import CodemodCommand

    from claude_api_lint.fixes import Fixer


def command_of(fixer: type[Fixer]) -> Callable[[str], type[CodemodCommand]]:
    """A module-level ``__getattr__`` that knows the fixer's command, named after it: ``AddVersionHeaderCommand``."""
    made: list[type[CodemodCommand]] = []

    def __getattr__(name: str) -> type[CodemodCommand]:
        if name != f"{fixer.__name__}Command":
            raise AttributeError(f"module {fixer.__module__!r} has no attribute {name!r}")
        if not made:
            made.append(_make(fixer, name))
        return made[0]

    return __getattr__


def _make(fixer: type[Fixer], name: str) -> type[CodemodCommand]:
    import argparse

    import libcst as cst
    from libcst.codemod import CodemodCommand, CodemodContext

    from claude_api_lint.fixer import fix_source
    from claude_api_lint.settings import Settings

    class Command(CodemodCommand):
        DESCRIPTION = (fixer.__doc__ or "").strip().splitlines()[0]

        @staticmethod
        def add_args(arg_parser: argparse.ArgumentParser) -> None:
            arg_parser.add_argument("--target-version", help="the API version to write (default: the linter's)")
            arg_parser.add_argument("--unsafe-fixes", action="store_true", help="also apply unsafe fixes")

        def __init__(
            self, context: CodemodContext, target_version: str | None = None, unsafe_fixes: bool = False
        ) -> None:
            super().__init__(context)
            self.settings = Settings(target_version, select=(fixer.code,), unsafe_fixes=unsafe_fixes)

        def transform_module_impl(self, tree: cst.Module) -> cst.Module:
            result = fix_source(tree.bytes, self.context.filename or "<string>", self.settings)
            for finding in result.remaining:
                self.warn(f"{finding.path}:{finding.line}: {finding.code} {finding.message} (not fixed)")
            return cst.parse_module(result.source) if result.fixed else tree

    Command.__name__ = Command.__qualname__ = name
    Command.__module__ = fixer.__module__
    Command.__doc__ = fixer.__doc__
    return Command
