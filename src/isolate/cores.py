"""The cores of this machine, and work on the disk that is shared out among them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
