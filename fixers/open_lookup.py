"""CAV403."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
from claude_api_lint.lint_rules.closed_lookup import Closed

from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.trees import Scope, bound_by, dotted, is_literal, last_name, root_name, string_value, walk
from claude_api_lint.dataflow.values import Class, Const, Mapping, Thunk
from claude_api_lint.findings import Applicability, Fix
from claude_api_lint.fixes import Change, Fixer, NoFix, rewriting
from claude_api_lint.layout import quoted
from claude_api_lint.rule import Violation

# What other protocols call the normal end of an answer: a table of such words has them for a default.
_NEUTRAL = ("stop",)
_OTHERS = ("UNKNOWN", "OTHER", "UNRECOGNIZED", "unknown", "other")


class OpenLookup(Fixer):
    """Gives a lookup the neutral default that its table, or its Enum, has."""

    code = "CAV403"

    def fix(self, violation: Violation) -> Fix | NoFix:
        evidence, node = violation.evidence, violation.node
        assert isinstance(evidence, Closed)
        if isinstance(node, cst.Subscript) and evidence.table is not None:
            return self._with_default(node, evidence.table)
        if isinstance(node, cst.Call) and last_name(node.func) == "getattr":
            return self._with_none(node)
        return self._with_missing(node) if isinstance(node, cst.Call) else NoFix("there is no member for others")

    def _fix(self, title: str, changes: dict[cst.CSTNode, Change]) -> Fix | NoFix:
        edits = rewriting(self.analysis.module, changes)
        return edits if isinstance(edits, NoFix) else Fix(title, Applicability.UNSAFE, edits)

    # Tables

    def _with_default(self, node: cst.Subscript, table: cst.BaseExpression) -> Fix | NoFix:
        default = self._default_of(table)
        if default is None:
            return NoFix("no value of the table is evidently the one for others")
        index = node.slice[0].slice
        assert isinstance(index, cst.Index)
        space = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        arguments = [cst.Arg(index.value, comma=space), cst.Arg(default)]
        looked_up = cst.Call(cst.Attribute(table, cst.Name("get")), arguments, lpar=node.lpar, rpar=node.rpar)
        return self._fix("look it up with a default", {node: lambda _: looked_up})

    def _default_of(self, table: cst.BaseExpression) -> cst.BaseExpression | None:
        """The default that the module gives the table elsewhere, or the table's neutral value, as it is written."""
        for call in self.analysis.module.nodes(cst.Call, last_name(table) or "get"):
            asks = isinstance(call.func, cst.Attribute) and call.func.attr.value == "get" and len(call.args) == 2
            if asks and dotted(table) is not None and dotted(call.func.value) == dotted(table):  # type: ignore[attr-defined]
                default = call.args[1].value
                return default if self._means_the_same(default, table) else None
        return next((value for written in self._neutral(table) if (value := self._repeated(written, table))), None)

    def _neutral(self, table: cst.BaseExpression) -> Iterator[cst.CSTNode]:
        """Where the neutral values of a table are written."""
        evaluator = self.analysis.evaluator
        for alternative in evaluator.evaluate(table, evaluator.frame_of(self.analysis.module, table)):
            for entry in alternative.value.entries if isinstance(alternative.value, Mapping) else ():
                value, place = evaluator.only(entry.value), evaluator.place_of(entry.value)
                node = entry.value.node if isinstance(entry.value, Thunk) else place.node if place is not None else None
                named = (last_name(node) or "").lower() if node is not None else ""
                if node is not None and (named in _NEUTRAL or (isinstance(value, Const) and value.value in _NEUTRAL)):
                    yield node

    def _repeated(self, written: cst.CSTNode, table: cst.BaseExpression) -> cst.BaseExpression | None:
        """What a table writes, for the place where the table is used; None where it would not be the same there."""
        word = string_value(written)
        if isinstance(word, str):
            return quoted(word, table, self.analysis.module.statement_of(table).tree)
        if not isinstance(written, cst.Name | cst.Attribute) or not self._means_the_same(written, table):
            return None
        return written.with_changes(lpar=[], rpar=[])

    def _means_the_same(self, written: cst.BaseExpression, place: cst.CSTNode) -> bool:
        """Whether an expression is the same at another place: a literal, or a name that both places share."""
        module = self.analysis.module
        if is_literal(written):
            return True
        if dotted(written) is None or not module.owns(written):
            return False
        here, there = list(self._scopes(written)), list(self._scopes(place))
        binding = [scope for scope in {*here, *there} if self._binds(scope, str(root_name(written)))]
        return all(scope in here and scope in there and not isinstance(scope, cst.ClassDef) for scope in binding)

    def _scopes(self, node: cst.CSTNode) -> Iterator[Scope]:
        """The functions and classes whose names may be used at a node, or hide those of the module."""
        scope = self.analysis.module.scope_of(node)
        while scope is not None:
            yield scope
            scope = self.analysis.module.scope_of(scope)

    def _binds(self, scope: Scope, name: str) -> bool:
        if isinstance(scope, cst.ClassDef):
            return any(name in bound_by(node) for node in walk(scope.body, into_scopes=False))
        return self.analysis.evaluator.flow.binds(scope, name)

    # Methods

    def _with_none(self, node: cst.Call) -> Fix | NoFix:
        """``getattr(self, name, None)``, where the result is tested before it is called."""
        step = self.analysis.module.step_of(node)
        name = dotted(step.targets[0].target) if isinstance(step, cst.Assign) else None
        scope = self.analysis.module.scope_of(node)
        if name is None or not isinstance(scope, cst.FunctionDef):
            return NoFix("the method is called without a test whether there is one")
        tests = [inner.test for inner in walk(scope.body) if isinstance(inner, cst.If | cst.IfExp)]
        if not any(name in {dotted(n) for n in walk(test)} for test in tests):
            return NoFix("the method is called without a test whether there is one")
        space = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        last = node.args[-1].with_changes(comma=space)
        changed = node.with_changes(args=[*node.args[:-1], last, cst.Arg(cst.Name("None"))])
        return self._fix("ask for None where there is no method", {node: lambda _: changed})

    # Enums

    def _with_missing(self, node: cst.Call) -> Fix | NoFix:
        """``_missing_`` for an Enum that has a member for others."""
        evaluator = self.analysis.evaluator
        found = evaluator.evaluate(node.func, evaluator.frame_of(self.analysis.module, node))
        cls = next((a.value.node for a in found if isinstance(a.value, Class)), None)
        if cls is None or not isinstance(cls.body, cst.IndentedBlock):
            return NoFix("there is no member for others")
        members = [n for step in self.analysis.module.block(cls.body).steps for n in _members(step)]
        other = next((name for name in _OTHERS if name in members), None)
        if other is None:
            return NoFix("the Enum has no member for others")
        method = cst.parse_statement(f"@classmethod\ndef _missing_(cls, value):\n    return cls.{other}\n")
        method = method.with_changes(leading_lines=[cst.EmptyLine(indent=False)])
        return self._fix(
            f"let the Enum take other values for {other}",
            {cls.body: lambda updated: updated.with_changes(body=[*updated.body, method])},  # type: ignore[attr-defined]
        )


def _members(step: cst.CSTNode) -> list[str]:
    return [str(dotted(target.target)) for target in step.targets] if isinstance(step, cst.Assign) else []


__getattr__ = command_of(OpenLookup)
