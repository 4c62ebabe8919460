"""Beginning a process as a copy of this one, so that no signal strikes in between.

Python runs code of its own around a fork (`os.register_at_fork`), and loses an interrupt that it meets there: it writes
"Exception ignored" and goes on. So the signals that ask for an end wait until the process has begun.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NoReturn

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that ask for an end."""


@contextlib.contextmanager
def held_back() -> Iterator[Callable[[], None]]:
    """Let the signals that ask for an end wait until the block has ended; it must not take long.

    What this yields ends the waiting at once. A copy of this process that leaves the block by other ways calls it.
    """
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, ())

    def let_in() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)

    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # raises, when it has done so, what a signal before asked for
        yield let_in
    finally:
        let_in()


def begin(work: Callable[[], object], note: Callable[[int], object]) -> None:
    """Do *work* in a copy of this process, and let *note* take its number before any signal can interrupt that.

    The copy ends with *work*, without a word whatever ends that, and with status 0 if nothing was raised, else 1.
    Raises `OSError` if no more processes may be had.
    """
    with held_back() as let_in:
        process = os.fork()
        if not process:
            _do(work, let_in)
        note(process)


def _do(work: Callable[[], object], let_in: Callable[[], None]) -> NoReturn:
    status = 1
    try:
        with contextlib.suppress(BaseException):  # nothing may get out of here into what the parent was doing
            let_in()
            work()
            status = 0
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    finally:
        os._exit(status)
