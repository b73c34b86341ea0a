"""A bar for runs that take a while, for a person who watches a terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

T = TypeVar("T")

PATIENCE = 1.0
"""After so many seconds somebody would like to know how far it has come."""


@dataclass
class Progress:
    """The bar of one run: on stderr, and on a terminal only."""

    bar: ProgressBar[Any] | None = None

    def over(self, items: Iterable[T], length: int) -> Iterator[T]:
        """The items, counted as they pass."""
        if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
            yield from items
            return
        start = time.monotonic()
        try:
            for number, item in enumerate(items, start=1):
                yield item
                if self.bar is not None:
                    self.bar.update(1)
                elif time.monotonic() - start >= PATIENCE:
                    self.bar = click.progressbar(length=length, label="Looking", file=sys.stderr, show_pos=True)
                    self.bar.update(number)
        finally:
            if self.bar is not None:
                self.make_room()
                self.bar = None

    def make_room(self) -> None:
        """Clear the line, on which something else is to be said, and show the cursor; the next item hides it again."""
        if self.bar is not None:
            click.echo("\r\x1b[K\x1b[?25h", nl=False, err=True)
