"""Every client library that is described in this package."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache, cached_property

import claude_api_lint.http as package
from claude_api_lint.dataflow.values import External, Made, Part, Value
from claude_api_lint.http.declarations import Building, Client, Library, Parameter, Sending


@dataclass(frozen=True)
class Registry:
    """Looks up what a dotted name stands for among the libraries."""

    libraries: tuple[Library, ...]
    sendings: dict[str, tuple[Library, Sending]]
    buildings: dict[str, tuple[Library, Building]]
    clients: dict[str, tuple[Library, Client]]
    aliases: dict[str, str]
    event_streams: dict[str, Parameter]

    def canonical(self, name: str) -> str:
        """The name by which the declarations know what ``name`` reaches: ``requests.session().get`` and its kin."""
        parts = name.split("().")
        parts[0] = self.aliases.get(parts[0], parts[0])
        return "().".join(parts)

    def name_of(self, value: Value) -> str:
        """The canonical dotted name of something external; empty for anything else."""
        if isinstance(value, External | Made):
            return self.canonical(value.name)
        if isinstance(value, Part) and isinstance(value.whole, Made):
            return self.canonical(f"{value.whole.name}().{'.'.join(value.path)}")
        return ""

    @cached_property
    def last_names(self) -> frozenset[str]:
        """The last part of every sending and building name."""
        return frozenset(name.rsplit(".", 1)[-1] for name in (*self.sendings, *self.buildings))

    @cached_property
    def adders(self) -> frozenset[str]:
        """The methods that add one header to a request."""
        sending = (sending.adders for _, sending in self.sendings.values())
        return frozenset().union(*sending, *(building.adders for _, building in self.buildings.values()))

    @cached_property
    def command_names(self) -> frozenset[str]:
        """The last part of the names of what runs a command, which may be one that sends a request."""
        return frozenset(n.rsplit(".", 1)[-1] for n, (_, sending) in self.sendings.items() if sending.command)


@cache
def load_registry() -> Registry:
    """The registry of this package's libraries, in the order of their modules' names."""
    libraries: list[Library] = []
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        library = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "LIBRARY", None)
        if isinstance(library, Library):
            libraries.append(library)
    return Registry(
        tuple(libraries),
        {name: (library, sending) for library in libraries for name, sending in library.sendings.items()},
        {name: (library, building) for library in libraries for name, building in library.buildings.items()},
        {name: (library, client) for library in libraries for name, client in library.clients.items()},
        {alias: name for library in libraries for alias, name in library.aliases.items()},
        {name: given for library in libraries for name, given in library.event_streams.items()},
    )
