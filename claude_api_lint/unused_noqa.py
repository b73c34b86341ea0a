"""CAV001: ``# noqa`` comments of which nothing is left to silence. It looks at comments, and needs no tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from claude_api_lint.findings import OWN_PREFIX, Applicability, Confidence, Finding, Fix
from claude_api_lint.settings import Settings
from claude_api_lint.source import Source
from claude_api_lint.suppression import NoqaComment, Suppressions, hands_off, noqa_comments, without_codes

CODE = "CAV001"


def unused_noqa(source: Source, path: str, settings: Settings, found: Iterable[Finding]) -> Iterator[Finding]:
    """The comments that name codes of ours in vain; ``found`` is what the rules found, silenced or not."""
    if OWN_PREFIX not in source.text or not settings.honour_noqa or not settings.selects(CODE):
        return
    suppressions = Suppressions(source.text)
    if suppressions.whole_file:
        return
    found = list(found)
    for comment in noqa_comments(source.text):
        unused = [code for code, _, _ in comment.codes if _is_unused(code, comment, settings, found)]
        if unused and not suppressions.covers(comment.line, CODE):
            yield _finding(source, path, comment, unused)


def _is_unused(code: str, comment: NoqaComment, settings: Settings, found: list[Finding]) -> bool:
    from claude_api_lint.rules import rule_codes

    number = code.removeprefix(OWN_PREFIX)
    if number == code or not number.isdigit():
        return False
    named = [known for known in rule_codes() if known.startswith(code)]
    if CODE in named or not all(map(settings.selects, named)):
        return False
    lines = range(comment.first, comment.last + 1)
    kept_off = set(map(hands_off, lines))  # the comment may be there to keep a fix away, for a finding elsewhere
    return not any(one.code.startswith(code) and (one.line in lines or one.no_fix_reason in kept_off) for one in found)


def _finding(source: Source, path: str, comment: NoqaComment, unused: list[str]) -> Finding:
    from claude_api_lint.rules import rule_codes

    codes = ", ".join(unused)
    edit = without_codes(source, comment, unused)
    return Finding(
        path=path,
        line=comment.line,
        column=comment.start + 1,
        end_line=comment.line,
        end_column=comment.end + 1,
        code=CODE,
        name=rule_codes()[CODE],
        message=f"this noqa names {codes}, which {'is' if len(unused) == 1 else 'are'} not found here",
        confidence=Confidence.CERTAIN,
        fix=Fix(f"remove {codes} from the comment", Applicability.SAFE, (edit,)),
    )
