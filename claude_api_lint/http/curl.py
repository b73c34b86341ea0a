"""curl through ``subprocess``, ``os.system`` and ``asyncio``: an argument list, or one string for the shell."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterable, Iterator

from claude_api_lint.dataflow import texts
from claude_api_lint.dataflow.calls import Arguments
from claude_api_lint.dataflow.evaluator import Evaluator
from claude_api_lint.dataflow.values import (
    HOLE,
    Alternative,
    Const,
    Entry,
    Mapping,
    Place,
    Sequence,
    Value,
)
from claude_api_lint.http.declarations import Library, Sending

_WITH_VALUE = frozenset(
    "-X --request -d --data --data-raw --data-binary --json -o --output -u --user -A --user-agent -e --referer -F "
    "--form -m --max-time --connect-timeout -w --write-out --retry -x --proxy --cacert --cert --key -b --cookie "
    "-c -T".split()
)
# Options through which headers come that nobody sees here: a configuration file, or a header file.
_OPAQUE = frozenset({"-K", "--config"})


def read(evaluator: Evaluator, arguments: Arguments) -> Iterable[Alternative]:
    """URL and headers of a curl command; nothing for any other command."""
    first = arguments.get(0, "args", "cmd", "command", "program")
    if first is None:
        return
    for alternative in evaluator.force(first):
        command = alternative.value
        if texts.is_text(command) and len(arguments.positional) > 1:
            rest = arguments.positional[1:]
            command = Sequence((first, *rest), arguments.open_positional)
        for words in _words(evaluator, command, evaluator.place_of(first)):
            home = command.home if isinstance(command, Sequence) else getattr(command, "place", None)
            is_open = isinstance(command, Sequence) and command.open
            request = _parse(words, is_open, home or evaluator.place_of(first))
            if request is not None:
                yield Alternative(request, alternative.when)


Word = tuple[str, Place | None]


def _words(evaluator: Evaluator, command: Value, home: Place | None) -> Iterator[list[Word]]:
    if isinstance(command, Sequence):
        choices = [evaluator.force(item) for item in command.items]
        places = [evaluator.place_of(item) for item in command.items]
        for combination in itertools.islice(itertools.product(*choices), 16):
            yield [
                (texts.pattern_of(a.value), getattr(a.value, "place", None) or place)
                for a, place in zip(combination, places, strict=True)
            ]
    elif texts.is_text(command):
        pattern, place = texts.pattern_of(command), getattr(command, "place", None) or home
        try:
            yield [(word, place) for word in shlex.split(pattern.replace("\\\n", " "))]
        except ValueError:
            return


def _parse(words: list[Word], is_open: bool, home: Place | None) -> Sequence | None:
    if not words or words[0][0].rsplit("/", 1)[-1] not in ("curl", "curl.exe"):
        return None
    url: Value | None = None
    mapping = Mapping((), is_open, (home,) if home else (), "more arguments that are not known")
    entries: list[Entry] = []
    position = 1
    while position < len(words):
        word, place = words[position]
        following = words[position + 1] if position + 1 < len(words) else ("", None)
        position += 1
        if word in ("-H", "--header"):
            is_open = _add_header(entries, following) or is_open
            position += 1
        elif word.startswith("-H") and len(word) > 2:
            is_open = _add_header(entries, (word[2:].lstrip(), place)) or is_open
        elif word.startswith("--header="):
            is_open = _add_header(entries, (word[len("--header=") :], place)) or is_open
        elif word == "--url":
            url, position = texts.text(following[0]), position + 1
        elif word in _OPAQUE or word.startswith("--config="):
            is_open, position = True, position + 1
        elif word in _WITH_VALUE:
            position += 1
        elif not word.startswith("-") and (url is None or _looks_like_url(word)):
            url = texts.text(word)
    if url is None:
        return None
    headers = Mapping(tuple(entries), is_open, mapping.homes, mapping.why)
    return Sequence((url, headers))


def _add_header(entries: list[Entry], word: Word) -> bool:
    """Add what a ``-H`` argument, ``name: value``, says; True where it stands for headers nobody sees (``@file``)."""
    text, place = word
    name, colon, value = text.partition(":")
    if text.startswith("@") or HOLE in name or not colon:
        return True
    entries.append(Entry(name.strip(), _header_value(value.strip(), place), place))
    return False


def _header_value(value: str, place: Place | None) -> Value:
    known = texts.text(value)
    return Const(known.value, place) if isinstance(known, Const) else known


def _looks_like_url(word: str) -> bool:
    return re.match(rf"https?://|{HOLE}", word) is not None


_SENDING = Sending(command=read)
_CALLS = ("run", "call", "check_call", "check_output", "Popen", "getoutput", "getstatusoutput")

LIBRARY = Library(
    name="curl",
    sendings={
        **{f"subprocess.{name}": _SENDING for name in _CALLS},
        "os.system": _SENDING,
        "os.popen": _SENDING,
        "asyncio.create_subprocess_exec": _SENDING,
        "asyncio.create_subprocess_shell": _SENDING,
        "asyncio.subprocess.create_subprocess_exec": _SENDING,
        "asyncio.subprocess.create_subprocess_shell": _SENDING,
    },
    repeats_casings=True,
)
