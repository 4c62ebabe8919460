"""Read, copy and delete below open directories. No link is followed."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from isolate.bounded_read import MAX_RECORD_BYTES, read_handle

OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read_regular(name: str, path: str, *, dir_fd: int | None = None) -> bytes:
    """Return the content of the file *name*, a link not followed; *path* is its path in an error.

    Raises `OSError` if it is not a regular file of bounded size: to read a pipe could block, and a device could have
    no end.
    """
    return read_handle(os.open(name, READ, dir_fd=dir_fd), path, MAX_RECORD_BYTES)


def delete_at(parent: int, name: str, path: str) -> None:
    """Delete *name* in the open directory *parent* and everything below it, read-only directories too.

    *path* is the full path, for the message of an error.
    """
    try:
        if not stat.S_ISDIR(os.lstat(name, dir_fd=parent).st_mode):
            os.unlink(name, dir_fd=parent)
            return
        handle = _open_writable(parent, name)
        try:
            for child in os.listdir(handle):
                delete_at(handle, child, f"{path}/{child}")
        finally:
            os.close(handle)
        os.rmdir(name, dir_fd=parent)
    except OSError as error:
        raise with_path(error, path) from None


def _open_writable(parent: int, name: str) -> int:
    """Open the directory *name*, made writable if it is not."""
    try:
        handle = os.open(name, OPEN, dir_fd=parent)
    except PermissionError:
        os.chmod(name, stat.S_IRWXU, dir_fd=parent)
        handle = os.open(name, OPEN, dir_fd=parent)
    if os.fstat(handle).st_mode & stat.S_IRWXU != stat.S_IRWXU:
        with contextlib.suppress(PermissionError):  # another user owns it, and may let us write
            os.fchmod(handle, stat.S_IRWXU)
    return handle


def copy_at(source: tuple[int, str], target: tuple[int, str], path: str) -> None:
    """Copy a file, a link or a whole directory, with modes and times.

    *source* and *target* are each an open directory and a name in it; the target must not exist. *path* is the full
    path of the source, for the message of an error.
    """
    try:
        status = os.lstat(source[1], dir_fd=source[0])
        if stat.S_ISDIR(status.st_mode):
            _copy_directory(source, target, path)
        elif stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(source[1], dir_fd=source[0]), target[1], dir_fd=target[0])
        elif stat.S_ISREG(status.st_mode):
            _copy_file(source, target)
        else:
            raise OSError(errno.EINVAL, "not a file, a link or a directory, so it cannot be copied", path)
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(target[1], stat.S_IMODE(status.st_mode), dir_fd=target[0])
        times = (status.st_atime_ns, status.st_mtime_ns)
        os.utime(target[1], ns=times, dir_fd=target[0], follow_symlinks=False)
    except OSError as error:
        raise with_path(error, path) from None


def _copy_directory(source: tuple[int, str], target: tuple[int, str], path: str) -> None:
    os.mkdir(target[1], 0o700, dir_fd=target[0])
    with contextlib.ExitStack() as stack:
        handles = [os.open(name, OPEN, dir_fd=parent) for parent, name in (source, target)]
        for handle in handles:
            stack.callback(os.close, handle)
        for name in os.listdir(handles[0]):
            copy_at((handles[0], name), (handles[1], name), f"{path}/{name}")


def _copy_file(source: tuple[int, str], target: tuple[int, str]) -> None:
    handle = os.open(target[1], CREATE, 0o600, dir_fd=target[0])
    with os.fdopen(handle, "wb") as new, os.fdopen(os.open(source[1], READ, dir_fd=source[0]), "rb") as old:
        from shutil import copyfileobj

        copyfileobj(old, new)


def with_path(error: OSError, path: str) -> OSError:
    """Return *error* with the full *path*, unless it has one."""
    if isinstance(error.filename, str) and error.filename.startswith("/"):
        return error
    return OSError(error.errno, error.strerror or str(error), path)
