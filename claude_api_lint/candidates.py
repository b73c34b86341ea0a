"""Which files are worth an analysis: those that mention the API, and those whose imports lead to it."""

from __future__ import annotations

from functools import cached_property

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
    return Candidate(data, path, project).concerns_us


class Candidate:
    """A file by its bytes, in UTF-8, with what its imports lead to."""

    def __init__(self, data: bytes, path: str, project: Project | None) -> None:
        self.data = data
        self._path = path
        self._project = project

    @cached_property
    def concerns_us(self) -> bool:
        """Whether the file can have findings."""
        return mentions_api(self.data) or self.is_led_to_api

    @cached_property
    def may_have_findings(self) -> bool:
        """Whether there is what any of our rules is about, in the file or in what it imports."""
        return may_have_findings(self.text) or self.is_led_to_api

    @cached_property
    def text(self) -> str:
        """The file's text in lower case."""
        return self.data.decode("utf-8", "surrogatepass").lower()

    @cached_property
    def is_led_to_api(self) -> bool:
        """Whether the file sends requests with names that it imports from what makes requests to the API.

        Only a part of these may be imported: the host, say, for a file that has the key's header itself.
        """
        if self._project is None or not may_send(self.data) or not self._project.may_lead:
            return False
        is_request, is_vendor = _makes_requests(self.text), False
        for text in self._project.reached(self._path, self.data):
            is_request = is_request or _makes_requests(text.lower())
            is_vendor = is_vendor or names_vendor(text.encode("utf-8", "surrogatepass"))
            if is_request and is_vendor:
                return True
        return False


def _makes_requests(lowered: str) -> bool:
    from claude_api_lint.api import load_catalog

    return any(needle in lowered for needle in load_catalog().imported_needles)
