"""The report for many repositories: one page that holds all it shows, and works without the network.

Nothing in it can do harm, whatever the checked files say: everything is escaped as it is put together, and the page's
own policy lets the browser run nothing but the script that came with this module.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import importlib.resources
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from claude_api_lint.findings import Finding
from claude_api_lint.output.markup import Markup, ascii_only, joined, prose, tag
from claude_api_lint.output.report import Report
from claude_api_lint.source import Source

CONTEXT = 3
"""How many lines are shown around what is found, and around what changes."""
MAX_LINES = 40
"""Of what is longer, the rest is left out."""

KINDS = {"safe": "safe fix", "unsafe": "unsafe fix", "none": "no fix"}


def render(report: Report) -> str:
    """The whole page, in plain ASCII."""
    return ascii_only(_Page(report).document())


@dataclass(frozen=True)
class _Row:
    """A line of a chart: how many findings there are of each kind."""

    key: str
    label: Markup
    counts: Counter[str]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class _Page:
    """The page of one report."""

    report: Report

    @cached_property
    def folders(self) -> dict[str, str]:
        """The folder that each file counts for: the first below what all of them have in common."""
        paths = sorted({finding.path for finding in self.report.findings})
        return dict(zip(paths, _first_folders([path.replace(os.sep, "/") for path in paths]), strict=True))

    def document(self) -> str:
        style, script = _resource("html.css"), _resource("html.js")
        policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'"
        head = joined(
            (
                Markup('<meta charset="utf-8">'),
                Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
                Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
                tag("title", f"claude-api-lint: {_count(len(self.report.findings), 'finding')}"),
                Markup(f"<style>{style}</style>"),
            )
        )
        body = joined((self.header(), tag("main", *self.sections()), Markup(f"<script>{script}</script>")))
        return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'

    def header(self) -> Markup:
        report = self.report
        kinds = Counter(map(_kind, report.findings))
        files = len({finding.path for finding in report.findings})
        facts = [
            (len(report.findings), "left" if report.fixed else "findings", None),
            *([(len(report.fixed), "fixed", "fixed")] if report.fixed else []),
            (files, f"of {_count(report.scanned, 'file')}", None),
            *((kinds[kind], label, kind) for kind, label in KINDS.items()),
            *([(len(report.skipped), "not checked", "skipped")] if report.skipped else []),
        ]
        cells = [tag("li", tag("b", str(number)), f" {label}", class_=kind) for number, label, kind in facts]
        toggle = tag("button", "Light or dark", type="button", id="theme", hidden=True)
        return tag("header", tag("h1", "claude-api-lint"), tag("ul", *cells, class_="facts"), toggle)

    def sections(self) -> Iterator[Markup]:
        if self.report.skipped:
            yield self.skipped()
        if not self.report.findings:
            yield tag("p", "Nothing found.", class_="nothing")
            return
        yield tag("div", self.by_rule(), self.by_folder(), class_="charts")
        yield self.filters()
        yield tag("section", *self.files(), id="findings")
        yield self.pages()

    # Charts

    def by_rule(self) -> Markup:
        counts = self.counted(lambda finding: finding.code)
        names = {finding.code: finding.name for finding in self.report.findings}
        rows = [_Row(code, joined((tag("b", code), f" {names[code]}")), counts[code]) for code in sorted(counts)]
        return self.chart("By rule", "code", rows)

    def by_folder(self) -> Markup:
        counts = self.counted(lambda finding: self.folders[finding.path])
        rows = [_Row(folder, joined((folder,)), count) for folder, count in counts.items()]
        return self.chart("By folder", "folder", sorted(rows, key=lambda row: (-row.total, row.key)))

    def counted(self, key: Callable[[Finding], str]) -> dict[str, Counter[str]]:
        """How many findings of each kind there are by a key."""
        counts: dict[str, Counter[str]] = {}
        for finding in self.report.findings:
            counts.setdefault(key(finding), Counter())[_kind(finding)] += 1
        return counts

    def chart(self, title: str, field: str, rows: Sequence[_Row]) -> Markup:
        """A table with a bar in each row, cut up by what can be done."""
        most = max(row.total for row in rows)
        lines = [
            tag(
                "tr",
                tag("th", tag("button", row.label, type="button", data_field=field, data_value=row.key), scope="row"),
                tag("td", str(row.total), class_="number"),
                tag("td", _bar(row, most), class_="bar"),
            )
            for row in rows
        ]
        heading = tag("h2", title, tag("small", _count(len(rows), field)))
        return tag("section", heading, tag("div", tag("table", *lines), class_="scroll"), class_="chart")

    # Findings

    def filters(self) -> Markup:
        """What the script filters by; hidden until it runs."""
        findings = self.report.findings
        search = Markup('<input type="search" id="search" placeholder="Search in all findings" aria-label="Search">')
        choices = [
            self.choice("code", "every rule", {f.code: f"{f.code} {f.name}" for f in findings}),
            self.choice("folder", "every folder", {folder: folder for folder in self.folders.values()}),
            self.choice("kind", "every fix", KINDS),
        ]
        buttons = [
            tag("button", label, type="button", id=name)
            for name, label in (("open", "Open all"), ("shut", "Close all"))
        ]
        shown = tag("output", _count(len(findings), "finding"), id="shown")
        return tag("form", search, *choices, *buttons, shown, id="filters", hidden=True)

    def choice(self, field: str, every: str, values: dict[str, str]) -> Markup:
        options = [tag("option", label, value=value) for value, label in sorted(values.items())]
        return tag("select", tag("option", every, value=""), *options, id=field, aria_label=field)

    def files(self) -> Iterator[Markup]:
        for path, findings in itertools.groupby(self.report.findings, key=lambda finding: finding.path):
            blocks = [self.finding(finding) for finding in findings]
            heading = tag("h3", path, tag("small", str(len(blocks))))
            yield tag("section", heading, *blocks, class_="file")

    def finding(self, finding: Finding) -> Markup:
        kind = _kind(finding)
        summary = tag(
            "summary",
            tag("span", f"{finding.line}:{finding.column}", class_="place"),
            tag("a", finding.code, href=f"#{finding.code}", title=finding.name),
            tag("span", finding.message, class_="message"),
            tag("span", finding.confidence.value, class_="badge"),
            tag("span", KINDS[kind], class_=f"badge {kind}"),
        )
        content = [self.excerpt(finding), self.remedy(finding), *self.diffs(finding)]
        attributes = {"data_code": finding.code, "data_folder": self.folders[finding.path], "data_kind": kind}
        return tag("details", summary, *content, class_="finding", **attributes)

    def excerpt(self, finding: Finding) -> Markup:
        """The lines around a finding, with the finding marked."""
        source = self.report.read(finding.path)
        if source is None or finding.end_line > len(source.line_starts):
            return Markup("")
        last = min(finding.end_line, finding.line + MAX_LINES)
        first, final = max(1, finding.line - CONTEXT), min(len(source.line_starts), last + CONTEXT)
        rows = []
        for number in range(first, final + 1):
            text = source.lines(number, number).rstrip("\r\n")
            marked = text
            if finding.line <= number <= last:
                start = finding.column - 1 if number == finding.line else len(text) - len(text.lstrip())
                end = finding.end_column - 1 if number == finding.end_line else len(text)
                marked = joined((text[:start], tag("mark", text[start:end]), text[end:]))
            rows.append(joined((tag("i", f"{number:>5} "), marked, "\n")))
        return tag("pre", *rows, class_="code")

    def remedy(self, finding: Finding) -> Markup:
        if finding.fix is not None:
            return tag("p", tag("b", f"{KINDS[_kind(finding)]}: "), finding.fix.title)
        return tag("p", tag("b", "no fix: "), finding.no_fix_reason) if finding.no_fix_reason else Markup("")

    def diffs(self, finding: Finding) -> Iterator[Markup]:
        for path, before, after in self.report.changes(finding):
            lines = [tag("span", line + "\n", class_=_LINES.get(line[:1])) for line in _diff(before, after)]
            title = [tag("b", path + "\n")] if path != finding.path else []
            if lines:
                yield tag("pre", *title, *lines, class_="code diff")

    # The rest

    def pages(self) -> Markup:
        """The pages of the rules that something was found of."""
        found = sorted({finding.code for finding in self.report.findings} & set(self.report.rules))
        articles = [
            tag("article", tag("h3", f"{code} {rule.name}"), prose(rule.page), id=code)
            for code, rule in ((code, self.report.rules[code]) for code in found)
        ]
        return tag("section", tag("h2", "What the rules say"), *articles, id="rules")

    def skipped(self) -> Markup:
        lines = [tag("li", tag("code", one.path) if one.path else "", f" {one.reason}") for one in self.report.skipped]
        heading = tag("h2", "Not checked, or not all of it", tag("small", str(len(lines))))
        return tag("section", heading, tag("ul", *lines), id="skipped")


_LINES = {"+": "new", "-": "old", "@": "where"}


def _kind(finding: Finding) -> str:
    """What can be done about a finding; a key of ``KINDS``."""
    if finding.fix is None:
        return "none"
    return "safe" if finding.is_safe else "unsafe"


def _bar(row: _Row, most: int) -> Markup:
    """A bar, as long as the row's share of the longest, in a piece for each kind."""
    pieces, left = [], 0.0
    for kind, label in KINDS.items():
        if row.counts[kind]:
            width = 100 * row.counts[kind] / most
            title = tag("title", f"{row.counts[kind]} {label}")
            pieces.append(tag("rect", title, x=f"{left:.2f}%", width=f"{width:.2f}%", height="100%", class_=kind))
            left += width
    return tag("svg", *pieces, width="100%", height="14", role="img", aria_label=_told(row))


def _told(row: _Row) -> str:
    return ", ".join(f"{row.counts[kind]} {label}" for kind, label in KINDS.items() if row.counts[kind])


def _first_folders(paths: Sequence[str]) -> Iterator[str]:
    """The first folder of each path that is not common to all; ``.`` for a file that is in none."""
    split = [path.split("/")[:-1] for path in paths]
    # The paths are sorted: what the first has in common with the last, all have.
    common = _unchanged(split[0], split[-1])
    for parts in split:
        yield "/".join(parts[common : common + 1]) or "."


def _diff(before: Source, after: Source) -> list[str]:
    """The lines of a unified diff, without the names of the files."""
    old, new = before.text.splitlines(), after.text.splitlines()
    start, end = _unchanged(old, new), _unchanged(old[::-1], new[::-1])
    first = max(0, start - CONTEXT)
    length = min(len(old), len(new))
    kept = max(0, min(end, length - start) - CONTEXT)  # the same lines at both ends need no comparison
    compared = difflib.unified_diff(old[first : len(old) - kept], new[first : len(new) - kept], n=CONTEXT, lineterm="")
    lines = ["@@" if line.startswith("@@") else line for line in list(compared)[3:]]  # two names, and the first place
    return lines if len(lines) <= MAX_LINES else [*lines[:MAX_LINES], "@@"]


def _unchanged(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines are the same before the first that is not."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((number for number, (one, other) in pairs if one != other), min(len(old), len(new)))


def _resource(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="ascii")


def _hash(text: str) -> str:
    """The name of an inline script or style in a content security policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
