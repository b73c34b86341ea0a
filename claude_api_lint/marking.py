"""Writing ``# noqa`` comments for findings that are to stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from claude_api_lint.findings import Edit, Finding, apply
from claude_api_lint.source import Source
from claude_api_lint.suppression import NoqaComment, Suppressions, joined_lines, noqa_comments


def mark(source: Source, findings: Iterable[Finding]) -> tuple[str, list[Finding]]:
    """The text with a comment for each finding, and the findings that cannot be silenced by one.

    A finding cannot be silenced where a string on its line says ``# noqa``: that is the comment that counts.
    """
    findings = list(findings)
    text = apply(source.text, _edits(source, findings))
    suppressions = Suppressions(text)
    failed = [finding for finding in findings if not suppressions.covers(finding.line, finding.code)]
    if failed and len(failed) < len(findings):
        text, _ = mark(source, [finding for finding in findings if finding not in failed])
    return (source.text if len(failed) == len(findings) else text), failed


def _edits(source: Source, findings: Iterable[Finding]) -> Iterator[Edit]:
    runs = {line: run for run in joined_lines(source.text) for line in range(run[0], run[1] + 1)}
    comments = {(comment.first, comment.last): comment for comment in noqa_comments(source.text)}
    codes: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    for finding in findings:
        codes[runs.get(finding.line, (finding.line, finding.line))].add(finding.code)
    for run, new in codes.items():
        comment = comments.get(run)
        yield _extended(source, comment, new) if comment and comment.codes else _appended(source, run[1], new)


def _extended(source: Source, comment: NoqaComment, new: Collection[str]) -> Edit:
    end = source.offset(comment.line, comment.codes[-1][2])
    return Edit(end, end, "".join(f", {code}" for code in sorted(new)))


def _appended(source: Source, line: int, new: Collection[str]) -> Edit:
    text, start = source.lines(line, line), source.offset(line, 0)
    end = len(text.rstrip("\r\n"))
    return Edit(start + len(text[:end].rstrip()), start + end, f"  # noqa: {', '.join(sorted(new))}")
