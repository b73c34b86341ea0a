"""Notebooks: what is found in their cells, and what becomes of the file.

``fixtures/notebooks`` holds files as Jupyter, Colab and other tools write them: ``broken`` and ``mended`` twins, and
``silent`` ones in which nothing must be found. And every program of the other fixtures is a notebook here, too, with a
cell for each of its statements.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from claude_api_lint.embedded import Hidden
from claude_api_lint.findings import Edit
from claude_api_lint.fixer import FixResult, apply
from claude_api_lint.ipython_commands import hide_commands, is_python, is_python_cell
from claude_api_lint.json_spans import JsonText, elements, members
from claude_api_lint.linter import CheckResult
from claude_api_lint.notebooks import check_notebook, fix_notebook
from claude_api_lint.parsing import split
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source
from commands import git, lint, run
from test_fixtures import BROKEN, FIXTURES, REPORTED, SILENT, each, expected, mended_twin, name, read, stripped

NOTEBOOKS = FIXTURES / "notebooks"

POST = "requests.post('https://api.anthropic.com/v1/messages', headers={'x-api-key': 'k'}, json={})"
MENDED_POST = POST.replace("'k'}", "'k', 'anthropic-version': '2023-06-01'}")

PLACES = {
    "colab.ipynb": [(3, 6, 123, "CAV104")],
    "jupyter.ipynb": [(5, 7, 12, "CAV101")],
    "one_line.ipynb": [(2, 4, 1, "CAV402")],
    "version_3.ipynb": [(2, 2, 57, "CAV103")],
    "windows.ipynb": [(2, 2, 11, "CAV101")],
}


def written(*cells: str) -> bytes:
    """A notebook with these cells of code, as nbformat writes it."""
    return nbformat.writes(new_notebook(cells=[new_code_cell(cell) for cell in cells])).encode()


def sources(data: bytes) -> list[str]:
    """The source of each cell, as nbformat reads it."""
    notebook = nbformat.reads(data.decode(), as_version=4)
    nbformat.validate(notebook)
    return [cell.source for cell in notebook.cells]


def check(data: bytes, path: str = "notebook.ipynb") -> CheckResult:
    return check_notebook(data, path, Settings())


def places(data: bytes) -> list[tuple[int | None, int, int, str]]:
    return [(finding.cell, finding.line, finding.column, finding.code) for finding in check(data).findings]


def fix(data: bytes, path: str = "notebook.ipynb") -> FixResult:
    return fix_notebook(data, path, Settings(unsafe_fixes=True))


def notebooks(kind: str) -> pytest.MarkDecorator:
    files = sorted((NOTEBOOKS / kind).iterdir())
    return pytest.mark.parametrize("file", files, ids=lambda file: file.stem)


# Files as they are


@notebooks("broken")
def test_what_is_found_is_told_by_cell_line_and_column(file: Path) -> None:
    assert places(file.read_bytes()) == PLACES[file.name]
    assert check(file.read_bytes()).skipped is None


@notebooks("broken")
def test_fixing_a_broken_notebook_gives_its_mended_twin(file: Path) -> None:
    assert fix(file.read_bytes()).source == (NOTEBOOKS / "mended" / file.name).read_bytes()


@notebooks("broken")
def test_every_line_that_stays_is_the_same_byte_for_byte(file: Path) -> None:
    before, after = file.read_bytes().split(b"\n"), fix(file.read_bytes()).source.split(b"\n")
    changed = [line for line in after if line not in before]
    assert len(changed) == 1
    assert len(after) - len(before) in (0, 1)


@notebooks("mended")
def test_nothing_is_left_to_find_in_a_mended_notebook(file: Path) -> None:
    data = file.read_bytes()
    assert check(data) == CheckResult()
    assert fix(data).source == data
    if file.name != "version_3.ipynb":
        assert sources(data)


@notebooks("silent")
def test_nothing_is_found_in_a_silent_notebook(file: Path) -> None:
    data = file.read_bytes()
    assert check(data) == CheckResult()
    assert fix(data).source == data


# What Jupyter writes and reads


def test_a_notebook_of_nbformat_differs_in_the_changed_cells_alone() -> None:
    picture = new_output("display_data", data={"image/png": "iVBORw0KGgo=\n", "text/plain": "é"}, metadata={"w": 1})
    notebook = new_notebook(
        metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 🐍"}},
        cells=[
            new_markdown_cell(f"# Übung\n\n{POST}"),
            new_code_cell("%pip install requests\nimport requests", execution_count=1),
            new_code_cell(f"# ä\nreply = {POST}\nreply.json();", execution_count=2, outputs=[picture]),
            new_code_cell("print('anthropic ✓')", metadata={"tags": ["x"]}),
        ],
    )
    before = nbformat.writes(notebook)
    after = fix(before.encode()).source.decode()
    reloaded = nbformat.reads(after, as_version=4)
    nbformat.validate(reloaded)
    assert reloaded.cells[2].source == f"# ä\nreply = {MENDED_POST}\nreply.json();"
    reloaded.cells[2].source = notebook.cells[2].source
    assert nbformat.writes(reloaded) == before


@each(BROKEN)
def test_the_lines_of_a_fixed_cell_stand_as_nbformat_would_write_them(program: Path) -> None:
    after = fix(written(*cells_of(stripped(read(program)).decode()))).source.decode()
    assert nbformat.writes(nbformat.reads(after, as_version=4)) == after


# Programs as notebooks


def cells_of(text: str) -> list[str]:
    """The statements of a program, which are to be the cells of a notebook."""
    return [statement.text.removesuffix("\n") for statement in split(Source(text))]


def lines_of_program(text: str, result: CheckResult) -> list[tuple[int, str]]:
    """Line and code of the findings in a notebook that was a program, as the program counts them."""
    firsts = [1]
    for cell in cells_of(text):
        firsts.append(firsts[-1] + cell.count("\n") + 1)
    return sorted((firsts[(finding.cell or 0) - 1] + finding.line - 1, finding.code) for finding in result.findings)


@each(REPORTED + SILENT)
def test_names_flow_from_cell_to_cell_as_through_a_program(program: Path) -> None:
    text = stripped(read(program)).decode()
    result = check(written(*cells_of(text)), name(program))
    assert result.skipped is None
    assert lines_of_program(text, result) == expected(read(program))


@each(BROKEN)
def test_fixing_the_cells_fixes_the_program(program: Path) -> None:
    cells = cells_of(stripped(read(program)).decode())
    assert "\n".join(sources(fix(written(*cells), name(program)).source)) + "\n" == read(mended_twin(program))


def test_a_message_names_lines_as_they_are_counted_in_the_notebook() -> None:
    cells = ["import requests", "# the headers\nheaders = {'x-api-key': 'k'}"]
    call = "requests.post('https://api.anthropic.com/v1/messages', headers=headers, json={})"
    (elsewhere,) = check(written(*cells, call)).findings
    assert "(its headers are built at line 2 of cell 2)" in elsewhere.message
    (here,) = check(written(cells[0], f"{cells[1]}\n{call}")).findings
    assert "(its headers are built at line 2)" in here.message


def test_a_line_that_is_marked_noqa_is_named_in_its_cell() -> None:
    headers = "x = 1\nheaders = {'x-api-key': 'k'}  # noqa: CAV101"
    call = "requests.post('https://api.anthropic.com/v1/messages', headers=headers, json={})"
    (finding,) = check(written("import requests", headers, call)).findings
    assert finding.no_fix_reason == "line 2 of cell 2 is marked noqa"


# What IPython adds


@pytest.mark.parametrize(
    "cell",
    [
        "%matplotlib inline",
        "!ls -la it's \"",
        "!pip install a \\\n  b",
        "files = !ls",
        "table = %sql select 'x'",
        "requests.post?",
        "??requests",
        "%time x = 1",
        "%timeit -n 3 f()",
        "%time for x in y: pass",
        "%%time",
        "%%capture out\n%%time\n!ls",
        "if x:\n    !ls\n    %cd ..\nelse:\n    pass",
        "/f x",
        "pip install requests",
        "plot();",
        "await f()\nasync with a as b: pass",
        "text = '''\n%%bash\n!ls\n'''\n!ls",
        "x = (5\n% 3)\n!ls",
    ],
)
def test_commands_of_ipython_are_stepped_over(cell: str) -> None:
    assert places(written("import requests", cell, POST)) == [(3, 1, 1, "CAV101")]
    assert check(written("import requests", cell, POST)).skipped is None
    assert sources(fix(written("import requests", cell, POST)).source) == ["import requests", cell, MENDED_POST]
    above = f"{cell}\nimport requests\n{POST}"
    if cell != "pip install requests":
        assert [code for *_, code in places(written(above))] == ["CAV101"]
        assert sources(fix(written(above)).source) == [f"{cell}\nimport requests\n{MENDED_POST}"]


@pytest.mark.parametrize(
    ("cell", "is_it"),
    [
        ("%%time\nx", True),
        ("\n%%capture\n%%timeit\nx", True),
        ("%%time\n%%bash\nx", False),
        ("%%bash\nx", False),
        ("%%of_an_extension\n!ls\nx = 1", True),
        ("%%of_an_extension\nselect 1", False),
        ("%%writefile a.py\nx", False),
        ("# %%bash", True),
        ("%sql\nselect 1", False),
        ("%md # x\n", True),
        ("%%", False),
        ("%%time\n" * 5_000 + "x", True),
    ],
)
def test_the_first_line_says_whether_a_cell_is_in_python(cell: str, is_it: bool) -> None:
    assert is_python_cell(cell) == is_it


def test_the_value_of_a_command_is_unknown() -> None:
    call = POST.replace("'k'}", "'k', 'anthropic-version': version}")
    assert places(written("import requests", "version = !cat version.txt", call)) == []


def test_the_python_after_time_is_checked_and_fixed_in_its_line() -> None:
    data = written("import requests", f"%time {POST}")
    assert places(data) == [(2, 1, 7, "CAV101")]
    assert sources(fix(data).source)[1] == f"%time {MENDED_POST}"


@each([program for program in BROKEN if "CAV301" in program.parts])
def test_a_fix_never_takes_a_command_away(program: Path) -> None:
    lines = stripped(read(program)).decode().splitlines(keepends=True)
    mended = read(mended_twin(program)).splitlines(keepends=True)
    for number in (number for number, line in enumerate(lines) if line not in mended):
        indentation = lines[number][: -len(lines[number].lstrip())]
        cell = "".join([*lines[:number], f"{indentation}!echo claude\n", *lines[number:]])
        if is_python(hide_commands(cell)[0]):
            assert f"{indentation}!echo claude\n" in sources(fix(written(cell)).source)[0]


def test_a_finding_whose_fix_would_take_a_command_away_says_so() -> None:
    program = stripped(read(FIXTURES / "broken" / "CAV301" / "guard_around_the_body.py")).decode()
    (guard,) = re.findall(r"^( *)if .*\[DONE\].*\n", program, re.MULTILINE)
    cell = re.sub(r"^ *if .*\[DONE\].*\n", rf"\g<0>{guard}    !echo claude\n", program, flags=re.MULTILINE)
    (finding,) = fix(written(cell)).remaining
    assert finding.no_fix_reason == "it would change two cells at once, or a line that is no plain Python"


@pytest.mark.parametrize(
    ("edit", "allowed"),
    [
        (Edit(8, 9, "x"), True),
        (Edit(20, 20, "x"), True),
        (Edit(20, 20, "\nx"), True),
        (Edit(0, 0, "x\n"), True),
        (Edit(8, 9, "x\ny"), False),
        (Edit(8, 21, ""), False),
        (Edit(3, 3, "x"), False),
        (Edit(3, 9, ""), False),
        (Edit(0, 25, ""), False),
    ],
)
def test_what_is_shown_of_a_command_can_be_edited_within_its_line(edit: Edit, allowed: bool) -> None:
    assert Hidden(0, 20, 6).allows(edit) == allowed


def test_nothing_can_be_written_before_a_cell_magic() -> None:
    _, (magic,) = hide_commands("%%time\nx")
    assert not magic.allows(Edit(0, 0, "import x\n"))
    assert magic.allows(Edit(7, 7, "import x\n"))


@given(st.text(alphabet="ab=%!?()'\"\\\n\r#;,/ \tf", max_size=60))
def test_hiding_commands_moves_nothing(text: str) -> None:
    shown, hidden = hide_commands(text)
    assert len(shown) == len(text)
    assert [end.start() for end in re.finditer("\n|\r", shown)] == [end.start() for end in re.finditer("\n|\r", text)]
    position = 0
    for part in hidden:
        assert shown[position : max(part.start, 0)] == text[position : max(part.start, 0)]
        position = part.code
    assert shown[position:] == text[position:]
    if is_python(text):
        assert (shown, hidden) == (text, ())


# Cells that are no Python


def test_a_cell_that_is_no_python_is_named_and_the_others_are_checked() -> None:
    data = written("import requests", "x = 1\n= 2", POST, "x y")
    result = check(data)
    assert [(finding.cell, finding.code) for finding in result.findings] == [(3, "CAV101")]
    assert result.skipped == (
        "cell 2 was left out: line 2 is not valid Python (invalid syntax); "
        "cell 4 was left out: line 1 is not valid Python (invalid syntax)"
    )
    fixed = fix(data)
    assert sources(fixed.source) == ["import requests", "x = 1\n= 2", MENDED_POST, "x y"]
    assert fixed.skipped == result.skipped


def test_cells_without_a_word_of_the_api_are_not_spoken_of() -> None:
    notebook = new_notebook(cells=[new_markdown_cell("About Claude"), new_code_cell("x y")])
    assert check(nbformat.writes(notebook).encode()) == CheckResult()


def test_a_cell_of_visual_studio_code_can_be_in_another_language() -> None:
    notebook = new_notebook(
        cells=[new_code_cell(f"import requests\n{POST}", metadata={"vscode": {"languageId": "markdown"}})]
    )
    assert places(nbformat.writes(notebook).encode()) == []


def test_a_noqa_comment_counts_in_its_line() -> None:
    assert places(written("import requests", f"{POST}  # noqa: CAV101", POST)) == [(3, 1, 1, "CAV101")]


# Files that are no notebooks


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"anthropic", "it is not a notebook (no JSON: Expecting value"),
        (b"", "it is not a notebook (no JSON: Expecting value"),
        (b"\xff\xfeanthropic", "it is not a notebook ('utf-8' codec"),
        (b"[1]", 'it is not a notebook (it has no "nbformat")'),
        (b'{"nbformat": 2, "worksheets": []}', "it is a notebook of version 2; open it with Jupyter"),
        (b'{"nbformat": true, "cells": []}', "it is a notebook of version True"),
        (b'{"nbformat": [4], "cells": []}', "it is a notebook of version [4]"),
        (b'{"nbformat": 4}', "its cells are not those of a notebook"),
        (b'{"nbformat": 4, "cells": [1]}', "its cells are not those of a notebook"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "its cells are not those of a notebook"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}', "its cells are not those of a notebook"),
        (b"[" * 100_000, "it is not a notebook (no JSON: "),
    ],
)
def test_a_file_that_is_no_notebook_is_told_so(data: bytes, told: str) -> None:
    for result in (check(data), fix(data)):
        assert (result.skipped or "").startswith(told)
    assert fix(data).source == data


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_raise_anything(data: bytes) -> None:
    assert check(data).skipped
    assert fix(data).source == data


def test_a_byte_order_mark_stays() -> None:
    data = b"\xef\xbb\xbf" + written("import requests", POST)
    assert fix(data).source == data.replace(b"'k'}", b"'k', 'anthropic-version': '2023-06-01'}")


def test_of_two_keys_the_last_one_counts_as_in_json() -> None:
    data = written("import requests", POST).replace(b'"source": [', b'"source": ["claude"],\n   "source" : [')
    fixed = fix(data).source
    assert sources(fixed) == ["import requests", MENDED_POST]
    assert fixed.count(b'["claude"]') == 2


# JSON in any layout

ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NESTED = ATOMS | st.lists(ATOMS, max_size=3)
JSON = NESTED | st.lists(NESTED, max_size=3) | st.dictionaries(st.text(max_size=5), NESTED, max_size=3)
CODE = st.lists(st.text(max_size=9), min_size=1, max_size=5)


def laid_out(value: object, chance: random.Random) -> str:
    """JSON with spaces and escapes here and there."""
    space = chance.choice(["", " ", "\n  ", "\t", "\r\n"])
    if isinstance(value, str):
        return '"' + "".join(escaped(character, chance) for character in value) + '"'
    if isinstance(value, list):
        return f"[{space}" + f",{space}".join(laid_out(item, chance) for item in value) + f"{space}]"
    if isinstance(value, dict):
        items = (f"{laid_out(key, chance)}{space}:{space}{laid_out(item, chance)}" for key, item in value.items())
        return f"{{{space}" + f"{space},".join(items) + f"{space}}}"
    return json.dumps(value)


def escaped(character: str, chance: random.Random) -> str:
    ways = [json.dumps(character, ensure_ascii=True)[1:-1], json.dumps(character, ensure_ascii=False)[1:-1]]
    if ord(character) < 0x10000:
        ways.append(f"\\u{ord(character):04X}")
    return chance.choice(ways if character != "/" else [*ways, "\\/"])


@pytest.mark.parametrize(
    ("json_text", "new", "is_last", "there"),
    [
        ('["a"]', "é", False, r"\u00e9"),  # in a file without a letter beyond ASCII there is none afterwards
        ('["ä"]', "é", False, "é"),
        ('"a"', "x\ny", False, r"x\ny"),
        ('["a"]', "x\ny", False, r'x\n","y'),
        ('[\n  "a",\n  "b"]', "x\ny", False, 'x\\n",\n  "y'),
        ('[\n  "a"]', "x\n", False, 'x\\n",\n  "'),
        ('[\n  "a"]', "x\n", True, r"x\n"),  # no empty line of its own after it
    ],
)
def test_new_text_is_written_as_the_file_writes_it(json_text: str, new: str, is_last: bool, there: str) -> None:
    assert JsonText(json_text, 0).written(new, is_last=is_last) == there


@given(
    st.dictionaries(st.text(max_size=5), JSON, max_size=4), JSON, CODE | st.text(max_size=20), st.randoms(), st.data()
)
def test_an_edit_of_a_string_changes_nothing_else_in_any_layout(
    around: dict[str, object], beside: object, source: list[str] | str, chance: random.Random, data: st.DataObject
) -> None:
    document = {**around, "cells": [beside, {"a": beside, "source": source, "z": around}, beside]}
    text = laid_out(document, chance)
    cell = [start for start, _ in elements(text, members(text, 0)["cells"])][1]
    place = JsonText(text, members(text, cell)["source"])
    code = "".join(source)
    start = data.draw(st.integers(0, len(code)))
    end = data.draw(st.integers(start, len(code)))
    new = data.draw(st.text(max_size=6) | st.sampled_from(["a\n", "a\nb", "\n"]))
    edit = Edit(place.offset(start), place.offset(end), place.written(new, is_last=end == len(code)))
    after = json.loads(apply(text, [edit]))
    assert "".join(after["cells"][1].pop("source")) == code[:start] + new + code[end:]
    before = json.loads(text)
    del before["cells"][1]["source"]
    assert repr(after) == repr(before)  # NaN is not equal to itself


@given(st.lists(st.text(alphabet="ab\né", max_size=9), min_size=1, max_size=4), st.randoms(), st.booleans())
def test_a_notebook_in_any_layout_is_fixed_in_its_cell(comments: list[str], chance: random.Random, one: bool) -> None:
    cells = [f"'''{comment}'''\nimport requests" for comment in comments] + [f"\n{POST}"]
    parts = [cell if one else cell.splitlines(keepends=True) for cell in cells]
    document = {"nbformat": 4, "cells": [{"cell_type": "code", "source": part} for part in parts], "metadata": {}}
    text = laid_out(document, chance)
    fixed = fix(text.encode()).source.decode()
    assert ["".join(cell["source"]) for cell in json.loads(fixed)["cells"]] == [*cells[:-1], f"\n{MENDED_POST}"]
    first = next(index for index in range(len(text)) if text[index] != fixed[index])
    assert fixed[first:].endswith(text[first:])


# The command


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "ask.ipynb").write_bytes(written("import requests", f"\n{POST}"))
    return tmp_path


def test_the_command_finds_notebooks_in_folders(project: Path) -> None:
    done = lint("check", ".", cwd=project)
    assert done.returncode == 1
    assert done.stdout.startswith(b"./notes/ask.ipynb:cell 2:2:1: CAV101 ")


def test_json_has_the_cell(project: Path) -> None:
    done = lint("check", "--output-format", "json", "notes/ask.ipynb", cwd=project)
    (finding,) = json.loads(done.stdout)
    assert list(finding)[:4] == ["path", "cell", "line", "column"]
    assert (finding["cell"], finding["line"], finding["column"]) == (2, 2, 1)


def test_the_diff_does_what_fix_does(project: Path) -> None:
    git("init", "--quiet", cwd=project)
    file = project / "notes" / "ask.ipynb"
    before = file.read_bytes()
    diff = lint("fix", "--diff", ".", cwd=project)
    assert diff.returncode == 1
    assert file.read_bytes() == before
    assert lint("fix", ".", cwd=project).returncode == 0
    after = file.read_bytes()
    assert sources(after) == ["import requests", f"\n{MENDED_POST}"]
    file.write_bytes(before)
    assert run("git", "apply", cwd=project, stdin=diff.stdout).returncode == 0
    assert file.read_bytes() == after


def test_the_standard_input_can_be_a_notebook(tmp_path: Path) -> None:
    data = written("import requests", POST)
    done = lint("fix", "-", "--stdin-filename", "ask.ipynb", cwd=tmp_path, stdin=data)
    assert done.returncode == 0
    assert sources(done.stdout) == ["import requests", MENDED_POST]


def test_a_file_that_is_no_notebook_is_named_and_the_rest_is_checked(project: Path) -> None:
    (project / "bad.ipynb").write_text("anthropic")
    done = lint("check", ".", cwd=project)
    assert done.returncode == 2
    assert b"claude-api-lint: ./bad.ipynb: it is not a notebook (no JSON: " in done.stderr
    assert b"CAV101" in done.stdout
