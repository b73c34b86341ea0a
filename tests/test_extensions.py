"""Rules and fixers of other distributions: installed for real, good ones and broken ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path

import pytest

from commands import BROKEN, CLEAN, REPOSITORY, run, run_python

EXAMPLE = REPOSITORY / "examples" / "acme-claude-rules"

HARD_CODED = """\
import os
import requests
def ask(text):
    return requests.post("https://api.anthropic.com/v1/messages", headers={"x-api-key": "sk-ant-123", "anthropic-version": "2023-06-01"}, json={"prompt": text})
"""  # noqa: E501
FROM_ENVIRONMENT = HARD_CODED.replace('"sk-ant-123"', 'os.environ["ANTHROPIC_API_KEY"]')

RULE = """\
from claude_api_lint.rule import Rule
from claude_api_lint.findings import Confidence
class Other(Rule):
    '''Says something about every call.'''
    code = "OTH101"
    name = "other-rule"
    needles = ("anthropic",)
    def visit_Call(self, node):
        self.report(node, "a call", Confidence.CERTAIN)
"""
FIXER = """\
from claude_api_lint.fixes import Fixer
class Mend(Fixer):
    '''Mends.'''
    code = "OTH101"
    def fix(self, violation):
        raise KeyError("no")
"""

Entries = Mapping[str, Mapping[str, str]]
ONE_RULE: Entries = {"claude_api_lint.rules": {"OTH101": "other_rules:Other"}}


class Environment:
    """A virtual environment that sees what is installed here, and what is put into it."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=True)
        places = {"base": str(folder), "platbase": str(folder)}
        self.packages = Path(sysconfig.get_path("purelib", "venv", vars=places))
        self.python = Path(sysconfig.get_path("scripts", "venv", vars=places)) / "python"
        seen = [path for path in sys.path if path.endswith("site-packages")]
        lines = [f"import site; site.addsitedir({path!r})\n" for path in seen]
        (self.packages / "what_is_here.pth").write_text("".join(lines))

    def install(self, source: Path, work: Path) -> None:
        """Install a source tree with pip, without the network."""
        copy = shutil.copytree(source, work / source.name)  # setuptools writes beside what it builds
        options = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
        done = run_python("-m", "pip", "--python", self.python, "install", *options, copy, cwd=work)
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()

    def put(self, distribution: str, entries: Entries, modules: Mapping[str, str]) -> None:
        """Put modules and the metadata of a distribution where an installer would."""
        for name, text in modules.items():
            (self.packages / f"{name}.py").write_text(text)
        info = self.packages / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        sections = [
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
            for group, points in entries.items()
        ]
        (info / "entry_points.txt").write_text("\n".join(sections))

    def found(self, *arguments: str, cwd: Path) -> list[str]:
        """The codes of what ``check`` finds."""
        done = self.lint("check", "--output-format", "concise", *arguments, cwd=cwd)
        return [line.split(" ")[1] for line in done.stdout.decode().splitlines()]

    def lint(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
        return run(self.python, "-m", "claude_api_lint", *arguments, cwd=cwd)

    def flake8(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
        return run(self.python, "-m", "flake8", *arguments, cwd=cwd)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "environment")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a program for a rule of ours, one for the rule of the example, and one for none."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "ask.py").write_text(BROKEN)
    (folder / "key.py").write_text(HARD_CODED)
    (folder / "hello.py").write_text(CLEAN)
    return folder


# The example


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the example."""
    environment = Environment(tmp_path_factory.mktemp("acme") / "environment")
    environment.install(EXAMPLE, tmp_path_factory.mktemp("work"))
    return environment


def test_the_rule_of_the_example_reports_beside_ours(acme: Environment, project: Path) -> None:
    assert acme.found(".", cwd=project) == ["CAV101", "ACM101"]
    assert acme.lint("check", ".", cwd=project).returncode == 1


def test_the_fixer_of_the_example_fixes(acme: Environment, project: Path) -> None:
    assert acme.lint("fix", "--unsafe-fixes", ".", cwd=project).returncode == 0
    assert (project / "key.py").read_text() == FROM_ENVIRONMENT
    assert acme.lint("check", ".", cwd=project).returncode == 0


def test_the_fixer_of_the_example_says_why_it_does_not_fix(acme: Environment, project: Path) -> None:
    (project / "key.py").write_text(HARD_CODED.replace("import os\n", ""))
    done = acme.lint("fix", "--unsafe-fixes", "key.py", cwd=project)
    assert b"no fix: the module does not import os" in done.stdout


def test_the_fixer_of_the_example_is_a_codemod(acme: Environment, project: Path) -> None:
    command = "acme_claude_rules.read_key_from_environment.ReadKeyFromEnvironmentCommand"
    options = ("-x", command, "-j1", "--no-format", "--unsafe-fixes")
    assert run(acme.python, "-m", "libcst.tool", "codemod", *options, "key.py", cwd=project).returncode == 0
    assert (project / "key.py").read_text() == FROM_ENVIRONMENT


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        (["--select", "ACM"], {"ACM101"}),
        (["--select", "ACM101,CAV1"], {"ACM101", "CAV101"}),
        (["--ignore", "ACM"], {"CAV101"}),
        (["--select", "CAV"], {"CAV101"}),
    ],
)
def test_its_codes_are_selected_and_ignored_as_ours_are(
    acme: Environment, project: Path, options: list[str], codes: set[str]
) -> None:
    assert set(acme.found(*options, ".", cwd=project)) == codes


def test_its_codes_are_known_to_the_configuration(acme: Environment, project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.claude-api-lint]\nselect = ["ACM101"]\n')
    assert b"ACM101" in acme.lint("check", "key.py", cwd=project).stdout
    (project / "pyproject.toml").write_text('[tool.claude-api-lint]\nselect = ["ACM102"]\n')
    done = acme.lint("check", "key.py", cwd=project)
    assert b"unknown rule code 'ACM102'; did you mean 'ACM101'?" in done.stderr


def test_a_comment_silences_it(acme: Environment, project: Path) -> None:
    (project / "key.py").write_text(HARD_CODED.rstrip() + "  # noqa: ACM101\n")
    assert acme.lint("check", "key.py", cwd=project).returncode == 0


@pytest.mark.parametrize("form", ["json", "sarif", "github", "gitlab", "junit", "html"])
def test_every_report_knows_it(acme: Environment, project: Path, form: str) -> None:
    done = acme.lint("check", "--output-format", form, "key.py", cwd=project)
    assert done.returncode == 1, done.stderr.decode()
    assert b"ACM101" in done.stdout


def test_it_is_listed_and_explained(acme: Environment, project: Path) -> None:
    assert b"ACM101  hard-coded-key " in acme.lint("rules", cwd=project).stdout
    assert acme.lint("explain", "ACM101", cwd=project).stdout.startswith(b"The key of a request to the Claude API is ")


def test_flake8_reports_it_under_its_code(acme: Environment, project: Path) -> None:
    done = acme.flake8("--extend-ignore", "E,F,W", ".", cwd=project)
    assert sorted(line.split(" ")[1] for line in done.stdout.decode().splitlines()) == ["ACM101", "CAV101"]
    assert b"ACM101" not in acme.flake8("--extend-ignore", "ACM", ".", cwd=project).stdout


def test_nothing_of_it_is_imported_where_no_file_mentions_the_api(acme: Environment, project: Path) -> None:
    script = (
        "import sys; from claude_api_lint.cli import main; status = main(['check', '--select', 'CAV', 'hello.py']); "
        "unwanted = {'libcst', 'importlib.metadata', 'acme_claude_rules', 'claude_api_lint.extensions'}; "
        "assert not unwanted & set(sys.modules), unwanted & set(sys.modules); sys.exit(status)"
    )
    done = run(acme.python, "-c", script, cwd=project)
    assert done.returncode == 0, done.stderr.decode()


# Broken ones lose nothing


FAULTS: dict[str, tuple[Entries, Mapping[str, str], str]] = {
    "a module that is not there": (
        ONE_RULE,
        {},
        "rule OTH101 of other-rules is left out: other_rules:Other cannot be imported "
        "(ModuleNotFoundError: No module named 'other_rules')",
    ),
    "a module that ends the process": (
        ONE_RULE,
        {"other_rules": "import sys; sys.exit(3)"},
        "rule OTH101 of other-rules is left out: other_rules:Other cannot be imported (SystemExit: 3)",
    ),
    "a name that is not there": (
        ONE_RULE,
        {"other_rules": ""},
        "rule OTH101 of other-rules is left out: other_rules:Other cannot be imported "
        "(AttributeError: module 'other_rules' has no attribute 'Other')",
    ),
    "something that is no rule": (
        ONE_RULE,
        {"other_rules": "Other = 3"},
        "rule OTH101 of other-rules is left out: other_rules:Other is not a subclass of claude_api_lint.rule.Rule",
    ),
    "another code than the entry point's": (
        ONE_RULE,
        {"other_rules": RULE.replace("OTH101", "OTH102")},
        "rule OTH101 of other-rules is left out: other_rules:Other has the code 'OTH102', not that of its entry point",
    ),
    "a rule without needles": (
        ONE_RULE,
        {"other_rules": RULE.replace("needles", "pins")},
        "rule OTH101 of other-rules is left out: its needles are None; they must be a tuple of texts in small letters",
    ),
    "a rule without a name": (
        ONE_RULE,
        {"other_rules": RULE.replace("other-rule", "Other rule")},
        "rule OTH101 of other-rules is left out: its name is 'Other rule'; "
        "it must be of small letters and hyphens, such as hard-coded-key",
    ),
    "a rule that fails": (
        ONE_RULE,
        {"other_rules": RULE.replace("self.report", "self.missing")},
        "ask.py: rule OTH101 of other-rules failed (AttributeError: 'Other' object has no attribute 'missing'); "
        "report it there",
    ),
    "a rule that visits what there is not": (
        ONE_RULE,
        {"other_rules": RULE.replace("visit_Call", "visit_Calls")},
        "ask.py: rule OTH101 of other-rules failed (AttributeError: module 'libcst' has no attribute 'Calls'); "
        "report it there",
    ),
    "a code of ours": (
        {"claude_api_lint.rules": {"CAV900": "other_rules:Other"}},
        {"other_rules": RULE},
        "other-rules brings a rule with the code CAV900, which is left out: "
        "codes that begin with CAV belong to claude-api-lint; take other letters",
    ),
    "a code that flake8 would not take": (
        {"claude_api_lint.rules": {"OTHER1": "other_rules:Other"}},
        {"other_rules": RULE},
        "other-rules brings a rule with the code 'OTHER1', which is left out: "
        "a code is one to three capital letters and three digits, such as ACM101",
    ),
    "a fixer for no rule": (
        {"claude_api_lint.fixers": {"OTH102": "other_rules:Other"}},
        {"other_rules": RULE},
        "other-rules brings a fixer for OTH102, but there is no such rule",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_distribution_is_named_and_the_other_rules_run(
    environment: Environment, project: Path, fault: str
) -> None:
    entries, modules, complaint = FAULTS[fault]
    environment.put("other-rules", entries, modules)
    done = environment.lint("check", "ask.py", "hello.py", cwd=project)
    assert done.stderr.decode().splitlines()[0] == f"claude-api-lint: {complaint}"
    assert done.stdout.decode().startswith("ask.py:3:12: CAV101 ")
    assert done.returncode == 2
    assert environment.lint("fix", "ask.py", cwd=project).returncode == 2
    assert environment.lint("check", "ask.py", cwd=project).stdout == b""


def test_two_distributions_with_one_code_are_both_named(environment: Environment, project: Path) -> None:
    environment.put("other-rules", ONE_RULE, {"other_rules": RULE})
    environment.put("more-rules", ONE_RULE, {})
    done = environment.lint("check", "ask.py", cwd=project)
    complaint = "more-rules and other-rules both bring a rule with the code OTH101, and neither is used"
    assert f"claude-api-lint: {complaint}; uninstall one of them" in done.stderr.decode()
    assert environment.found("ask.py", cwd=project) == ["CAV101"]


def test_metadata_that_cannot_be_read_costs_nothing_of_ours(environment: Environment, project: Path) -> None:
    environment.put("other-rules", ONE_RULE, {"other_rules": RULE})
    (environment.packages / "other_rules-1.0.dist-info" / "entry_points.txt").write_text("[a.group]\nno entry point\n")
    assert environment.found("ask.py", cwd=project) == ["CAV101"]
    done = environment.lint("check", "ask.py", cwd=project)
    assert b"the entry points of the installed distributions cannot be read" in done.stderr
    assert done.returncode == 2


def test_the_finding_is_kept_where_its_fixer_fails(environment: Environment, project: Path) -> None:
    entries = {**ONE_RULE, "claude_api_lint.fixers": {"OTH101": "other_rules:Mend"}}
    environment.put("other-rules", entries, {"other_rules": RULE + FIXER})
    done = environment.lint("fix", "--output-format", "text", "key.py", cwd=project)
    assert "key.py:4:12: OTH101 a call" in done.stdout.decode()
    assert "= no fix: the fixer of other-rules failed (KeyError: 'no')" in done.stdout.decode()
    assert done.returncode == 1


def test_the_list_of_rules_names_what_is_broken(environment: Environment, project: Path) -> None:
    environment.put("other-rules", ONE_RULE, {})
    done = environment.lint("rules", cwd=project)
    assert b"CAV101" in done.stdout
    assert b"rule OTH101 of other-rules is left out" in done.stderr
    assert done.returncode == 2


def test_flake8_goes_on_where_a_distribution_is_broken(environment: Environment, project: Path) -> None:
    environment.put("other-rules", ONE_RULE, {"other_rules": RULE.replace("self.report", "self.missing")})
    done = environment.flake8("-v", "--select", "CAV,OTH", "ask.py", cwd=project)
    assert b"ask.py:3:12: CAV101 " in done.stdout
    assert b"rule OTH101 of other-rules failed" in done.stdout + done.stderr
