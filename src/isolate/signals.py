"""Signals that ask this process to end, or that end a child together with it."""

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
"""The option of `prctl(2)` that requests a signal for when the parent dies."""

TERMINATION_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def signals_blocked() -> Iterator[Callable[[], None]]:
    """Block termination signals during the block, which must be short.

    Yields a function that unblocks them. A forked child calls it, because it does not leave the block.
    """
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, ())

    def unblock() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)

    try:
        # A signal that arrived before this call raises here, after the signals are blocked.
        signal.pthread_sigmask(signal.SIG_BLOCK, TERMINATION_SIGNALS)
        yield unblock
    finally:
        unblock()


def parent_death_signal() -> Callable[[], object] | None:
    """Return a function for a child to call, so that the kernel kills it when its parent dies; None if unavailable.

    The child calls it between fork and exec, where only a process with a single thread may run Python code.
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        return None
    try:
        import ctypes
    except ImportError:
        return None
    return functools.partial(ctypes.CDLL(None).prctl, PR_SET_PDEATHSIG, signal.SIGKILL)
