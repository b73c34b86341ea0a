"""What imports lead to: files of the project, found as Python would find them, and never anything else."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import libcst as cst
import pytest

from claude_api_lint.candidates import concerns
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.project import Import, Project, imports_in
from claude_api_lint.dataflow.resolver import MAX_READING, Across
from claude_api_lint.dataflow.values import Const, External, Value
from claude_api_lint.discovery import read_file
from claude_api_lint.source import Source
from commands import run_python

Make = Callable[[Mapping[str, str]], Project]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes the files of a project into a folder."""

    def write(files: Mapping[str, str]) -> Project:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(textwrap.dedent(text))
        return Project(read_file)

    return write


# Which file an import names


LAYOUT = dict.fromkeys(
    (
        "pyproject.toml",
        "main.py",
        "tools/run.py",
        "tools/common.py",
        "app/__init__.py",
        "app/settings.py",
        "app/net/__init__.py",
        "app/net/headers.py",
        "app/plugins/one.py",
        "app/logging.py",
        "app/httpx.py",
        "src/library/__init__.py",
        "src/library/core.py",
        "src/spread/deep/part.py",
        "lib/helper.py",
        "tests/test_core.py",
        "json.py",
        "docs/readme.md",
    ),
    "",
)


@pytest.mark.parametrize(
    ("importer", "module", "found"),
    [
        ("main.py", "app", "app/__init__.py"),
        ("main.py", "app.settings", "app/settings.py"),
        ("main.py", "app.net.headers", "app/net/headers.py"),
        ("app/net/headers.py", "app.settings", "app/settings.py"),
        ("app/net/headers.py", ".", "app/net/__init__.py"),
        ("app/net/headers.py", "..", "app/__init__.py"),
        ("app/net/headers.py", "..settings", "app/settings.py"),
        ("app/net/__init__.py", ".headers", "app/net/headers.py"),
        ("app/__init__.py", ".net.headers", "app/net/headers.py"),
        ("app/logging.py", ".httpx", "app/httpx.py"),
        ("tools/run.py", "common", "tools/common.py"),
        ("tools/run.py", "app.settings", "app/settings.py"),
        ("tests/test_core.py", "library.core", "src/library/core.py"),
        ("tests/test_core.py", "helper", "lib/helper.py"),
        ("src/library/core.py", "library", "src/library/__init__.py"),
    ],
)
def test_an_import_names_the_file_that_python_would_take(
    make: Make, tmp_path: Path, importer: str, module: str, found: str
) -> None:
    assert make(LAYOUT).find(str(tmp_path / importer), module) == str(tmp_path / found)


@pytest.mark.parametrize(
    ("importer", "module", "found"),
    [
        ("main.py", "app.plugins", "app/plugins"),
        ("main.py", "spread.deep", "src/spread/deep"),
        ("main.py", "spread.deep.part", "src/spread/deep/part.py"),
        ("app/plugins/one.py", ".", "app/plugins"),
    ],
)
def test_a_folder_without_init_is_a_namespace_package(
    make: Make, tmp_path: Path, importer: str, module: str, found: str
) -> None:
    assert make(LAYOUT).find(str(tmp_path / importer), module) == str(tmp_path / found)


@pytest.mark.parametrize(
    ("importer", "module"),
    [
        ("main.py", "missing"),
        ("main.py", "app.missing"),
        ("main.py", "app.settings.missing"),
        ("app/settings.py", "settings"),
        ("app/settings.py", ".missing"),
        ("main.py", "docs"),
        ("main.py", "main"),
    ],
)
def test_what_is_not_there_is_not_found(make: Make, tmp_path: Path, importer: str, module: str) -> None:
    assert make(LAYOUT).find(str(tmp_path / importer), module) is None


def test_the_standard_library_is_never_hidden_by_the_project(make: Make, tmp_path: Path) -> None:
    project = make(LAYOUT)
    assert project.find(str(tmp_path / "main.py"), "json") is None
    assert project.find(str(tmp_path / "app/settings.py"), "logging") is None


@pytest.mark.parametrize("file", ["httpx.py", "httpx/__init__.py", "httpx/examples.py", "src/httpx/__init__.py"])
def test_a_client_library_is_never_hidden_by_the_project(make: Make, tmp_path: Path, file: str) -> None:
    project = make({"pyproject.toml": "", "main.py": "", file: ""})
    assert project.find(str(tmp_path / "main.py"), "httpx") is None


def test_a_namesake_of_a_library_in_a_package_is_found_by_a_relative_import_alone(make: Make, tmp_path: Path) -> None:
    project = make({"pyproject.toml": "", "app/__init__.py": "", "app/main.py": "", "app/acme.py": ""})
    assert project.find(str(tmp_path / "app/main.py"), "acme") is None
    assert project.find(str(tmp_path / "app/main.py"), ".acme") == str(tmp_path / "app/acme.py")


@pytest.mark.parametrize("module", ["...outside", "....outside", "outside", "..outside"])
def test_nothing_outside_the_project_is_found(make: Make, tmp_path: Path, module: str) -> None:
    project = make({"outside.py": "", "inner/pyproject.toml": "", "inner/app/__init__.py": "", "inner/app/a.py": ""})
    assert project.find(str(tmp_path / "inner/app/a.py"), module) is None


def test_without_any_mark_the_outermost_package_is_the_project(make: Make, tmp_path: Path) -> None:
    project = make({"app/__init__.py": "", "app/net/__init__.py": "", "app/net/a.py": "", "app/b.py": "", "c.py": ""})
    inner = str(tmp_path / "app/net/a.py")
    assert project.root(str(tmp_path / "app/net")) == str(tmp_path)
    assert project.find(inner, "app.b") == str(tmp_path / "app/b.py")


# What the imported names are


class Program:
    """Says what names are at the end of a module."""

    def __init__(self, project: Project, folder: Path) -> None:
        self._folder = folder
        self._evaluator = Evaluator(Across(project))

    def values(self, file: str, name: str) -> list[Value]:
        path = self._folder / file
        module = Module(Source(path.read_text()), str(path))
        found = self._evaluator.flow.at_module_end(name, self._evaluator.enter(module))
        return [alternative.value for alternative in found]

    def constants(self, file: str, name: str) -> list[object]:
        """The constants that a name can be; ``?`` for anything else."""
        return [value.value if isinstance(value, Const) else "?" for value in self.values(file, name)]


@pytest.mark.parametrize(
    ("how", "files"),
    [
        ("from app.versions import V as x", {"app/versions.py": "V = 'v1'"}),
        ("from .app.versions import V as x", {"app/versions.py": "V = 'v1'"}),
        ("import app.versions\nx = app.versions.V", {"app/versions.py": "V = 'v1'"}),
        ("import app.versions as versions\nx = versions.V", {"app/versions.py": "V = 'v1'"}),
        ("from app import versions\nx = versions.V", {"app/__init__.py": "", "app/versions.py": "V = 'v1'"}),
        ("from app import versions as v\nx = v.V", {"app/versions.py": "V = 'v1'"}),
        (
            "from app import V as x",
            {"app/__init__.py": "from .versions import V", "app/versions.py": "V = 'v1'"},
        ),
        (
            "import app\nx = app.versions.V",
            {"app/__init__.py": "from . import versions", "app/versions.py": "V = 'v1'"},
        ),
        (
            "from app import x",
            {"app/__init__.py": "from .a import *", "app/a.py": "from .b import *", "app/b.py": "x = 'v1'"},
        ),
        ("from app import *", {"app/__init__.py": "x = 'v1'"}),
        ("from app import *", {"app/__init__.py": "__all__ = ['_y', 'x']\nx = 'v1'"}),
        ("from app import *\nx = _y", {"app/__init__.py": "__all__ = ['_y']\n_y = 'v1'"}),
        ("try:\n    from app import x\nexcept ImportError:\n    x = 'v1'", {"app.py": "x = 'v1'"}),
        (
            "from app import config\nx = config.settings.version",
            {"app/config.py": "class Settings:\n    version = 'v1'\nsettings = Settings()"},
        ),
        ("def f():\n    from app import V\n    return V\nx = f()", {"app.py": "V = 'v1'"}),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from app import V\nfrom app import V as x",
            {"app.py": "V = 'v1'"},
        ),
    ],
)
def test_an_imported_name_is_what_the_other_file_says(
    make: Make, tmp_path: Path, how: str, files: Mapping[str, str]
) -> None:
    project = make({"pyproject.toml": "", "main.py": how, **files})
    assert set(Program(project, tmp_path).constants("main.py", "x")) == {"v1"}


@pytest.mark.parametrize(
    ("how", "files"),
    [
        ("from app import *\nx = _y", {"app.py": "_y = 'v1'"}),
        ("from app import *\nx = y", {"app.py": "__all__ = ['z']\ny = 'v1'\nz = 1"}),
        ("from app import x", {"app.py": "y = 'v1'"}),
        ("from app import x", {"app.py": "x = ("}),
        ("from app import x", {"app.py": "# coding: nonsense\nx = 'v1'"}),
        ("from elsewhere import x", {}),
        ("from app import x", {"app.py": "from other import x", "other.py": "from app import x"}),
        ("from app import *", {"app.py": "from other import *", "other.py": "from app import *"}),
        ("from main import x", {}),
    ],
)
def test_a_name_that_no_file_binds_is_not_known(make: Make, tmp_path: Path, how: str, files: Mapping[str, str]) -> None:
    project = make({"pyproject.toml": "", "main.py": how, **files})
    assert set(Program(project, tmp_path).constants("main.py", "x")) <= {"?"}


def class_of(characters: int) -> str:
    """A class with a constant, as long as this."""
    methods = "".join(f"    def method{number}(self): return {number}\n" for number in range(characters // 35))
    return f"class Settings:\n    version = 'v1'\n{methods}\n"


def test_a_name_is_found_in_a_large_file(make: Make, tmp_path: Path) -> None:
    project = make({"main.py": "from app import V as x", "app.py": class_of(2 * MAX_READING) + "V = 'v1'"})
    assert Program(project, tmp_path).constants("main.py", "x") == ["v1"]


def test_a_statement_that_is_too_large_is_not_entered(make: Make, tmp_path: Path) -> None:
    text = "from app import Settings\nx = Settings.version"
    for size, expected in ((MAX_READING // 2, ["v1"]), (2 * MAX_READING, ["?"])):
        project = make({"main.py": text, "app.py": class_of(size)})
        assert Program(project, tmp_path).constants("main.py", "x") == expected


def test_what_comes_after_too_much_of_the_project_is_unknown_whatever_was_checked_before(
    make: Make, tmp_path: Path
) -> None:
    several = 4
    parts = {f"part{number}.py": class_of(MAX_READING // 3) for number in range(several)}
    imports = "".join(f"from part{number} import Settings as S{number}\n" for number in range(several))
    names = ", ".join(f"S{number}.version" for number in range(several))
    main, other = f"{imports}x = ({names})", "from part3 import Settings\nx = Settings.version"
    across = Across(make({**parts, "main.py": main, "other.py": other}))

    def known(file: str) -> list[str]:
        path = tmp_path / file
        module = across.adopt(Module(Source(path.read_text()), str(path)))
        evaluator = Evaluator(across)
        return [
            str(value.value)
            for element in module.nodes(cst.Attribute, "x")
            for alternative in evaluator.evaluate(element, evaluator.enter(module))
            if isinstance(value := alternative.value, Const)
        ]

    first = known("main.py")
    assert 0 < len(first) < several
    assert known("other.py") == ["v1"]
    assert known("main.py") == first


def test_modules_that_import_each_other_are_followed(make: Make, tmp_path: Path) -> None:
    files = {"pyproject.toml": "", "a.py": "from b import y\nx = 'v1'\n", "b.py": "from a import x\ny = 'v2'\nz = x\n"}
    program = Program(make(files), tmp_path)
    assert program.constants("a.py", "y") == ["v2"]
    assert program.constants("b.py", "z") == ["v1"]


def test_what_is_no_part_of_the_project_is_external(make: Make, tmp_path: Path) -> None:
    project = make({"pyproject.toml": "", "main.py": "import httpx\nfrom acme import thing\n", "acme.md": ""})
    program = Program(project, tmp_path)
    assert program.values("main.py", "httpx") == [External("httpx")]
    assert program.values("main.py", "thing") == [External("acme.thing")]


# Imports, found in the text


@pytest.mark.parametrize(
    ("text", "imports"),
    [
        ("import a", [Import("a", "a", None)]),
        ("import a.b.c", [Import("a", "a.b.c", None)]),
        ("import a.b as c, d", [Import("c", "a.b", None), Import("d", "d", None)]),
        ("from a import b", [Import("b", "a", "b")]),
        ("from . import b", [Import("b", ".", "b")]),
        ("from .. import b", [Import("b", "..", "b")]),
        ("from ..a.b import c as d, e", [Import("d", "..a.b", "c"), Import("e", "..a.b", "e")]),
        ("from a import *", [Import("*", "a", "*")]),
        ("from a import (\n    b,\n    c as d,  # why\n)", [Import("b", "a", "b"), Import("d", "a", "c")]),
        ("from a import (b)  # why", [Import("b", "a", "b")]),
        ("from a import (  # (see below)\n    b,\n)", [Import("b", "a", "b")]),
        ("from a import b, \\\n    c", [Import("b", "a", "b"), Import("c", "a", "c")]),
        ("from a import b, \\\r\n    c", [Import("b", "a", "b"), Import("c", "a", "c")]),
        ("from a import \\\n    b", [Import("b", "a", "b")]),
        ("from a \\\n    import b", [Import("b", "a", "b")]),
        ("from a import(b)", [Import("b", "a", "b")]),
        ("from .import b", [Import("b", ".", "b")]),
        ("import a; import b", [Import("a", "a", None), Import("b", "b", None)]),
        ("x = 1; from a import b; y = 2", [Import("b", "a", "b")]),
        ("if x: import a", [Import("a", "a", None)]),
        ("try: from a import b\nexcept ImportError: b = None", [Import("b", "a", "b")]),
        ("def f():\n\timport a  # why", [Import("a", "a", None)]),
        ("important = 1\nfrom_ = import_", []),
        ("x = important; importer(a)", []),
        ("# import a", []),
    ],
)
def test_imports_are_found_however_they_are_written(text: str, imports: list[Import]) -> None:
    assert list(imports_in(text)) == imports


def test_imports_found_in_the_text_are_those_of_the_tree() -> None:
    """Every module of this project: nothing is missed; what more there is stands in texts that show programs."""
    for path in sorted(Path(__file__).resolve().parents[1].glob("claude_api_lint/**/*.py")):
        text = path.read_text()
        found = set(imports_in(text))
        for node in Module(Source(text), str(path)).nodes(cst.ImportFrom):
            assert not isinstance(node.names, cst.ImportStar)
            for alias in node.names:
                assert any(one.name == alias.evaluated_name for one in found), (path, alias.evaluated_name)


# Who uses a name


def test_users_of_a_name_are_the_files_of_the_project_that_have_it_as_a_word(make: Make, tmp_path: Path) -> None:
    project = make(
        {
            "pyproject.toml": "",
            "app/versions.py": "VERSION = 1",
            "app/near.py": "from app.versions import VERSION",
            "far/away.py": "import app.versions; print(app.versions.VERSION)",
            "far/other.py": "VERSIONS = VERSION_2 = 1",
            "node_modules/x.py": "VERSION",
            ".tox/x.py": "VERSION",
            "far/notes.txt": "VERSION",
        }
    )
    found = project.users(str(tmp_path / "app/versions.py"), "VERSION")
    assert found == [str(tmp_path / "app/near.py"), str(tmp_path / "far/away.py")]


def test_users_are_not_looked_for_outside_the_project(make: Make, tmp_path: Path) -> None:
    project = make({"outside.py": "VERSION", "inner/pyproject.toml": "", "inner/a.py": "VERSION = 1"})
    assert project.users(str(tmp_path / "inner/a.py"), "VERSION") == []


# Which files are worth an analysis


SENDER = "import requests\nfrom app.config import URL, HEADERS\nrequests.post(URL, headers=HEADERS)\n"


def is_candidate(make: Make, tmp_path: Path, files: Mapping[str, str]) -> bool:
    project = make({"pyproject.toml": "", **files})
    return concerns((tmp_path / "main.py").read_bytes(), str(tmp_path / "main.py"), project)


@pytest.mark.parametrize(
    "files",
    [
        {"main.py": "# Claude\n"},
        {"main.py": SENDER, "app/config.py": "URL = 'https://api.anthropic.com/v1/messages'\nHEADERS = {}\n"},
        {
            "main.py": SENDER,
            "app/config.py": "from .hosts import URL, HEADERS",
            "app/hosts.py": "URL = 'api.anthropic.com'",
        },
        {"main.py": SENDER, "app/config.py": "from .hosts import *", "app/hosts.py": "URL = 'api.anthropic.com'"},
        {"main.py": SENDER, "app/config.py": "HOST = 'api.anthropic.com'\nURL = HOST + '/v1/messages'"},
        {
            "main.py": "from app import config\nheaders = {}\nsend(config.URL, headers)",
            "app/config.py": "URL = 'https://api.anthropic.com/v1/messages'",
        },
        {
            "main.py": "import app.config\nheaders = {}\nsend(app.config.URL, headers)",
            "app/config.py": "URL = 'https://api.anthropic.com/v1/messages'",
        },
    ],
)
def test_a_file_that_mentions_the_api_or_leads_there_is_a_candidate(
    make: Make, tmp_path: Path, files: Mapping[str, str]
) -> None:
    assert is_candidate(make, tmp_path, files)


@pytest.mark.parametrize(
    "files",
    [
        {"main.py": "print('hello')\n"},
        {"main.py": SENDER, "app/config.py": "URL = 'https://api.example.com'\nHEADERS = {}\n"},
        {"main.py": SENDER},
        {"main.py": SENDER, "app/config.py": "URL = 'https://api.example.com'\nCLAUDE = 'api.anthropic.com'\n"},
        {"main.py": "from app.config import URL\nprint(URL)\n", "app/config.py": "URL = 'api.anthropic.com'\n"},
    ],
)
def test_a_file_that_leads_nowhere_is_none(make: Make, tmp_path: Path, files: Mapping[str, str]) -> None:
    assert not is_candidate(make, tmp_path, files)


PARTS = {
    "pyproject.toml": "",
    "src/app/main.py": SENDER,
    "src/app/config.py": "from lib.hosts import URL\nHEADERS = {}",
    "src/app/other.py": "import requests\nrequests.post(URL)",
    "lib/hosts.py": "URL = 'https://api.anthropic.com'",
}


def leading(tmp_path: Path, project: Project) -> set[str]:
    """The files of PARTS that may lead to the vendor."""
    return {path for path in PARTS if project.may_lead_to_vendor(str(tmp_path / path))}


def test_where_folders_are_checked_only_what_imports_the_vendors_name_may_lead_there(
    make: Make, tmp_path: Path
) -> None:
    make({**PARTS, "lib/__init__.py": "", "src/app/__init__.py": ""})
    project = Project(read_file, whole=[str(tmp_path / "src")])
    assert leading(tmp_path, project) == {"src/app/main.py", "src/app/config.py"}


def test_where_nothing_names_the_vendor_nothing_leads_there(make: Make, tmp_path: Path) -> None:
    make({**PARTS, "lib/hosts.py": "URL = ''"})
    assert leading(tmp_path, Project(read_file, whole=[str(tmp_path / "src")])) == set()


def test_where_files_alone_are_checked_any_may_lead_to_the_vendor_and_no_other_is_read(
    make: Make, tmp_path: Path
) -> None:
    make(PARTS)

    def reading(path: str) -> bytes:
        raise AssertionError(path)

    assert leading(tmp_path, Project(reading)) == set(PARTS)


def test_without_a_project_only_the_file_itself_counts() -> None:
    assert not concerns(SENDER.encode(), "main.py", None)
    assert concerns(b"# Claude", "main.py", None)


# What is read


READING = """
import json, os, sys
opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
from claude_api_lint.cli import main
status = main(sys.argv[1:])
below = {os.path.relpath(path) for path in opened if os.path.abspath(path).startswith(os.getcwd() + os.sep)}
print(json.dumps([status, sorted(path for path in below if path.endswith(".py"))]), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of two thousand modules that import each other; one of them sends a request to the API."""
    folder = tmp_path_factory.mktemp("large")
    (folder / "pyproject.toml").write_text("")
    for package in range(20):
        (folder / f"part{package}").mkdir()
        (folder / f"part{package}" / "__init__.py").write_text("")
        for number in range(99):
            target = f"part{(package + 1) % 20}.module{(number * 7) % 99}"
            text = f"from {target} import work as other\nimport requests\n\n\ndef work(x):\n    return other(x + 1)\n"
            (folder / f"part{package}" / f"module{number}.py").write_text(text)
    (folder / "part1" / "hosts.py").write_text("from part9.module3 import work\nHOST = 'https://api.anthropic.com'\n")
    (folder / "part2" / "credentials.py").write_text(
        "from part3.versions import VERSION\n\n\ndef headers(key):\n"
        "    return {'x-api-key': key, 'anthropic-version': VERSION}\n"
    )
    (folder / "part3" / "versions.py").write_text("VERSION = '2023-06-01'\n")
    (folder / "client.py").write_text(
        "import requests\nfrom part1.hosts import HOST\nfrom part2.credentials import headers\n"
        "from part4.module4 import work\n\n\ndef ask(key, body):\n"
        "    return requests.post(HOST + '/v1/messages', headers=headers(key), json=work(body))\n"
    )
    (folder / "elsewhere.py").write_text(
        "import requests\n\n\ndef ask(body):\n    return requests.post('https://api.example.com', json=body)\n"
    )
    return folder


def files_read(folder: Path, *arguments: str) -> tuple[int, list[str]]:
    """The exit code of a run, and the files of the project that it opened."""
    done = run_python("-c", READING, *arguments, cwd=folder)
    status, files = json.loads(done.stderr.decode().splitlines()[-1])
    return status, files


def test_a_file_is_checked_by_reading_those_alone_that_its_requests_are_made_of(large: Path) -> None:
    status, files = files_read(large, "check", "client.py")
    assert status == 0
    assert files == ["client.py", "part1/hosts.py", "part2/credentials.py", "part3/versions.py"]


def test_a_file_that_leads_nowhere_has_nothing_else_read(large: Path) -> None:
    assert files_read(large, "check", "elsewhere.py") == (0, ["elsewhere.py"])
