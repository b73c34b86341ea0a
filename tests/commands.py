"""The tools as a user runs them, in processes of their own, and a program that they have something to say about."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

BROKEN = """\
import requests
def ask(key, text):
    return requests.post("https://api.anthropic.com/v1/messages", headers={"x-api-key": key}, json={"model": "claude-opus-4-8", "max_tokens": 100, "messages": [{"role": "user", "content": text}]})
"""  # noqa: E501
MENDED = BROKEN.replace('"x-api-key": key}', '"x-api-key": key, "anthropic-version": "2023-06-01"}')
CLEAN = "print('hello')\n"


def run(
    *command: str | Path, cwd: Path, stdin: bytes = b"", env: Mapping[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[bytes]:
    """Run a process to its end."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env={**os.environ, **(env or {})},
        timeout=timeout,
        check=False,
    )


def run_python(*arguments: str | Path, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run this very Python."""
    return run(sys.executable, *arguments, cwd=cwd, stdin=stdin)


def lint(*arguments: str | Path, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run ``claude-api-lint``."""
    return run_python("-m", "claude_api_lint", *arguments, cwd=cwd, stdin=stdin)


def flake8(*arguments: str | Path, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run ``flake8`` with every check but ours switched off."""
    return run_python("-m", "flake8", "--select", "CAV", *arguments, cwd=cwd, stdin=stdin)


def git(*arguments: str | Path, cwd: Path) -> str:
    """Run git as somebody whom it does not need to know."""
    identity = ("-c", "user.name=A User", "-c", "user.email=user@example.org", "-c", "commit.gpgsign=false")
    done = run("git", *identity, *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()
