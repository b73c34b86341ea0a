"""Running commands in turn, and comparing what each took with what the other took in the same round.

A machine's speed drifts, so that two figures taken one after the other say little; the ratio of two runs that stand
next to each other says more, and the spread of the ratios says how much.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """A process to be measured, with what is to be added to its environment."""

    words: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    before: Callable[[], None] | None = None


@dataclass(frozen=True)
class Run:
    """What one run took, in seconds; the processor's time is that of all its processes."""

    wall: float
    cpu: float
    exit_code: int


@dataclass(frozen=True)
class Spread:
    """A few figures of one thing."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """The spread of some figures."""
        return cls(statistics.median(figures), min(figures), max(figures))


def measured(command: Command) -> Run:
    """Run a command once. What it prints is thrown away."""
    if command.before is not None:
        command.before()
    environment = {**os.environ, **dict(command.environment)}
    started = time.perf_counter()
    process = subprocess.Popen(
        command.words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(wall, usage.ru_utime + usage.ru_stime, process.returncode)


def interleaved(commands: Mapping[str, Command], rounds: int, *, warmed: bool = True) -> dict[str, list[Run]]:
    """Run all commands in turn, so many times; with ``warmed`` after one round that does not count."""
    for command in commands.values() if warmed else ():
        measured(command)
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(measured(command))
    return runs


def ratio(ours: Sequence[Run], theirs: Sequence[Run], figure: str) -> Spread:
    """Ours by theirs, round by round. ``figure`` is ``wall`` or ``cpu``."""
    return Spread.of([getattr(our, figure) / getattr(their, figure) for our, their in zip(ours, theirs, strict=True)])
