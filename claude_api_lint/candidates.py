"""Which files are worth an analysis: those that mention the API, and those whose imports lead to it."""

from __future__ import annotations

from claude_api_lint.dataflow.project import Project
from claude_api_lint.prefilter import VERSION_CONSTANT, mentions_api, names_vendor

SENDING = (b"header", b"/v1/", b".post(", b".send(", b".stream(", b".request(", b"urlopen")
"""Texts of which a file has at least one where it sends a request whose URL and headers it imports, in lower case."""


def may_have_findings(lowered: str) -> bool:
    """Whether a text, in lower case, has what any of our rules is about: to ask needs no rule, and so no LibCST."""
    from claude_api_lint.api import load_catalog

    needles = load_catalog().needles
    return any(needle in lowered for needle in needles) or VERSION_CONSTANT.search(lowered) is not None


def may_send(data: bytes) -> bool:
    """Whether a file may send a request whose URL and headers it imports."""
    if b"import" not in data:
        return False
    lowered = data.lower()
    return any(word in lowered for word in SENDING)


def concerns(data: bytes, path: str, project: Project | None) -> bool:
    """Whether a file can have findings: it mentions the API, or sends requests with names imported from what does."""
    return mentions_api(data) or leads_to_api(data, path, project)


def leads_to_api(data: bytes, path: str, project: Project | None) -> bool:
    """Whether a file sends requests with names that it imports from what mentions the API."""
    if project is None or not may_send(data):
        return False
    return any(names_vendor(text.encode("utf-8", "surrogatepass")) for text in project.reached(path, data))
