"""Whether other values are kept away from a chain: by a test around it, or around the calls of its function."""

from __future__ import annotations

import libcst as cst

from claude_api_lint.chains import tested
from claude_api_lint.dataflow.flow import parameters
from claude_api_lint.dataflow.trees import code_of
from claude_api_lint.rule import Analysis


class Filters:
    """Answers for one module."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    def are_around(self, node: cst.CSTNode, subject: cst.BaseExpression) -> bool:
        """Whether only listed values come to a node; ``subject`` is what it tells apart."""
        if any(code_of(said) == code_of(subject) for said in self._listed(node)):
            return True
        scope = self.analysis.module.scope_of(node)
        root = subject.value if isinstance(subject, cst.Attribute | cst.Subscript) else None
        if not isinstance(scope, cst.FunctionDef) or not isinstance(root, cst.Name):
            return False
        if not any(parameter.name.value == root.value for parameter in parameters(scope.params)):
            return False
        calls = [call for call, _ in self.analysis.evaluator.calls.callers(self.analysis.module, scope)]
        return any(self._passes_listed(call) for call in calls)

    def _listed(self, node: cst.CSTNode) -> list[cst.BaseExpression]:
        """What the tests around a node compare with a list of values."""
        flow, module = self.analysis.evaluator.flow, self.analysis.module
        found: list[cst.BaseExpression] = []
        for test, holds in flow.tests_around(node, self.analysis.evaluator.frame_of(module, node)):
            said = tested(test)
            if said is not None and said.positive == holds and (len(said.words) > 1 or said.collection is not None):
                found.append(said.subject)
        return found

    def _passes_listed(self, call: cst.Call) -> bool:
        """Whether a call passes on something that was compared with a list before: ``if event.type in KNOWN:``."""
        passed = {code_of(argument.value).split(".")[0] for argument in call.args}
        return any(code_of(said).split(".")[0].split("[")[0] in passed for said in self._listed(call))
