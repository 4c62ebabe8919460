"""Signals that ask this process to end, or that end a child with it."""

from __future__ import annotations

import contextlib
import functools
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PR_SET_PDEATHSIG = 1
"""The request to `prctl(2)` for a signal when the parent dies."""

TERMINATION_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that ask for an end."""


@contextlib.contextmanager
def signals_blocked() -> Iterator[Callable[[], None]]:
    """Let the signals that ask for an end wait until the block has ended; it must not take long.

    What this yields ends the waiting at once. A copy of this process that leaves the block by other ways calls it.
    """
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, ())

    def unblock() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)

    try:
        signal.pthread_sigmask(
            signal.SIG_BLOCK, TERMINATION_SIGNALS
        )  # raises, when it has done so, what a signal before asked for
        yield unblock
    finally:
        unblock()


def parent_death_signal() -> Callable[[], object] | None:
    """Return what a child has to call for the kernel to kill it if we are killed; None where that cannot be had.

    It is called between fork and exec, where only a process with a single thread may run Python.
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        return None
    try:
        import ctypes
    except ImportError:
        return None
    return functools.partial(ctypes.CDLL(None).prctl, PR_SET_PDEATHSIG, signal.SIGKILL)
