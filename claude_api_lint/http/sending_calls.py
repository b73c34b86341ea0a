"""Cheap looks, before anything is evaluated: which calls may send a request, or lead to another file that does."""

from __future__ import annotations

import builtins
import re

import libcst as cst

from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import is_literal, last_name, root_name, string_value
from claude_api_lint.http.registry import Registry
from claude_api_lint.http.wrappers import (
    Wrappers,
    has_sending_word,
    is_named_as_target,
    is_request_word,
    may_send_by_name,
    names_target,
)
from claude_api_lint.parsing import Statement

# What nearly everybody calls what is looked up in a dict.
_KEY_NAME = re.compile(r"(^|_)(key|name|field|attr|id|model|type|kind|role)$", re.IGNORECASE)

# Methods of loggers, texts, containers and models.
_NEVER_SENDING = frozenset(
    "debug info warning error exception critical log append extend insert pop update setdefault items keys values copy "
    "format join split strip replace startswith endswith encode decode lower upper "
    "model_copy model_dump model_dump_json model_validate".split()
)


class SendingCalls:
    """Tells the calls of a module that are worth a question. ``paths`` are single words that may be a request's path,
    relative to a client's base URL.
    """

    def __init__(self, evaluator: Evaluator, registry: Registry, wrappers: Wrappers, paths: frozenset[str]) -> None:
        self.evaluator = evaluator
        self.registry = registry
        self._wrappers = wrappers
        self._paths = paths
        self._last_names = registry.last_names

    def may_be_in(self, module: Module, statement: Statement) -> bool:
        """Whether a call of a statement may send a request, or lead to another file that does."""
        if statement.shapes is None or not statement.words.isdisjoint(self.evaluator.imports.from_project(module)):
            return True
        names = self._last_names if "curl" in module.words else self._last_names - self.registry.command_names
        if "base_url" in module.words and "get" in statement.words:
            return True
        if "partial" in module.words:
            return any(shape.calls for shape in statement.shapes)
        return any(
            "" in shape.calls
            or not names.isdisjoint(shape.calls | shape.passed)
            or any(map(has_sending_word, shape.calls))
            or any(map(is_request_word, shape.keywords))
            for shape in statement.shapes
        )

    def may_send(self, module: Module, call: cst.Call) -> bool:
        """A cheap look before anything is evaluated."""
        name = last_name(call.func)
        if name in self.registry.command_names and "curl" not in module.words:
            return False
        if self._looks_up_a_key(module, call) or (
            isinstance(call.func, cst.Name) and hasattr(builtins, call.func.value)
        ):
            return False
        if name in self._last_names:
            return True
        if "partial" in module.words and (self._may_be_partial(module, call) or passes_partial(call)):
            return True
        if module.is_test and name is not None and name[:1].isupper():
            return False  # an object made up for a test, which nobody sends
        if name is None:  # ``SENDERS[method](url, headers=headers)``
            return len(call.args) > 1
        return (
            any(map(is_named_as_target, call.args)) and may_send_by_name(name)
        ) or self._wrappers.looks_like_request(call)

    def _looks_up_a_key(self, module: Module, call: cst.Call) -> bool:
        """``mapping.get("key")``, ``mapping.get(key, None)``: no path, and no argument that a request would have."""
        if last_name(call.func) != "get" or not 0 < len(call.args) < 3 or any(a.keyword or a.star for a in call.args):
            return False
        key, written = call.args[0], string_value(call.args[0].value)
        if isinstance(written, str):
            is_path = "/" in written or " " in written or ("base_url" in module.words and written in self._paths)
            return not is_path
        if names_target(key):
            return False
        if len(call.args) == 2:
            return _is_plain_default(call.args[1].value)
        return _KEY_NAME.search(last_name(key.value) or "") is not None

    def _may_be_partial(self, module: Module, call: cst.Call) -> bool:
        """Whether what a call calls by its bare name may be made by ``functools.partial``: no function of its own."""
        if not isinstance(call.func, cst.Name):
            return False
        name, scope = call.func.value, module.scope_of(call)
        while scope is not None:
            if not isinstance(scope, cst.ClassDef) and self.evaluator.flow.binds(scope, name):
                return True
            scope = module.scope_of(scope)
        return any("partial" in statement.words and not statement.defines for statement in module.binders(name))

    def may_reach(self, module: Module, call: cst.Call) -> bool:
        """Whether a call may lead into another file, by what it is called or by its arguments."""
        imported = self.evaluator.imports.from_project(module)
        name = last_name(call.func) or ""
        if not imported or name in _NEVER_SENDING or self._looks_up_a_key(module, call):
            return False
        if not (has_sending_word(name) and may_send_by_name(name)) and not any(map(names_target, call.args)):
            return False
        if root_name(call.func) in imported:
            return True
        return isinstance(call.func, cst.Attribute) and not imported.isdisjoint(module.statement_of(call).words)


def _is_plain_default(node: cst.BaseExpression) -> bool:
    """Whether a value is what a lookup falls back on: a constant, or an empty list, tuple or dict."""
    if isinstance(node, cst.List | cst.Tuple | cst.Dict):
        return not node.elements
    return is_literal(node)


def passes_partial(call: cst.Call) -> bool:
    """Whether an argument is made by ``functools.partial``."""
    values = [argument.value for argument in call.args]
    return any(isinstance(value, cst.Call) and last_name(value.func) == "partial" for value in values)
