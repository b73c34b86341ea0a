"""Paths as other programs want them: with slashes, from the current folder, which is taken for that of the project."""

from __future__ import annotations

import os


def from_here(path: str) -> str:
    """The path from the current folder, or from the root for a file elsewhere."""
    absolute, here = os.path.abspath(path), os.path.join(os.getcwd(), "")
    name = absolute.removeprefix(here) if absolute.startswith(here) else os.path.splitdrive(absolute)[1]
    return name.replace(os.sep, "/")
