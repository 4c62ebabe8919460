"""The cores of this machine, and work that is shared out among them."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, BinaryIO

    Item = TypeVar("Item")
    Result = TypeVar("Result")

WORTH = 8
"""Items that are worth a thread of their own."""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_all_cores(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return what *function* returns for each of *items*, in their order; raise what it raises first.

    It runs in several threads at once if there is enough to do: while the kernel makes files, Python lets others work.
    Whatever happens, no thread is left when this returns.
    """
    threads = min(cores(), len(items) // WORTH)
    if threads <= 1:
        return [function(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - little is to be done most of the time

    with ThreadPoolExecutor(threads) as pool:
        try:
            return list(pool.map(function, items))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


LOOKS_WORTH = 4
"""Items that are worth a process of its own to look at them."""


def looked_at(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return what *function*, which only looks, returns for each of *items*, in their order; raise what it raises.

    Several processes share them if they are many: where next to nothing is done but to look, Python lets no other
    thread work. Whatever becomes of a helper, its part is looked at here.
    """
    number = min(cores(), len(items) // LOOKS_WORTH)
    if number <= 1:
        return [function(item) for item in items]
    helpers = [_helper(function, items[first::number]) for first in range(1, number)]
    results: list[Any] = [None] * len(items)
    try:
        results[::number] = [function(item) for item in items[::number]]
    finally:
        answers = [_answer_of(*helper) for helper in helpers]
    for first, answer in enumerate(answers, start=1):
        results[first::number] = answer or [function(item) for item in items[first::number]]
    return results


def _helper(function: Callable[[Item], Result], items: Sequence[Item]) -> tuple[int, BinaryIO]:
    """Return a process that looks at *items*, and where it writes what it saw."""
    here, there = os.pipe()
    if process := os.fork():
        os.close(there)
        return process, open(here, "rb")
    try:
        with open(there, "wb") as pipe:
            pickle.dump([function(item) for item in items], pipe)
    finally:
        os._exit(0)


def _answer_of(process: int, pipe: BinaryIO) -> list[Any] | None:
    with pipe:
        answer = pipe.read()
    os.waitpid(process, 0)
    try:
        seen: list[Any] = pickle.loads(answer)  # of our own making
    except (EOFError, pickle.UnpicklingError):
        return None
    return seen
