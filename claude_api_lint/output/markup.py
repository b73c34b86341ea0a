"""HTML that is escaped by construction: what is not made here is text, and comes out as text."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterable, Iterator

from claude_api_lint.output.terminal import printable

_INLINE = re.compile(r"`([^`\n]+)`|(https?://[^\s<>`\"']*[\w/])")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, *content: str, **attributes: str | bool | None) -> Markup:
    """An element. Names of attributes are written ``class_`` and ``data_code``; False and None leave one out."""
    given = "".join(_attribute(key, value) for key, value in attributes.items() if value not in (False, None))
    return Markup(f"<{name}{given}>{joined(content)}</{name}>")


def joined(content: Iterable[str]) -> Markup:
    """Several pieces, with all that is no HTML yet escaped."""
    return Markup("".join(one if isinstance(one, Markup) else _escaped(one) for one in content))


def ascii_only(document: str) -> str:
    """The same document in plain ASCII, so that no encoding on its way can harm it."""
    return document.encode("ascii", "xmlcharrefreplace").decode("ascii")


def prose(page: str) -> Markup:
    """A page of the manual: paragraphs, indented code, and in a paragraph `code` and addresses."""
    return joined(_prose(page))


def _prose(page: str) -> Iterator[Markup]:
    code: list[str] = []
    for block in [*re.split(r"\n\s*\n", page), ""]:
        if block.startswith("    "):
            code.append(textwrap.dedent(block))
            continue
        if code:
            yield tag("pre", tag("code", "\n\n".join(code)))
            code = []
        if block.strip():
            yield tag("p", *_inline(" ".join(block.split())))


def _inline(text: str) -> Iterator[str]:
    position = 0
    for match in _INLINE.finditer(text):
        yield text[position : match.start()]
        if match[1]:
            yield tag("code", match[1])
        else:
            yield tag("a", match[2], href=match[2], rel="noreferrer")
        position = match.end()
    yield text[position:]


def _attribute(key: str, value: str | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{_escaped(str(value))}"'


def _escaped(text: str) -> str:
    """The text as HTML shows it: what cannot be seen, or turns the line around, is written out."""
    lines = (printable(line.expandtabs(4)) for line in text.split("\n"))
    return html.escape("\n".join(lines), quote=True)
