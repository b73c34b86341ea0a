"""The rules of this distribution: every module of ``lint_rules`` that has one."""

from __future__ import annotations

import ast
import importlib
import importlib.resources
import re
import types
from functools import cache
from typing import TYPE_CHECKING, TypeGuard

from claude_api_lint.findings import RulePage

if TYPE_CHECKING:
    from claude_api_lint.rule import Rule

_PACKAGE = "claude_api_lint.lint_rules"
_ATTRIBUTE = re.compile(r'^    (code|name) = "([^"]+)"$', re.MULTILINE)


def is_class(value: object) -> TypeGuard[type]:
    """Whether a value is a class; in Python 3.10 ``dict[str, int]`` says that it is a type, too."""
    return isinstance(value, type) and not isinstance(value, types.GenericAlias)


@cache
def rule_codes() -> dict[str, str]:
    """The name of each rule by its code, in the order of the codes.

    The modules are read, not imported: to know what a code stands for must not cost an import of LibCST.
    """
    codes: dict[str, str] = {}
    for module in importlib.resources.files(_PACKAGE).iterdir():
        if module.name.endswith(".py") and not module.name.startswith("_"):
            attributes = dict(_ATTRIBUTE.findall(module.read_text(encoding="utf-8")))
            if "code" in attributes:
                codes[attributes["code"]] = attributes["name"]
    return dict(sorted(codes.items()))


@cache
def rule_pages() -> tuple[RulePage, ...]:
    """The pages of the rules, in the order of their codes; read from their modules, as the codes are."""
    pages: list[RulePage] = []
    for module in importlib.resources.files(_PACKAGE).iterdir():
        if module.name.endswith(".py") and not module.name.startswith("_"):
            text = module.read_text(encoding="utf-8")
            for node in ast.parse(text).body:
                attributes = dict(_ATTRIBUTE.findall(ast.get_source_segment(text, node) or ""))
                if isinstance(node, ast.ClassDef) and "code" in attributes:
                    pages.append(RulePage(attributes["code"], attributes["name"], ast.get_docstring(node) or ""))
    return tuple(sorted(pages, key=lambda page: page.code))


@cache
def rule_classes() -> tuple[type[Rule], ...]:
    """The rules, in the order of their codes."""
    from claude_api_lint.rule import Rule

    found: dict[str, type[Rule]] = {}
    for module in importlib.resources.files(_PACKAGE).iterdir():
        if not module.name.endswith(".py") or module.name.startswith("_"):
            continue
        for value in vars(importlib.import_module(f"{_PACKAGE}.{module.name[:-3]}")).values():
            if is_class(value) and issubclass(value, Rule) and value is not Rule and hasattr(value, "code"):
                found[value.code] = value
    return tuple(found[code] for code in sorted(found))
