"""The cores of this machine, and work that is shared out among them.

Python lets one thread of a process work at a time, so it is processes that share the work: copies of this one, which
know all that it knows, take one item after another, and tell in the end what came of theirs.
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

WORTH = 8
"""Items that are worth a process of its own to do them."""

MIN_READS_PER_WORKER = 4
"""Items that are worth a process of its own to look at them."""

MAX_CHUNKS = 1000
"""Parts that the work is cut into at the most: as many as a pipe surely holds."""


class WorkerLost(IsolateError):
    """A worker was killed before it could say what came of its task."""

    exit_code = 3


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parallel_map_readonly(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return what *function*, which only looks, returns for each of *items*, in their order; raise what it raises.

    Whatever becomes of a worker, its part is looked at here.
    """
    seen = _distribute(function, items, min(cores(), len(items) // MIN_READS_PER_WORKER))
    found = {number: one.result for number, one in seen.items() if one.error is None}
    return [found[number] if number in found else function(item) for number, item in enumerate(items)]


def parallel_map(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return what *function* returns for each of *items*, in their order; raise what one of them raises.

    They are begun in their order. Whatever happens, no worker is at work when this returns.
    """
    done = _distribute(function, items, min(cores(), len(items) // WORTH))
    for one in done.values():
        if one.error is not None:
            raise one.error
    if len(done) < len(items):
        raise WorkerLost("a worker was killed", hint="see what killed it, then run the command again")
    return [done[number].result for number in range(len(items))]


class _Outcome(NamedTuple):
    result: Any
    error: Exception | None


def _distribute(function: Callable[[Item], Result], items: Sequence[Item], number: int) -> dict[int, _Outcome]:
    """Return what came of *items*, by their number; where one failed or a worker was lost, not of all.

    *number* processes, this one among them, take turns from a pipe.
    """
    step = len(items) // MAX_CHUNKS + 1
    turns, end = os.pipe()
    os.write(end, b"".join(start.to_bytes(4, "big") for start in range(0, len(items), step)))
    os.close(end)

    def work() -> dict[int, _Outcome]:
        done = {}
        while turn := os.read(turns, 4):
            start = int.from_bytes(turn, "big")
            for at, item in enumerate(items[start : start + step], start=start):
                done[at] = _attempt(function, item)
                if done[at].error is not None:
                    _leave_the_rest(turns)
                    return done
        return done

    workers: list[tuple[int, BinaryIO]] = []
    try:
        with contextlib.suppress(OSError):  # no more processes, or no more open files, may be had: fewer share the work
            for _ in range(1, number):
                _begin(work, workers)
        done = work()
    finally:
        _leave_the_rest(turns)
        os.close(turns)
        answers = [_answer_of(*worker) for worker in workers]
    for answer in answers:
        done |= answer
    return done


def _attempt(function: Callable[[Item], Result], item: Item) -> _Outcome:
    try:
        return _Outcome(function(item), None)
    except Exception as error:  # noqa: BLE001 - raised where the result is waited for
        return _Outcome(None, error)


def _leave_the_rest(turns: int) -> None:
    while os.read(turns, 4 * MAX_CHUNKS):
        pass


def _begin(work: Callable[[], dict[int, _Outcome]], workers: list[tuple[int, BinaryIO]]) -> None:
    """Add a process that does *work* to *workers*, and where it writes what came of it."""

    def tell() -> None:
        done = {at: one if one.error is None else _Outcome(None, portable(one.error)) for at, one in work().items()}
        from pickle import dump

        with open(there, "wb") as pipe:
            dump(done, pipe)

    here, there = os.pipe()
    answer = open(here, "rb")  # noqa: SIM115 - `_answer_of` closes it
    try:
        fork_worker(tell, lambda process: workers.append((process, answer)))
    except OSError:
        answer.close()
        raise
    finally:
        os.close(there)


def _answer_of(process: int, pipe: BinaryIO) -> dict[int, _Outcome]:
    from pickle import UnpicklingError, loads

    with pipe:
        answer = pipe.read()
    os.waitpid(process, 0)
    try:
        done: dict[int, _Outcome] = loads(answer)  # of our own making
    except (EOFError, UnpicklingError):
        return {}
    return done


def portable(error: Exception) -> Any:
    """Return what becomes *error* again when it is unpickled elsewhere, with its traceback as the cause."""
    if isinstance(error, (IsolateError, OSError)):
        return error
    from multiprocessing.pool import ExceptionWithTraceback  # type: ignore[attr-defined]

    return ExceptionWithTraceback(error, error.__traceback__)
