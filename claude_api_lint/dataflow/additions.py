"""What is put into an object elsewhere than where it is made: by other methods, functions, or code around a class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from claude_api_lint.dataflow import mappings
from claude_api_lint.dataflow.trees import ADDING_METHODS
from claude_api_lint.dataflow.values import Additions, Change, Made, Mapping, Unknown, Value


def is_addition(value: Value) -> bool:
    """Whether a value is only what is done to something that is made elsewhere."""
    return isinstance(value, Additions) or (isinstance(value, Mapping) and value.added)


def with_additions(value: Value, additions: Iterable[Value]) -> Value:
    """A value with what may have been added to it elsewhere; Unknown for an addition that is not followed."""
    for addition in additions:
        if isinstance(value, Mapping) and isinstance(addition, Mapping):
            value = mappings.merge(value, addition, certain=False)
        elif isinstance(value, Made) and isinstance(addition, Additions):
            new = [change for change in addition.changes if _adds(change) and change not in value.changes]
            value = replace(value, changes=(*value.changes, *new))
        elif isinstance(value, Made) and isinstance(addition, Unknown):
            value = replace(value, changes=(*value.changes, Change("unknown", (), value.call, value.frame)))
    return value


def _adds(change: Change) -> bool:
    """Whether a change puts something into a part of an object: what is taken out elsewhere may still be there."""
    return change.kind in ("item", "set") or (change.kind == "call" and change.path[-1] in ADDING_METHODS)
