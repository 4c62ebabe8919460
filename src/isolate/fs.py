"""Changes on disk that happen entirely or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.locks import flock
from isolate.trees import delete_at

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def write(path: Path, content: bytes, *, staging: Path, mode: int = 0o644, durable: bool = False) -> None:
    """Replace *path* by a file with *content*; other processes see the old file or the new one, never a part.

    The content is first written below *staging*, a directory on the same file system. The caller ensures that what a
    killed process leaves there is deleted later. If *durable*, the same holds after a power failure.
    """
    with scratch_directory(staging) as scratch:
        new = scratch / path.name
        new.write_bytes(content)
        new.chmod(mode)
        if durable:
            flush(new)
        new.replace(path)


def flush(path: Path) -> None:
    """Wait until the content of the file *path* is on the disk; before a rename, so that no empty file replaces one."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


SYNC_FILE_RANGE_WRITE, SYNC_FILE_RANGE_WAIT_AFTER = 2, 4
"""Start to write what is not on the disk yet, and wait until it is: `man sync_file_range`."""


def write_back(paths: Collection[str]) -> None:
    """Wait until the content of all files *paths* is on the disk, where the system can; missing ones are left out.

    Only a later `flush` in the same file system makes them appear with their content after a power failure. The two
    together cost a small part of a `flush` of each. Linux alone can do this.
    """
    import ctypes

    try:
        call = ctypes.CDLL(None).sync_file_range
    except AttributeError:
        return
    call.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    for operation in (SYNC_FILE_RANGE_WRITE, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER):
        for path in paths:
            with contextlib.suppress(OSError):
                handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                call(handle, 0, 0, operation)
                os.close(handle)


@contextlib.contextmanager
def scratch_directory(parent: Path) -> Iterator[Path]:
    """Yield a new private directory below *parent*, and delete it in the end with all that it holds.

    The process that created it holds a lock on it, so that `remove_abandoned` can recognize the directory of a process
    that has ended.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        with flock(parent, shared=True):
            scratch = parent / os.urandom(8).hex()
            scratch.mkdir(mode=0o700)
            held.enter_context(flock(scratch))
        try:
            yield scratch
        finally:
            delete_tree(scratch)


def remove_abandoned(parent: Path) -> None:
    """Delete the scratch directories below *parent* whose processes have ended."""
    if not _directories_in(parent):
        return
    with flock(parent):
        for scratch in _directories_in(parent):
            with contextlib.suppress(OSError):
                if _is_abandoned(scratch):
                    delete_tree(scratch)


def _directories_in(parent: Path) -> list[Path]:
    try:
        with os.scandir(parent) as entries:
            return [parent / entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _is_abandoned(scratch: Path) -> bool:
    handle = os.open(scratch, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def directory_links(root: Path) -> dict[str, str]:
    """Return the links from one name in the directory *root* to another, such as `lib64` in an environment to `lib`.

    Only links to directories count.
    """
    if not root.is_dir():
        return {}
    with os.scandir(root) as entries:
        links = {entry.name: os.readlink(entry) for entry in entries if entry.is_symlink() and entry.is_dir()}
    return {name: target for name, target in links.items() if "/" not in target and target not in (".", "..")}


def delete_tree(path: Path) -> None:
    """Delete *path* and everything below it, read-only directories too, without following links.

    A missing path is not an error. Raises `OSError` if something cannot be deleted.
    """
    with contextlib.suppress(FileNotFoundError):
        parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            delete_at(parent, path.name, str(path))
        finally:
            os.close(parent)
