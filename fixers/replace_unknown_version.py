"""Fixes CAV103."""

from __future__ import annotations

from claude_api_lint.fixers.replace_version import ReplaceVersion

from claude_api_lint.codemod import command_of


class ReplaceUnknownVersion(ReplaceVersion):
    """Replaces a version that the API never had by the target version, where it is written."""

    code = "CAV103"


__getattr__ = command_of(ReplaceUnknownVersion)
