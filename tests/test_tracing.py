"""``check --trace PATH:LINE``: how the parts of a request were resolved, and where knowledge ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands import lint

FILES = {
    "endpoints.py": 'URL = "https://api.anthropic.com/v1/messages"\n',
    "transport.py": "import requests\n\n\ndef send(url, headers):\n    return requests.post(url, headers=headers)\n",
    "ask.py": (
        "from endpoints import URL\nfrom transport import send\n\n\n"
        'def ask(key):\n    return send(URL, {"x-api-key": key})\n\n\n'
        "def forward(request):\n    return send(URL, request.headers)\n"
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_each_part_of_a_request_is_told_with_its_place(project: Path) -> None:
    done = lint("check", "--trace", "ask.py:6", cwd=project)
    assert done.returncode == 0
    said = done.stdout.decode()
    assert "URL: https://api.anthropic.com/v1/messages" in said
    assert "a request by requests, sent at transport.py:5" in said
    assert "headers: x-api-key" in said
    assert "ask.py:6: URL is 'https://api.anthropic.com/v1/messages'" in said


def test_where_knowledge_ends_is_told(project: Path) -> None:
    said = lint("check", "--trace", "ask.py:10", cwd=project).stdout.decode()
    assert "there may be others" in said
    assert "which a caller elsewhere passes" in said


def test_a_line_without_a_request_says_so(project: Path) -> None:
    assert lint("check", "--trace", "ask.py:1", cwd=project).stdout == (
        b"ask.py:1: no call here that could send a request\n"
    )


@pytest.mark.parametrize("place", ["ask.py", "ask.py:x", ":3"])
def test_a_place_that_is_none_is_refused(project: Path, place: str) -> None:
    done = lint("check", "--trace", place, cwd=project)
    assert done.returncode == 2
    assert b"--trace wants a file and a line" in done.stderr


def test_a_file_that_is_not_there_is_named(project: Path) -> None:
    done = lint("check", "--trace", "none.py:3", cwd=project)
    assert (done.returncode, b"none.py" in done.stderr) == (2, True)
