"""Which values are told to be open ones, what keeps a chain from being reported, and how far a fix may be trusted."""

from __future__ import annotations

import textwrap

import pytest

from claude_api_lint.findings import Applicability, Finding
from claude_api_lint.linter import check_source
from claude_api_lint.settings import Settings


def findings(program: str, path: str = "program.py") -> tuple[Finding, ...]:
    text = '"""About Claude."""\n' + textwrap.dedent(program)
    result = check_source(text.encode(), path, Settings(select=("CAV4",)))
    assert result.skipped is None
    return result.findings


def codes(program: str, path: str = "program.py") -> list[str]:
    return [finding.code for finding in findings(program, path)]


def chain(subject: str, *words: str, parameter: str = "x") -> str:
    """A function that tells words apart and raises for any other."""
    arms = "".join(f"    {'el' if i else ''}if {subject} == '{word}':\n        pass\n" for i, word in enumerate(words))
    return f"def f({parameter}):\n{arms}    else:\n        raise ValueError\n"


@pytest.mark.parametrize(
    ("subject", "words", "parameter"),
    [
        ("stop_reason", ("end_turn", "max_tokens"), "stop_reason"),
        ("stop_reason", ("tool_use", "max_tokens"), "stop_reason: str"),
        ("x.type", ("content_block_delta", "message_stop"), "x"),
        ("x['delta']['type']", ("text_delta", "input_json_delta"), "x"),
        ("block.type", ("text", "server_tool_use"), "block"),
        ("error_type", ("overloaded_error", "api_error"), "error_type"),
    ],
)
def test_claudes_own_words_tell_a_value_of_unknown_origin(subject: str, words: tuple[str, ...], parameter: str) -> None:
    assert codes(chain(subject, *words, parameter=parameter)) == ["CAV401"]


@pytest.mark.parametrize(
    ("subject", "words", "parameter"),
    [
        ("kind", ("text", "image"), "kind"),
        ("block.type", ("text", "tool_use", "tool_result"), "block"),
        ("x['stopReason']", ("end_turn", "max_tokens"), "x"),
        ("state", ("running", "end_turn"), "state"),
        ("stop_reason", ("end_turn", "max_tokens"), "stop_reason: OwnReason"),
        ("block.type", ("text", "server_tool_use"), "block: ContentBlockParam"),
    ],
)
def test_other_words_keys_and_types_tell_nothing(subject: str, words: tuple[str, ...], parameter: str) -> None:
    assert codes(chain(subject, *words, parameter=parameter)) == []


def test_words_in_a_test_file_tell_nothing() -> None:
    assert codes(chain("stop_reason", "end_turn", "max_tokens", parameter="stop_reason"), "tests/test_x.py") == []


@pytest.mark.parametrize(
    "body",
    [
        "if x.type == 'text':\n    pass\nelif x.type == 'thinking':\n    pass\nelse:\n    raise E",
        "if x.type != 'text':\n    raise E",
        "if x.type not in ('text', 'thinking'):\n    raise E",
        "assert x.type in ('text', 'thinking')",
        "if x.type == 'text':\n    return 1\nif x.type == 'thinking':\n    return 2\nraise E",
        "match x.type:\n    case 'text' | 'thinking':\n        pass\n    case _:\n        raise E",
        "match x.type:\n    case 'text':\n        return 1\n    case 'thinking':\n        return 2\nraise E",
    ],
)
def test_every_form_of_an_exhaustive_match_is_found(body: str) -> None:
    program = "from anthropic.types import ContentBlock\ndef f(x: ContentBlock):\n" + textwrap.indent(body, "    ")
    assert codes(program) == ["CAV401"]


@pytest.mark.parametrize(
    "program",
    [
        "if stop_reason == 'refusal':\n    raise E",
        "if stop_reason != 'tool_use':\n    raise E",
        "if stop_reason not in ('end_turn', 'stop_sequence'):\n    raise E",
        "if stop_reason == 'end_turn':\n    pass\nelif stop_reason == 'max_tokens':\n    pass\nelse:\n    log()",
        "if stop_reason == 'end_turn':\n    raise\nelif stop_reason == 'max_tokens':\n    raise B\nelse:\n    raise E",
        "try:\n    assert stop_reason in ('end_turn', 'max_tokens')\nexcept AssertionError:\n    pass",
    ],
)
def test_what_is_known_insisted_on_or_caught_is_left_alone(program: str) -> None:
    assert codes("def f(stop_reason):\n" + textwrap.indent(program, "    ")) == []


TABLE = "TABLE = {'end_turn': 'stop', 'max_tokens': 'length'}\n"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("return TABLE[stop_reason]", ["CAV403"]),
        ("return TABLE.get(stop_reason)", []),
        ("return TABLE[stop_reason] if stop_reason in TABLE else None", []),
        ("if stop_reason not in TABLE:\n    return None\nreturn TABLE[stop_reason]", []),
        ("try:\n    return TABLE[stop_reason]\nexcept KeyError:\n    return None", []),
        ("TABLE[stop_reason] = 1", []),
    ],
)
def test_a_lookup_is_found_unless_somebody_has_looked_before(body: str, found: list[str]) -> None:
    assert codes(TABLE + "def f(stop_reason):\n" + textwrap.indent(body, "    ")) == found


@pytest.mark.parametrize(
    ("arm", "applicability"), [("print(x)", Applicability.SAFE), ("return str(x)", Applicability.UNSAFE)]
)
def test_assert_never_is_safe_to_keep_for_the_type_checker_where_no_value_is_returned(
    arm: str, applicability: Applicability
) -> None:
    (finding,) = findings(f"""
        from typing import assert_never
        from anthropic.types import ContentBlock

        def f(x: ContentBlock):
            if x.type == 'text':
                {arm}
            elif x.type == 'thinking':
                {arm}
            else:
                assert_never(x)
    """)
    assert finding.fix is not None
    assert finding.fix.applicability is applicability
