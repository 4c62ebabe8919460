"""Beginning a process as a copy of this one, so that no signal strikes in between.

Python runs code of its own around a fork (`os.register_at_fork`), and loses an interrupt that it meets there: it writes
"Exception ignored" and goes on. So the signals that ask for an end wait until the process has begun.
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


def fork_worker(work: Callable[[], object], note: Callable[[int], object]) -> None:
    """Do *work* in a copy of this process, and let *note* take its number before any signal can interrupt that.

    The copy ends with *work*, without a word whatever ends that, and with status 0 if nothing was raised, else 1.
    Raises `OSError` if no more processes may be had.
    """
    with signals_blocked() as unblock:
        process = os.fork()
        if not process:
            _do(work, unblock)
        note(process)


def _do(work: Callable[[], object], unblock: Callable[[], None]) -> NoReturn:
    status = 1
    try:
        with contextlib.suppress(BaseException):  # nothing may get out of here into what the parent was doing
            unblock()
            work()
            status = 0
        signal.pthread_sigmask(signal.SIG_BLOCK, TERMINATION_SIGNALS)
    finally:
        os._exit(status)
