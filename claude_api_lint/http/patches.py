"""Patches: what a program puts in the place of a library's own functions and methods."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import root_name
from claude_api_lint.dataflow.values import Const, External, Made, Prepared, Thunk, Value
from claude_api_lint.http.registry import Registry

# The first names of what attributes are set on, where a line begins with it.
_SETTING = re.compile(r"^[ \t]*(?!self\b)([^\W\d]\w*)(?:\.\w+)+[ \t]*=(?!=)", re.MULTILINE)
_BRINGING_HEADERS = frozenset({"headers", "auth", "*", "**"})


class Patches:
    """Finds what a module replaces in client libraries; each module is looked at once."""

    def __init__(self, evaluator: Evaluator, registry: Registry) -> None:
        self.evaluator = evaluator
        self._prefixes = tuple(f"{library.name}." for library in registry.libraries)
        self._known: dict[Module, bool] = {}

    def are_in(self, module: Module) -> bool:
        """Whether a module replaces something of a client library: ``requests.Session.request = patched``."""
        if module not in self._known:
            self._known[module] = any(
                self._is_of_library(Thunk(owner, self.evaluator.frame_of(module, owner)))
                and may_add_headers(self.evaluator.only(Thunk(value, self.evaluator.frame_of(module, value))))
                for owner, value in _replaced(module)
            )
        return self._known[module]

    def _is_of_library(self, owner: Thunk) -> bool:
        known = self.evaluator.only(owner)
        return isinstance(known, External) and f"{known.name}.".startswith(self._prefixes)


def may_add_headers(value: Value) -> bool:
    """Whether what stands in the place of a method may add headers: constants do not, nor the method itself with
    further arguments.
    """
    if isinstance(value, Prepared) or (isinstance(value, Made) and value.name == "functools.partialmethod"):
        given = {argument.keyword.value if argument.keyword else argument.star for argument in value.call.args[1:]}
        return not given.isdisjoint(_BRINGING_HEADERS)
    return not isinstance(value, Const)


def _replaced(module: Module) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """What a module imports and sets attributes of, each with what it sets."""
    imported = {word for statement in module.statements if "import" in statement.words for word in statement.words}
    for statement in module.statements:
        roots = imported.intersection(_SETTING.findall(statement.text))
        for node in module.nodes_of(cst.Assign, statement) if roots else ():
            for target in node.targets:
                if isinstance(target.target, cst.Attribute) and root_name(target.target) in roots:
                    yield target.target.value, node.value
    for call in module.calls_of("setattr"):
        if len(call.args) == 3:
            yield call.args[0].value, call.args[2].value
