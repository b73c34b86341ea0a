"""What imports bind, and what the modules of the project have under a name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import libcst as cst

from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import dotted, string_value, walk
from claude_api_lint.dataflow.values import (
    Alternative,
    Alternatives,
    External,
    Namespace,
    Sequence,
    Thunk,
    Unknown,
    Value,
    just,
)

if TYPE_CHECKING:
    from claude_api_lint.dataflow.evaluator import Evaluator


_TOO_MUCH = "more of the project would have to be read"


class Imports:
    """Follows imports into the modules that the resolver finds."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._from_project: dict[Module, frozenset[str]] = {}

    def from_project(self, module: Module) -> frozenset[str]:
        """The names that a module imports from other modules of the project."""
        if module not in self._from_project:
            self._from_project[module] = frozenset(self.evaluator.resolver.names_from_project(module))
        return self._from_project[module]

    def imported(self, importer: Module, module: str, name: str | None) -> Alternatives:
        """What ``from module import name`` binds in ``importer``, or ``import module`` where ``name`` is None.

        What the project does not have is external; a relative import keeps its dots, which tells that the project
        itself defines it.
        """
        found = self.evaluator.resolver.find(importer, module)
        if found is None:
            return just(External(_joined(module, name)))
        return just(found) if name is None else self.member(found, name)

    def member(self, package: Namespace, name: str) -> Alternatives:
        """What a module or package has under a name."""
        return self.evaluator.remember(("member", package, name), lambda: self._member(package, name))

    def _member(self, package: Namespace, name: str) -> Iterable[Alternative]:
        if package.module is not None:
            if not self.evaluator.resolver.may_look_into(package.module, package.module.binders(name)):
                return just(Unknown(_TOO_MUCH, name))
            found = self.evaluator.flow.at_module_end(name, self.evaluator.enter(package.module))
            if found:
                return found
        below = self.evaluator.resolver.inside(package, name)
        return just(below if below is not None else Unknown(f"{name} is not found in {package.path}", name))

    def starred(self, module: Module, name: str) -> Alternatives:
        """What a name is that a module gets by ``from x import *``; nothing where no such import brings it."""
        for statement in module.star_imports:
            for node in walk(module.tree(statement)):
                if isinstance(node, cst.ImportFrom) and isinstance(node.names, cst.ImportStar):
                    found = self._from_star(module, node, name)
                    if found:
                        return found
        return ()

    def _from_star(self, module: Module, node: cst.ImportFrom, name: str) -> Alternatives:
        source = self.evaluator.resolver.find(module, source_of(node))
        if source is None or source.module is None or not self._exports(source.module, name):
            return ()
        if not self.evaluator.resolver.may_look_into(source.module, source.module.binders(name)):
            return just(Unknown(_TOO_MUCH, name))
        return self.evaluator.flow.at_module_end(name, self.evaluator.enter(source.module))

    def _exports(self, module: Module, name: str) -> bool:
        """Whether a star import takes a name: one of ``__all__``, or any that is not private."""
        declared = self.evaluator.flow.at_module_end("__all__", self.evaluator.enter(module))
        lists = [a.value for a in declared if isinstance(a.value, Sequence) and not a.value.open]
        if not lists:
            return not name.startswith("_")
        return name in {_text(item) for value in lists for item in value.items}


def _text(item: Thunk | Value) -> str | bytes | None:
    return string_value(item.node) if isinstance(item, Thunk) else None


def source_of(node: cst.ImportFrom) -> str:
    """The module that a ``from`` import names, with the dots of a relative import."""
    return "." * len(node.relative) + (dotted(node.module) or "" if node.module else "")


def _joined(module: str, name: str | None) -> str:
    if name is None:
        return module
    return f"{module}{name}" if module.endswith(".") else f"{module}.{name}"
