"""Work on many files in several processes: results in the order of the files, and no file takes the others down.

A worker that dies (LibCST's parser is native code) is replaced, and its file gets the answer that it was lost.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, NoReturn, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Task = TypeVar("Task")
Result = TypeVar("Result")

FEW = 6
"""Tasks for which it does not pay to start another process."""
MANY = 1_000
"""Files for which it pays to have another process look at their bytes."""
AHEAD = 64
"""Results that are kept for an earlier one that takes longer."""
OBJECTS = 50_000
"""New objects after which Python looks for garbage: trees are objects by the thousand, and none of them is garbage yet.
By Python's own figure of 700, a fifth of the time that a tree of candidates takes goes into looking."""


class Lost(NamedTuple):
    """The answer for a task whose worker died; ``why`` says how, for people."""

    why: str


def cores() -> int:
    """How many processes can run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def collect_rarely() -> None:
    """Let this process look for garbage less often."""
    gc.set_threshold(OBJECTS)


def passing(items: Sequence[str], test: Callable[[str], bool], jobs: int) -> set[str]:
    """Items that pass a test, as told by several processes at once; none where it does not pay to ask them.

    It may leave out items that pass: those of a process that died. The processes are forks of this one, which start at
    once and have at hand all that is in memory; they are not asked where there are none, or other threads to harm.
    """
    import threading

    jobs = min(jobs, len(items) // MANY)
    if jobs < 2 or not sys.platform.startswith("linux") or threading.active_count() > 1:
        return set()
    parts = [items[part::jobs] for part in range(jobs)]
    forks = [_fork(part, test) for part in parts[1:]]
    found = set(filter(test, parts[0]))
    for part, (pipe, process) in zip(parts[1:], forks, strict=True):
        with open(pipe, "rb") as stream:
            places = stream.read().split()
        if os.waitpid(process, 0)[1] == 0:
            found.update(part[int(place)] for place in places)
    return found


def _fork(items: Sequence[str], test: Callable[[str], bool]) -> tuple[int, int]:
    """Start a process that writes which items pass the test, by their places from 0: its pipe, and its number."""
    pipe, theirs = os.pipe()
    with _uninterrupted():
        process = os.fork()
        if not process:
            _tell(items, test, theirs)
    os.close(theirs)
    return pipe, process


def _tell(items: Sequence[str], test: Callable[[str], bool], pipe: int) -> NoReturn:
    """The life of a fork, which ends here: neither handlers nor buffers of the parent's are for it."""
    code = 1
    try:
        with open(pipe, "wb") as stream:
            stream.write(b" ".join(b"%d" % place for place, item in enumerate(items) if test(item)))
        code = 0
    finally:
        os._exit(code)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until it is clear who has to answer it: a process that begins knows nothing of it yet."""
    import signal

    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def each(
    tasks: Iterable[Task],
    work: Callable[[Task], Result],
    jobs: int,
    known: Callable[[Task], Result | None] = lambda task: None,
    near: Callable[[Task], Hashable] = lambda task: None,
) -> Iterator[tuple[Task, Result | Lost]]:
    """What ``work`` makes of each task, in the order of the tasks; ``known`` may have the answer already.

    ``near`` tells which tasks have much in common: a process is rather given one that is like its last.
    With more than one job and more than a few tasks it is done in other processes: ``work`` and the tasks must be
    picklable then, and what it raises is raised here.
    """
    asked: Iterator[tuple[Task, Result | None]] = ((task, known(task)) for task in tasks)
    first: list[tuple[Task, Result | None]] = []
    unknown = 0
    while jobs > 1 and unknown <= FEW and (following := next(asked, None)):
        first.append(following)
        unknown += following[1] is None
    asked = itertools.chain(first, asked)
    if unknown <= FEW:
        for task, answer in asked:
            yield task, work(task) if answer is None else answer
        return
    with contextlib.closing(_Pool(work, jobs, near)) as pool:
        yield from pool.run(asked)


class _Worker(Generic[Task, Result]):
    """A process that does one task at a time."""

    def __init__(self, work: Callable[[Task], Result]) -> None:
        import multiprocessing  # slow to import, and most runs need no other process

        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=_serve, args=(theirs, self.pipe, work), daemon=True)
        with _uninterrupted():
            self.process.start()
        theirs.close()
        self.index: int | None = None
        self.near: Hashable = None

    def give(self, index: int, task: Task, near: Hashable) -> None:
        self.index, self.near = index, near
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # that it died is seen when its answer is due
            self.pipe.send(task)

    def answer(self) -> Result | Lost:
        """The result of the task. Raises what the work raised."""
        self.index = None
        try:
            result, error = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            return Lost(_death(self.process.exitcode))
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def stop(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join()


class _Pool(Generic[Task, Result]):
    def __init__(self, work: Callable[[Task], Result], jobs: int, near: Callable[[Task], Hashable]) -> None:
        self._work = work
        self._near = near
        self._workers: list[_Worker[Task, Result]] = [_Worker(work) for _ in range(jobs)]
        self._waiting: dict[int, Task] = {}

    def run(self, tasks: Iterator[tuple[Task, Result | None]]) -> Iterator[tuple[Task, Result | Lost]]:
        numbered = enumerate(tasks)
        given: dict[int, Task] = {}
        done: dict[int, Result | Lost] = {}
        due, is_over = 0, False
        while not is_over or given:
            self._give()
            is_idle = any(worker.index is None for worker in self._workers)
            if not is_over and len(given) < AHEAD and (is_idle or not self._finished(wait=False)):
                following = next(numbered, None)
                is_over = following is None
                if following is not None:
                    index, (task, answer) = following
                    given[index] = task
                    if answer is None:
                        self._waiting[index] = task
                    else:
                        done[index] = answer
            else:
                done.update(map(self._answer, self._finished(wait=due not in done)))
            while due in done:
                yield given.pop(due), done.pop(due)
                due += 1

    def _give(self) -> None:
        """Give each idle worker a task: of those that wait, the first that is near to what it has done last.

        Files that lie together lead to the same other files, which a worker then has at hand. Else the first that is
        near to nobody's.
        """
        for worker in self._workers:
            if worker.index is None and self._waiting:
                others = {other.near for other in self._workers}
                ranks = {index: self._near(task) for index, task in self._waiting.items()}
                index = min(ranks, key=lambda index: (ranks[index] != worker.near, ranks[index] in others, index))
                worker.give(index, self._waiting.pop(index), ranks[index])

    def _finished(self, *, wait: bool) -> list[_Worker[Task, Result]]:
        """The workers whose answer is there; with ``wait``, when there is one."""
        from multiprocessing import connection

        busy = [worker for worker in self._workers if worker.index is not None]
        ready = connection.wait([worker.pipe for worker in busy], None if wait else 0) if busy else []
        return [worker for worker in busy if worker.pipe in ready]

    def _answer(self, worker: _Worker[Task, Result]) -> tuple[int, Result | Lost]:
        index = worker.index
        assert index is not None
        result = worker.answer()
        if isinstance(result, Lost):
            self._replace(worker)
        return index, result

    def _replace(self, worker: _Worker[Task, Result]) -> None:
        worker.stop()
        self._workers[self._workers.index(worker)] = _Worker(self._work)

    def close(self) -> None:
        for worker in self._workers:
            worker.stop()


def _serve(pipe: Connection, theirs: Connection, work: Callable[[Task], Result]) -> None:
    """The life of a worker: it ends when nobody is left to answer to."""
    import signal

    theirs.close()
    collect_rarely()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal; the parent decides
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        answer: tuple[Result | None, Exception | None]
        try:
            answer = (work(task), None)
        except Exception as error:
            answer = (None, error)
        pipe.send(answer)


def _death(code: int | None) -> str:
    import signal

    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"the process that analysed it died ({signal.Signals(-code).name})"
    return "the process that analysed it died"
