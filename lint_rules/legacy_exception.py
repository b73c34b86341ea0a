"""CAV201."""

from __future__ import annotations

from claude_api_lint.legacy_fields import LegacyFieldRule


class LegacyException(LegacyFieldRule):
    """`exception` is read from a reply of the Claude API.

    Replies of `/v1/complete` had this field under version 2023-01-01. Since 2023-06-01 they have not: reading it raises
    KeyError, or gives None, so that an error passes for success. Errors now arrive as an HTTP status with
    `{"type": "error", "error": {"type": ..., "message": ...}}`, or in a stream as an `error` event with the same data.

    Reported when the value that is read comes from a reply of the Claude API, or from the old SDK's `completion` and
    `completion_stream`. Fields of that name in replies of other APIs, and in the program's own data, are left alone.

    Bad:

        reply = requests.post("https://api.anthropic.com/v1/complete", headers=headers, json=body).json()
        if reply["exception"]:
            raise RuntimeError(reply["exception"])

    Good:

        reply = requests.post("https://api.anthropic.com/v1/complete", headers=headers, json=body).json()
        if reply.get("error"):
            raise RuntimeError(reply["error"]["message"])

    Fix: takes the test away where the HTTP status, or the stream's `error` event, is looked at already; else reads the
    reply's `error` (safe). Other readings are left to a person.

    Reference: https://platform.claude.com/docs/en/api/errors
    """

    code = "CAV201"
    name = "legacy-exception"
    since = "2023-06-01"
    needles = ('"exception"', "'exception'", ".exception", "exception: ")
    field = "exception"
