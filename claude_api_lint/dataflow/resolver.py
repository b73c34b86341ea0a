"""What an import names: the one place that knows where a module of the analysed program is found."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from claude_api_lint.dataflow.module import Module, Reading
from claude_api_lint.dataflow.project import File, Import, Project, imports_in
from claude_api_lint.dataflow.values import Namespace
from claude_api_lint.parsing import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    import libcst as cst

MAX_READING = 250_000
"""Characters of statements of other files that are looked into for the sake of one file; what they are beyond that is
unknown. The Claude provider of esperanto 2.28, a library of 84 modules, takes 53,000."""
MAX_KEPT = 600_000
"""Characters of statements whose trees are kept for the next file; a tree takes about 500 bytes for each."""


class Resolver(Protocol):
    """Finds the modules of the analysed project."""

    @property
    def is_exhausted(self) -> bool:
        """Whether so much of other modules was looked into that what they have counts as unknown from now on."""

    def may_look_into(self, module: Module, statements: Iterable[Statement]) -> bool:
        """Whether so much of a module may be looked into."""

    def find(self, importer: Module, name: str) -> Namespace | None:
        """What ``import name`` names in a module; the name keeps the dots of a relative import.

        None for what the project does not have.
        """

    def inside(self, package: Namespace, name: str) -> Namespace | None:
        """A module of a package by its last name."""

    def names_from_project(self, module: Module) -> Iterable[str]:
        """The names that a module's imports bind to something of the project's other modules."""

    def importers(self, module: Module, name: str) -> Iterable[tuple[Module, frozenset[str]]]:
        """The other modules that have a name as a word and import from a module, with the names that they import."""

    def users(self, module: Module, name: str) -> Iterable[Module]:
        """The other modules of the project that have a name as a word."""

    def owner(self, node: cst.CSTNode) -> Module | None:
        """The other module that a node stands in."""

    def at(self, path: str) -> Module | None:
        """The other module that is read from a file, by its absolute path."""


class OneFile:
    """Knows the importing file alone: every import names something external."""

    is_exhausted = False

    def may_look_into(self, module: Module, statements: Iterable[Statement]) -> bool:
        return True

    def find(self, importer: Module, name: str) -> Namespace | None:
        return None

    def inside(self, package: Namespace, name: str) -> Namespace | None:
        return None

    def names_from_project(self, module: Module) -> Iterable[str]:
        return ()

    def importers(self, module: Module, name: str) -> Iterable[tuple[Module, frozenset[str]]]:
        return ()

    def users(self, module: Module, name: str) -> Iterable[Module]:
        return ()

    def owner(self, node: cst.CSTNode) -> Module | None:
        return None

    def at(self, path: str) -> Module | None:
        return None


class Across:
    """Follows imports through the files of a project; a file is parsed once in a run, as long as memory allows."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._modules: dict[str, Module | None] = {}
        self._reading = Reading(MAX_READING)

    def adopt(self, module: Module) -> Module:
        """The module to check: the one that other files have led to already, where it is of the same text."""
        path = os.path.abspath(module.path)
        known = self._modules.get(path)
        if known is not None and known.source == module.source:
            known.path = module.path
            module = known
        self._modules.pop(path, None)
        self._modules[path] = module
        self._reading = Reading(MAX_READING)
        self._reading.may_open(path, 0)
        for other in self._modules.values():
            if other is not None:
                other.reading = None if other is module else self._reading
        return module

    @property
    def is_exhausted(self) -> bool:
        return self._reading.is_over

    def may_look_into(self, module: Module, statements: Iterable[Statement]) -> bool:
        return module.reading is None or module.reading.allows(statements)

    def forget(self, path: str) -> None:
        """Parse a file again when it is asked for next: it was changed."""
        self._modules.pop(os.path.abspath(path), None)

    def release(self) -> None:
        """Let trees go that take too much memory, those of the modules first that were asked for longest ago."""
        modules = [module for module in self._modules.values() if module is not None and module.parsed]
        kept = sum(module.parsed for module in modules)
        for module in modules:
            if kept <= MAX_KEPT:
                return
            kept -= module.parsed
            module.forget_trees()

    def find(self, importer: Module, name: str) -> Namespace | None:
        found = self.project.find(importer.path, name)
        return self._namespace(found) if found is not None else None

    def inside(self, package: Namespace, name: str) -> Namespace | None:
        folder = package.path
        if folder.endswith(".py"):
            if os.path.basename(folder) != "__init__.py":
                return None
            folder = os.path.dirname(folder)
        found = self.project.inside(folder, [name])
        return self._namespace(found) if found is not None else None

    def names_from_project(self, module: Module) -> Iterable[str]:
        for found in imports_in(module.source.text):
            if self.project.find(module.path, found.module) is not None:
                yield from self._star_names(module, found) if found.name == "*" else (found.bound,)

    def _star_names(self, module: Module, found: Import) -> Iterable[str]:
        source = self.find(module, found.module)
        if source is None or source.module is None:
            return ()
        return frozenset().union(*(statement.binds or frozenset() for statement in source.module.statements))

    def importers(self, module: Module, name: str) -> Iterable[tuple[Module, frozenset[str]]]:
        for path in self.project.users(module.path, name):
            file = self.project.file(path)
            imported = frozenset(self._names_from(file, module)) if file is not None else frozenset[str]()
            user = self._module(path) if imported else None
            if user is not None:
                yield user, imported

    def _names_from(self, importer: File, module: Module) -> Iterable[str]:
        """The names that a file's imports may bind to a module, or to what it has."""
        path = os.path.abspath(module.path)
        for found in importer.imports:
            source = self.project.find(importer.path, found.module)
            if source is not None and self.project.may_give(source, found.name, path):
                yield from module.words if found.name == "*" else (found.bound,)

    def users(self, module: Module, name: str) -> Iterable[Module]:
        for path in self.project.users(module.path, name):
            other = self._module(path)
            if other is not None:
                yield other

    def owner(self, node: cst.CSTNode) -> Module | None:
        return next((module for module in self._modules.values() if module is not None and module.owns(node)), None)

    def at(self, path: str) -> Module | None:
        return self._modules.get(path)

    def _namespace(self, path: str) -> Namespace:
        return Namespace(path, self._module(path) if path.endswith(".py") else None)

    def _module(self, path: str) -> Module | None:
        file = self.project.file(path)  # asked for each time: an answer rests on it
        if file is None or not self._reading.may_open(path, len(file.data)):
            return None
        module = self._modules.pop(path) if path in self._modules else self._read(path, file)
        self._modules[path] = module  # the last one: ``release`` begins with the first
        return module

    def _read(self, path: str, file: File) -> Module | None:
        if file.source is None or file.statements is None:
            return None
        module = Module(file.source, self.project.shown(path), file.statements)
        module.reading = self._reading
        return module
