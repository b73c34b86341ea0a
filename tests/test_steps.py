"""A step to another version has two parts, the request and its replies, which are safe together or not at all."""

from __future__ import annotations

import pytest

from claude_api_lint.findings import Applicability
from claude_api_lint.fixer import fix_source
from claude_api_lint.linter import check_source
from claude_api_lint.settings import Settings

REQUEST = """\
import json
import requests

headers = {"x-api-key": "key", "anthropic-version": "2023-01-01"}


def ask(body):
    response = requests.post("https://api.anthropic.com/v1/complete", headers=headers, json=body, stream=True)
"""
APPENDED_IN_TIME = """\
    text = ""
    for line in response.iter_lines():
        if line.startswith(b"data:"):
            event = json.loads(line[5:])
            if "completion" in event:
                new = event["completion"][len(text):]
                text = event["completion"]
                print(new)
"""
NOBODY_KNOWS = """\
    cause = response.json()["exception"]
    return cause
"""
NOT_ABOUT_REPLIES = """\
    return response
"""


def applicabilities(program: str, settings: Settings | None = None) -> dict[str, Applicability | None]:
    """For each code that is found: how its fix may be applied, None where it has none."""
    findings = check_source(program.encode(), "program.py", settings or Settings()).findings
    return {finding.code: finding.fix.applicability if finding.fix else None for finding in findings}


def test_both_parts_are_safe_where_both_can_be_fixed_safely() -> None:
    assert applicabilities(REQUEST + APPENDED_IN_TIME) == {"CAV102": Applicability.SAFE, "CAV302": Applicability.SAFE}


def test_one_run_of_fix_makes_the_whole_step() -> None:
    fixed = fix_source((REQUEST + APPENDED_IN_TIME).encode(), "program.py", Settings())
    assert {finding.code for finding in fixed.fixed} == {"CAV102", "CAV302"}
    assert fixed.remaining == ()


def test_the_version_is_not_safe_to_replace_while_a_reply_is_left_to_a_person() -> None:
    assert applicabilities(REQUEST + NOBODY_KNOWS) == {"CAV102": Applicability.UNSAFE, "CAV201": None}


def test_the_version_alone_is_safe_to_replace() -> None:
    assert applicabilities(REQUEST + NOT_ABOUT_REPLIES) == {"CAV102": Applicability.SAFE}


def test_a_rule_that_was_not_asked_for_still_tells_what_is_safe() -> None:
    only_versions = Settings(select=("CAV102",))
    assert applicabilities(REQUEST + NOBODY_KNOWS, only_versions) == {"CAV102": Applicability.UNSAFE}


@pytest.mark.parametrize("comment", ["  # noqa", "  # noqa: CAV201"])
def test_a_reply_that_is_marked_noqa_is_left_to_a_person_as_well(comment: str) -> None:
    marked = NOBODY_KNOWS.replace('["exception"]', '["exception"]' + comment)
    assert applicabilities(REQUEST + marked) == {"CAV102": Applicability.UNSAFE}


def test_replies_are_not_safe_to_mend_while_the_version_is_left_to_a_person() -> None:
    marked = REQUEST.replace('"2023-01-01"}', '"2023-01-01"}  # noqa: CAV102')
    assert applicabilities(marked + APPENDED_IN_TIME) == {"CAV302": Applicability.UNSAFE}
