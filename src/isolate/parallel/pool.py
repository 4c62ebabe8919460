"""Several things at once: each is worked on by a process of its own, so that no failure reaches another.

A worker is forked, so what is imported by then is there; it tells what it is at through a pipe, and in the end what
came of it. Whatever ends this process ends the workers, and with them the programs that they started.
"""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Pipe, wait
from typing import TYPE_CHECKING, Generic, TypeVar

from isolate.parallel.fork import fork_worker
from isolate.parallel.map import WorkerLost, portable
from isolate.signals import TERMINATION_SIGNALS, parent_death_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.connection import Connection
    from types import FrameType

    from isolate.progress.protocol import PoolObserver, Progress

Result = TypeVar("Result")

PATIENCE = 10.0
"""Seconds that workers have to clean up after an interrupt."""

DONE = "done"
"""What a worker says when it has ended; all else that it says names a method of `Progress`."""

LOOK = 0.1
"""Seconds between two looks at a display that moves by itself."""

SHORTLY = 0.005
"""Seconds between two looks at whether a worker has ended that was asked to."""

NOT_YET = (0, 0)
"""What `waitpid` answers about a process that has not ended."""


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
class WorkerPool(Generic[Result]):
    """As many workers as there are tasks (by name), *at_once* of them at a time."""

    tasks: Mapping[str, Callable[[Progress], Result]]
    at_once: int
    board: PoolObserver
    _working: dict[Connection, tuple[str, int]] = field(default_factory=dict)

    def work(self) -> Iterator[tuple[str, Result | Exception]]:
        """Yield the name and the result of each task, as they come to their ends; if it failed, what it raised.

        What a worker that was killed raised is `WorkerLost`. Whatever interrupts the waiting ends all workers.
        """
        waiting = deque(self.tasks.items())
        try:
            while waiting or self._working:
                while waiting and len(self._working) < self.at_once and self._begins(*waiting[0]):
                    waiting.popleft()
                yield from self._listen()
        finally:
            self._end_all()

    def _begins(self, name: str, task: Callable[[Progress], Result]) -> bool:
        """Say whether the task could be begun; raise `OSError` if no process may be had and none is at work."""
        try:
            self._begin(name, task)
        except OSError:
            if not self._working:
                raise
            return False  # whoever ends makes room for another
        return True

    def _begin(self, name: str, task: Callable[[Progress], Result]) -> None:
        here, there = Pipe(duplex=False)
        work = partial(_work, task, there, parent_death_signal())
        with there:
            fork_worker(work, lambda worker: self._working.update({here: (name, worker)}))
        self.board.begins(name)

    def _listen(self) -> Iterator[tuple[str, Result | Exception]]:
        ready: list[Connection] = wait([*self._working], timeout=LOOK)  # type: ignore[assignment]
        for pipe in ready:
            name, _ = self._working[pipe]
            try:
                kind, message = pipe.recv()
            except EOFError:
                yield name, _lost(self._end(pipe))
                continue
            if kind == DONE:
                self._end(pipe)
                yield name, message
            else:
                self.board.hears(name, kind, message)
        self.board.moves()

    def _end(self, pipe: Connection) -> int:
        """Wait for a worker that has said all, and return how it ended."""
        name, worker = self._working.pop(pipe)
        _, status = os.waitpid(worker, 0)
        pipe.close()
        self.board.ends(name)
        return os.waitstatus_to_exitcode(status)

    def _end_all(self) -> None:
        for _, worker in self._working.values():
            os.kill(worker, signal.SIGINT)  # one that has ended is there until it is waited for
        until = time.monotonic() + PATIENCE
        for pipe, (_, worker) in self._working.items():
            while os.waitpid(worker, os.WNOHANG) == NOT_YET:
                if time.monotonic() > until:
                    os.kill(worker, signal.SIGKILL)
                time.sleep(SHORTLY)
            pipe.close()
        self._working.clear()


def _lost(status: int) -> WorkerLost:
    return WorkerLost(f"a worker ended with status {status}", hint="see what killed it, then run the command again")


def _work(task: Callable[[Progress], Result], pipe: Connection, die_with_parent: Callable[[], object] | None) -> None:
    """Do *task* in a worker, and send what came of it."""
    for number in TERMINATION_SIGNALS:
        signal.signal(number, _interrupted_once)
    if die_with_parent is not None:
        die_with_parent()
    try:
        pipe.send((DONE, task(_Telling(pipe))))
    except BrokenPipeError:  # nobody waits for the answer any more
        return
    except Exception as error:  # noqa: BLE001 - raised where the result is waited for
        pipe.send((DONE, portable(error)))


def _interrupted_once(number: int, frame: FrameType | None) -> None:
    """Interrupt the work, and let nothing interrupt the cleaning up: a terminal and our parent both send the signal."""
    del frame
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
