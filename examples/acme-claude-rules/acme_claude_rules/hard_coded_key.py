"""ACM101."""

from __future__ import annotations

import libcst as cst

from claude_api_lint.dataflow import mappings
from claude_api_lint.dataflow.values import Const
from claude_api_lint.findings import Confidence
from claude_api_lint.rule import Rule

KEY = "x-api-key"


class HardCodedKey(Rule):
    """The key of a request to the Claude API is written into the program.

    Whoever can read the program can use the key, and to change it means to change the program. At Acme, keys are taken
    from the environment.

    Bad:

        requests.post(url, headers={"x-api-key": "sk-ant-123", "anthropic-version": "2023-06-01"})

    Good:

        requests.post(url, headers={"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01"})

    Fix: reads the key from the environment (unsafe: somebody has to put it there).
    """

    code = "ACM101"
    name = "hard-coded-key"
    needles = (KEY,)

    def visit_Call(self, node: cst.Call) -> None:
        for request in self.analysis.requests.of(node):
            for entry in mappings.without_case(request.exchange.headers.entries, KEY):
                for value in self.analysis.requests.values(entry):
                    if isinstance(value.value, Const):
                        self._judge(value.value, request.confidence)

    def _judge(self, key: Const, confidence: Confidence) -> None:
        is_written_here = key.place is not None and key.place.module is self.analysis.module
        if key.place is not None and is_written_here and key.value:
            self.report(key.place.node, "the API key is written into the program", confidence)
