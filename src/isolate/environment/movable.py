"""Whether the system lets a change move and delete what it has to. It is asked before anything is moved."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
from typing import TYPE_CHECKING

from isolate.environment.journal import open_venv
from isolate.environment.steps import REMOVE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from isolate.environment.steps import Step

FS_IOC_GETFLAGS = 0x80086601
FS_IMMUTABLE_FL, FS_APPEND_FL = 0x10, 0x20
"""`ioctl` request of Linux for the attributes of a file, and those with which it cannot be deleted: `man chattr`."""


def check_permissions(venv: Path, steps: list[Step]) -> None:
    """Raise `PermissionError` for a path that a step may not move, `NotManaged` for a link on its way.

    Nothing has been moved by then.
    """
    parents = {os.path.dirname(path) for step in steps for path in (step.source, step.target)}
    for path in (f"{venv}/{parent}" for parent in sorted(parents)):
        if os.path.isdir(path) and not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    for path in (f"{venv}/{step.source}" for step in steps):  # moving a directory rewrites its `..`
        if os.path.isdir(path) and not os.path.islink(path) and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    with open_venv(venv) as directory:
        for parent in sorted(parents - {""}):
            directory.is_directory(f"{parent}/.")
    for step in steps:
        if step.action == REMOVE:
            ensure_deletable(f"{venv}/{step.source}")


def ensure_deletable(path: str) -> None:
    """Raise `PermissionError` for a file or directory at *path* or below it that not even its owner can delete."""
    for name in _paths(path):
        try:
            flags = _flags(name)
        except OSError as error:
            if error.errno in (errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOSYS):
                return  # the file system has no such attributes
            continue
        if flags & (FS_IMMUTABLE_FL | FS_APPEND_FL):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), name)


def _paths(path: str) -> Iterator[str]:
    """Yield the files and directories at and below *path*, without links and other kinds, which have no attributes."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        yield path
    if stat.S_ISDIR(mode):
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _paths(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield entry.path


def _flags(path: str) -> int:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        buffer = fcntl.ioctl(handle, FS_IOC_GETFLAGS, struct.pack("l", 0))
    finally:
        os.close(handle)
    return int(struct.unpack("l", buffer)[0])
