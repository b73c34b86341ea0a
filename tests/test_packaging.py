"""What is installed: everything, inside the package, where nothing of the user's can take its place."""

from __future__ import annotations

import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from commands import BROKEN, REPOSITORY, lint, run, run_python

pytestmark = pytest.mark.xdist_group("packaging")  # one build for all

FOLDERS = ("claude_api_lint", "lint_rules", "fixers")


def sources() -> dict[str, Path]:
    """Every file that has to be installed, by its path in the wheel."""
    files = [
        path
        for folder in FOLDERS
        for path in (REPOSITORY / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    return {installed(path.relative_to(REPOSITORY).as_posix()): path for path in files}


def installed(path: str) -> str:
    return path if path.startswith("claude_api_lint/") else f"claude_api_lint/{path}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    tree = tmp_path_factory.mktemp("tree") / "claude-api-lint"
    for folder in FOLDERS:
        shutil.copytree(REPOSITORY / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, tree)
    done = run_python("-m", "build", "--no-isolation", "--outdir", tree / "dist", cwd=tree)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return tree / "dist"


@pytest.fixture(scope="module")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked as pip would."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    return folder


def test_the_wheel_holds_every_source_file_and_nothing_else(site: Path) -> None:
    found = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert {path for path in found if ".dist-info/" not in path} == set(sources())
    assert {path.name for path in site.iterdir()} == {"claude_api_lint", "claude_api_lint-0.1.0.dist-info"}


def test_the_wheel_holds_the_data_and_the_typing_marker(site: Path) -> None:
    for name in ("py.typed", "api/versions.toml", "api/endpoints.toml", "api/outputs.toml"):
        assert (site / "claude_api_lint" / name).is_file()


def test_the_sdist_holds_what_the_wheel_is_built_from(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {path.relative_to(REPOSITORY).as_posix() for path in sources().values()} <= names
    assert {"LICENSE", "README.md", "pyproject.toml"} <= names


def test_it_depends_on_five_packages_only(site: Path) -> None:
    metadata = (site / "claude_api_lint-0.1.0.dist-info" / "METADATA").read_text()
    wanted = re.findall(r"^Requires-Dist: (?!.*extra ==)(.*)$", metadata, re.MULTILINE)
    assert sorted(wanted) == ["click", "flake8", "libcst>=1.8.4", "pathspec>=0.12", "tomli"]


def test_every_package_is_named_in_pyproject() -> None:
    packages = {path.parent for path in sources().values() if path.name == "__init__.py"}
    modules = {path.parent for path in sources().values() if path.suffix == ".py"}
    assert modules == packages


def test_the_unpacked_wheel_works_on_its_own(site: Path, tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(BROKEN)
    script = f"import sys; sys.path.insert(0, {str(site)!r}); from claude_api_lint import cli; sys.exit(cli.main())"
    done = run_python("-c", script, "check", "ask.py", cwd=tmp_path)
    assert done.returncode == 1, done.stderr.decode()
    assert done.stdout.startswith(b"ask.py:3:12: CAV101 ")


USER = """\
from pathlib import Path

from claude_api_lint import CheckResult, Finding, Fix, FixResult, PathsResult, check_paths, check_source, fix_source


def titles(findings: tuple[Finding, ...]) -> list[str]:
    fixes: list[Fix] = [finding.fix for finding in findings if finding.fix is not None]
    return [fix.title for fix in fixes]


checked: CheckResult = check_source("import requests", "ask.py", select=["CAV1"])
fixed: FixResult = fix_source(Path("ask.py").read_bytes(), target_version="2023-06-01", unsafe_fixes=True)
found: PathsResult = check_paths([Path("src"), "tests"])
text: str = fixed.source.decode()
print(titles(checked.findings), text, found.problems)
"""


def test_a_program_that_uses_it_is_type_checked(site: Path, tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(USER)
    (tmp_path / "wrong.py").write_text("import claude_api_lint\nclaude_api_lint.check_source(3).findings.sort()\n")
    command = (sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "right.py", "wrong.py")
    done = run(*command, cwd=tmp_path, env={"MYPYPATH": str(site)}, timeout=600)
    errors = re.findall(r"^(\w+\.py):\d+: error: .*\[([a-z-]+)\]$", done.stdout.decode(), re.MULTILINE)
    assert sorted(errors) == [("wrong.py", "arg-type"), ("wrong.py", "attr-defined")], done.stdout.decode()


@pytest.mark.parametrize("module", ["lint_rules", "fixers"])
@pytest.mark.parametrize("folder", ["the repository", "elsewhere"])
def test_rules_and_fixers_are_inside_the_package_wherever_one_stands(module: str, folder: str, tmp_path: Path) -> None:
    script = f"import importlib; print(importlib.import_module('claude_api_lint.{module}').__name__)"
    cwd = REPOSITORY if folder == "the repository" else tmp_path
    assert run_python("-c", script, cwd=cwd).stdout.decode().strip() == f"claude_api_lint.{module}"


def test_packages_of_the_user_with_the_same_names_do_not_take_their_place(tmp_path: Path) -> None:
    for name in ("lint_rules", "fixers", "output", "api", "dataflow", "http"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise ImportError('this is the {name} of the user')\n")
    for name in ("rules", "linter", "fixer", "findings", "settings", "configuration", "discovery"):
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('this is the {name} of the user')\n")
    (tmp_path / "ask.py").write_text(BROKEN)
    assert lint("check", "ask.py", cwd=tmp_path).stdout.startswith(b"ask.py:3:12: CAV101 ")
    assert run_python("-m", "flake8", "ask.py", cwd=tmp_path).stdout.count(b" CAV101 ") == 1
    assert lint("fix", "ask.py", cwd=tmp_path).returncode == 0
    assert lint("explain", "CAV101", cwd=tmp_path).returncode == 0


def test_the_command_is_installed(tmp_path: Path) -> None:
    command = shutil.which("claude-api-lint", path=str(Path(sys.executable).parent))
    assert command
    assert run(command, "--version", cwd=tmp_path).stdout.startswith(b"claude-api-lint")
