"""The words in which a client library is described."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from claude_api_lint.dataflow.calls import Arguments
    from claude_api_lint.dataflow.evaluator import Evaluator
    from claude_api_lint.dataflow.values import Alternative


@dataclass(frozen=True)
class Parameter:
    """A parameter of a library's function: its position (from 0, None for keyword only) and its names."""

    position: int | None
    names: tuple[str, ...]
    unsure_from: int | None = None
    """A positional argument from this position on may be it, depending on the library's version."""


def parameter(position: int | None, *names: str, unsure_from: int | None = None) -> Parameter:
    return Parameter(position, names, unsure_from)


CommandReader = Callable[["Evaluator", "Arguments"], "Iterable[Alternative]"]
"""Reads a command line that sends a request; each alternative is a Sequence of the URL and the headers' Mapping."""


@dataclass(frozen=True)
class Sending:
    """A call that sends a request.

    It is told where URL and headers are (``url``, ``headers``), or in which argument a request that was built before is
    (``request``), or how to read them out of a command (``command``). ``json`` is what the library makes JSON of,
    ``body`` what goes out as it is. ``client`` is the argument that sends it, for a function. ``begun_by`` is the
    client's method that was told the URL before, and ``adders`` are those that add one header.
    """

    url: Parameter | None = None
    headers: Parameter | None = None
    json: Parameter | None = None
    body: Parameter | None = None
    request: Parameter | None = None
    command: CommandReader | None = None
    client: Parameter | None = None
    begun_by: str = ""
    adders: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Building:
    """A call that makes a request object without sending it; ``sends`` tells that making it counts as sending.

    ``adders`` are the object's methods that add one header.
    """

    url: Parameter | None = None
    headers: Parameter | None = None
    json: Parameter | None = None
    body: Parameter | None = None
    request: Parameter | None = None
    sends: bool = False
    adders: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Client:
    """A client or session: what its constructor takes, and the attribute that holds its default headers.

    ``merges`` tells whether a call's headers come on top of the defaults, or (else) replace them. ``hooks`` are
    arguments, attributes and methods through which somebody else may add headers to a request. ``inner`` are methods
    that requests pass through, whichever method sends them.
    """

    base_url: Parameter | None = None
    headers: Parameter | None = None
    attribute: str | None = None
    hooks: frozenset[str] = frozenset()
    inner: frozenset[str] = frozenset()
    scheme: str = ""
    merges: bool = True
    takes_hooks: bool = False
    """Whether the constructor's positional arguments are hooks, too."""


class Gives(enum.Enum):
    """What an attribute or a method of a response gives."""

    REPLY = "the body, parsed as JSON"
    BODY = "the whole body as text"
    LINES = "the lines of the body, one by one"
    LINE = "one line"
    CHUNKS = "the body in pieces of any length"
    CHUNK = "one such piece"
    EVENTS = "the server-sent events of the body"


@dataclass(frozen=True)
class Reading:
    """How a response is read. ``binary`` tells bytes from text; the argument ``decoded_by`` turns bytes into text."""

    gives: Gives
    binary: bool = False
    decoded_by: str = ""


ITERATED = ""
"""Stands, among the attributes of a response, for iterating over the response itself."""


@dataclass(frozen=True)
class Library:
    """One client library: dotted names as a program reaches them (``httpx.Client().post``), and its manners."""

    name: str
    clients: Mapping[str, Client] = field(default_factory=dict)
    sendings: Mapping[str, Sending] = field(default_factory=dict)
    buildings: Mapping[str, Building] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    repeats_casings: bool = False
    """Whether two casings of one name in a mapping go out as two header lines."""
    drops_none: bool = False
    """Whether a header whose value is None is left out (else sending fails)."""
    global_hooks: frozenset[str] = frozenset()
    """Names through which a program changes every request: where one is used, headers may come from there."""
    stock: frozenset[str] = frozenset()
    """What the library itself brings for its clients' hooks that adds no headers, or none but ``authorization``."""
    late_hooks: frozenset[str] = frozenset()
    """The keys of hooks that are called when the request is out."""
    response: Mapping[str, Reading] = field(default_factory=dict)
    """What the attributes and methods of a response give."""
    responses: frozenset[str] = frozenset()
    """Methods of a client that give the response to the request which it sent before."""
    event_streams: Mapping[str, Parameter] = field(default_factory=dict)
    """What makes server-sent events of a response, and the parameter that the response is given to."""


VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
