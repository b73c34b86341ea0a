"""From a file's source to its findings: pure, and the same for every face."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from claude_api_lint.candidates import Candidate
from claude_api_lint.findings import Applicability, Finding, Fix
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source, UnreadableSource
from claude_api_lint.suppression import Suppressions, hands_off
from claude_api_lint.unused_noqa import unused_noqa

if TYPE_CHECKING:
    import libcst as cst

    from claude_api_lint.dataflow.project import Project
    from claude_api_lint.fixes import NoFix
    from claude_api_lint.rule import Analysis, Rule, Violation


@dataclass(frozen=True)
class CheckResult:
    """The findings of one file, sorted; ``skipped`` says why the file or a part of it could not be analysed.

    ``problems`` say which rules of other distributions did not run, and why.
    """

    findings: tuple[Finding, ...] = ()
    skipped: str | None = None
    problems: tuple[str, ...] = ()


def check_source(source: bytes, path: str, settings: Settings, project: Project | None = None) -> CheckResult:
    """Check the bytes of one file. ``path`` is what the findings call it. Never raises for bad input.

    ``project`` gives the files that its imports lead to; without one, what is imported is not known.
    """
    try:
        decoded = Source.decode(source)
    except UnreadableSource as error:
        return CheckResult(skipped=str(error))
    return _check(decoded, path, settings, project)


def check_text(text: str, path: str, settings: Settings, project: Project | None = None) -> CheckResult:
    """Check text that somebody has already decoded."""
    return _check(Source(text), path, settings, project)


def _check(source: Source, path: str, settings: Settings, project: Project | None) -> CheckResult:
    candidate = Candidate(source.text.encode("utf-8", "surrogatepass"), path, project)
    if not candidate.concerns_us:
        return CheckResult(tuple(unused_noqa(source, path, settings, ())))
    from claude_api_lint.parsing import Refused, seconds_for, with_big_stack

    try:
        return with_big_stack(lambda: _analysed(source, path, settings, project, candidate), seconds_for(source.text))
    except Refused as refusal:
        return CheckResult(skipped=str(refusal))
    except RecursionError:
        return CheckResult(skipped="it is too deeply nested to analyse; split the expression or exclude the file")
    except Exception as error:  # a mistake of ours must not cost the user the other files
        return CheckResult(skipped=f"the analysis failed ({type(error).__name__}: {error}); please report this file")


def _analysed(
    source: Source, path: str, settings: Settings, project: Project | None, candidate: Candidate
) -> CheckResult:
    from claude_api_lint import extensions
    from claude_api_lint.parsing import split

    rules = _about(candidate)
    selected = [rule for rule in rules if settings.selects(rule.code)]
    others = [rule for rule in extensions.loaded().rules.values() if rule.is_about(candidate.text)]
    others = [rule for rule in others if settings.selects(rule.code)]
    if not rules and not others:
        split(source)  # a file that is no Python is told of, though there is nothing to look for in it
    if not selected and not others:
        return CheckResult(tuple(unused_noqa(source, path, settings, ())), problems=extensions.loaded().problems)
    analysis = _analysis(source, path, settings, project)
    module = analysis.module
    suppressions = Suppressions(source.text)
    findings = _findings(analysis, selected, suppressions)
    findings = _in_step(findings, rules, lambda missing: _findings(analysis, missing, suppressions))
    problems = list(extensions.loaded().problems)
    for rule in others:
        try:
            findings += _findings(analysis, [rule], suppressions)
        except Exception as error:  # somebody else's mistake must not cost the other findings
            whose = f"rule {rule.code} of {extensions.distribution_of(rule.code)}"
            problems.append(f"{module.path}: {whose} failed ({type(error).__name__}: {error}); report it there")
    kept = [f for f in findings if not (settings.honour_noqa and suppressions.covers(f.line, f.code))]
    skipped = module.refusals[0] if module.refusals else None
    if skipped is None:
        kept += unused_noqa(source, path, settings, findings)
    kept = [_as_configured(finding, settings) for finding in kept]
    if project is not None:
        project.modules.release()
    return CheckResult(tuple(sorted(kept, key=lambda finding: finding.sort_key)), skipped, tuple(problems))


def _analysis(source: Source, path: str, settings: Settings, project: Project | None) -> Analysis:
    from claude_api_lint.dataflow.evaluator import Evaluator
    from claude_api_lint.dataflow.module import Module
    from claude_api_lint.rule import Analysis

    target = settings.target_version or _default_target()
    module = Module(source, path)
    if project is None:
        return Analysis(module, target)
    return Analysis(project.modules.adopt(module), target, Evaluator(project.modules))


def _about(candidate: Candidate) -> list[type[Rule]]:
    """The rules that a file has the texts of; those that follow imports, too, where its imports lead to the API."""
    if not candidate.may_have_findings:
        return []  # before LibCST is imported, which takes longer than to search through a thousand files
    from claude_api_lint.rules import rule_classes

    about = {rule for rule in rule_classes() if rule.is_about(candidate.text)}
    following = {rule for rule in rule_classes() if rule.follows_imports and rule.may_be_about(candidate.text)}
    if following - about and candidate.is_led_to_api:
        about |= following
    return [rule for rule in rule_classes() if rule in about]


def _default_target() -> str:
    from claude_api_lint.api import load_catalog

    return load_catalog().default_target


def _findings(analysis: Analysis, rules: Iterable[type[Rule]], suppressions: Suppressions) -> list[Finding]:
    """What some rules find, with their fixes."""
    violations = _visited(analysis, [rule(analysis) for rule in rules])
    return [_finding(violation, analysis, suppressions) for violation in violations]


def _in_step(
    findings: list[Finding],
    rules: Iterable[type[Rule]],
    find: Callable[[list[type[Rule]]], list[Finding]],
) -> list[Finding]:
    """The findings, where the parts of a step to another version are safe to fix together, or not at all.

    Asking for another version while the replies are still taken for the old one's breaks a program that works, and so
    does the reverse. ``find`` gives the findings of rules that were not asked for.
    """
    parts = {rule.code: rule.part_of_step for rule in rules if rule.part_of_step is not None}
    present = {parts[finding.code] for finding in findings if finding.code in parts}
    if not present:
        return findings
    seen = {finding.code for finding in findings}
    others = find([rule for rule in rules if parts.get(rule.code) not in present | {None} and rule.code not in seen])
    step = [finding for finding in (*findings, *others) if finding.code in parts]
    if len({parts[finding.code] for finding in step}) < 2 or all(finding.is_safe for finding in step):
        return findings
    return [_as_unsafe(finding) if finding.code in parts else finding for finding in findings]


def _as_unsafe(finding: Finding) -> Finding:
    return _with_applicability(finding, Applicability.UNSAFE)


def _as_configured(finding: Finding, settings: Settings) -> Finding:
    if finding.fix is None:
        return finding
    return _with_applicability(finding, settings.applicability(finding.code, finding.fix.applicability))


def _with_applicability(finding: Finding, applicability: Applicability) -> Finding:
    if finding.fix is None or finding.fix.applicability is applicability:
        return finding
    return replace(finding, fix=replace(finding.fix, applicability=applicability))


def _visited(analysis: Analysis, rules: list[Rule]) -> Iterable[Violation]:
    """All violations of all rules: each ``visit_Kind`` method gets the nodes of that kind, collected in one pass."""
    for rule in rules:
        statements = [statement for statement in analysis.module.statements if rule.looks_into(statement)]
        for name, kind in _visits(type(rule)):
            visit = getattr(rule, name)
            for statement in statements:
                for node in analysis.module.nodes_of(kind, statement):
                    visit(node)
    return [violation for rule in rules for violation in rule.violations.values()]


@cache
def _visits(rule: type[Rule]) -> tuple[tuple[str, type[cst.CSTNode]], ...]:
    """The ``visit_Kind`` methods that a rule has of its own or inherits from another rule, with the kinds of node."""
    import libcst as cst

    names = [name for name in dir(rule) if name.startswith("visit_")]
    own = [name for name in names if getattr(rule, name) is not getattr(cst.CSTVisitor, name, None)]
    return tuple((name, getattr(cst, name.removeprefix("visit_"))) for name in own)


def _finding(violation: Violation, analysis: Analysis, suppressions: Suppressions) -> Finding:
    from claude_api_lint.fixes import NoFix, fix_for

    module = analysis.module
    start, end = violation.span or module.span(violation.node)
    (line, column), (end_line, end_column) = module.source.position(start), module.source.position(end)
    fix = fix_for(violation, analysis)
    if not isinstance(fix, NoFix):
        fix = _unless_suppressed(fix, violation.rule.code, analysis, suppressions)
    return Finding(
        path=module.path,
        line=line,
        column=column + 1,
        end_line=end_line,
        end_column=end_column + 1,
        code=violation.rule.code,
        name=violation.rule.name,
        message=violation.message,
        confidence=violation.confidence,
        fix=None if isinstance(fix, NoFix) else fix,
        no_fix_reason=fix.reason if isinstance(fix, NoFix) else None,
    )


def _unless_suppressed(fix: Fix, code: str, analysis: Analysis, own: Suppressions) -> Fix | NoFix:
    """A fix never touches a line that is marked ``noqa``."""
    from claude_api_lint.fixes import NoFix

    for edit in fix.edits:
        source, suppressions = analysis.module.source, own
        if edit.path:
            source = analysis.source_of(edit.path)
            suppressions = Suppressions(source.text)
        first, last = source.position(edit.start)[0], source.position(edit.end)[0]
        for line in range(first, last + 1):
            if suppressions.covers(line, code):
                return NoFix(hands_off(line, edit.path))
    return fix
