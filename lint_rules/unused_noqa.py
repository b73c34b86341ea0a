"""CAV001."""

from __future__ import annotations

from claude_api_lint.rule import Rule


class UnusedNoqa(Rule):
    """A `# noqa` comment names a code of this tool that is not found there.

    The finding that it was written for is gone, or the code was misspelled. What is left hides the next finding on this
    line, which nobody has looked at yet.

    Reported for codes of this tool alone, and only where all rules that the code stands for were run on the file: a
    code says nothing while its rule is off. Comments without codes, and `# flake8: noqa`, are left alone. Under flake8
    this rule is silent, as a plugin does not learn there what the others have found.

    Bad:

        headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}
        requests.post(url, headers=headers, json=body)  # noqa: CAV101

    Good:

        headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}
        requests.post(url, headers=headers, json=body)

    Fix: takes the code out of the comment, and the comment away where it names no other (safe).

    Reference: https://flake8.pycqa.org/en/stable/user/violations.html
    """

    code = "CAV001"
    name = "unused-noqa"
    since = "2023-01-01"
    needles = ("noqa",)
