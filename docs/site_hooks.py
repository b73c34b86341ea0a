"""What MkDocs does on its way through the pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

# A link to a file of the repository that is no page: it leads somewhere where the repository is read, and nowhere here.
_TO_REPOSITORY = re.compile(r"\[([^\]]+)\]\((?:\.\./)+[^)]*(?<!\.md)\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the page of each rule below the list of rules."""
    pages = sorted(path.name for path in (Path(config.docs_dir) / "rules").glob("*.md"))
    below: list[str] = ["rules.md", *(f"rules/{name}" for name in pages)]
    config.nav = [{"Rules": below} if entry == {"Rules": "rules.md"} else entry for entry in config.nav or []]
    return config


def on_page_markdown(markdown: str, **_: object) -> str:
    """Leave of a link to a file of the repository what it says."""
    return _TO_REPOSITORY.sub(r"\1", markdown)
