"""Several things at once: each is worked on by a process of its own, so that no failure reaches another.

A worker is forked, so what is imported by then is there; it tells what it is at through a pipe, and in the end what
came of it. Whatever ends this process ends the workers, and with them the programs that they started.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from isolate.cores import WorkerLost, portable
from isolate.process import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess
    from types import FrameType

    from isolate.report import Progress

Result = TypeVar("Result")

PATIENCE = 10.0
"""Seconds that workers have to clean up after an interrupt."""

DONE = "done"
"""What a worker says when it has ended; all else that it says names a method of `Progress`."""

LOOK = 0.1
"""Seconds between two looks at a display that moves by itself."""


class Board(Protocol):
    """Shows what all workers are at."""

    def begins(self, name: str) -> None:
        """Take note that work on *name* begins."""

    def hears(self, name: str, kind: str, text: str) -> None:
        """Take note of what the worker of *name* tells; *kind* is a method of `Progress`."""

    def ends(self, name: str) -> None:
        """Take note that work on *name* has ended."""

    def moves(self) -> None:
        """Show that time passes."""

    def aside(self) -> AbstractContextManager[None]:
        """Return what to hold while something else is printed."""


@dataclass
class _Telling:
    """The progress of a worker: what it is told goes through the pipe."""

    pipe: Connection

    def say(self, line: str) -> None:
        self.pipe.send(("say", line))

    def working(self, text: str) -> None:
        self.pipe.send(("working", text))

    def detail(self, line: str) -> None:
        self.pipe.send(("detail", line))


@dataclass
class Crew(Generic[Result]):
    """As many workers as there are tasks (by name), *at_once* of them at a time."""

    tasks: Mapping[str, Callable[[Progress], Result]]
    at_once: int
    board: Board
    _working: dict[Connection, tuple[str, ForkProcess]] = field(default_factory=dict)

    def work(self) -> Iterator[tuple[str, Result | Exception]]:
        """Yield the name and the result of each task, as they come to their ends; if it failed, what it raised.

        What a worker that was killed raised is `WorkerLost`. Whatever interrupts the waiting ends all workers.
        """
        waiting = iter(self.tasks.items())
        try:
            while True:
                while len(self._working) < self.at_once and (task := next(waiting, None)) is not None:
                    self._begin(*task)
                if not self._working:
                    return
                yield from self._listen()
        finally:
            self._end_all()

    def _begin(self, name: str, task: Callable[[Progress], Result]) -> None:
        context = multiprocessing.get_context("fork")
        here, there = context.Pipe(duplex=False)
        worker = context.Process(target=_work, args=(task, there))
        worker.start()
        there.close()
        self._working[here] = (name, worker)
        self.board.begins(name)

    def _listen(self) -> Iterator[tuple[str, Result | Exception]]:
        ready: list[Connection] = wait([*self._working], timeout=LOOK)  # type: ignore[assignment]
        for pipe in ready:
            name, worker = self._working[pipe]
            try:
                kind, told = pipe.recv()
            except EOFError:
                worker.join()
                kind, told = DONE, _lost(worker.exitcode)
            if kind == DONE:
                self._end(pipe)
                yield name, told
            else:
                self.board.hears(name, kind, told)
        self.board.moves()

    def _end(self, pipe: Connection) -> None:
        name, worker = self._working.pop(pipe)
        worker.join()
        worker.close()
        pipe.close()
        self.board.ends(name)

    def _end_all(self) -> None:
        for _, worker in self._working.values():
            if worker.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker.pid, signal.SIGINT)
        for _, worker in self._working.values():
            worker.join(PATIENCE)
            worker.kill()
            worker.join()
        self._working.clear()


def _lost(status: int | None) -> WorkerLost:
    return WorkerLost(f"a worker ended with status {status}", hint="see what killed it, then run the command again")


def _work(task: Callable[[Progress], Result], pipe: Connection) -> None:
    """Do *task* in a worker, and send what came of it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted_once)
    die_with_parent()
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):  # nobody waits for the answer any more
        try:
            pipe.send((DONE, task(_Telling(pipe))))
        except Exception as error:  # noqa: BLE001 - raised where the result is waited for
            pipe.send((DONE, portable(error)))


def _interrupted_once(number: int, frame: FrameType | None) -> None:
    """Interrupt the work, and let nothing interrupt the cleaning up: a terminal and our parent both send the signal."""
    del frame
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
