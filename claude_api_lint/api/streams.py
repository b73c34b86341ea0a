"""How the API's streams look on the wire (streams.toml)."""

from __future__ import annotations

from dataclasses import dataclass

from .tables import Table


@dataclass(frozen=True)
class Stream:
    """The stream of one endpoint; streams.toml says what the fields mean."""

    endpoint: str
    text: str | None
    end_key: str
    end_value: str | None
    events: str | None
    words: frozenset[str]
    source: str


def parse_streams(table: Table) -> tuple[Stream, ...]:
    """Read streams.toml."""
    return tuple(_stream(row) for row in table.only("stream").tables("stream"))


def _stream(row: Table) -> Stream:
    row.only("endpoint", "text", "end-key", "end-value", "events", "words", "source")
    return Stream(
        endpoint=row.text("endpoint"),
        text=row.optional_text("text"),
        end_key=row.text("end-key"),
        end_value=row.optional_text("end-value"),
        events=row.optional_text("events"),
        words=frozenset(row.optional_texts("words")),
        source=row.text("source"),
    )
