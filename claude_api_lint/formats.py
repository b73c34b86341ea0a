"""Which kinds of file there are, told by the suffix, and who checks and fixes each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claude_api_lint.dataflow.project import Project
    from claude_api_lint.fixer import FixResult
    from claude_api_lint.linter import CheckResult
    from claude_api_lint.settings import Settings

NOTEBOOK = ".ipynb"
DOCUMENTS = (".md", ".markdown", ".mdx", ".rst")


def check_file(data: bytes, path: str, settings: Settings, project: Project | None = None) -> CheckResult:
    """Check the bytes of a file of any kind; ``project`` gives the files that a module's imports lead to."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix == NOTEBOOK:
        from claude_api_lint.notebooks import check_notebook

        return check_notebook(data, path, settings)
    if suffix in DOCUMENTS:
        from claude_api_lint.documents import check_document

        return check_document(data, path, settings)
    from claude_api_lint.linter import check_source

    return check_source(data, path, settings, project)


def fix_file(data: bytes, path: str, settings: Settings, project: Project | None = None) -> FixResult:
    """Fix the bytes of a file of any kind."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix == NOTEBOOK:
        from claude_api_lint.notebooks import fix_notebook

        return fix_notebook(data, path, settings)
    if suffix in DOCUMENTS:
        from claude_api_lint.documents import fix_document

        return fix_document(data, path, settings)
    from claude_api_lint.fixer import fix_source

    return fix_source(data, path, settings, project)
