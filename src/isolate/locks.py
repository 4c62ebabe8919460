"""Advisory locks, which the kernel releases when the process that holds them ends."""

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
    """Hold the lock of *path*, an existing file or directory, while the block runs.

    *shared* admits other shared holders. *on_wait* is called once if another process holds the lock. The kernel
    releases the lock however the process ends, so a lock is never stale. On a file system without such locks, the block
    runs without one.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _acquire(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, on_wait)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, operation: int, on_wait: Callable[[], None] | None) -> None:
    try:
        fcntl.flock(handle, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        if on_wait is not None:
            on_wait()
        fcntl.flock(handle, operation)
    except OSError:  # ENOLCK or ENOTSUP: some network file systems have no locks
        return
