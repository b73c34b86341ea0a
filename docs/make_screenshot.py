"""Write ``screenshot.svg``: a terminal in which the tool is run, with what it really prints.

python docs/make_screenshot.py
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PICTURE = Path(__file__).resolve().parent / "screenshot.svg"

PROGRAMS = {
    "app/ask.py": """\
import os

import requests

URL = "https://api.anthropic.com/v1/messages"


def headers():
    return {"x-api-key": os.environ["ANTHROPIC_API_KEY"]}


def ask(text):
    body = {"model": "claude-opus-4-8", "max_tokens": 500, "messages": [{"role": "user", "content": text}]}
    return requests.post(URL, headers=headers(), json=body).json()


def was_cut_off(message):
    match message["stop_reason"]:
        case "end_turn" | "stop_sequence":
            return False
        case "max_tokens":
            return True
        case other:
            raise ValueError(other)


print(was_cut_off(ask("What is the answer?")))
""",
}
COMMANDS = ("check app", "fix --diff app")

COLUMNS = 104
CHARACTER = 8.1  # the width of a character of 13.5 pixels in the usual fonts; textLength holds all others to it
LINE = 20
MARGIN = 20
BAR = 36

COLOURS = {
    "": "#d8d4cf",
    "prompt": "#eb9a7c",
    "code": "#f0c674",
    "old": "#e06c75",
    "new": "#98c379",
    "place": "#7fb4e0",
}


@dataclass(frozen=True)
class Piece:
    """A run of characters in one colour."""

    text: str
    colour: str = ""


def printed(command: str, folder: str) -> str:
    """What a command prints, in the order in which a terminal shows it."""
    done = subprocess.run(
        [sys.executable, "-m", "claude_api_lint", *command.split()],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": str(COLUMNS)},
        encoding="utf-8",
        check=False,
    )
    return done.stdout


def session() -> Iterator[list[Piece]]:
    """The lines of the terminal."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in PROGRAMS.items():
            (Path(folder) / name).parent.mkdir(exist_ok=True)
            (Path(folder) / name).write_text(text, encoding="utf-8")
        for number, command in enumerate(COMMANDS):
            if number:
                yield []
            yield [Piece("$ ", "prompt"), Piece(f"claude-api-lint {command}")]
            for line in printed(command, folder).splitlines():
                yield from shown(line)


def shown(line: str) -> Iterator[list[Piece]]:
    """A line of output, coloured, in as many lines as it takes."""
    first, *rest = textwrap.wrap(line, COLUMNS, subsequent_indent="    ") or [""]
    colour = "old" if line.startswith("-") else "new" if line.startswith("+") else ""
    if found := re.match(r"(\S+?:\d+:\d+: )([A-Z]+\d+)", first):
        yield [Piece(found[1], "place"), Piece(found[2], "code"), Piece(first[found.end() :])]
    else:
        yield [Piece(first, colour)]
    for more in rest:
        yield [Piece(more, colour)]


def picture(lines: list[list[Piece]]) -> str:
    """The terminal as SVG. It names fonts and brings none: whoever looks at it has one."""
    width, height = 2 * MARGIN + round(COLUMNS * CHARACTER), BAR + len(lines) * LINE + MARGIN
    rows = "\n".join(row(line, BAR + (number + 1) * LINE - 5) for number, line in enumerate(lines) if line)
    dots = "\n".join(
        f'<circle cx="{MARGIN + 18 * number}" cy="{BAR / 2 - 2:g}" r="6" fill="{colour}"/>'
        for number, colour in enumerate(("#e0685e", "#e3b341", "#6fb56a"))
    )
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>claude-api-lint in a terminal</title>
<rect width="{width}" height="{height}" rx="8" fill="#23201e"/>
{dots}
<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13.5">
{rows}
</g>
</svg>
"""


def row(pieces: list[Piece], y: int) -> str:
    """One line of text; each piece is held to the width that it has in the grid."""
    found, column = [], 0
    for piece in pieces:
        x, width = MARGIN + column * CHARACTER, len(piece.text) * CHARACTER
        column += len(piece.text)
        if piece.text.strip():
            text = html.escape(piece.text, quote=False).replace(" ", "\N{NO-BREAK SPACE}")
            place = f'x="{x:g}" y="{y}" textLength="{width:g}" lengthAdjust="spacingAndGlyphs"'
            found.append(f'<text {place} fill="{COLOURS[piece.colour]}">{text}</text>')
    return "".join(found)


def main() -> int:
    """Run the tool, and write the picture."""
    PICTURE.write_text(picture(list(session())), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
