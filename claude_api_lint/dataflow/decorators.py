"""Decorators of the analysed program: whether what they make of a function takes and gives what the function does."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from claude_api_lint.dataflow.trees import CHANGING_METHODS, bound_by, walk


def passes_on(decorator: cst.FunctionDef) -> bool:
    """Whether a decorator's wrapper returns just what the decorated function returned to it.

    ``return function(*args)``, or a name that such a call was assigned to and that nothing was done to. A wrapper that
    returns anything else is not looked into.
    """
    inner = [node for node in walk(decorator) if isinstance(node, cst.FunctionDef)]
    functions = {node.name.value for node in inner}
    given = {parameter.name.value for node in inner for parameter in (*node.params.params, *node.params.posonly_params)}
    results = _results(decorator, given | functions)
    for node in walk(decorator):
        if isinstance(node, cst.Return) and node.value is not None:
            value = _awaited(node.value)
            is_name = isinstance(value, cst.Name) and value.value in {*given, *functions, *results, "None"}
            if not is_name and not _calls(value, given | functions):
                return False
    return True


def calls_by_wrappers(decorator: cst.FunctionDef, is_called: bool) -> list[tuple[cst.Call, cst.FunctionDef]]:
    """The calls of the decorated function in what takes its place, each with its wrapper.

    ``is_called`` tells that what decorates is what the decorator returns: ``@decorator(option)``.
    """
    inner = [node for node in decorator.body.body if isinstance(node, cst.FunctionDef)]
    found: list[tuple[cst.Call, cst.FunctionDef]] = []
    for outer in inner if is_called else [decorator]:
        names = {parameter.name.value for parameter in [*outer.params.posonly_params, *outer.params.params][:1]}
        for wrapper in walk(outer.body):
            if isinstance(wrapper, cst.FunctionDef):
                calls = (node for node in walk(wrapper.body, into_scopes=False) if isinstance(node, cst.Call))
                found += [(call, wrapper) for call in calls if _calls(call, names)]
    return found


def hands_on(call: cst.Call, wrapper: cst.FunctionDef) -> bool:
    """Whether each parameter of the wrapper is handed on as it is, and stands where it stood; keywords may be added."""
    named = [parameter.name.value for parameter in (*wrapper.params.posonly_params, *wrapper.params.params)]
    by_name = {parameter.name.value for parameter in wrapper.params.kwonly_params}
    bound_anew = {name for node in walk(wrapper.body, into_scopes=False) for name in bound_by(node)}
    place = 0
    for argument in call.args:
        name = argument.value.value if isinstance(argument.value, cst.Name) else None
        if argument.keyword is not None and argument.keyword.value in by_name:
            if name != argument.keyword.value or name in bound_anew:
                return False
            continue
        if argument.keyword is not None or argument.star == "**":
            continue
        if argument.star == "*":
            if not isinstance(wrapper.params.star_arg, cst.Param) or wrapper.params.star_arg.name.value != name:
                return False
        elif place >= len(named) or named[place] != name:
            return False
        place += argument.star == ""
    return place == len(named)


def _results(decorator: cst.FunctionDef, functions: set[str]) -> set[str]:
    """The names that hold what a function returned, and nothing else."""
    names: set[str] = set()
    others: set[str] = set(_changed(decorator))
    for node in walk(decorator):
        if isinstance(node, cst.Assign) and isinstance(node.targets[0].target, cst.Name):
            name = node.targets[0].target.value
            (names if _calls(_awaited(node.value), functions) else others).add(name)
    return names - others


def _changed(decorator: cst.FunctionDef) -> Iterator[str]:
    """The names of which something is changed in place."""
    for node in walk(decorator):
        target: cst.CSTNode | None = None
        if isinstance(node, cst.AssignTarget | cst.AugAssign | cst.Del):
            target = node.target.value if isinstance(node.target, cst.Subscript | cst.Attribute) else None
            target = node.target if isinstance(node, cst.AugAssign) and target is None else target
        elif (
            isinstance(node, cst.Call)
            and isinstance(node.func, cst.Attribute)
            and node.func.attr.value in CHANGING_METHODS
        ):
            target = node.func.value
        if isinstance(target, cst.Name):
            yield target.value


def _calls(value: cst.CSTNode, functions: set[str]) -> bool:
    return isinstance(value, cst.Call) and isinstance(value.func, cst.Name) and value.func.value in functions


def _awaited(value: cst.CSTNode) -> cst.CSTNode:
    return value.expression if isinstance(value, cst.Await) else value
