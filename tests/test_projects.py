"""Projects whose requests are spread over several files: what is found, in which file, and what a fix makes of it.

``fixtures/projects/silent/`` holds projects in which nothing must be found, and ``broken/`` such whose lines say
``# expect: CAV101`` where a finding starts; of the same name in ``silent/`` is what ``fix`` has to make of it. Breaks
of the project ``assistant``, in which every part of a request has a file of its own, are declared in a table.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from commands import REPOSITORY, flake8, lint, run_python

PROJECTS = REPOSITORY / "fixtures" / "projects"
ASSISTANT = PROJECTS / "silent" / "assistant"
SOURCE = Path("src", "assistant")

Place = tuple[str, int, int, str]
"""Path, line, column and code of a finding."""


@dataclass(frozen=True)
class Break:
    """A change to one file of the project, and the findings that it leads to: file, a text of the line, code."""

    name: str
    file: str
    old: str
    new: str
    findings: tuple[tuple[str, str, str], ...]

    def apply(self, project: Path) -> None:
        """Break a copy of the project."""
        file = project / SOURCE / self.file
        text = file.read_text()
        assert text.count(self.old) == 1
        file.write_text(text.replace(self.old, self.new))

    def expected(self, project: Path) -> list[tuple[str, int, str]]:
        """File, line and code of the findings."""
        return [(file, _line_with(project / SOURCE / file, text), code) for file, text, code in self.findings]


BREAKS = (
    Break(
        "a function builds the headers without the version",
        "net/headers.py",
        '        "anthropic-version": API_VERSION,\n',
        "",
        (
            ("service.py", "return self.client.get(Path.MODELS.value)", "CAV101"),
            ("service.py", "return send(HOST + Path.MESSAGES.value, build_headers(), body)", "CAV101"),
        ),
    ),
    Break(
        "the constant is outdated",
        "versions.py",
        '"2023-06-01"',
        '"2023-01-01"',
        (("versions.py", 'API_VERSION = "2023-01-01"', "CAV102"),),
    ),
    Break(
        "the constant is no version",
        "versions.py",
        '"2023-06-01"',
        '"2024-01-01"',
        (("versions.py", 'API_VERSION = "2024-01-01"', "CAV103"),),
    ),
    Break(
        "a subclass overrides the headers without the version",
        "claude.py",
        ', "anthropic-version": API_VERSION}',
        "}",
        (("claude.py", "return {**super().headers()", "CAV101"),),
    ),
    Break(
        "a function misspells the header",
        "net/headers.py",
        '"anthropic-version"',
        '"anthropic_version"',
        (("net/headers.py", '"anthropic_version": API_VERSION', "CAV104"),),
    ),
    Break(
        "an entry of a table lacks the version",
        "vendors.py",
        ', "anthropic-version": API_VERSION}',
        "}",
        (("count.py", 'requests.post(entry["url"]', "CAV101"),),
    ),
    Break(
        "the standard library's request lacks the version",
        "batches.py",
        '    request.add_header("anthropic-version", API_VERSION)\n',
        "",
        (("batches.py", "request = urllib.request.Request(", "CAV101"),),
    ),
    Break(
        "the configuration of a client lacks the version",
        "client.py",
        "default_headers=build_headers()",
        'default_headers={"x-api-key": "k"}',
        (("service.py", "return self.client.get(Path.MODELS.value)", "CAV101"),),
    ),
    Break(
        "a call brings headers without the version",
        "service.py",
        "build_headers(), body)",
        '{"x-api-key": "k"}, body)',
        (("service.py", "return send(HOST + Path.MESSAGES.value", "CAV101"),),
    ),
    Break(
        "a subclass misspells the header",
        "claude.py",
        '"anthropic-version": API_VERSION}',
        '"anthropic_version": API_VERSION}',
        (("claude.py", '"anthropic_version": API_VERSION}', "CAV104"),),
    ),
    Break(
        "a subclass sends the header twice",
        "claude.py",
        '"anthropic-version": API_VERSION}',
        '"anthropic-version": API_VERSION, "Anthropic-Version": API_VERSION}',
        (("claude.py", '"Anthropic-Version": API_VERSION}', "CAV105"),),
    ),
    Break(
        "an entry of a table is outdated",
        "vendors.py",
        '"anthropic-version": API_VERSION}',
        '"anthropic-version": "2023-01-01"}',
        (("vendors.py", '"anthropic-version": "2023-01-01"}', "CAV102"),),
    ),
)


def _line_with(file: Path, text: str) -> int:
    """The number of the one line of a file that has a text."""
    lines = [number for number, line in enumerate(file.read_text().splitlines(), start=1) if text in line]
    assert len(lines) == 1, f"{text!r} stands in lines {lines} of {file}"
    return lines[0]


def checked(*paths: str | Path, cwd: Path) -> list[Place]:
    """What the command finds."""
    done = lint("check", "--output-format", "json", *paths, cwd=cwd)
    assert not done.stderr, done.stderr.decode()
    return sorted((f["path"], f["line"], f["column"], f["code"]) for f in json.loads(done.stdout))


def checked_by_flake8(*paths: str | Path, cwd: Path) -> list[Place]:
    """What flake8 finds."""
    done = flake8("--format", "%(path)s\t%(row)d\t%(col)d\t%(code)s", *paths, cwd=cwd)
    assert not done.stderr, done.stderr.decode()
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    return sorted((path, int(line), int(column), code) for path, line, column, code in rows)


@dataclass(frozen=True)
class Broken:
    """All broken copies, each in a folder of its own: what is found there before and after ``fix``."""

    folder: Path
    mended: Path
    before: list[Place]
    by_flake8: list[Place]
    after: list[Place]

    def of(self, places: list[Place], index: int) -> list[Place]:
        """The findings of one copy, by the path inside it."""
        prefix = f"{index}/"
        return [(path.removeprefix(prefix), *rest) for path, *rest in places if path.startswith(prefix)]  # type: ignore[misc]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    """One run of each tool over all of them: that they have files of the same names must not matter."""
    folder = tmp_path_factory.mktemp("broken")
    for index, change in enumerate(BREAKS):
        shutil.copytree(ASSISTANT, folder / str(index))
        change.apply(folder / str(index))
    mended = tmp_path_factory.mktemp("mended")
    shutil.copytree(folder, mended, dirs_exist_ok=True)
    copies = [str(index) for index in range(len(BREAKS))]
    lint("fix", *copies, cwd=mended)
    before, by_flake8 = checked(*copies, cwd=folder), checked_by_flake8(*copies, cwd=folder)
    return Broken(folder, mended, before, by_flake8, checked(*copies, cwd=mended))


each_break = pytest.mark.parametrize("index", range(len(BREAKS)), ids=[change.name for change in BREAKS])


@pytest.mark.xdist_group("breaks")
@each_break
class TestABreak:
    def test_is_found_where_it_is_to_be_mended(self, broken: Broken, index: int) -> None:
        found = [(path, line, code) for path, line, _, code in broken.of(broken.before, index)]
        expected = BREAKS[index].expected(broken.folder / str(index))
        assert found == sorted(((SOURCE / file).as_posix(), line, code) for file, line, code in expected)

    def test_is_found_by_flake8_in_the_same_place(self, broken: Broken, index: int) -> None:
        assert broken.of(broken.by_flake8, index) == broken.of(broken.before, index)

    def test_is_found_where_one_file_is_checked_alone(self, broken: Broken, index: int) -> None:
        of_project = broken.of(broken.before, index)
        for file in sorted({(SOURCE / BREAKS[index].file).as_posix(), *(path for path, *_ in of_project)}):
            alone = checked(file, cwd=broken.folder / str(index))
            assert alone == [place for place in of_project if place[0] == file]

    def test_is_mended_by_safe_fixes(self, broken: Broken, index: int) -> None:
        assert broken.of(broken.after, index) == []
        for file in (broken.mended / str(index)).rglob("*.py"):
            compile(file.read_bytes(), str(file), "exec")

    def test_is_mended_in_the_one_file_that_is_broken(self, broken: Broken, index: int) -> None:
        names = [path.relative_to(ASSISTANT) for path in ASSISTANT.rglob("*.py")]
        before, after = broken.folder / str(index), broken.mended / str(index)
        changed = [name for name in names if (before / name).read_bytes() != (after / name).read_bytes()]
        assert changed == [SOURCE / BREAKS[index].file]


@pytest.fixture
def assistant(tmp_path: Path) -> Path:
    """A copy of the project that is right."""
    shutil.copytree(ASSISTANT, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_the_project_that_is_right_is_silent(assistant: Path) -> None:
    assert checked(".", cwd=assistant) == []
    assert checked_by_flake8(".", cwd=assistant) == []
    assert checked_by_flake8("-j", "2", ".", cwd=assistant) == []


def test_flake8_finds_the_same_in_several_processes(assistant: Path) -> None:
    BREAKS[0].apply(assistant)
    alone = checked_by_flake8("-j", "1", "src", cwd=assistant)
    assert checked_by_flake8("-j", "2", "src", cwd=assistant) == alone
    assert len(alone) == 2


# Projects in the ways in which people write them


SILENT = PROJECTS / "silent"
BROKEN = PROJECTS / "broken"
EXPECTATION = re.compile(r"[ ]+# expect: (CAV\d{3}(?:, CAV\d{3})*)$", re.MULTILINE)


def expected(folder: Path) -> list[tuple[str, int, str]]:
    """Path, line and code of every expectation below a folder."""
    return sorted(
        (file.relative_to(folder).as_posix(), number, code)
        for file in folder.rglob("*.py")
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        for found in EXPECTATION.finditer(line)
        for code in found[1].split(", ")
    )


def contents(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): file.read_text() for file in sorted(folder.rglob("*.py"))}


@pytest.fixture
def unmarked(tmp_path: Path) -> Path:
    """The broken projects as their authors would have written them: without our comments."""
    shutil.copytree(BROKEN, tmp_path, dirs_exist_ok=True)
    for file in tmp_path.rglob("*.py"):
        file.write_text(EXPECTATION.sub("", file.read_text()))
    return tmp_path


def test_nothing_is_found_in_the_silent_projects() -> None:
    assert checked(".", cwd=SILENT) == []
    assert checked_by_flake8(".", cwd=SILENT) == []


def test_exactly_the_expected_findings_are_reported_in_the_broken_projects(unmarked: Path) -> None:
    found = checked(".", cwd=unmarked)
    assert sorted((path.removeprefix("./"), line, code) for path, line, _, code in found) == expected(BROKEN)
    assert checked_by_flake8(".", cwd=unmarked) == found


def test_safe_fixes_make_of_a_broken_project_its_silent_twin(unmarked: Path) -> None:
    assert lint("fix", ".", cwd=unmarked).returncode == 0
    for project in sorted(unmarked.iterdir()):
        assert contents(project) == contents(SILENT / project.name), project.name


def test_every_broken_project_has_a_silent_twin_and_expects_something() -> None:
    names = [project.name for project in BROKEN.iterdir()]
    assert {path.split("/")[0] for path, _, _ in expected(BROKEN)} == set(names)
    assert expected(SILENT) == []
    assert set(names) < {project.name for project in SILENT.iterdir()}


# A folder of a project


@pytest.mark.parametrize("marked", [True, False])
def test_a_folder_in_which_nothing_names_the_vendor_is_part_of_the_project_above_it(
    tmp_path: Path, marked: bool
) -> None:
    package, inner = tmp_path / "package", tmp_path / "package" / "inner"
    inner.mkdir(parents=True)
    for folder in () if marked else (package, inner):
        (folder / "__init__.py").write_text("")
    if marked:
        (tmp_path / "pyproject.toml").write_text("")
    (package / "target.py").write_text('URL = "https://api.anthropic.com/v1/messages"\nHEADERS = {"x-api-key": "k"}\n')
    (inner / "ask.py").write_text(
        "import requests\nfrom package.target import HEADERS, URL\n\nrequests.post(URL, headers=HEADERS, json={})\n"
    )
    done = lint("check", "--no-cache", "package/inner", cwd=tmp_path)
    assert done.stdout.startswith(b"package/inner/ask.py:4:1: CAV101 ")


# A fix that edits other files


@pytest.fixture
def two_homes(tmp_path: Path) -> Path:
    """A request whose headers come from one of two other files: a fix has to edit both of them."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "first.py").write_text('HEADERS = {"x-api-key": "a"}\n')
    (tmp_path / "second.py").write_text('HEADERS = {"x-api-key": "b"}\n')
    (tmp_path / "ask.py").write_text(
        "import first, second\nimport requests\n\n\ndef ask(flag, body):\n"
        "    headers = first.HEADERS if flag else second.HEADERS\n"
        '    return requests.post("https://api.anthropic.com/v1/messages", headers=headers, json=body)\n'
    )
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in sorted(folder.glob("*.py"))}


def test_a_fix_in_two_files_is_made_in_both(two_homes: Path) -> None:
    done = lint("fix", ".", cwd=two_homes)
    assert done.returncode == 0
    changed = texts(two_homes)
    assert changed["first.py"] == 'HEADERS = {"x-api-key": "a", "anthropic-version": "2023-06-01"}\n'
    assert changed["second.py"] == 'HEADERS = {"x-api-key": "b", "anthropic-version": "2023-06-01"}\n'
    assert done.stderr == b"Fixed 1 finding in 1 file (3 scanned).\n"


def test_a_dry_run_shows_both_and_writes_neither(two_homes: Path) -> None:
    before = texts(two_homes)
    done = lint("fix", "--diff", ".", cwd=two_homes)
    assert done.stdout.decode().count('+HEADERS = {"x-api-key"') == 2
    assert texts(two_homes) == before


def test_a_fix_in_two_files_is_not_made_where_one_is_not_part_of_the_run(two_homes: Path) -> None:
    before = texts(two_homes)
    done = lint("fix", "ask.py", "first.py", cwd=two_homes)
    assert texts(two_homes) == before
    assert done.returncode == 1
    assert b"no fix: the fix edits second.py, which is not part of this run; name both" in done.stdout


ASK_CLAUDE = """\
import boto3, json
from bodies import IMPORTED
client = boto3.client("bedrock-runtime")
client.invoke_model(modelId="anthropic.claude-3-haiku-20240307-v1:0", body=json.dumps(question()))
"""


@pytest.mark.parametrize(
    ("bodies", "imported", "is_safe"),
    [
        ('def question():\n    return {"messages": []}\n', "question", False),
        ('V = "2023-06-01"\ndef question():\n    return {"anthropic_version": V}\n', "question", True),
        ('V = "2023-06-01"\ndef question():\n    return {"anthropic_version": V}\n', "V, question", False),
        ('V = "2023-06-01"\nH = {"v": V}\ndef question():\n    return {"anthropic_version": V}\n', "question", False),
        ('def question():\n    return {"anthropic_version": "2023-06-01"}\n', "question", True),
    ],
)
def test_a_body_of_another_file_is_mended_there_by_a_person_where_it_may_be_for_others(
    tmp_path: Path, bodies: str, imported: str, is_safe: bool
) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "bodies.py").write_text(bodies)
    (tmp_path / "ask.py").write_text(ASK_CLAUDE.replace("IMPORTED", imported))
    lint("fix", ".", cwd=tmp_path)
    assert (texts(tmp_path)["bodies.py"] != bodies) is is_safe
    assert lint("fix", "--unsafe-fixes", ".", cwd=tmp_path).returncode == 0
    assert '"bedrock-2023-05-31"' in texts(tmp_path)["bodies.py"]


CHANGED_MEANWHILE = """
import os, sys
from claude_api_lint.cli import main
replace = os.replace
def replaced(source, target):
    replace(source, target)
    if os.path.basename(target) == "first.py" and os.replace is not replace:
        os.replace = replace
        with open("second.py", "a") as file:
            file.write("# somebody else\\n")
os.replace = replaced
sys.exit(main(["fix", "."]))
"""


def test_where_one_of_two_files_has_changed_meanwhile_both_stay(two_homes: Path) -> None:
    before = texts(two_homes)
    done = run_python("-c", CHANGED_MEANWHILE, cwd=two_homes)
    assert texts(two_homes) == before | {"second.py": before["second.py"] + "# somebody else\n"}
    assert done.returncode == 2
    assert b"ask.py: not fixed: ./second.py belongs to the change: it has changed since it was read" in done.stderr


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root writes everywhere")
def test_where_one_of_two_files_is_write_protected_both_stay(two_homes: Path) -> None:
    (two_homes / "second.py").chmod(0o444)
    before = texts(two_homes)
    done = lint("fix", ".", cwd=two_homes)
    assert texts(two_homes) == before
    assert b"ask.py: not fixed: ./second.py belongs to the change: it is write-protected" in done.stderr


def test_a_file_whose_encoding_would_not_be_kept_is_not_edited_for_another_one(two_homes: Path) -> None:
    (two_homes / "second.py").write_bytes(b"# coding: utf-7\nHEADERS = {'x-api-key': 'b+AGE-'}\n")
    before = texts(two_homes)
    done = lint("fix", ".", cwd=two_homes)
    assert texts(two_homes) == before
    assert b"no fix: the fix edits second.py, whose encoding cannot be kept byte for byte" in done.stdout
