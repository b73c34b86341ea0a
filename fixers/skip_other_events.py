"""CAV303."""

from __future__ import annotations

import libcst as cst
from claude_api_lint.lint_rules.data_only_stream import UnfilteredEvent, UnfilteredLine

from claude_api_lint.api import ChangeKind
from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.trees import dotted, last_name, string_value, target_names, walk
from claude_api_lint.findings import Applicability, Fix
from claude_api_lint.fixes import Change, Fixer, NoFix, rewriting
from claude_api_lint.layout import quote_of
from claude_api_lint.loops import Loop, loop_around
from claude_api_lint.replies import CUTTING, Kind
from claude_api_lint.rule import Violation

Changes = dict[cst.CSTNode, Change]

_PLAIN = CUTTING | frozenset("decode encode strip rstrip expandtabs lower".split())
_NAMES = ("event", "data", "payload", "event_data", "parsed_event")


class SkipOtherEvents(Fixer):
    """Skips the lines of a stream that are not data, and the events that have no text."""

    code = "CAV303"

    def fix(self, violation: Violation) -> Fix | NoFix:
        evidence = violation.evidence
        if isinstance(evidence, UnfilteredLine):
            title, changes = "skip what is not data", self._filtered(violation.node, evidence)
        else:
            assert isinstance(evidence, UnfilteredEvent)
            title, changes = "skip events that have no text", self._guarded(violation.node, evidence)
        if isinstance(changes, NoFix):
            return changes
        edits = rewriting(self.analysis.module, changes)
        return edits if isinstance(edits, NoFix) else Fix(title, Applicability.SAFE, edits)

    # Lines

    def _filtered(self, node: cst.CSTNode, evidence: UnfilteredLine) -> Changes | NoFix:
        module = self.analysis.module
        if evidence.part.kind is not Kind.LINE:
            return NoFix("the text is a block of lines; the one that begins with data: has to be found in it")
        comprehension = next((a for a in module.ancestors(node) if isinstance(a, cst.BaseComp)), None)
        if comprehension is not None:
            return self._filtered_comprehension(comprehension, evidence)
        loop = loop_around(module, node)
        line = self._line_of(node)
        if loop is None or line is None:
            return NoFix("the line is parsed where no loop can skip it")
        found = self._before_cutting(line, evidence.text)
        part = self.analysis.replies.of(found[1]) if found is not None else None
        if found is None or part is None or part.kind is not Kind.LINE:
            return NoFix("the line has no name by which it could be tested")
        line, name = found
        if _goes_on_by_hand(loop, line):
            return NoFix("a line that is skipped would skip what the loop does to go on")
        test = self._test(name, evidence)
        if isinstance(test, NoFix):
            return test
        return {self._before_try(line): _preceded_by(_skipping(cst.UnaryOperation(cst.Not(), test)))}

    def _before_try(self, line: cst.SimpleStatementLine) -> cst.CSTNode:
        """The ``try`` that begins with a line, else the line."""
        block = self.analysis.module.parent(line)
        around = self.analysis.module.parent(block) if isinstance(block, cst.IndentedBlock) else None
        if isinstance(around, cst.Try) and around.body is block and block.body[0] is line:
            return around
        return line

    def _filtered_comprehension(self, node: cst.BaseComp, evidence: UnfilteredLine) -> Changes | NoFix:
        loop, name = node.for_in, _root(evidence.text)
        if not isinstance(name, cst.Name) or name.value not in target_names(loop.target):
            return NoFix("the line has no name by which it could be tested")
        test = self._test(name, evidence)
        if isinstance(test, NoFix):
            return test
        if not loop.ifs:
            return {loop: lambda updated: updated.with_changes(ifs=[cst.CompIf(test)])}
        last = loop.ifs[-1].test
        if isinstance(last, cst.BooleanOperation | cst.IfExp | cst.Lambda) and not last.lpar:
            last = last.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        return {loop.ifs[-1].test: lambda _: cst.BooleanOperation(last, cst.And(), test)}

    def _line_of(self, node: cst.CSTNode) -> cst.SimpleStatementLine | None:
        """The line of code that a node stands in, if it is a statement of its own."""
        step = self.analysis.module.step_of(node)
        line = self.analysis.module.parent(step) if step is not None else None
        return line if isinstance(line, cst.SimpleStatementLine) else None

    def _before_cutting(
        self, line: cst.SimpleStatementLine, text: cst.BaseExpression
    ) -> tuple[cst.SimpleStatementLine, cst.Name] | None:
        """The first statement that cuts the line (or parses it), and the name that the whole line has there."""
        name = _root(text)
        found = (line, name) if isinstance(name, cst.Name) else None
        while found is not None and isinstance(name, cst.Name):
            setting = self._setting(name.value, line.body[0])
            if setting is None:
                return found
            value, above = _assigned(setting, name.value), self._line_of(setting)
            if value is None or above is None:
                return None
            line, name = above, _root(value)
            if _cuts(value):
                found = (line, name) if isinstance(name, cst.Name) else None
            elif isinstance(name, cst.Call):
                return None if self._rewrites_text(name) else found
        return found

    def _rewrites_text(self, call: cst.Call) -> bool:
        """Whether a call gets a text of the stream and gives another: ``PREFIX.sub("", line)``."""
        parts = [self.analysis.replies.of(argument.value) for argument in call.args]
        return any(part is not None and part.is_text for part in parts)

    def _setting(self, name: str, step: cst.CSTNode) -> cst.CSTNode | None:
        """The last step of the loop before another one that binds a name, in its block or in one around."""
        module = self.analysis.module
        current: cst.CSTNode | None = step
        while current is not None:
            block, index = module.position_of(current)
            for earlier in reversed(block.steps[:index]):
                if any(_assigned(inner, name) is not None for inner in walk(earlier, into_scopes=False)):
                    return earlier
            if isinstance(block.owner, cst.For | cst.While | cst.FunctionDef):
                return None
            current = module.step_of(block.owner)
        return None

    def _test(self, name: cst.Name, evidence: UnfilteredLine) -> cst.BaseExpression | NoFix:
        """``line.startswith("data:")``."""
        if self.analysis.replies.is_cut(name):
            return NoFix("the line is cut before it gets here; only where it is whole, it could be tested")
        prefix = self._prefix(name, evidence)
        if prefix is None:
            return NoFix("it is not known whether the line is text or bytes")
        return cst.parse_expression(f"{name.value}.startswith({prefix})")

    def _prefix(self, name: cst.Name, evidence: UnfilteredLine) -> str | None:
        """``"data:"`` as text or as bytes, in the quotes of the code around."""
        part = self.analysis.replies.of(name)
        binary = part.binary if part is not None else evidence.part.binary
        loop = loop_around(self.analysis.module, name)
        if binary is None and loop is not None:
            binary = _used_as_bytes(name.value, loop)
        quote = quote_of(evidence.text) or (quote_of(loop) if loop is not None else None) or '"'
        return None if binary is None else f"{'b' if binary else ''}{quote}data:{quote}"

    # Events

    def _guarded(self, node: cst.CSTNode, evidence: UnfilteredEvent) -> Changes | NoFix:
        loop = loop_around(self.analysis.module, node)
        if loop is None or any(isinstance(a, cst.BaseComp) for a in self._up_to(node, loop)):
            return NoFix("the event is read where no loop can skip it")
        if isinstance(evidence.event, cst.Name):
            return self._guarded_name(evidence.event.value, loop, evidence)
        return self._hoisted(node, loop, evidence)

    def _up_to(self, node: cst.CSTNode, loop: Loop) -> list[cst.CSTNode]:
        found: list[cst.CSTNode] = []
        for above in self.analysis.module.ancestors(node):
            if above is loop:
                break
            found.append(above)
        return found

    def _guarded_name(self, name: str, loop: Loop, evidence: UnfilteredEvent) -> Changes | NoFix:
        """A guard behind the statement that binds the event, or at the start of the loop that does."""
        guard = self._guard(name, loop, evidence)
        if isinstance(loop, cst.For) and name in target_names(loop.target) and isinstance(loop.body, cst.IndentedBlock):
            return {loop.body.body[0]: _preceded_by(guard)}
        for inner in walk(loop.body, into_scopes=False):
            line = self._line_of(inner) if isinstance(inner, cst.Assign | cst.AnnAssign) else None
            if line is not None and _assigned(inner, name) is not None:
                if _goes_on_by_hand(loop, line):
                    return NoFix("an event that is skipped would skip what the loop does to go on")
                return {line: lambda updated: cst.FlattenSentinel([updated, guard])}
        return NoFix("it is not seen where the loop gets the event")

    def _hoisted(self, node: cst.CSTNode, loop: Loop, evidence: UnfilteredEvent) -> Changes | NoFix:
        """The event gets a name of its own, so that it can be looked at first."""
        line = self._line_of(node)
        scope = self.analysis.module.scope_of(loop)
        if line is None or len(line.body) != 1 or not isinstance(scope, cst.FunctionDef | None):
            return NoFix("the event is read in the middle of a larger statement")
        taken = {n.value for n in walk(scope or loop) if isinstance(n, cst.Name)}
        name = next((name for name in _NAMES if name not in taken), None)
        if name is None or _goes_on_by_hand(loop, line) or _is_conditional(self._up_to(evidence.event, loop), line):
            return NoFix("the event has no name by which it could be tested")
        binding = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(name))], evidence.event)])
        guard = self._guard(name, loop, evidence)
        return {
            evidence.event: lambda _: cst.Name(name),
            line: _preceded_by(binding, guard),
        }

    def _guard(self, name: str, loop: Loop, evidence: UnfilteredEvent) -> cst.If:
        """Skips an event without text; an error is not skipped, so that it does not pass for the end of the text."""
        changes = self.analysis.catalog.changes(ChangeKind.REPLY_FIELD_REMOVED, self.analysis.target)
        stream = self.analysis.catalog.stream(evidence.part.endpoint)
        error = next(c.after for c in changes if c.name == "exception" and stream and stream.endpoint in c.where)
        quote = quote_of(loop) or '"'
        return _skipping(
            cst.parse_expression(f"{quote}{evidence.key}{quote} not in {name} and {quote}{error}{quote} not in {name}")
        )


def _skipping(test: cst.BaseExpression) -> cst.If:
    return cst.If(test=test, body=cst.IndentedBlock([cst.SimpleStatementLine([cst.Continue()])]))


def _preceded_by(*added: cst.BaseStatement) -> Change:
    """A statement with others before it; what stands above it stays above them all."""

    def change(updated: cst.CSTNode) -> cst.FlattenSentinel[cst.CSTNode]:
        first = added[0].with_changes(leading_lines=updated.leading_lines)  # type: ignore[attr-defined]
        return cst.FlattenSentinel([first, *added[1:], updated.with_changes(leading_lines=[])])

    return change


def _root(text: cst.BaseExpression) -> cst.BaseExpression:
    """``line`` in ``line.decode()[6:].strip()``; a call that may do anything else is a root itself."""
    while True:
        if isinstance(text, cst.Subscript):
            text = text.value
        elif isinstance(text, cst.Call) and isinstance(text.func, cst.Attribute) and last_name(text.func) in _PLAIN:
            text = text.func.value
        else:
            return text


def _used_as_bytes(name: str, loop: Loop) -> bool | None:
    """Whether the code of a loop takes a name for bytes or for text; None where it does not say."""
    for node in walk(loop.body, into_scopes=False):
        if (
            not isinstance(node, cst.Call)
            or not isinstance(node.func, cst.Attribute)
            or dotted(node.func.value) != name
        ):
            continue
        if node.func.attr.value == "decode":
            return True
        literal = string_value(node.args[0].value) if node.args else None
        if literal is not None:
            return isinstance(literal, bytes)
    return None


def _cuts(value: cst.BaseExpression) -> bool:
    """Whether an expression takes the beginning off a text."""
    return any(
        isinstance(inner, cst.Subscript) or (isinstance(inner, cst.Call) and last_name(inner.func) in CUTTING)
        for inner in walk(value)
    )


def _assigned(step: cst.CSTNode, name: str) -> cst.BaseExpression | None:
    """What a statement assigns to a name; None where it does not."""
    if isinstance(step, cst.Assign):
        names = [bound for target in step.targets for bound in target_names(target.target)]
        return step.value if name in names else None
    return step.value if isinstance(step, cst.AnnAssign) and dotted(step.target) == name else None


def _goes_on_by_hand(loop: Loop, line: cst.CSTNode) -> bool:
    """Whether a ``while`` changes, behind a line, what it needs for its next round: a counter, say."""
    if isinstance(loop, cst.For):
        return False
    steps = list(walk(loop.body, into_scopes=False))
    needed = {n.value for n in walk(loop.test) if isinstance(n, cst.Name)}
    for node in steps[: steps.index(line)]:
        if isinstance(node, cst.Assign):
            needed |= {n.value for n in walk(node.value) if isinstance(n, cst.Name)}
    for node in steps[steps.index(line) + 1 :]:
        targets = [t.target for t in node.targets] if isinstance(node, cst.Assign) else []
        targets += [node.target] if isinstance(node, cst.AugAssign) else []
        if needed & {name for target in targets for name in target_names(target)}:
            return True
    return False


def _is_conditional(above: list[cst.CSTNode], line: cst.SimpleStatementLine) -> bool:
    """Whether an expression is evaluated on some condition only, or later."""
    inside = above[: above.index(line)] if line in above else above
    return any(isinstance(node, cst.IfExp | cst.BooleanOperation | cst.Lambda) for node in inside)


__getattr__ = command_of(SkipOtherEvents)
