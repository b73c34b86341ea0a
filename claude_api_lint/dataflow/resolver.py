"""What an import names: the one place that knows where a module of the analysed program is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from claude_api_lint.dataflow.values import External, Value

if TYPE_CHECKING:
    from claude_api_lint.dataflow.module import Module


class Resolver(Protocol):
    """Answers what ``import`` statements name."""

    def resolve(self, importer: Module, module: str, name: str | None) -> Value:
        """The value of ``from module import name`` in ``importer``, or of ``import module`` where ``name`` is None.

        ``module`` keeps the dots of a relative import.
        """


class OneFile:
    """Knows the importing file alone: every import names something external.

    The name of a relative import begins with a dot, which tells that the project itself defines it.
    """

    def resolve(self, importer: Module, module: str, name: str | None) -> Value:
        if name is None:
            return External(module)
        return External(f"{module}{name}" if module.endswith(".") else f"{module}.{name}")
