"""The formats of a report: a module each, with a function ``render`` that makes the text of it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claude_api_lint.output.report import Render

FORMATS = ("text", "concise", "json", "jsonl", "sarif", "github", "gitlab", "junit", "html")
"""What ``--output-format`` takes: names of modules of this package."""

FOR_PEOPLE = ("text", "concise")
"""The formats that take colour, and that a summary completes; the others are for programs."""


def renderer(name: str) -> Render:
    """The function that writes a report in a format. What a format needs is imported when it is asked for."""
    module = importlib.import_module(f"{__name__}.{name}")
    render: Render = module.render
    return render
