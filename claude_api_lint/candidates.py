"""Which files are worth an analysis: those that mention the API, and those whose imports lead to it."""

from __future__ import annotations

from claude_api_lint.dataflow.project import Project
from claude_api_lint.prefilter import mentions_api

SENDING = (b"header", b"/v1/", b".post(", b"urlopen")
"""Texts of which a file has at least one where it sends a request whose URL and headers it imports, in lower case."""


def concerns(data: bytes, path: str, project: Project | None) -> bool:
    """Whether a file can have findings: it mentions the API, or sends requests with names imported from what does."""
    return mentions_api(data) or leads_to_api(data, path, project)


def leads_to_api(data: bytes, path: str, project: Project | None) -> bool:
    """Whether a file sends requests with names that it imports from what mentions the API.

    Where nothing in it looks like that, it may still have a request sent with what it imports by name.
    """
    if project is None or b"import" not in data:
        return False
    lowered = data.lower()
    sends = any(word in lowered for word in SENDING)
    texts = project.reached(path, data) if sends else project.named(path, data)
    return any(mentions_api(text.encode("utf-8", "surrogatepass")) for text in texts)
