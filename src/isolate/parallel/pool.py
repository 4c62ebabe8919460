"""A pool of worker processes, one per task, so that no failure of a task reaches another.

A worker is forked, so it has what this process has imported. It reports progress, and in the end its result, through a
pipe. When this process ends, for any reason, its workers and the programs that they started end too.
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
from isolate.parallel.map import picklable, worker_lost
from isolate.signals import TERMINATION_SIGNALS, parent_death_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.connection import Connection
    from types import FrameType

    from isolate.parallel.map import WorkerLost
    from isolate.progress.protocol import PoolObserver, Progress

Result = TypeVar("Result")

SHUTDOWN_TIMEOUT = 10.0
"""Seconds that workers have to clean up after an interrupt."""

RESULT = "result"
"""The kind of a worker's last message; every other kind is a method of `Progress`."""

POLL_INTERVAL = 0.1
"""Seconds between two calls of `PoolObserver.tick` while no worker reports."""

REAP_INTERVAL = 0.005
"""Seconds between two checks whether an interrupted worker has ended."""

STILL_RUNNING = (0, 0)
"""The answer of `waitpid` with `WNOHANG` for a process that has not ended."""


@dataclass
class _PipeProgress:
    """The progress of a worker: sends every report through the pipe."""

    pipe: Connection

    def say(self, line: str) -> None:
        self.pipe.send(("say", (line,)))

    def working(self, text: str, position: str = "") -> None:
        self.pipe.send(("working", (text, position)))

    def detail(self, line: str) -> None:
        self.pipe.send(("detail", (line,)))


@dataclass
class WorkerPool(Generic[Result]):
    """Runs each of *tasks* (by name) in a process of its own, at most *max_workers* at a time."""

    tasks: Mapping[str, Callable[[Progress], Result]]
    max_workers: int
    observer: PoolObserver
    _working: dict[Connection, tuple[str, int]] = field(default_factory=dict)

    def as_completed(self) -> Iterator[tuple[str, Result | Exception]]:
        """Yield the name and the result of each task as it ends, or the exception that it raised.

        That is `WorkerLost` if the worker died. An exception in the caller, such as an interrupt, ends all workers.
        """
        waiting = deque(self.tasks.items())
        try:
            while waiting or self._working:
                while waiting and len(self._working) < self.max_workers and self._try_start(*waiting[0]):
                    waiting.popleft()
                yield from self._receive()
        finally:
            self._terminate_all()

    def _try_start(self, name: str, task: Callable[[Progress], Result]) -> bool:
        """Return whether a worker could be started; raise `OSError` if none can be and none is at work."""
        try:
            self._start(name, task)
        except OSError:
            if not self._working:
                raise
            return False  # try again when a worker has ended
        return True

    def _start(self, name: str, task: Callable[[Progress], Result]) -> None:
        reader, writer = Pipe(duplex=False)
        work = partial(_run_task, task, writer, parent_death_signal())
        with writer:
            fork_worker(work, lambda pid: self._working.update({reader: (name, pid)}))
        self.observer.on_start(name)

    def _receive(self) -> Iterator[tuple[str, Result | Exception]]:
        """Handle one message of each worker that has sent one, and yield the results among them."""
        ready: list[Connection] = wait([*self._working], timeout=POLL_INTERVAL)  # type: ignore[assignment]
        for pipe in ready:
            name, _ = self._working[pipe]
            try:
                kind, message = pipe.recv()
            except EOFError:
                yield name, _lost(self._reap(pipe))
                continue
            if kind == RESULT:
                self._reap(pipe)
                yield name, message
            else:
                self.observer.on_message(name, kind, message)
        self.observer.tick()

    def _reap(self, pipe: Connection) -> int:
        """Wait for the end of a worker that has sent everything, and return its exit code."""
        name, pid = self._working.pop(pipe)
        _, status = os.waitpid(pid, 0)
        pipe.close()
        self.observer.on_finish(name)
        return os.waitstatus_to_exitcode(status)

    def _terminate_all(self) -> None:
        for _, pid in self._working.values():
            os.kill(pid, signal.SIGINT)  # the process ID is valid until `waitpid`, even if the worker has ended
        deadline = time.monotonic() + SHUTDOWN_TIMEOUT
        for pipe, (_, pid) in self._working.items():
            while os.waitpid(pid, os.WNOHANG) == STILL_RUNNING:
                if time.monotonic() > deadline:
                    os.kill(pid, signal.SIGKILL)
                time.sleep(REAP_INTERVAL)
            pipe.close()
        self._working.clear()


def _lost(code: int) -> WorkerLost:
    """Return the error for a worker that ended with the exit *code*, as `os.waitstatus_to_exitcode` counts."""
    return worker_lost(f"ended with exit code {code}" if code >= 0 else f"was killed by signal {-code}")


def _run_task(
    task: Callable[[Progress], Result], pipe: Connection, set_death_signal: Callable[[], object] | None
) -> None:
    """Run *task* in a worker, and send its result or its exception."""
    for number in TERMINATION_SIGNALS:
        signal.signal(number, _interrupt_once)
    if set_death_signal is not None:
        set_death_signal()
    try:
        pipe.send((RESULT, task(_PipeProgress(pipe))))
    except BrokenPipeError:  # the parent has stopped waiting
        return
    except Exception as error:  # noqa: BLE001 - the parent gets it
        pipe.send((RESULT, picklable(error)))


def _interrupt_once(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, and ignore further signals while the worker cleans up.

    The terminal and the parent both send SIGINT.
    """
    del frame
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
