"""From a file's source to its findings: pure, and the same for every face."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from claude_api_lint.findings import Applicability, Finding, Fix
from claude_api_lint.prefilter import mentions_api
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source, UnreadableSource
from claude_api_lint.suppression import Suppressions

if TYPE_CHECKING:
    import libcst as cst

    from claude_api_lint.fixes import NoFix
    from claude_api_lint.rule import Analysis, Rule, Violation


@dataclass(frozen=True)
class CheckResult:
    """The findings of one file, sorted; ``skipped`` says why the file or a part of it could not be analysed."""

    findings: tuple[Finding, ...] = ()
    skipped: str | None = None


def check_source(source: bytes, path: str, settings: Settings) -> CheckResult:
    """Check the bytes of one file. ``path`` is what the findings call it. Never raises for bad input."""
    try:
        decoded = Source.decode(source)
    except UnreadableSource as error:
        return CheckResult(skipped=str(error))
    return _check(decoded, path, settings)


def check_text(text: str, path: str, settings: Settings) -> CheckResult:
    """Check text that somebody has already decoded."""
    return _check(Source(text), path, settings)


def _check(source: Source, path: str, settings: Settings) -> CheckResult:
    if not mentions_api(source.text.encode("utf-8", "surrogatepass")):
        return CheckResult()
    from claude_api_lint.parsing import Refused, seconds_for, with_big_stack

    try:
        return with_big_stack(lambda: _analysed(source, path, settings), seconds_for(source.text))
    except Refused as refusal:
        return CheckResult(skipped=str(refusal))
    except RecursionError:
        return CheckResult(skipped="it is too deeply nested to analyse; split the expression or exclude the file")
    except Exception as error:  # a mistake of ours must not cost the user the other files
        return CheckResult(skipped=f"the analysis failed ({type(error).__name__}: {error}); please report this file")


def _analysed(source: Source, path: str, settings: Settings) -> CheckResult:
    from claude_api_lint.dataflow.module import Module
    from claude_api_lint.rule import Analysis
    from claude_api_lint.rules import rule_classes

    module = Module(source, path)
    lowered = source.text.lower()
    rules = [rule for rule in rule_classes() if _can_report(rule, lowered)]
    selected = [rule for rule in rules if settings.selects(rule.code)]
    if not selected:
        return CheckResult()
    analysis = Analysis(module, settings.target_version or _default_target())
    suppressions = Suppressions.of(source.text)
    findings = _findings(analysis, selected, suppressions)
    findings = _in_step(findings, rules, lambda missing: _findings(analysis, missing, suppressions))
    kept = [f for f in findings if not (settings.honour_noqa and suppressions.covers(f.line, f.code))]
    skipped = module.refusals[0] if module.refusals else None
    return CheckResult(tuple(sorted(kept, key=lambda finding: finding.sort_key)), skipped)


def _can_report(rule: type[Rule], lowered: str) -> bool:
    """Whether a text, in lower case, has what a rule is about."""
    if not any(needle in lowered for needle in rule.needles):
        return False
    return not rule.origins or any(origin in lowered for origin in rule.origins)


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
    if len({parts[finding.code] for finding in step}) < 2 or all(_is_safe(finding) for finding in step):
        return findings
    return [_as_unsafe(finding) if finding.code in parts else finding for finding in findings]


def _is_safe(finding: Finding) -> bool:
    return finding.fix is not None and finding.fix.applicability is Applicability.SAFE


def _as_unsafe(finding: Finding) -> Finding:
    if finding.fix is None:
        return finding
    return replace(finding, fix=replace(finding.fix, applicability=Applicability.UNSAFE))


def _visited(analysis: Analysis, rules: list[Rule]) -> Iterable[Violation]:
    """All violations of all rules: each ``visit_Kind`` method gets the nodes of that kind, collected in one pass."""
    for rule in rules:
        for name, kind in _visits(type(rule)):
            visit = getattr(rule, name)
            for node in analysis.module.nodes(kind):
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
        fix = _unless_suppressed(fix, violation.rule.code, module.source, suppressions)
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


def _unless_suppressed(fix: Fix, code: str, source: Source, suppressions: Suppressions) -> Fix | NoFix:
    """A fix never touches a line that is marked ``noqa``."""
    from claude_api_lint.fixes import NoFix

    for edit in fix.edits:
        first, last = source.position(edit.start)[0], source.position(edit.end)[0]
        if any(suppressions.covers(line, code) for line in range(first, last + 1)):
            return NoFix(f"line {first} is marked noqa")
    return fix
