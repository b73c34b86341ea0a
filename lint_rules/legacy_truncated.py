"""CAV202."""

from __future__ import annotations

from claude_api_lint.legacy_fields import LegacyFieldRule


class LegacyTruncated(LegacyFieldRule):
    """`truncated` is read from a reply of the Claude API.

    Replies of `/v1/complete` had this field under version 2023-01-01. Since 2023-06-01 they have not: reading it raises
    KeyError, or gives None, so that a text which was cut off passes for a whole one. What tells now is the stop reason:
    `"max_tokens"` says that the text was cut off.

    Reported when the value that is read comes from a reply of the Claude API, or from the old SDK's `completion` and
    `completion_stream`. Fields of that name in replies of other APIs, and in the program's own data, are left alone.

    Bad:

        reply = requests.post("https://api.anthropic.com/v1/complete", headers=headers, json=body).json()
        if reply["truncated"]:
            warn("the answer was cut off")

    Good:

        reply = requests.post("https://api.anthropic.com/v1/complete", headers=headers, json=body).json()
        if reply["stop_reason"] == "max_tokens":
            warn("the answer was cut off")

    Fix: compares the stop reason, in the same way of access (safe). Fields of classes are left to a person.

    Reference: https://platform.claude.com/docs/en/api/versioning
    """

    code = "CAV202"
    name = "legacy-truncated"
    since = "2023-06-01"
    needles = ('"truncated"', "'truncated'", ".truncated", "truncated: ")
    field = "truncated"
