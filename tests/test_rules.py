"""Rules, fixers, docs and fixtures know of one another, and the parts of the house keep to their places."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from claude_api_lint.api import load_catalog
from claude_api_lint.candidates import may_have_findings
from claude_api_lint.findings import Finding
from claude_api_lint.fixer import fix_source
from claude_api_lint.fixes import Fixer, fixers
from claude_api_lint.linter import check_source
from claude_api_lint.rule import Rule
from claude_api_lint.rules import rule_classes, rule_codes
from claude_api_lint.settings import Settings
from commands import REPOSITORY, run_python

RULES = {rule.code: rule for rule in rule_classes()}
PAGES = REPOSITORY / "docs" / "rules"

each_rule = pytest.mark.parametrize("code", RULES)

ABOUT_COMMENTS = {"CAV001"}
"""Rules about what silences the others: no program is wrong by them, and it takes all rules to fix what they find, not
a codemod. What they do is tested in test_suppression.py."""


# The same codes everywhere


def test_the_codes_that_are_read_from_the_files_are_those_of_the_classes() -> None:
    assert rule_codes() == {rule.code: rule.name for rule in rule_classes()}


def test_there_are_rules_about_the_version_header() -> None:
    assert {"CAV101", "CAV102", "CAV103", "CAV104", "CAV105"} <= set(RULES)


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert {path.stem for path in PAGES.glob("*")} == set(RULES)


def test_every_rule_has_broken_programs_and_every_folder_of_them_a_rule() -> None:
    fixtures = REPOSITORY / "fixtures"
    folders = {kind: {path.name for path in (fixtures / kind).iterdir()} for kind in ("broken", "mended", "unfixable")}
    assert folders["broken"] == folders["mended"]
    assert folders["broken"] | folders["unfixable"] == set(RULES) - ABOUT_COMMENTS


@pytest.mark.parametrize("page", ["README.md", "docs/rules.md"])
def test_the_table_lists_every_rule_and_links_its_page(page: str) -> None:
    folder = "docs/rules" if page == "README.md" else "rules"
    assert listed(rf"^\| \[(CAV\d+)\]\({folder}/\1\.md\) \| ([a-z-]+) \|", page) == rule_codes()


def test_the_changelog_names_every_rule() -> None:
    assert listed(r"^- (CAV\d+) `([a-z-]+)`", "CHANGELOG.md") == rule_codes()


def listed(pattern: str, page: str) -> dict[str, str]:
    """The names of rules by their codes, as a page has them."""
    return dict(re.findall(pattern, (REPOSITORY / page).read_text(encoding="utf-8"), re.MULTILINE))


def test_no_page_names_a_rule_that_does_not_exist() -> None:
    pages = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    for page in pages:
        assert set(re.findall(r"\bCAV\d{3}\b", page.read_text(encoding="utf-8"))) <= {*RULES, "CAV500"}, page.name


# A rule


@each_rule
def test_a_rule_is_in_a_module_that_is_named_after_it(code: str) -> None:
    rule = RULES[code]
    assert rule.__module__ == f"claude_api_lint.lint_rules.{rule.name.replace('-', '_')}"
    assert rule.__name__ == "".join(word.capitalize() for word in rule.name.split("-"))


@each_rule
def test_a_rule_says_since_which_version_it_holds(code: str) -> None:
    assert RULES[code].since in {version.date for version in load_catalog().versions}


@each_rule
def test_a_rule_is_a_page_of_a_manual(code: str) -> None:
    page = inspect.getdoc(RULES[code]) or ""
    summary, empty, *_ = page.splitlines()
    assert re.fullmatch(r"[A-Z`].{20,}\.", summary), "the first line is a sentence"
    assert empty == ""
    headings = re.findall(r"^(Bad|Good|Fix|Reference):", page, re.MULTILINE)
    assert headings == ["Bad", "Good", "Fix", "Reference"]
    assert max(map(len, page.splitlines())) <= 120


@each_rule
def test_the_bad_example_is_reported_and_the_good_one_is_not(code: str) -> None:
    assert code in {finding.code for finding in findings(example(code, "Bad"))}
    assert [finding.code for finding in findings(example(code, "Good"))] == []


@each_rule
def test_the_bad_example_becomes_what_the_good_one_is(code: str) -> None:
    if code not in fixers():
        return
    fixed = fix_source(example(code, "Bad").encode(), "program.py", Settings(unsafe_fixes=True)).source.decode()
    assert ast.dump(ast.parse(fixed)) == ast.dump(ast.parse(example(code, "Good")))


@each_rule
def test_a_rule_reports_only_files_that_have_one_of_its_needles(code: str) -> None:
    assert RULES[code].needles
    assert all(needle == needle.lower() for needle in RULES[code].needles)
    assert any(needle in example(code, "Bad").lower() for needle in RULES[code].needles)


@pytest.mark.parametrize("code", sorted(set(RULES) - ABOUT_COMMENTS))
def test_a_text_that_a_rule_is_about_is_known_without_any_rule(code: str) -> None:
    rule, needles = RULES[code], load_catalog().needles
    asked = [texts for texts in (rule.needles, rule.origins) if texts]
    assert any(all(any(needle in text for needle in needles) for text in texts) for texts in asked)
    for program in (REPOSITORY / "fixtures").rglob("*.py"):
        text = program.read_bytes().decode("utf-8", "replace").lower()
        assert may_have_findings(text) or not rule.is_about(text), program


PRELUDE = """\
import json
import os

import httpx
import requests

key = os.environ["ANTHROPIC_API_KEY"]
url = "https://api.anthropic.com/v1/messages"
body = {"model": "claude-opus-4-8", "max_tokens": 100, "messages": []}
"""
STREAM = """\
headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}
response = requests.post("https://api.anthropic.com/v1/complete", headers=headers, json=body, stream=True)
text = ""


def read():
    for line in response.iter_lines():
        if line.startswith(b"data:"):
            event = json.loads(line[5:])
            if event["type"] == "completion":
                yield event


events = read()
"""


OPEN = """\
import time

import anthropic
from pydantic import BaseModel, ConfigDict

HEADERS = {"x-api-key": key, "anthropic-version": "2023-06-01"}
client = anthropic.Anthropic()
request = body
"""


def example(code: str, kind: str) -> str:
    """An example of a rule's page, completed to a program."""
    page = inspect.getdoc(RULES[code]) or ""
    match = re.search(rf"^{kind}:\n\n((?: {{4}}.*\n|\n)+)", page, re.MULTILINE)
    assert match, f"{code} has no example under {kind}"
    prelude = PRELUDE if code < "CAV200" else PRELUDE + STREAM if code < "CAV400" else PRELUDE + OPEN
    return prelude + textwrap.dedent(match[1]).strip() + "\n"


def findings(program: str) -> tuple[Finding, ...]:
    result = check_source(program.encode(), "program.py", Settings())
    assert result.skipped is None
    return result.findings


# A fixer


@pytest.mark.parametrize("code", sorted(set(RULES) - ABOUT_COMMENTS))
def test_a_rule_has_a_fixer_or_says_why_not(code: str) -> None:
    page = inspect.getdoc(RULES[code]) or ""
    match = re.search(r"^Fix: (.+)$", page, re.MULTILINE)
    assert match
    if match[1].startswith("none"):
        assert re.match(r"none[,:;] \w+", match[1]), "it says why there is none"
        assert code not in fixers()
    else:
        assert code in fixers()


def test_every_fixer_answers_to_a_rule() -> None:
    assert set(fixers()) <= set(RULES)


@pytest.mark.parametrize("code", fixers())
def test_a_fixer_is_in_a_module_that_is_named_after_it(code: str) -> None:
    fixer = fixers()[code]
    module = fixer.__module__.rpartition(".")[2]
    assert fixer.__name__ == "".join(word.capitalize() for word in module.split("_"))
    assert inspect.getdoc(fixer)


def command_name(fixer: type[Fixer]) -> str:
    return f"{fixer.__module__}.{fixer.__name__}Command"


def codemod(code: str, *arguments: str, cwd: Path) -> None:
    """Run a fixer as LibCST does."""
    command = ("-m", "libcst.tool", "codemod", "-x", command_name(fixers()[code]), "-j1", "--no-format")
    done = run_python(*command, *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("code", fixers())
def test_a_fixer_runs_as_a_libcst_codemod_and_does_what_fix_does(
    code: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("project")  # a folder named after this test would make tests of the programs
    programs = sorted((REPOSITORY / "fixtures" / "broken" / code).glob("*.py"))[:3]
    for program in programs:
        (folder / program.name).write_bytes(program.read_bytes())
    codemod(code, "--unsafe-fixes", *(program.name for program in programs), cwd=folder)
    for program in programs:
        fixed = fix_source(program.read_bytes(), program.name, Settings(select=(code,), unsafe_fixes=True))
        assert fixed.fixed
        assert (folder / program.name).read_bytes() == fixed.source


def test_a_codemod_takes_a_target_version(tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(example("CAV101", "Bad"))
    codemod("CAV101", "--target-version", "2026-10-21", "ask.py", cwd=tmp_path)
    assert '"anthropic-version": "2026-10-21"' in (tmp_path / "ask.py").read_text()


def test_a_codemod_leaves_a_program_without_a_finding_alone(tmp_path: Path) -> None:
    text = example("CAV101", "Good")
    (tmp_path / "ask.py").write_text(text)
    codemod("CAV101", "ask.py", cwd=tmp_path)
    assert (tmp_path / "ask.py").read_text() == text


@pytest.mark.parametrize("code", fixers())
def test_a_fixer_module_knows_its_command_and_no_other(code: str) -> None:
    fixer = fixers()[code]
    module = importlib.import_module(fixer.__module__)
    command = getattr(module, f"{fixer.__name__}Command")
    assert command.DESCRIPTION
    assert command.__name__ == f"{fixer.__name__}Command"
    with pytest.raises(AttributeError, match="NoSuchCommand"):
        module.NoSuchCommand  # noqa: B018


# The docs


def load_script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_of_the_rules_are_fresh() -> None:
    stale = load_script(REPOSITORY / "docs" / "make_rules.py").stale()
    assert stale == [], "run: python docs/make_rules.py"


def test_a_page_that_is_not_fresh_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = load_script(REPOSITORY / "docs" / "make_rules.py")
    monkeypatch.setattr(script, "PAGES", tmp_path)
    (tmp_path / "CAV999.md").write_text("# A rule that is gone\n")
    assert {path.name for path in script.stale()} == {"CAV999.md", *(f"{code}.md" for code in RULES)}


# The house: arrows point one way

FOUNDATION = {
    "source",
    "findings",
    "fingerprints",
    "settings",
    "prefilter",
    "suppression",
    "shapes",
    "guards",
    "parsing",
}
MACHINE = {
    "candidates",
    "linter",
    "unused_noqa",
    "marking",
    "fixer",
    "rule",
    "rules",
    "extensions",
    "fixes",
    "codemod",
    "layout",
    "tracing",
}
SHELL = {
    "cache",
    "jobs",
    "configuration",
    "discovery",
    "git",
    "patterns",
    "atomic",
    "baseline",
    "describing",
}
FACES = {"cli", "run", "progress", "flake8_plugin", "interface", "__init__", "__main__", "output"}

BELOW_RULES = FOUNDATION | {
    "api",
    "dataflow",
    "http",
    "sdk_clients",
    "api_requests",
    "platform_requests",
    "replies",
    "vocabulary",
}
SHARED_BY_RULES = {
    "version_values",
    "missing_headers",
    "completed_elsewhere",
    "platform_versions",
    "version_overrides",
    "legacy_fields",
    "loops",
    "sentinels",
    "streamed_texts",
    "stream_guards",
    "chains",
    "open_values",
    "lookups",
    "filters",
    "reply_models",
    "error_texts",
}

MAY_IMPORT = {
    "api": set[str](),
    "dataflow": FOUNDATION | {"api"},
    "http": FOUNDATION | {"api", "dataflow"},
    "requirements": FOUNDATION | {"api"},
    "sdk_clients": FOUNDATION | {"api", "dataflow", "http", "requirements"},
    "api_requests": FOUNDATION | {"api", "dataflow", "http", "sdk_clients"},
    "model_tests": FOUNDATION | {"dataflow", "arms"},
    "platform_requests": FOUNDATION | {"api", "dataflow", "http", "api_requests", "model_tests"},
    "replies": FOUNDATION | {"api", "dataflow", "http", "api_requests"},
    "arms": FOUNDATION | {"dataflow"},
    "vocabulary": FOUNDATION | {"api", "dataflow", "arms"},
    "loops": FOUNDATION | {"dataflow", "replies"},
    "version_values": BELOW_RULES | {"rule"},
    "missing_headers": BELOW_RULES,
    "completed_elsewhere": BELOW_RULES,
    "platform_versions": BELOW_RULES | {"missing_headers"},
    "version_overrides": BELOW_RULES | {"rule"},
    "legacy_fields": BELOW_RULES | {"rule"},
    "sentinels": BELOW_RULES | {"rule"},
    "streamed_texts": BELOW_RULES | {"rule", "loops"},
    "stream_guards": BELOW_RULES | {"rule", "loops"},
    "chains": FOUNDATION | {"dataflow"},
    "stored": BELOW_RULES | {"rule"},
    "open_values": BELOW_RULES | {"rule", "stored"},
    "lookups": BELOW_RULES | {"rule", "stream_guards"},
    "filters": BELOW_RULES | {"rule", "chains"},
    "reply_models": BELOW_RULES | {"rule", "open_values", "lookups"},
    "error_texts": BELOW_RULES | {"rule"},
    "folding": FOUNDATION | {"dataflow", "fixes", "layout"},
    "lint_rules": BELOW_RULES | SHARED_BY_RULES | {"rule"},
    "fixers": BELOW_RULES | SHARED_BY_RULES | {"rule", "lint_rules", "fixes", "folding", "layout", "codemod"},
    "output": FOUNDATION,
    "json_spans": set[str](),
    "code_blocks": FOUNDATION,
    "embedded": FOUNDATION | {"linter"},
    "ipython_commands": FOUNDATION | {"embedded"},
    "elisions": FOUNDATION | {"embedded"},
    "notebooks": FOUNDATION | {"linter", "fixer", "embedded", "ipython_commands", "json_spans"},
    "documents": FOUNDATION | {"linter", "fixer", "embedded", "ipython_commands", "code_blocks", "elisions"},
    "formats": FOUNDATION | {"linter", "fixer", "notebooks", "documents"} | {"dataflow"},
}
"""For each package, for what rules and fixers share, and for the kinds of file: what of ours it may import."""


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of ours, by its name below ``claude_api_lint``."""
    for root in ("claude_api_lint", "lint_rules", "fixers"):
        for path in sorted((REPOSITORY / root).rglob("*.py")):
            parts = path.relative_to(REPOSITORY).with_suffix("").parts
            yield ".".join(parts[1:] if root == "claude_api_lint" else parts), path


def part_of(module: str) -> str:
    return module.split(".")[0]


def imports(module: str, path: Path) -> set[str]:
    """The parts of ours that a module imports, wherever in it."""
    found: set[str] = set()
    package = ["claude_api_lint", *module.split(".")[: -1 if path.name != "__init__.py" else None]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            whole = ".".join(part for part in (base, node.module) if part)
            names = [f"{whole}.{alias.name}" for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("claude_api_lint.")}
    return found


MODULES = dict(modules())


def test_every_module_has_its_place_in_the_house() -> None:
    parts = {part_of(module) for module in MODULES}
    assert parts == set(MAY_IMPORT) | FOUNDATION | MACHINE | SHELL | FACES


@pytest.mark.parametrize("module", [module for module in MODULES if part_of(module) in MAY_IMPORT])
def test_a_module_imports_nothing_from_above(module: str) -> None:
    part = part_of(module)
    assert imports(module, MODULES[module]) <= MAY_IMPORT[part] | {part}


@pytest.mark.parametrize("module", [module for module in MODULES if part_of(module) not in FACES | SHELL])
def test_only_faces_import_faces_and_what_serves_them(module: str) -> None:
    assert not imports(module, MODULES[module]) & (FACES | SHELL)


@pytest.mark.parametrize("module", sorted(SHELL))
def test_what_serves_the_faces_imports_none_of_them(module: str) -> None:
    assert imports(module, MODULES[module]) <= FOUNDATION | MACHINE | SHELL | {"api", "dataflow"}


@pytest.mark.parametrize("module", sorted(FOUNDATION))
def test_the_foundation_rests_on_itself(module: str) -> None:
    assert imports(module, MODULES[module]) <= FOUNDATION


def test_rules_import_no_fixer() -> None:
    for module, path in MODULES.items():
        if part_of(module) == "lint_rules":
            assert "fixers" not in imports(module, path)


def names_from_rules(path: Path) -> dict[str, str]:
    """What a fixer imports from modules of rules, with the module that it is from."""
    return {
        alias.name: node.module.rpartition(".")[2]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("claude_api_lint.lint_rules.")
        for alias in node.names
    }


@pytest.mark.parametrize("code", fixers())
def test_a_fixer_knows_its_own_rules_evidence_and_no_rule(code: str) -> None:
    imported = names_from_rules(Path(inspect.getfile(fixers()[code])))
    assert set(imported.values()) <= {RULES[code].__module__.rpartition(".")[2]}
    assert not set(imported) & {rule.__name__ for rule in RULES.values()}


def test_what_a_fixer_takes_from_a_rule_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "from claude_api_lint.lint_rules.some_rule import SomeRule, Seen\nfrom claude_api_lint import fixes\n"
    )
    assert names_from_rules(path) == {"SomeRule": "some_rule", "Seen": "some_rule"}


def test_imports_that_stand_in_functions_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def f():\n    from claude_api_lint import cli\n    from .output import text\nfrom . import a\n")
    assert imports("module", path) == {"cli", "output", "a"}


# What the API is stands in the tables


def texts_outside_docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """The texts in a module's code, with their lines. Since when a rule holds is left out: that is said in the rule."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    left_out: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            left_out.add(node.value)
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == ["since"]:
            left_out.add(node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in left_out:
            yield node.lineno, node.value


CODE = [module for module in MODULES if part_of(module) not in {"api", *FACES, *SHELL}]


@pytest.mark.parametrize("module", CODE)
def test_no_version_path_or_value_of_the_api_stands_in_code(module: str) -> None:
    catalog = load_catalog()
    told = {value for output in catalog.outputs for value in output.distinctive}
    for line, text in texts_outside_docstrings(MODULES[module]):
        assert not re.search(r"\b20\d\d-\d\d-\d\d\b", text), f"line {line} has a version: {text!r}"
        assert not re.search(r"/v1/|/v1$|\[DONE\]", text), f"line {line} has a path or value: {text!r}"
        assert text not in told, f"line {line} has a value of {text!r}"
        assert not any(host in text for host in catalog.hosts), f"line {line} has a host: {text!r}"


def test_texts_in_code_are_seen_and_docstrings_are_not(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text('"""a"""\nclass C:\n    """b"""\n    since = "c"\n    x = f"{y}d"\nz = "e"\n"""f"""\n')
    assert sorted(text for _, text in texts_outside_docstrings(path)) == ["d", "e"]


@each_rule
def test_a_rule_class_is_short(code: str) -> None:
    assert issubclass(RULES[code], Rule)
    lines, _ = inspect.getsourcelines(RULES[code])
    page = (RULES[code].__doc__ or "").count("\n")
    assert len(lines) - page <= 100
