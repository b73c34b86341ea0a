"""Files as they lie on disks: marks, encodings, line ends. Places are right, and ``fix`` changes what it means to."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_api_lint.source import Source
from commands import BROKEN, MENDED, lint

CR_ONLY = "carriage returns"

# How the bytes of a file come from its text.
WRITTEN: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "a mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "a mark and a cookie": lambda text: codecs.BOM_UTF8 + b"# coding: utf-8\n" + text.encode(),
    "latin-1": lambda text: "# coding: latin-1\nname = 'ä'; ".encode("latin-1") + text.encode(),
    "cp1252 in the second line": lambda text: "#!python\n# coding=cp1252\nx = '€'\n".encode("cp1252") + text.encode(),
    "shift_jis": lambda text: "# vim: set fileencoding=shift_jis :\nx = '名前'; ".encode("shift_jis") + text.encode(),
    "wide characters before the call": lambda text: text.replace("    return", "    x = '🎉é\u0301'; return").encode(),
    "line ends of other alphabets": lambda text: ("x = '\u2028\x85\x0b'\n" + text).encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "CRLF in a string": lambda text: ("x = '''\n\n'''\n" + text).replace("\n", "\r\n").encode(),
    "CRLF and LF": lambda text: b"x = 1\r\ny = 2\n\r\n" + text.encode(),
    "LF and CRLF at the end": lambda text: text.encode() + b"x = 1\r\n",
    CR_ONLY: lambda text: text.replace("\n", "\r").encode(),
    "form feeds": lambda text: ("\x0cx = 1\n\x0c\n" + text).encode(),
    "tabs": lambda text: text.replace("    ", "\t").encode(),
    "tabs before the call": lambda text: text.replace("return ", "return\t").encode(),
    "no line end at the end": lambda text: text.rstrip("\n").encode(),
    "spaces at the ends of lines": lambda text: text.replace("\n", "  \n").encode(),
}
REFUSED = {
    "UTF-16": codecs.BOM_UTF16_LE + BROKEN.encode("utf-16-le"),
    "UTF-16 of the other order": codecs.BOM_UTF16_BE + BROKEN.encode("utf-16-be"),
    "UTF-32": BROKEN.encode("utf-32"),
    "latin-1 without a cookie": BROKEN.encode() + b"# \xe4\n",
    "a cookie that does not give back its text": b"# coding: idna\n" + BROKEN.encode(),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for each way to write."""
    folder = tmp_path_factory.mktemp("bytes")
    for name, write in WRITTEN.items():
        (folder / f"{name}.py").write_bytes(write(BROKEN))
    for name, data in REFUSED.items():
        (folder / f"{name}.py").write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def fixed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A copy of the folder after ``fix``, and what that said."""
    copy = tmp_path_factory.mktemp("fixed")
    for path in filter(Path.is_file, folder.iterdir()):
        (copy / path.name).write_bytes(path.read_bytes())
    return copy, lint("fix", ".", cwd=copy).stderr.decode()


def test_a_finding_points_at_the_call_whatever_stands_before_it(folder: Path) -> None:
    found = {
        Path(f["path"]).stem: f for f in json.loads(lint("check", "--output-format", "json", ".", cwd=folder).stdout)
    }
    assert set(found) == set(WRITTEN)
    for name, finding in found.items():
        source = Source.decode(WRITTEN[name](BROKEN))
        start = source.offset(finding["line"], finding["column"] - 1)
        end = source.offset(finding["end_line"], finding["end_column"] - 1)
        assert source.text[start:end].startswith('requests.post("https://api'), name
        assert source.text[start:end].endswith("]})"), name


@pytest.mark.parametrize("name", [name for name in WRITTEN if name != CR_ONLY])
def test_fixing_adds_the_header_and_keeps_every_other_byte(name: str, fixed: tuple[Path, str]) -> None:
    assert (fixed[0] / f"{name}.py").read_bytes() == WRITTEN[name](MENDED)


def test_what_cannot_be_kept_byte_for_byte_is_left_alone_or_kept(fixed: tuple[Path, str]) -> None:
    after = (fixed[0] / f"{CR_ONLY}.py").read_bytes()
    assert after in (WRITTEN[CR_ONLY](BROKEN), WRITTEN[CR_ONLY](MENDED))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_source_text_is_named_with_a_reason_and_left_alone(name: str, fixed: tuple[Path, str]) -> None:
    assert (fixed[0] / f"{name}.py").read_bytes() == REFUSED[name]
    (line,) = [line for line in fixed[1].splitlines() if f"/{name}.py: " in line]
    assert "UTF-16" in line or "cannot be decoded" in line
