"""Write the parts of the pages that say what the code says: the table of rules, the keys, the commands.

python docs/make_parts.py           # write them
python docs/make_parts.py --check   # exit 1 where a page is not what the code says

A part stands between ``<!-- part: NAME -->`` and ``<!-- end of part -->``; what is around it is written by hand.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from claude_api_lint import cli, configuration
from claude_api_lint.api import load_catalog
from claude_api_lint.fixes import fixers
from claude_api_lint.rule import Rule
from claude_api_lint.rules import rule_classes

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")))

_PART = re.compile(r"(?<=<!-- part: )(?P<name>[\w-]+) -->\n.*?(?=<!-- end of part -->)", re.DOTALL)
_FIX = re.compile(r"^Fix: (.+?)(?:\n\n|\Z)", re.MULTILINE | re.DOTALL)
_END_OF_SENTENCE = re.compile(r"(?<=\.)\s")

KEYS = {
    "select": "Run only the rules whose codes begin with one of these.",
    "ignore": "Leave out the rules whose codes begin with one of these; of two that match, the longer decides.",
    "extend-select": "Run these rules, too.",
    "per-file-ignores": "Leave out rules in files that match a pattern; in all other files, if it begins with `!`.",
    "exclude": "Leave these paths out of folders, instead of those of the default.",
    "extend-exclude": "Leave these paths out of folders, too.",
    "target-version": "The version of the Claude API that the code should speak.",
    "unsafe-fixes": "Let `fix` apply fixes that a person should look at, too.",
    "extend-safe-fixes": "Take the fixes of these rules for safe.",
    "extend-unsafe-fixes": "Take the fixes of these rules for unsafe.",
    "baseline": "A file with known findings, which are not reported.",
}
"""What each key of the table in pyproject.toml means."""

VALUES = {
    "_codes": '`["CAV1", "CAV401"]`',
    "_flag": "`true` or `false`",
    "_path": '`"path/to/file.json"`',
    "_patterns": '`["generated/"]`, as in .gitignore',
    "_per_file": '`{"tests/*" = ["CAV4"]}`',
    "_version": ", ".join(f'`"{version.date}"`' for version in load_catalog().versions),
}
"""What the values look like that each reader of a value takes."""


def rules(page: Path) -> Iterator[str]:
    """The table of rules; their codes are links, as seen from a page."""
    yield "| code | name | reports | fix |"
    yield "| --- | --- | --- | --- |"
    folder = "docs/rules" if page.parent == REPOSITORY else "rules"
    for rule in rule_classes():
        link = f"[{rule.code}]({folder}/{rule.code}.md)"
        yield f"| {link} | {rule.name} | {_summary(rule)} | {_fix(rule)} |"


def codemods(page: Path) -> Iterator[str]:
    """The table of fixers, by the names that LibCST's runner knows them by."""
    yield "| code | codemod, in `claude_api_lint.fixers` |"
    yield "| --- | --- |"
    for code, fixer in sorted(fixers().items()):
        yield f"| {code} | `{fixer.__module__.rpartition('.')[2]}.{fixer.__name__}Command` |"


def keys(page: Path) -> Iterator[str]:
    """The table of keys, in the order of the code's own."""
    yield "| key | takes | default | means |"
    yield "| --- | --- | --- | --- |"
    for key, reader in configuration.KEYS.items():
        if key not in KEYS or reader.__name__ not in VALUES:
            raise SystemExit(f"docs/make_parts.py does not say what the key {key!r} means, or what it takes; add it")
        yield f"| `{key}` | {VALUES[reader.__name__]} | {_default(key)} | {KEYS[key]} |"


def commands(page: Path) -> Iterator[str]:
    """What each command does, takes and offers."""
    for name, command in sorted(cli.command.commands.items()):
        arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
        yield f"## {name}"
        yield ""
        yield inspect.cleandoc(command.help or "")
        yield ""
        usage = ["claude-api-lint", name, *(argument.metavar or argument.name.upper() for argument in arguments)]
        yield f"```text\n{' '.join(usage)}\n```"
        yield ""
        yield from _options(command)


PARTS: dict[str, Callable[[Path], Iterator[str]]] = {
    "rules": rules,
    "codemods": codemods,
    "keys": keys,
    "commands": commands,
}


def _summary(rule: type[Rule]) -> str:
    return (inspect.getdoc(rule) or "").splitlines()[0]


def _fix(rule: type[Rule]) -> str:
    """The first sentence about the fix; "none" where there is none."""
    match = _FIX.search(inspect.getdoc(rule) or "")
    said = " ".join(match[1].split()) if match else "none"
    return "none" if said.startswith("none") else _END_OF_SENTENCE.split(said)[0].rstrip(".")


def _default(key: str) -> str:
    value = configuration.Project(configuration.Options()).value(key)
    if key == "select":
        return "all"
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value) or "none"
    return "none" if value is None else f"`{str(value).lower()}`"


def _options(command: click.Command) -> Iterator[str]:
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    if not options:
        return
    yield "| option | means |"
    yield "| --- | --- |"
    for option in options:
        yield f"| {_name(option)} | {_meaning(option)} |"
    yield ""


def _name(option: click.Option) -> str:
    spelling = ", ".join(["/".join([option.opts[0], *option.secondary_opts]), *option.opts[1:]])
    kind = option.metavar or ("NAME" if isinstance(option.type, click.Choice) else (option.name or "").upper())
    return f"`{spelling}`" if option.is_flag else f"`{spelling} {kind}`"


def _meaning(option: click.Option) -> str:
    said = [option.help] if option.help else []
    if isinstance(option.type, click.Choice):
        said.append(f"One of {', '.join(f'`{choice}`' for choice in option.type.choices)}.")
    if option.show_default and option.default is not None:
        said.append(f"Default: `{option.default}`.")
    return " ".join(said)


def renewed(page: Path) -> str:
    """The text of a page with its parts as they should be."""

    def part(match: re.Match[str]) -> str:
        lines = "\n".join(PARTS[match["name"]](page)).rstrip()
        return f"{match['name']} -->\n\n{lines}\n\n"

    return _PART.sub(part, page.read_text(encoding="utf-8"))


def stale() -> list[Path]:
    """The pages with a part that is not what it should be."""
    return [page for page in PAGES if renewed(page) != page.read_text(encoding="utf-8")]


def main() -> int:
    """Write or check the parts."""
    parser = argparse.ArgumentParser(description="Write the parts of the pages that say what the code says.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a page is not fresh")
    check = parser.parse_args().check
    for page in (pages := stale()):
        if check:
            sys.stderr.write(f"{page} is not fresh; run: python docs/make_parts.py\n")
        else:
            page.write_text(renewed(page), encoding="utf-8")
    return 1 if check and pages else 0


if __name__ == "__main__":
    sys.exit(main())
