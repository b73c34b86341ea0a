"""What the operations of a dict do to a mapping of which some keys are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from claude_api_lint.dataflow.values import Entry, Mapping


def set_entry(mapping: Mapping, entry: Entry) -> Mapping:
    """``mapping[key] = value``; an entry that may be set leaves the former one there too."""
    former = same_key(mapping, entry.key)
    if not former or not entry.certain:
        return replace(mapping, entries=(*mapping.entries, entry))
    kept = (entry if other is former[0] else other for other in mapping.entries if other not in former[1:])
    return replace(mapping, entries=tuple(kept))


def merge(mapping: Mapping, other: Mapping, *, certain: bool = True) -> Mapping:
    """``mapping.update(other)``."""
    entries, folded = list(mapping.entries), str.lower if mapping.ignores_case else str
    first = {folded(entry.key): index for index, entry in reversed(list(enumerate(entries)))}
    for added in other.entries:
        entry = added if certain else replace(added, certain=False)
        index = first.setdefault(folded(entry.key), len(entries))
        if entry.certain and index < len(entries):
            entries[index] = entry
        else:
            entries.append(entry)
    homes = (*mapping.homes, *(home for home in other.homes if home not in mapping.homes))
    is_open, why = mapping.open or other.open, mapping.why or other.why
    return replace(mapping, entries=tuple(entries), open=is_open, homes=homes, why=why)


def delete(mapping: Mapping, key: str | None) -> Mapping:
    """``del mapping[key]``; an unknown key (None) may be any."""
    if key is None:
        return replace(mapping, entries=tuple(replace(entry, certain=False) for entry in mapping.entries))
    gone = same_key(mapping, key)
    return replace(mapping, entries=tuple(entry for entry in mapping.entries if entry not in gone))


def ignoring_case(mapping: Mapping) -> Mapping:
    """The mapping as one in which two casings of a name are one key from now on, as the headers of clients are."""
    return replace(mapping, ignores_case=True)


def opened(mapping: Mapping, why: str) -> Mapping:
    """The mapping after somebody unknown had it: any key may be there."""
    return replace(mapping, open=True, why=mapping.why or why)


def find(mapping: Mapping, key: str) -> list[Entry]:
    """The entries that ``mapping[key]`` may mean; the last one that is certain hides those before it."""
    found: list[Entry] = []
    for entry in same_key(mapping, key):
        found = [entry] if entry.certain else [*found, entry]
    return found


def same_key(mapping: Mapping, key: str) -> list[Entry]:
    """The entries whose key is the same to a mapping."""
    if mapping.ignores_case:
        return without_case(mapping.entries, key)
    return [entry for entry in mapping.entries if entry.key == key]


def without_case(entries: Iterable[Entry], name: str) -> list[Entry]:
    """The entries whose key is ``name`` when casing does not count, as with HTTP headers."""
    return [entry for entry in entries if entry.key.lower() == name.lower()]
