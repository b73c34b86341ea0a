"""The rule for Fixit."""

import fixit
import libcst as cst


class MissingVersion(fixit.LintRule):
    """A call with the host of the Claude API and without the name of the version header."""

    def visit_Call(self, node: cst.Call) -> None:
        """Look at the texts that stand in the call."""
        texts: list[str] = []
        stack: list[cst.CSTNode] = [node]
        while stack:
            current = stack.pop()
            if isinstance(current, cst.SimpleString):
                texts.append(current.value)
            stack.extend(current.children)
        if any("api.anthropic.com" in text for text in texts) and not any(
            "anthropic-version" in text for text in texts
        ):
            self.report(node, "request to the Claude API without the anthropic-version header")
