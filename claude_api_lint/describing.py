"""The configuration in force, written as it could stand in pyproject.toml, with where each value is from."""

from __future__ import annotations

import json
import os

from claude_api_lint.configuration import KEYS, TABLE, Configuration


def described(configuration: Configuration, path: str) -> str:
    """What is in force for a file or folder; raises ConfigurationError."""
    project = configuration.project_of(path if os.path.isdir(path) else os.path.dirname(path))
    lines = [f"# in force for {json.dumps(path)}", f"[tool.{TABLE}]"]
    for key in KEYS:
        value, origin = project.value(key), project.origin(key)
        if value is None:
            lines.append(f"# {key} is not set")
            continue
        lines += [f"# from {json.dumps(origin) if origin == project.file else origin}", f"{key} = {_toml(value)}"]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """The value in TOML, of which the strings of JSON are a part."""
    if isinstance(value, tuple):
        if value and isinstance(value[0], tuple):
            return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(codes)}" for name, codes in value) + " }"
        return json.dumps(list(value))
    return json.dumps(value)
