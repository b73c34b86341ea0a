"""Rules and fixers that other distributions bring: the entry points ``claude_api_lint.rules`` and ``.fixers``.

An entry point is named after the code of the rule, so that all codes are known without importing anything. What is
wrong with a distribution is told as a problem, never raised: the other rules still run.

``importlib.metadata`` takes as long to import as everything else up to here together. Ask this module only when a set
of rules is needed: for a file that mentions the API, or for a code that is none of ours.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from claude_api_lint.findings import OWN_PREFIX, RulePage
from claude_api_lint.rules import is_class, rule_pages

if TYPE_CHECKING:
    from claude_api_lint.fixes import Fixer
    from claude_api_lint.rule import Rule

RULES = "claude_api_lint.rules"
FIXERS = "claude_api_lint.fixers"

_CODE = re.compile(r"[A-Z]{1,3}[0-9]{3}", re.ASCII)  # what flake8 takes as a code, and what a noqa comment may name
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


@dataclass(frozen=True)
class Declared:
    """The entry points of both groups by code, without those that are left out, and why these are."""

    rules: Mapping[str, importlib.metadata.EntryPoint]
    fixers: Mapping[str, importlib.metadata.EntryPoint]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Loaded:
    """The classes by code, without those that are left out, and why these are."""

    rules: Mapping[str, type[Rule]]
    fixers: Mapping[str, type[Fixer]]
    problems: tuple[str, ...]


@cache
def declared() -> Declared:
    """What the installed distributions declare; nothing of theirs is imported."""
    try:
        entries = importlib.metadata.entry_points()
    except Exception as error:  # one file that is no list of entry points is enough
        what = f"the entry points of the installed distributions cannot be read ({type(error).__name__}: {error})"
        return Declared({}, {}, (f"{what}; none of their rules is used",))
    problems: list[str] = []
    rules = dict(_sound(entries.select(group=RULES), "rule", problems.append))
    fixers = dict(_sound(entries.select(group=FIXERS), "fixer", problems.append))
    brought = {entry.name for entry in entries.select(group=RULES)}
    for code in sorted(set(fixers) - brought):
        problems.append(f"{_distribution(fixers.pop(code))} brings a fixer for {code}, but there is no such rule")
    return Declared(rules, fixers, tuple(problems))


@cache
def loaded() -> Loaded:
    """What can be used of it. Imports the modules of the distributions, and LibCST, if there are any."""
    if not declared().rules:
        return Loaded({}, {}, declared().problems)
    from claude_api_lint.fixes import Fixer
    from claude_api_lint.rule import Rule

    problems = list(declared().problems)
    rules = dict(_classes(declared().rules, Rule, "rule", problems.append))
    fixers = dict(_classes(declared().fixers, Fixer, "fixer", problems.append))
    for code, rule in sorted(rules.items()):
        for flaw in _flaws(rule):
            rules.pop(code, None)
            problems.append(f"rule {code} of {distribution_of(code)} is left out: {flaw}")
    return Loaded(rules, fixers, tuple(problems))


def all_pages() -> tuple[RulePage, ...]:
    """The pages of all rules in the manual: ours, and then those of other distributions."""
    others = loaded().rules.values()
    return (*rule_pages(), *(RulePage(rule.code, rule.name, inspect.getdoc(rule) or "") for rule in others))


def distribution_of(code: str) -> str:
    """The name of the distribution that brings a rule."""
    return _distribution(declared().rules[code])


def _sound(
    entries: Iterable[importlib.metadata.EntryPoint], kind: str, on_problem: Callable[[str], None]
) -> Iterator[tuple[str, importlib.metadata.EntryPoint]]:
    """The entry points of one group by code; those whose code is wrong, or taken, are told and left out."""
    by_code: dict[str, list[importlib.metadata.EntryPoint]] = {}
    for entry in entries:
        by_code.setdefault(entry.name, []).append(entry)
    for code, same in sorted(by_code.items()):
        names = " and ".join(sorted(map(_distribution, same)))
        if not _CODE.fullmatch(code):
            on_problem(
                f"{names} brings a {kind} with the code {code!r}, which is left out: "
                "a code is one to three capital letters and three digits, such as ACM101"
            )
        elif code.startswith(OWN_PREFIX):
            on_problem(
                f"{names} brings a {kind} with the code {code}, which is left out: "
                f"codes that begin with {OWN_PREFIX} belong to claude-api-lint; take other letters"
            )
        elif len(same) > 1:
            on_problem(f"{names} both bring a {kind} with the code {code}, and neither is used; uninstall one of them")
        else:
            yield code, same[0]


def _classes(
    entries: Mapping[str, importlib.metadata.EntryPoint],
    base: type,
    kind: str,
    on_problem: Callable[[str], None],
) -> Iterator[tuple[str, type]]:
    """The classes that the entry points stand for; those that are not what they should be are told and left out."""
    for code, entry in entries.items():
        told = f"{kind} {code} of {_distribution(entry)} is left out: {entry.value}"
        try:
            value = entry.load()
        except (Exception, SystemExit) as error:  # a module of somebody else's, which may do anything
            on_problem(f"{told} cannot be imported ({type(error).__name__}: {error})")
            continue
        if not is_class(value) or not issubclass(value, base):
            on_problem(f"{told} is not a subclass of {base.__module__}.{base.__name__}")
        elif getattr(value, "code", None) != code:
            on_problem(f"{told} has the code {getattr(value, 'code', None)!r}, not that of its entry point")
        else:
            yield code, value


def _flaws(rule: type[Rule]) -> Iterator[str]:
    """What a rule lacks that others rely on."""
    name, needles = getattr(rule, "name", None), getattr(rule, "needles", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield f"its name is {name!r}; it must be of small letters and hyphens, such as hard-coded-key"
    if not isinstance(needles, tuple) or not all(isinstance(needle, str) and needle.islower() for needle in needles):
        yield f"its needles are {needles!r}; they must be a tuple of texts in small letters"
    elif not needles:
        yield "it has no needles, and so could never report anything"
    if not inspect.cleandoc(rule.__doc__ or ""):
        yield "it has no docstring, which is its page of the manual"


def _distribution(entry: importlib.metadata.EntryPoint) -> str:
    """The name of the distribution that declares an entry point."""
    return (entry.dist.name if entry.dist is not None else None) or entry.value
