"""CAV302."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
from claude_api_lint.lint_rules.cumulative_completion import Cut, Overwritten

from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.trees import code_of, dotted, last_name, string_value, walk
from claude_api_lint.findings import Applicability, Fix
from claude_api_lint.fixes import Change, Fixer, NoFix, rewriting
from claude_api_lint.folding import removal
from claude_api_lint.layout import has_comment, quoted
from claude_api_lint.loops import Loop, loop_around
from claude_api_lint.rule import Violation
from claude_api_lint.streamed_texts import measured_text, path_of_what_came_before

Changes = dict[cst.CSTNode, Change]


class AppendIncrements(Fixer):
    """Appends each piece of a streamed text to what came before, and uses it as it is."""

    code = "CAV302"

    def fix(self, violation: Violation) -> Fix | NoFix:
        evidence = violation.evidence
        if isinstance(evidence, Overwritten):
            changes = self._appended(violation.node, evidence)
        elif isinstance(evidence, Cut):
            changes = self._uncut(violation.node, evidence)
        else:
            return NoFix("what is done with the text before it is kept may need the whole of it")
        if isinstance(changes, NoFix):
            return changes
        comments = any(
            isinstance(n, cst.SimpleStatementLine) and _goes(changes[n], n) and has_comment(n) for n in changes
        )
        edits = rewriting(self.analysis.module, changes)
        unsure = comments or self._keeps_old_version(violation) or self._is_used_piecewise(violation)
        applicability = Applicability.UNSAFE if unsure else Applicability.SAFE
        return edits if isinstance(edits, NoFix) else Fix("append what each event brings", applicability, edits)

    def _keeps_old_version(self, violation: Violation) -> bool:
        """Whether the text comes from an SDK that goes on asking for the old version until it is replaced."""
        evidence, catalog = violation.evidence, self.analysis.catalog
        assert isinstance(evidence, Cut | Overwritten)
        part = self.analysis.replies.of(evidence.text)
        return (
            part is not None
            and part.sdk is not None
            and catalog.is_outdated(part.sdk.version or "", self.analysis.target)
        )

    def _is_used_piecewise(self, violation: Violation) -> bool:
        """Whether the loop itself uses what it overwrites: it may take it for the new piece, or for all of the text."""
        evidence = violation.evidence
        if not isinstance(evidence, Overwritten):
            return False
        own = set(walk(violation.node))
        path = dotted(evidence.target) or ""
        return any(_mentions(node, path) for node in walk(evidence.loop.body) if node not in own and _is_name(node))

    # What was overwritten is appended

    def _appended(self, node: cst.CSTNode, evidence: Overwritten) -> Changes | NoFix:
        path = code_of(evidence.target)
        changes: Changes = {node: lambda _: _augmented(evidence.target, evidence.text)}
        return {**changes, **self._started_empty(path, evidence.target, evidence.loop)}

    def _started_empty(self, path: str, target: cst.BaseExpression, loop: Loop) -> Changes:
        """The changes that make a text empty before the loop."""
        before = list(self._assignments(path, outside=loop))
        value = before[-1].value if before else None
        empty = quoted("", loop)
        if value is not None and string_value(value) == "":
            return {}
        if value is not None and code_of(value) == "None":
            return {value: lambda _: empty}
        start = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(target)], empty)])  # type: ignore[arg-type]
        return {loop: lambda updated: _preceded(updated, start)}

    def _assignments(self, path: str, outside: Loop) -> Iterator[cst.Assign | cst.AnnAssign]:
        """The plain assignments of a name before a loop, in the same function or at module level."""
        module, scope = self.analysis.module, self.analysis.module.scope_of(outside)
        start = module.span(outside)[0]
        found: list[cst.Assign | cst.AnnAssign] = []
        for assign in module.nodes(cst.Assign, path.split(".")[0]):
            if any(dotted(target.target) == path for target in assign.targets):
                found.append(assign)
        for annotated in module.nodes(cst.AnnAssign, path.split(".")[0]):
            if dotted(annotated.target) == path and annotated.value is not None:
                found.append(annotated)
        for node in sorted(found, key=lambda node: module.span(node)[0]):
            if module.scope_of(node) is scope and module.span(node)[0] < start:
                yield node

    # What was cut off is not

    def _uncut(self, node: cst.CSTNode, evidence: Cut) -> Changes | NoFix:
        module = self.analysis.module
        loop = loop_around(module, node)
        if loop is None:
            return NoFix("the loop that reads the stream is elsewhere")
        measured = measured_text(evidence.seen)
        by_counter = measured is None and isinstance(node, cst.Subscript)
        path = path_of_what_came_before(evidence.seen if measured is None else measured)
        if path is None:
            return NoFix("what came before is put together from several names")
        changes = self._without_assertions(path, loop)
        gone = {inner for line in changes for inner in walk(line)}
        if any(self._compares(inner, path) for inner in walk(loop.body) if inner not in gone):
            return NoFix("a test compares with what came before")
        changes |= self._whole(node, evidence.text, path)
        kept = self._counted(path, loop, node) if by_counter else self._remembered(path, loop)
        return kept if isinstance(kept, NoFix) else {**kept, **changes}

    def _without_assertions(self, path: str, loop: Loop) -> Changes:
        """The changes that take away ``assert text.startswith(seen)``."""
        changes: Changes = {}
        for node in walk(loop.body, into_scopes=False):
            line = self.analysis.module.parent(node)
            if (
                isinstance(node, cst.Assert)
                and _begins_with(node.test, path)
                and isinstance(line, cst.SimpleStatementLine)
            ):
                changes |= removal(self.analysis.module, line)
        return changes

    def _compares(self, node: cst.CSTNode, path: str) -> bool:
        """Whether a test depends on what came before, or on its length."""
        if isinstance(node, cst.Comparison) or (isinstance(node, cst.Call) and last_name(node.func) == "startswith"):
            return _mentions(node, path)
        return False

    def _whole(self, node: cst.CSTNode, text: cst.BaseExpression, path: str) -> Changes:
        """The text as it is in place of what was cut out of it; nothing is left of ``text = text[...]``."""
        module = self.analysis.module
        parent = module.parent(node)
        if isinstance(parent, cst.IfExp) and _mentions(parent.test, path) and node is not parent.test:
            other = parent.orelse if node is parent.body else parent.body
            if code_of(other) == code_of(text):
                return {parent: lambda _: text}
        statement, line = module.parent(node), module.step_of(node)
        if isinstance(statement, cst.Assign) and code_of(statement.targets[0].target) == code_of(text):
            whole = module.parent(line) if line is not None else None
            if isinstance(whole, cst.SimpleStatementLine) and len(whole.body) == 1 and len(statement.targets) == 1:
                return removal(module, whole)
        return {node: lambda _: text}

    def _remembered(self, path: str, loop: Loop) -> Changes | NoFix:
        """The changes that let a name collect what it was overwritten with."""
        changes: Changes = {}
        appended = False
        for node in walk(loop.body, into_scopes=False):
            if isinstance(node, cst.AugAssign) and dotted(node.target) == path:
                appended = True
            if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and dotted(node.func.value) == path:
                appended = appended or node.func.attr.value in ("append", "extend")
            if not isinstance(node, cst.Assign) or len(node.targets) != 1:
                continue
            target, line = node.targets[0].target, self.analysis.module.parent(node)
            assert line is not None
            if dotted(target) == path:
                changes[node] = lambda updated: _augmented(updated.targets[0].target, updated.value)  # type: ignore[attr-defined]
            elif (index := _index_of(path, target, node.value)) is not None:
                changes[line] = lambda updated, index=index: _split(updated, index)  # type: ignore[misc]
        if not changes and not appended:
            return NoFix("it is not seen how what came before is remembered")
        if changes:
            changes |= {
                key: change
                for key, change in self._started_empty(path, cst.parse_expression(path), loop).items()
                if key is not loop
            }
        return changes

    def _counted(self, path: str, loop: Loop, node: cst.CSTNode) -> Changes | NoFix:
        """The changes that take a counter away, where nothing else reads it; else it goes on counting."""
        module = self.analysis.module
        setting = [n for n in walk(loop.body, into_scopes=False) if _sets(n, path)]
        lines = [module.parent(n) for n in setting]
        if not setting or not all(isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 for line in lines):
            return NoFix("it is not seen how what came before is counted")
        starting = list(self._assignments(path, outside=loop))
        starts = [module.parent(start) for start in starting]
        if self._is_read_elsewhere(path, loop, [*setting, *starting, node]):
            return {n: lambda updated: _counting_on(updated) for n in setting if isinstance(n, cst.Assign)}
        changes: Changes = {}
        for line in (*lines, *starts):
            if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1:
                changes |= removal(module, line)
        return changes

    def _is_read_elsewhere(self, path: str, loop: Loop, own: list[cst.CSTNode]) -> bool:
        """Whether something else than the counting itself reads a counter; an attribute may be read anywhere."""
        scope = self.analysis.module.scope_of(loop)
        if "." in path or not isinstance(scope, cst.FunctionDef):
            return True
        within = {inner for node in own for inner in walk(node)}
        names = (n for n in walk(scope.body) if isinstance(n, cst.Name) and n.value == path)
        return any(name not in within for name in names)


def _augmented(target: cst.BaseExpression, value: cst.BaseExpression) -> cst.AugAssign:
    return cst.AugAssign(target=target, operator=cst.AddAssign(), value=value)  # type: ignore[arg-type]


def _preceded(updated: cst.CSTNode, line: cst.SimpleStatementLine) -> cst.FlattenSentinel[cst.CSTNode]:
    """A loop with a line before it; blank lines stay above both, comments with the loop."""
    leading = list(updated.leading_lines)  # type: ignore[attr-defined]
    blank = [empty for empty in leading if empty.comment is None]
    comments = [empty for empty in leading if empty.comment is not None]
    return cst.FlattenSentinel([line.with_changes(leading_lines=blank), updated.with_changes(leading_lines=comments)])


def _index_of(path: str, target: cst.CSTNode, value: cst.CSTNode) -> int | None:
    """The place of a name in ``new, seen = ..., ...``."""
    if not isinstance(target, cst.Tuple) or not isinstance(value, cst.Tuple):
        return None
    if len(target.elements) != len(value.elements):
        return None
    return next((i for i, element in enumerate(target.elements) if dotted(element.value) == path), None)


def _split(updated: cst.CSTNode, index: int) -> cst.FlattenSentinel[cst.CSTNode]:
    """``new, seen = a, b`` as ``new = a`` and ``seen += b``."""
    assert isinstance(updated, cst.SimpleStatementLine)
    assert isinstance(updated.body[0], cst.Assign)
    assign = updated.body[0]
    targets, values = assign.targets[0].target, assign.value
    assert isinstance(targets, cst.Tuple)
    assert isinstance(values, cst.Tuple)
    added = cst.SimpleStatementLine([_augmented(targets.elements[index].value, values.elements[index].value)])
    rest = assign.with_changes(
        targets=[assign.targets[0].with_changes(target=_without(targets, index))], value=_without(values, index)
    )
    return cst.FlattenSentinel([updated.with_changes(body=[rest]), added])


def _without(sequence: cst.Tuple, index: int) -> cst.BaseExpression:
    elements = [element for i, element in enumerate(sequence.elements) if i != index]
    if len(elements) == 1:
        return elements[0].value
    elements[-1] = elements[-1].with_changes(comma=sequence.elements[-1].comma)
    return sequence.with_changes(elements=elements)


def _sets(node: cst.CSTNode, path: str) -> bool:
    if isinstance(node, cst.AugAssign):
        return dotted(node.target) == path
    return isinstance(node, cst.Assign) and len(node.targets) == 1 and dotted(node.targets[0].target) == path


def _counting_on(updated: cst.CSTNode) -> cst.CSTNode:
    assert isinstance(updated, cst.Assign)
    return _augmented(updated.targets[0].target, updated.value)


def _mentions(node: cst.CSTNode, path: str) -> bool:
    return any(isinstance(inner, cst.Name | cst.Attribute) and dotted(inner) == path for inner in walk(node))


def _is_name(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Name | cst.Attribute)


def _begins_with(test: cst.BaseExpression, path: str) -> bool:
    """``text.startswith(seen)``."""
    return isinstance(test, cst.Call) and last_name(test.func) == "startswith" and _mentions(test, path)


def _goes(change: Change, node: cst.CSTNode) -> bool:
    return change(node) is cst.RemovalSentinel.REMOVE


__getattr__ = command_of(AppendIncrements)
