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
COMMANDS = ("check app", "fix --diff --select CAV1 app")

COLUMNS = 112
CHARACTER = 8.1  # the width of a character of 13.5 pixels in the usual fonts; textLength holds all others to it
LINE = 20
MARGIN = 20
BAR = 36

COLOURS = {
    "": "#d8d4cf",
    "prompt": "#eb9a7c",
    "old": "#e8837a",
    "new": "#98c379",
    "1": "#ffffff",  # bold, red and cyan, by the numbers that terminals know them by
    "31": "#f0917f",
    "36": "#7cc5cc",
}
_SEQUENCE = re.compile(r"\x1b\[(\d+)m")


@dataclass(frozen=True)
class Piece:
    """A run of characters in one colour."""

    text: str
    colour: str = ""


def printed(command: str, folder: str) -> str:
    """What a command prints, in the order in which a terminal shows it."""
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    done = subprocess.run(
        [sys.executable, "-m", "claude_api_lint", *command.split()],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**environment, "FORCE_COLOR": "1"},
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
    """A line of output in as many lines as a terminal breaks it into, in the colours that it asks for."""
    row: list[Piece] = []
    column = 0
    for piece in coloured(line):
        text = piece.text
        while column + len(text) > COLUMNS:
            yield [*row, Piece(text[: COLUMNS - column], piece.colour)]
            text, row, column = text[COLUMNS - column :], [], 0
        row.append(Piece(text, piece.colour))
        column += len(text)
    yield row


def coloured(line: str) -> Iterator[Piece]:
    """The pieces of a line between the sequences that set colours; patches have none, and get those of git."""
    colour = "old" if line.startswith("-") else "new" if line.startswith("+") else ""
    for number, part in enumerate(_SEQUENCE.split(line)):
        if number % 2:
            colour = "" if part == "0" else colour if part == "1" and colour else part
        elif part:
            yield Piece(part, colour)


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
