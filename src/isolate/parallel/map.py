"""A parallel map over the cores of this machine.

One Python process runs one thread at a time, so the work is shared by processes: forks of this one, which have all of
its memory, take one chunk of items after another and send their results when nothing is left.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from isolate.errors import IsolateError
from isolate.parallel.fork import fork_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, BinaryIO

    Item = TypeVar("Item")
    Result = TypeVar("Result")

MIN_ITEMS_PER_WORKER = 8
"""Items that justify one more process, if the function does work on them."""

MIN_READS_PER_WORKER = 4
"""Items that justify one more process, if the function only reads."""

MAX_CHUNKS = 1000
"""Maximum number of chunks: their numbers must fit into the buffer of a pipe."""

CHUNK_NUMBER_SIZE = 4
"""Bytes of one number in that pipe."""


class WorkerLost(IsolateError):
    """A worker process died before it sent its result."""

    code = "worker-lost"
    remedy = "Look for the cause in the system log (a lack of memory, for example), then run the command again."


def worker_lost(how: str) -> WorkerLost:
    """Return the error for a worker that ended without a result: *how* it ended, for the message."""
    hint = "the system log may name the cause, such as a lack of memory; then run the command again"
    return WorkerLost(f"a worker process {how}", hint=hint)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parallel_map_readonly(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return the results of *function*, which must have no side effects, for *items*; raise what it raises.

    Items without a result, because a worker died or failed, are processed again in this process.
    """
    done = _distribute(function, items, min(cores(), len(items) // MIN_READS_PER_WORKER))
    results = {index: task.result for index, task in done.items() if task.error is None}
    return [results[index] if index in results else function(item) for index, item in enumerate(items)]


def parallel_map(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return the results of *function* for *items*; raise the first exception of one of them.

    Items are started in their order. No worker is running when this returns or raises. Raises `WorkerLost` if a worker
    died.
    """
    done = _distribute(function, items, min(cores(), len(items) // MIN_ITEMS_PER_WORKER))
    for task in done.values():
        if task.error is not None:
            raise task.error
    if len(done) < len(items):
        raise worker_lost("died")
    return [done[index].result for index in range(len(items))]


class _TaskResult(NamedTuple):
    result: Any
    error: Exception | None


def _distribute(function: Callable[[Item], Result], items: Sequence[Item], processes: int) -> dict[int, _TaskResult]:
    """Return results by index. Incomplete if an item raised or a worker died.

    This process and its *processes* - 1 workers read the numbers of chunks from one pipe.
    """
    step = len(items) // MAX_CHUNKS + 1
    queue, writer = os.pipe()
    os.write(writer, b"".join(start.to_bytes(CHUNK_NUMBER_SIZE, "big") for start in range(0, len(items), step)))
    os.close(writer)

    def work() -> dict[int, _TaskResult]:
        done = {}
        while number := os.read(queue, CHUNK_NUMBER_SIZE):
            start = int.from_bytes(number, "big")
            for index, item in enumerate(items[start : start + step], start=start):
                done[index] = _attempt(function, item)
                if done[index].error is not None:
                    _drain(queue)
                    return done
        return done

    workers: list[tuple[int, BinaryIO]] = []
    try:
        with contextlib.suppress(OSError):  # at a limit of processes or of open files, fewer workers share the work
            for _ in range(1, processes):
                _start_worker(work, workers)
        done = work()
    finally:
        _drain(queue)
        os.close(queue)
        parts = [_collect(*worker) for worker in workers]
    for part in parts:
        done |= part
    return done


def _attempt(function: Callable[[Item], Result], item: Item) -> _TaskResult:
    try:
        return _TaskResult(function(item), None)
    except Exception as error:  # noqa: BLE001 - the caller of the map gets it
        return _TaskResult(None, error)


def _drain(queue: int) -> None:
    """Take all remaining chunks, so that no worker starts another one."""
    while os.read(queue, CHUNK_NUMBER_SIZE * MAX_CHUNKS):
        pass


def _start_worker(work: Callable[[], dict[int, _TaskResult]], workers: list[tuple[int, BinaryIO]]) -> None:
    """Fork a process that does *work*, and add its process ID and the pipe with its results to *workers*."""

    def send_results() -> None:
        done = {
            index: task if task.error is None else _TaskResult(None, picklable(task.error))
            for index, task in work().items()
        }
        from pickle import dump

        with open(writer, "wb") as pipe:
            dump(done, pipe)

    reader, writer = os.pipe()
    results = open(reader, "rb")  # noqa: SIM115 - `_collect` closes it
    try:
        fork_worker(send_results, lambda pid: workers.append((pid, results)))
    except OSError:
        results.close()
        raise
    finally:
        os.close(writer)


def _collect(pid: int, pipe: BinaryIO) -> dict[int, _TaskResult]:
    """Return the results of a worker, and wait for its end; nothing if it died."""
    from pickle import UnpicklingError, loads

    with pipe:
        content = pipe.read()
    os.waitpid(pid, 0)
    try:
        done: dict[int, _TaskResult] = loads(content)  # written by a fork of this process
    except (EOFError, UnpicklingError):
        return {}
    return done


def picklable(error: Exception) -> Any:
    """Return a value that unpickles to *error* in another process, with its traceback as the cause."""
    if isinstance(error, (IsolateError, OSError)):
        return error
    from multiprocessing.pool import ExceptionWithTraceback  # type: ignore[attr-defined]

    return ExceptionWithTraceback(error, error.__traceback__)
