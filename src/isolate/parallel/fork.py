"""Fork a worker without losing a signal.

Python runs code of its own around a fork (`os.register_at_fork`). A KeyboardInterrupt raised in that code is lost:
Python writes "Exception ignored" and goes on. So termination signals are blocked until the worker has started.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from isolate.signals import TERMINATION_SIGNALS, signals_blocked

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def fork_worker(work: Callable[[], object], on_fork: Callable[[int], object]) -> None:
    """Run *work* in a forked child; call *on_fork* with the child's process ID before a signal can interrupt.

    The child exits after *work* returns or raises, silently: status 0 on return, 1 on an exception. Raises `OSError` if
    the system allows no more processes.
    """
    with signals_blocked() as unblock:
        pid = os.fork()
        if not pid:
            _run_child(work, unblock)
        on_fork(pid)


def _run_child(work: Callable[[], object], unblock: Callable[[], None]) -> NoReturn:
    status = 1
    try:
        with contextlib.suppress(BaseException):  # an exception must not reach the frames of the parent
            unblock()
            work()
            status = 0
        signal.pthread_sigmask(signal.SIG_BLOCK, TERMINATION_SIGNALS)
    finally:
        os._exit(status)
