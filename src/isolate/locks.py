"""One writer at a time: advisory locks that the kernel releases when their holder ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextlib.contextmanager
def flock(path: Path, *, shared: bool = False, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock of *path*, a file or a directory that exists, for as long as the block runs.

    *shared* lets other shared holders in. *on_wait* is called once if somebody else has it. The kernel lets go of the
    lock when the process ends, however it ends; so no lock is ever stale. A file system without such locks is taken as
    it is: no lock is held there.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _acquire(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, on_wait)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, kind: int, on_wait: Callable[[], None] | None) -> None:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        if on_wait is not None:
            on_wait()
        fcntl.flock(handle, kind)
    except OSError:  # ENOLCK, ENOTSUP: some network file systems
        return
