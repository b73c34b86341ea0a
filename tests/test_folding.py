"""What becomes of a program whose test always comes out the same way, and how edits come from changed trees.

Every form is folded in a small program that is then run: with the test forced to its outcome, the program before and
the program after must do the same.
"""

from __future__ import annotations

import ast
import re
import textwrap

import libcst as cst
import pytest

from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import code_of
from claude_api_lint.findings import Edit
from claude_api_lint.fixer import apply
from claude_api_lint.fixes import NoFix, replacing, rewriting
from claude_api_lint.folding import Folded, fold, removal, statements_of
from claude_api_lint.source import Source


def module_of(text: str) -> Module:
    return Module(Source(text), "program.py")


def expression_in(module: Module, code: str = "T()") -> cst.BaseExpression:
    """The expression of a program that is written so."""
    for kind in (cst.Call, cst.Comparison, cst.Name, cst.NamedExpr):
        for node in module.nodes(kind):
            if code_of(node) == code:
                assert isinstance(node, cst.BaseExpression)
                return node
    raise AssertionError(f"{code} is not in the program")


def folded(text: str, holds: bool) -> Folded | NoFix:
    return folded_in(module_of(text), holds)


def folded_in(module: Module, holds: bool) -> Folded | NoFix:
    naming = re.search(r"\(x := \(?T\(\)\)?\) [!=]= 2", module.source.text)
    return fold(module, expression_in(module, naming[0] if naming else "T()"), holds)


def after(text: str, holds: bool) -> str:
    """The program when the test is gone."""
    module = module_of(text)
    result = folded_in(module, holds)
    assert isinstance(result, Folded), result
    edits = rewriting(module, result.changes)
    assert not isinstance(edits, NoFix)
    return apply(text, edits)


FORMS = {
    # Statements
    "an if that holds is its body": ("if T():\n    a()\n    b()\n", True, "a()\nb()\n"),
    "an if that does not hold goes": ("x()\nif T():\n    a()\ny()\n", False, "x()\ny()\n"),
    "an if behind whose colon the body stands": ("if T(): a(); b()\ny()\n", True, "a(); b()\ny()\n"),
    "an if behind whose colon a body stands that goes": ("x()\nif T(): a()\ny()\n", False, "x()\ny()\n"),
    "an else in the place of its if": ("if T():\n    a()\nelse:\n    b()\n    c()\n", False, "b()\nc()\n"),
    "an else behind its colon": ("if T(): a()\nelse: b()\n", False, "b()\n"),
    "an if without its else": ("if T():\n    a()\nelse:\n    b()\n", True, "a()\n"),
    "an elif that becomes the if": (
        "if T():\n    a()\nelif p:\n    b()\nelse:\n    c()\n",
        False,
        "if p:\n    b()\nelse:\n    c()\n",
    ),
    "an if without its elif": ("if T():\n    a()\nelif p:\n    b()\n", True, "a()\n"),
    "an elif that goes": ("if p:\n    a()\nelif T():\n    b()\n", False, "if p:\n    a()\n"),
    "an elif that goes before an else": (
        "if p:\n    a()\nelif T():\n    b()\nelse:\n    c()\n",
        False,
        "if p:\n    a()\nelse:\n    c()\n",
    ),
    "an elif that goes before an elif": (
        "if p:\n    a()\nelif T():\n    b()\nelif q:\n    c()\n",
        False,
        "if p:\n    a()\nelif q:\n    c()\n",
    ),
    "an elif that is the else": (
        "if p:\n    a()\nelif T():\n    b()\nelse:\n    c()\n",
        True,
        "if p:\n    a()\nelse:\n    b()\n",
    ),
    "an elif that holds before an elif": (
        "if p:\n    a()\nelif T():\n    b()\nelif q:\n    c()\n",
        True,
        "if p:\n    a()\nelse:\n    b()\n",
    ),
    "an elif of one line that is the else": ("if p: a()\nelif T(): b()\n", True, "if p: a()\nelse: b()\n"),
    "an if deep inside": (
        "for x in p:\n    if q:\n        if T():\n            a(x)\n        b()\n",
        True,
        "for x in p:\n    if q:\n        a(x)\n        b()\n",
    ),
    "the only statement of a block": (
        "for x in [1]:\n    if T():\n        a()\ny()\n",
        False,
        "for x in [1]:\n    pass\ny()\n",
    ),
    "while True": ("while T():\n    a()\n    break\n", True, "while True:\n    a()\n    break\n"),
    "an assertion that holds goes": ("a()\nassert T()\nb()\n", True, "a()\nb()\n"),
    "an assertion with a message goes": ("a()\nassert T(), 'no'\nb()\n", True, "a()\nb()\n"),
    # Tests
    "not": ("if not T():\n    a()\nelse:\n    b()\n", True, "b()\n"),
    "not not": ("if not (not T()):\n    a()\nelse:\n    b()\n", True, "a()\n"),
    "one half of an and": ("if p and T():\n    a()\n", True, "if p:\n    a()\n"),
    "the first half of an and": ("if T() and p:\n    a()\n", True, "if p:\n    a()\n"),
    "an and that never holds": ("if p and T():\n    a()\nelse:\n    b()\n", False, "b()\n"),
    "one half of an or": ("if p or T():\n    a()\n", False, "if p:\n    a()\n"),
    "an or that always holds": ("if p or T():\n    a()\nelse:\n    b()\n", True, "a()\n"),
    "one of three": ("if p and T() and q:\n    a()\n", True, "if p and q:\n    a()\n"),
    "one of an or in an and": ("if p and (q or T()):\n    a()\n", False, "if p and q:\n    a()\n"),
    "an or in an and that always holds": ("if p and (q or T()):\n    a()\n", True, "if p:\n    a()\n"),
    "not in front of a half": ("if not T() and p:\n    a()\n", False, "if p:\n    a()\n"),
    "not in front of the whole": ("if not (p or T()):\n    a()\n", False, "if not p:\n    a()\n"),
    "an and in not": ("if not (p and T()):\n    a()\nelse:\n    b()\n", False, "a()\n"),
    "a half that is not simple keeps its parentheses": (
        "if (p or q) and T():\n    a()\n",
        True,
        "if (p or q):\n    a()\n",
    ),
    # Expressions
    "a conditional expression that holds": ("x = a() if T() else b()\n", True, "x = a()\n"),
    "a conditional expression that does not hold": ("x = a() if T() else b()\n", False, "x = b()\n"),
    "a conditional expression in parentheses": ("x = (a() if T() else b()) + 1\n", True, "x = a() + 1\n"),
    "a conditional expression whose arm needs parentheses": (
        "x = (q or 3 if T() else 0) + 1\n",
        True,
        "x = (q or 3) + 1\n",
    ),
    "a conditional expression in a call": ("x = k(1, a() if T() else b())\n", False, "x = k(1, b())\n"),
    "a filter of a comprehension": ("x = [a(n) for n in r if T()]\n", True, "x = [a(n) for n in r]\n"),
    "a half of a filter": ("x = [n for n in r if n and T()]\n", True, "x = [n for n in r if n]\n"),
    "one of two filters": ("x = [n for n in r if T() if n > 1]\n", True, "x = [n for n in r if n > 1]\n"),
    "a filter of a dict": ("x = {n: 1 for n in r if not T()}\n", False, "x = {n: 1 for n in r}\n"),
    "a half of a while": (
        "n = 2\nwhile n and T():\n    n = n - 1\n    a(n)\n",
        True,
        "n = 2\nwhile n:\n    n = n - 1\n    a(n)\n",
    ),
    # Names that a test gives
    "a walrus in the test stands before the body": ("if (x := T()) != 2:\n    a(x)\n", True, "x = T()\na(x)\n"),
    "a walrus stands where its if goes": ("if (x := T()) == 2:\n    a()\nb(x)\n", False, "x = T()\nb(x)\n"),
    "a walrus before the else": ("if (x := T()) == 2:\n    a()\nelse:\n    b(x)\n", False, "x = T()\nb(x)\n"),
    "a walrus in the second half": ("if p and (x := T()) != 2:\n    a(x)\n", True, "if p:\n    x = T()\n    a(x)\n"),
    "a walrus stands below what stood above the test": (
        "def g():\n    a()\n\n    # why\n    if (x := T()) != 2:\n        b(x)\ng()\n",
        True,
        "def g():\n    a()\n\n    # why\n    x = T()\n    b(x)\ng()\n",
    ),
    "a walrus whose value has parentheses": ("if (x := (T())) != 2:\n    a(x)\n", True, "x = T()\na(x)\n"),
    # White space
    "a blank line above stays": ("x()\n\nif T():\n    a()\n\n    b()\n\ny()\n", True, "x()\n\na()\n\nb()\n\ny()\n"),
    "a blank line below what goes stays": ("x()\n\nif T():\n    a()\n\ny()\n", False, "x()\n\ny()\n"),
    "a block does not begin with a blank line": (
        "for n in r:\n    if T():\n        a()\n\n    b()\n",
        False,
        "for n in r:\n    b()\n",
    ),
    "a body does not begin with a blank line": (
        "for n in r:\n    if T():\n\n        a()\n    b()\n",
        True,
        "for n in r:\n    a()\n    b()\n",
    ),
    "tabs stay tabs": ("for n in r:\n\tif T():\n\t\ta()\n\t\tb()\n", True, "for n in r:\n\ta()\n\tb()\n"),
    "two spaces stay two": ("for n in r:\n  if T():\n    a()\n  else:\n    b()\n", False, "for n in r:\n  b()\n"),
    "Windows' line ends stay": ("x()\r\nif T():\r\n    a()\r\nelse:\r\n    b()\r\n", True, "x()\r\na()\r\n"),
    "a comment above stays": ("x()\n# why\nif T():\n    a()\n", True, "x()\n# why\na()\n"),
    "a comment above an if that its elif replaces": (
        "for n in r:\n    a()\n\n    # why\n    if T():\n        a()\n    elif p:\n        b()\n",
        False,
        "for n in r:\n    a()\n\n    # why\n    if p:\n        b()\n",
    ),
    "a comment in the body stays": ("if T():\n    # why\n    a()  # what\n", True, "# why\na()  # what\n"),
    "a comment behind a body on one line stays": ("if T(): a()  # what\ny()\n", True, "a()  # what\ny()\n"),
    "a comment in the else stays": (
        "if T():\n    a()\nelse:\n    # why\n    b()  # what\n",
        False,
        "# why\nb()  # what\n",
    ),
    "a comment below a block stays": (
        "for n in r:\n    if T():\n        a()\n    # end\ny()\n",
        True,
        "for n in r:\n    a()\n    # end\ny()\n",
    ),
}
"""Sentence -> before, how the test comes out, after. ``T()`` is the test, or what it compares."""


@pytest.mark.parametrize("sentence", FORMS)
def test_a_test_goes_with_what_it_decides(sentence: str) -> None:
    text, holds, result = FORMS[sentence]
    assert after(text, holds) == result


@pytest.mark.parametrize("sentence", FORMS)
def test_the_program_means_the_same(sentence: str) -> None:
    text, holds, _ = FORMS[sentence]
    for p in (True, False):
        for q in (True, False):
            assert trace(after(text, holds), p, q, holds) == trace(text, p, q, holds)


def trace(text: str, p: bool, q: bool, holds: bool) -> list[object]:
    """What a program does: the calls that it makes, and the names that it leaves."""
    did: list[object] = []

    def caller(name: str) -> object:
        def call(*arguments: object) -> int:
            did.append((name, *arguments))
            return len(did)

        return call

    outcome = 7 if ":=" in text or "x = T()" in text else holds  # it is compared with 2
    names = {name: caller(name) for name in "abcxyk"}
    scope: dict[str, object] = {**names, "T": lambda: outcome, "p": p and [1, 2], "q": q, "r": [1, 2, 3]}
    if "for x in p" in text:
        scope["p"] = [1, 2] if p else []
    exec(compile(text, "program.py", "exec"), scope)
    left = {name: value for name, value in scope.items() if name in "xn" and not callable(value)}
    return [*did, left]


@pytest.mark.parametrize(
    ("text", "holds", "reason"),
    [
        ("x = T()\n", True, "used as a value"),
        ("x = T() or p\n", True, "used as a value"),
        ("x = p and T()\n", False, "used as a value"),
        ("return_ = not T()\n", True, "used as a value"),
        ("k(T())\n", True, "used as a value"),
        ("assert T()\n", False, "used as a value"),
        ("while T():\n    a()\n", False, "used as a value"),
        ("x = [n for n in r if T()]\n", False, "used as a value"),
        ("x = lambda: T()\n", True, "used as a value"),
        ("x = T() if p else b()\n", True, "used as a value"),
        ("x = b() if p else T()\n", False, "used as a value"),
        ("if (y := p) or T():\n    a()\n", True, "the other half of the condition does something"),
        ("if (y := p) and T():\n    a()\n", False, "the other half of the condition does something"),
    ],
)
def test_what_cannot_be_folded_says_why(text: str, holds: bool, reason: str) -> None:
    result = folded(text, holds)
    assert isinstance(result, NoFix)
    assert reason in result.reason


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("while (x := T()) != 2:\n    a()\n", True),
        ("y = a() if (x := T()) != 2 else b()\n", True),
        ("y = [n for n in r if (x := T()) != 2]\n", True),
        ("assert (x := T()) != 2\n", True),
        ("if (x := T()) != 2 or p:\n    a()\n", False),
        ("if (x := T()) != 2 and p:\n    a()\n", True),
        ("if p or (x := T()) != 2:\n    a()\n", False),
        ("if p or (x := T()) != 2:\n    a()\n", True),
        ("if p and (x := T()) != 2:\n    a()\nelse:\n    b()\n", True),
        ("if p and (x := T()) != 2: a()\n", True),
        ("if p and (x := T()) != 2:\n    a()\n", False),
        ("if p:\n    a()\nelif (x := T()) != 2:\n    b()\n", True),
        ("if (x := T()) != 2:\n    a()\nelif p:\n    b()\n", False),
    ],
)
def test_a_test_that_gives_a_name_is_left_where_the_name_cannot_stand_before_it(text: str, holds: bool) -> None:
    result = folded(text, holds)
    assert isinstance(result, NoFix)
    assert result.reason == "the test gives a name to what it tests"


@pytest.mark.parametrize(
    ("text", "holds", "says_less"),
    [
        ("if T():\n    a()  # what\n", True, False),
        ("if T():\n    a()  # what\n", False, True),
        ("if T():\n    # why\n    a()\n", False, True),
        ("if T():  # why\n    a()\n", True, True),
        ("if T():  # why\n    a()\n", False, True),
        ("if T():\n    a()\n", False, False),
        ("if T():\n    a()\n", True, False),
        ("if T():\n    a()\nelse:\n    b()  # what\n", True, True),
        ("if T():\n    a()\nelse:\n    b()  # what\n", False, False),
        ("if T():\n    a()\n# why\nelse:\n    b()\n", False, True),
        ("if T():\n    a()\nelse:  # why\n    b()\n", False, True),
        ("if T():\n    a()\nelif p:  # why\n    b()\n", False, False),
        ("if T():\n    a()\n# why\nelif p:\n    b()\n", False, True),
        ("def f():\n    # why\n    if T():\n        a()\n    b()\n", False, True),
        ("assert T()  # why\n", True, True),
        ("assert T()\n", True, False),
    ],
)
def test_a_comment_that_goes_is_told(text: str, holds: bool, says_less: bool) -> None:
    result = folded(text, holds)
    assert isinstance(result, Folded)
    assert result.says_less is says_less


@pytest.mark.parametrize("sentence", FORMS)
def test_no_comment_goes_untold(sentence: str) -> None:
    text, holds, result = FORMS[sentence]
    told = folded(text, holds)
    assert isinstance(told, Folded)
    assert told.says_less or text.count("#") == result.count("#")


@pytest.mark.parametrize(
    ("text", "holds", "dropped"),
    [
        ("if T():\n    a()\n    b()\n", False, ["a()", "b()"]),
        ("if T(): a(); b()\n", False, ["a()", "b()"]),
        ("if T():\n    a()\n", True, []),
        ("if T():\n    a()\nelse:\n    b()\n", True, ["else: b()"]),
        ("if p or T():\n    a()\n", False, []),
        ("while T():\n    a()\n", True, []),
    ],
)
def test_what_is_never_reached_any_more_is_told(text: str, holds: bool, dropped: list[str]) -> None:
    result = folded(text, holds)
    assert isinstance(result, Folded)
    assert [" ".join(code_of(node).split()).strip(";") for node in result.dropped] == dropped


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("if T():\n    a()\n", cst.If),
        ("if p and not T():\n    a()\n", cst.If),
        ("x = a() if T() else b()\n", cst.IfExp),
        ("x = [n for n in r if T()]\n", cst.CompIf),
        ("while T():\n    a()\n", cst.While),
        ("assert T()\n", cst.Assert),
    ],
)
def test_what_the_test_decided_about_is_told(text: str, kind: type[cst.CSTNode]) -> None:
    result = folded(text, "not T()" not in text)
    assert isinstance(result, Folded)
    assert isinstance(result.decided, kind | cst.BooleanOperation)


# Statements


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a()\nb()\nc()\n", "a()\nc()\n"),
        ("if p:\n    b()\n\n    c()\n", "if p:\n    c()\n"),
        ("if p:\n    b()\n\n    # why\n    c()\n", "if p:\n    # why\n    c()\n"),
        ("if p:\n    b()\n", "if p:\n    pass\n"),
        ("if p:\n    a()\n\n    b()\n\n    c()\n", "if p:\n    a()\n\n    c()\n"),
    ],
)
def test_a_statement_is_removed(text: str, result: str) -> None:
    module = module_of(text)
    line = module.parent(module.parent(expression_in(module, "b()")) or module.nodes(cst.Call)[0])
    assert isinstance(line, cst.SimpleStatementLine)
    edits = rewriting(module, removal(module, line))
    assert not isinstance(edits, NoFix)
    assert apply(text, edits) == result


def test_the_statements_of_a_body_stand_on_lines_of_their_own() -> None:
    block = cst.ensure_type(cst.parse_statement("if x:\n    a()\n    b()\n"), cst.If).body
    behind = cst.ensure_type(cst.parse_statement("if x: a(); b()  # what\n"), cst.If).body
    assert [code_of(statement) for statement in statements_of(block)] == ["a()\n", "b()\n"]
    assert [code_of(statement) for statement in statements_of(behind)] == ["a(); b()  # what\n"]


# Edits


PROGRAM = """\
import a

x = f( 1 )  # one

def g():
    y = f(2)
    return [y,
        f(3)]   # three


class C: z = f(4); w = 5
"""


def numbered(module: Module, *numbers: str) -> list[cst.Integer]:
    return [node for node in module.nodes(cst.Integer) if node.value in numbers]


def becomes(value: str) -> object:
    return lambda updated: updated.with_changes(value=value)


@pytest.mark.parametrize(
    "numbers", [("1",), ("2",), ("3",), ("4",), ("1", "4"), ("2", "3"), ("1", "2", "3", "4", "5")], ids=" ".join
)
def test_edits_are_as_small_as_can_be_and_keep_every_other_byte(numbers: tuple[str, ...]) -> None:
    module = module_of(PROGRAM)
    edits = rewriting(module, {node: becomes(node.value * 2) for node in numbered(module, *numbers)})  # type: ignore[misc]
    assert not isinstance(edits, NoFix)
    expected = PROGRAM
    for number in numbers:
        expected = expected.replace(number, number * 2)
    assert apply(PROGRAM, edits) == expected
    lines = {PROGRAM[: edit.start].count("\n") for edit in edits}
    assert lines == {PROGRAM[: PROGRAM.index(number)].count("\n") for number in numbers}
    if numbers != ("1", "2", "3", "4", "5"):
        assert all(len(edit.text) == 1 for edit in edits)


def test_a_change_that_changes_nothing_is_no_edit() -> None:
    module = module_of(PROGRAM)
    assert rewriting(module, {node: lambda updated: updated for node in numbered(module, "1", "3")}) == ()
    assert rewriting(module, {}) == ()


def test_changes_inside_one_another_are_made_from_the_inside() -> None:
    module = module_of("x = [f(1), 2]\n")
    (number, *_) = numbered(module, "1")
    (call,) = module.nodes(cst.Call)
    edits = rewriting(module, {call: lambda updated: updated.args[0].value, number: becomes("10")})  # type: ignore[attr-defined,dict-item]
    assert not isinstance(edits, NoFix)
    assert apply("x = [f(1), 2]\n", edits) == "x = [10, 2]\n"


def test_lines_that_are_moved_are_edits_where_they_went_and_where_they_come_from() -> None:
    text = "def f():\n    a()\n    b()\n    c()\n    d()\n"
    module = module_of(text)
    first = cst.ensure_type(module.parent(module.parent(expression_in(module, "a()"))), cst.SimpleStatementLine)  # type: ignore[arg-type]
    last = cst.ensure_type(module.parent(module.parent(expression_in(module, "d()"))), cst.SimpleStatementLine)  # type: ignore[arg-type]
    changes = {first: lambda _: cst.RemovalSentinel.REMOVE, last: lambda updated: cst.FlattenSentinel([updated, first])}
    edits = rewriting(module, changes)  # type: ignore[arg-type]
    assert not isinstance(edits, NoFix)
    assert len(edits) == 2
    assert apply(text, edits) == "def f():\n    b()\n    c()\n    d()\n    a()\n"


def test_offsets_count_from_the_start_of_the_file_whatever_stands_before() -> None:
    text = "# é 𐍈\n\nx = 'é𐍈'\n\n\ny = [1,\n     2]  # é\n"
    module = module_of(text)
    edits = rewriting(module, {numbered(module, "2")[0]: becomes("3")})  # type: ignore[dict-item]
    assert edits == (Edit(text.index("2"), text.index("2") + 1, "3"),)


def test_a_replaced_node_is_one_edit() -> None:
    module = module_of(PROGRAM)
    (number,) = numbered(module, "3")
    edit = replacing(module, number, cst.Integer("35"))
    assert edit == Edit(PROGRAM.index("3)") + 1, PROGRAM.index("3)") + 1, "5")


@pytest.mark.parametrize("text", ["if T():\r    a()\r", "\x0cif T():\n    a()\n"])
def test_what_libcst_cannot_write_back_is_left_alone(text: str) -> None:
    module = module_of(text)
    node = expression_in(module, "T()")
    for edits in (rewriting(module, {node: lambda _: cst.Name("x")}), replacing(module, node, cst.Name("x"))):
        assert isinstance(edits, NoFix)
        assert "line ends cannot be kept" in edits.reason


# Every form in every place


PLACES = {
    "a function": "def f(p, q, r):\n{}\n    return 1\n",
    "a method": "class C:\n    def f(self, p, q, r):\n{}\n        return 1\n",
    "a try": "def f(p, q, r):\n    try:\n{}\n    finally:\n        z()\n",
    "a loop with an else": "def f(p, q, r):\n    for m in r:\n{}\n    else:\n        z()\n",
    "a with": "async def f(p, q, r):\n    async with p as m:\n{}\n",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("sentence", [sentence for sentence in FORMS if "\r" not in FORMS[sentence][0]])
def test_a_form_is_folded_wherever_it_stands(sentence: str, place: str) -> None:
    text, holds, result = FORMS[sentence]
    depth = PLACES[place].partition("{}")[0].rpartition("\n")[0].splitlines()[-1]
    indent = " " * (len(depth) - len(depth.lstrip()) + 4)
    before, expected = (PLACES[place].format(textwrap.indent(code, indent).rstrip()) for code in (text, result))
    assert after(before, holds) == expected
    ast.parse(after(before, holds))
