"""What the documentation says is what the code does, and the site is built of it."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import shlex
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import click
import pytest
import tomli
import yaml

from claude_api_lint import cli, configuration
from claude_api_lint.output import FORMATS
from commands import BROKEN, REPOSITORY, run, run_python

DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", *sorted(DOCS.glob("*.md"))]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def script(name: str) -> ModuleType:
    """A script of ``docs/``."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


def blocks(page: Path, *languages: str) -> list[str]:
    """The blocks of code of a page that are in one of these languages."""
    pattern = rf"^( *)```(?:{'|'.join(languages)})\n(.*?)^ *```"
    found = re.findall(pattern, page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for _, block in found]


# What is made from the code


def test_the_parts_of_the_pages_are_fresh() -> None:
    assert script("make_parts").stale() == [], "run: make pages"


@pytest.mark.parametrize("part", ["rules", "codemods", "keys", "commands"])
def test_a_part_that_is_not_fresh_is_noticed(part: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_parts = script("make_parts")
    page = tmp_path / "page.md"
    page.write_text(f"before\n<!-- part: {part} -->\nold\n<!-- end of part -->\nafter\n")
    monkeypatch.setattr(make_parts, "PAGES", (page,))
    assert make_parts.stale() == [page]
    page.write_text(make_parts.renewed(page))
    assert make_parts.stale() == []
    before, *made, after = page.read_text().splitlines()
    assert (before, after) == ("before", "after")
    assert "old" not in made


def test_every_key_and_every_option_is_in_the_reference() -> None:
    reference = (DOCS / "configuration.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([\w-]+)` \|", reference, re.MULTILINE) == list(configuration.KEYS)
    commands = (DOCS / "commands.md").read_text(encoding="utf-8")
    for command in cli.command.commands.values():
        for parameter in command.params:
            assert isinstance(parameter, click.Argument) or f"| `{parameter.opts[0]}" in commands
    assert {name for name in FORMATS if f"`{name}`" in commands.partition("## Formats")[2]} == set(FORMATS)


def test_the_picture_shows_what_the_tool_prints() -> None:
    make_screenshot = script("make_screenshot")
    picture = make_screenshot.picture(list(make_screenshot.session()))
    assert picture == make_screenshot.PICTURE.read_text(encoding="utf-8"), "run: make pages"


def test_the_picture_names_no_place_of_a_machine() -> None:
    text = (DOCS / "screenshot.svg").read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"/(tmp|home|root|usr|Users)\b|https?:", text)


# What is written by hand


@each_page
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    paths = re.findall(r"`((?:claude_api_lint|lint_rules|fixers|fixtures|docs|tests|examples)/[\w./-]*)`", text)
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []
    for name in re.findall(r"`(claude_api_lint(?:\.\w+)+)`", text):
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute) or importlib.util.find_spec(name), name


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_the_python_in_a_page_runs(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"requests": Anything(), "url": "", "headers": {}}
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), namespace)


class Anything:
    """Stands for a library that an example only mentions."""

    def __getattr__(self, name: str) -> Anything:
        return self

    def __call__(self, *arguments: object, **named: object) -> Anything:
        return self


@each_page
def test_the_files_in_a_page_can_be_read(page: Path) -> None:
    for block in blocks(page, "yaml"):
        assert yaml.safe_load(block)
    for block in blocks(page, "toml"):
        assert tomli.loads(block)
    for block in blocks(page, "json"):
        assert json.loads(block)


@each_page
def test_the_command_takes_what_a_page_says(page: Path) -> None:
    for block in blocks(page, "console", "sh", "yaml"):
        for line in re.findall(r"(?:^|[ $\"])(claude-api-lint (?:check|fix|rules|explain)\b[^\n|>\"#]*)", block):
            _, name, *arguments = shlex.split(line)
            cli.command.commands[name].make_context(name, arguments)


def test_the_configuration_in_the_pages_is_accepted(tmp_path: Path) -> None:
    for page in PAGES:
        for block in blocks(page, "toml"):
            (tmp_path / "pyproject.toml").write_text(block)
            configuration.read_options(str(tmp_path / "pyproject.toml"))


# The site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does."""
    folder = tmp_path_factory.mktemp("site")
    done = run_python("-m", "mkdocs", "build", "--strict", "--site-dir", folder, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr.decode()
    return folder


@pytest.mark.xdist_group("site")
def test_the_site_has_every_page(site: Path) -> None:
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")} - {"index"}
    built = {path.parent.relative_to(site).as_posix() for path in site.rglob("*.html")} - {"."}
    assert built == pages


@pytest.mark.xdist_group("site")
def test_the_site_loads_nothing_from_anywhere_else(site: Path) -> None:
    loading = re.compile(r"<(?:script|img|iframe|link|source)\b[^>]*\b(?:src|href)=\"?((?:https?:)?//[^\s\">]+)")
    for path in site.rglob("*.html"):
        assert loading.findall(path.read_text(encoding="utf-8")) == [], path
    for path in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", path.read_text(encoding="utf-8")), path


# The action


ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))


def test_the_action_is_whole() -> None:
    install, check = ACTION["runs"]["steps"]
    assert {step["shell"] for step in (install, check)} == {"bash"}
    assert "${{" not in install["run"] + check["run"], "inputs in a script could be code"
    inputs = re.findall(r"\$\{\{ inputs\.(\w+) \}\}", " ".join(check["env"].values()))
    assert set(inputs) == set(ACTION["inputs"])


@pytest.mark.parametrize("separator", [" ", "\n"])
def test_the_action_reports_what_is_found(separator: str, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(BROKEN)
    (tmp_path / "two.py").write_text(BROKEN)
    tool = tmp_path / "tool"
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m claude_api_lint "$@"\n')
    tool.chmod(0o755)
    variables = {"CLAUDE_API_LINT": str(tool), "PATHS": f"one.py{separator}two.py\n", "OPTIONS": "--select CAV1"}
    step = ACTION["runs"]["steps"][1]
    # As GitHub runs a step in bash.
    done = run("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"], cwd=tmp_path, env=variables)
    assert done.returncode == 1, done.stderr.decode()
    assert len(re.findall(r"^::\w+ .*file=(?:one|two)\.py", done.stdout.decode(), re.MULTILINE)) == 2
    clean = {**variables, "OPTIONS": "--select CAV4"}
    assert run("bash", "-eo", "pipefail", "-c", step["run"], cwd=tmp_path, env=clean).returncode == 0
