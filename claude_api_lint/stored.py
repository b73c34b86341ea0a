"""Which expressions are values that the program reads back: what a database, a command line or its own files give it.

What is stored has been checked before it was: an unknown variant of an open value does not come from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from claude_api_lint.dataflow.trees import string_value
from claude_api_lint.dataflow.values import Derived, Made, Part, Thunk, Value
from claude_api_lint.rule import Analysis

# Methods of a database's cursors and results; what gives them may be anything.
_FETCHES = frozenset(
    "fetchone fetchall fetchmany fetchrow fetchval scalar scalars scalar_one mappings hget hgetall".split()
)
_SELECTION = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)
_SOURCES = frozenset({"argparse", "optparse", "configparser", "csv", "sqlite3"})
"""The packages that give nothing but rows, and what the command line or a file of settings says."""
_FILES = frozenset({"open", "read_text", "read_bytes"})
_PARSERS = frozenset({"load", "loads"})


class Stored:
    """Answers for one module."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    def is_read_back(self, subject: cst.BaseExpression, key: str | None) -> bool:
        """Whether a value comes from a database or the command line, or is one that the program has written itself.

        ``key`` is the key that the value is looked up by, where there is one.
        """
        if key is not None and self._writes_members(key):
            return True
        return any(self._is_source(link) for value in self._values(subject) for link in _links(value))

    def is_from_file(self, subject: cst.BaseExpression) -> bool:
        """Whether a value comes out of a file that the program opens and parses."""
        parsed = (link for value in self._values(subject) for link in _links(value) if _is_parsed(link))
        return any(
            _last_step(link) in _FILES for made in parsed for given in self._given(made) for link in _links(given)
        )

    def _values(self, node: cst.BaseExpression) -> list[Value]:
        evaluator = self.analysis.evaluator
        return [found.value for found in evaluator.evaluate(node, evaluator.frame_of(self.analysis.module, node))]

    def _given(self, made: Value) -> list[Value]:
        """What the first argument of a call is."""
        if not isinstance(made, Made) or not made.call.args:
            return []
        return [found.value for found in self.analysis.evaluator.evaluate(made.call.args[0].value, made.frame)]

    def _is_source(self, link: Value) -> bool:
        if isinstance(link, Made) and link.name.split(".")[0] in _SOURCES:
            return True
        return _last_step(link) in _FETCHES or self._selects(link)

    def _selects(self, link: Value) -> bool:
        """``db.execute("SELECT ...")``, whose rows are read one by one."""
        if not isinstance(link, Derived | Made) or link.call is None or link.frame is None or not link.call.args:
            return False
        if _last_step(link) not in ("execute", "query", "fetch"):
            return False
        return bool(_SELECTION.match(self.analysis.evaluator.pattern(Thunk(link.call.args[0].value, link.frame))))

    def _writes_members(self, key: str) -> bool:
        """Whether the module puts the value of an Enum's member under a key: ``{"key": self.reason.value}``."""
        module = self.analysis.module
        return any(
            string_value(element.key) == key and _is_value_of_member(element.value)
            for statement in module.statements
            if key in statement.text and ".value" in statement.text
            for node in module.nodes_of(cst.Dict, statement)
            for element in node.elements
            if isinstance(element, cst.DictElement)
        )


def _is_value_of_member(node: cst.BaseExpression) -> bool:
    """``self.stop_reason.value``, also where it may be None."""
    if isinstance(node, cst.IfExp):
        return _is_value_of_member(node.body) or _is_value_of_member(node.orelse)
    return isinstance(node, cst.Attribute) and node.attr.value == "value"


def _links(value: Value) -> Iterator[Value]:
    """A value, what it was taken out of, what that was taken out of, and so on."""
    while True:
        yield value
        if isinstance(value, Derived | Part):
            value = value.whole
        elif isinstance(value, Made) and value.receiver is not None:
            value = value.receiver
        else:
            return


def _is_parsed(link: Value) -> bool:
    return isinstance(link, Made) and _last_step(link) in _PARSERS


def _last_step(link: Value) -> str:
    """The name of the function or method that gave something."""
    if isinstance(link, Made):
        return link.name.rsplit(".", 1)[-1]
    return str(link.key) if isinstance(link, Derived) and link.call is not None else ""
