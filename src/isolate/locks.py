"""Advisory locks, which the kernel releases when the process that holds them ends."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_UNSUPPORTED = (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS)
"""Errors of file systems and kernels without such locks. The block then runs without one."""


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


class NameLocks:
    """Exclusive locks of names, all in the file *path*, which holds none of them: one file descriptor for any number.

    A name is locked as one byte of the file, at an offset that is computed from the name. Such locks belong to the open
    file where the system has that (`F_OFD_SETLK`), and else to the process, which then must not open the file twice.
    Every process takes the locks that it waits for in the order of the offsets, so no two wait for each other.
    """

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._held: set[int] = set()
        self._of_open_file = hasattr(fcntl, "F_OFD_SETLK")

    def acquire(self, names: Iterable[str], on_wait: Callable[[], None] | None = None) -> None:
        """Lock *names*; call *on_wait* once before waiting for another process.

        Names that are locked already must be of a kind that is always locked first.
        """
        for offset in sorted(set(map(_offset, names))):
            if not self._try(offset):
                if on_wait is not None:
                    on_wait()
                    on_wait = None
                self._lock(fcntl.LOCK_EX, offset)
            self._held.add(offset)

    def try_acquire(self, name: str) -> bool:
        """Lock *name*, and return whether that was possible without waiting. It is if this object has locked it."""
        offset = _offset(name)
        if offset in self._held or self._try(offset):
            self._held.add(offset)
            return True
        return False

    def release(self, names: Iterable[str]) -> None:
        """Unlock those of *names* that are locked."""
        for offset in self._held.intersection(map(_offset, names)):
            self._lock(fcntl.LOCK_UN, offset)
            self._held.remove(offset)

    def close(self) -> None:
        """Unlock all names, also for processes that were forked meanwhile and share the open file."""
        try:
            for offset in self._held:
                self._lock(fcntl.LOCK_UN, offset)
        finally:
            os.close(self._handle)

    def _try(self, offset: int) -> bool:
        try:
            self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB, offset)
        except (BlockingIOError, PermissionError):  # POSIX allows both
            return False
        return True

    def _lock(self, operation: int, offset: int) -> None:
        try:
            if self._of_open_file:
                _lock_of_open_file(self._handle, operation, offset)
            else:
                fcntl.lockf(self._handle, operation, 1, offset)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            if self._of_open_file:  # an emulated kernel may know only the locks of processes
                self._of_open_file = False
                self._lock(operation, offset)


def _lock_of_open_file(handle: int, operation: int, offset: int) -> None:
    kind = fcntl.F_UNLCK if operation == fcntl.LOCK_UN else fcntl.F_WRLCK
    command = fcntl.F_OFD_SETLKW if operation == fcntl.LOCK_EX else fcntl.F_OFD_SETLK
    fcntl.fcntl(handle, command, struct.pack("hhqqi0q", kind, os.SEEK_SET, offset, 1, 0))  # struct flock


def _offset(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 2  # a file ends before 2**63
