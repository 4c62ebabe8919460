"""Reading files that a repository names or contains: only regular files, and only up to a certain size.

A repository may have a named pipe, a device or a link to either where a file is expected. Reading one would block,
never end, or return what is not the repository's.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

MAX_DECLARATION_BYTES = 8 << 20
"""The largest size of a declaration or a lock. A lock of a thousand packages has two megabytes."""

MAX_RECORD_BYTES = 128 << 20
"""The largest size of one of isolate's own records. A manifest of 100,000 files has twenty megabytes."""

KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


class UnexpectedFile(OSError):
    """A path leads to something other than a regular file of bounded size. `strerror` says what, without content."""


def read_bounded(path: Path | str, limit: int = MAX_DECLARATION_BYTES) -> bytes:
    """Return the content of the regular file *path*, which may have at most *limit* bytes.

    It never blocks. Symbolic links are followed.

    Raises:
        UnexpectedFile: *path* is not a regular file, is too large, or is a file whose content the kernel makes up.
        OSError: *path* does not exist, is a directory, or cannot be read.
    """
    _ensure_expected(os.stat(path), path, limit)  # opening a device can have an effect
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    return read_handle(handle, path, limit)


def read_handle(handle: int, path: Path | str, limit: int) -> bytes:
    """Return the content of the file that is open as *handle*, and close it; *path* is its path in an error.

    Raises `UnexpectedFile` as `read_bounded` does.
    """
    with open(handle, "rb", buffering=0) as file:
        status = os.fstat(handle)
        _ensure_expected(status, path, limit)
        content = file.read(status.st_size + 1)  # a buffer of the whole limit would cost more than the file
        while chunk := file.read(max(limit + 1 - len(content), 0)):
            content += chunk
        status = os.fstat(handle)
    if content and not status.st_size:
        raise UnexpectedFile(errno.EINVAL, "it is not a file on a disk", str(path))
    _ensure_expected(status, path, limit)
    return content


def _ensure_expected(status: os.stat_result, path: Path | str, limit: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        kind = KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise UnexpectedFile(errno.EINVAL, f"it is {kind}, not a regular file", str(path))
    if status.st_size > limit:
        raise UnexpectedFile(errno.EFBIG, f"it is larger than {limit >> 20} MB", str(path))


def read_json(path: Path | str, limit: int = MAX_RECORD_BYTES) -> Any:
    """Return the value in the JSON file *path*; raise `OSError` or `ValueError` if there is none that can be read."""
    return parse_json(read_bounded(path, limit), path)


def parse_json(content: bytes, path: Path | str) -> Any:
    """Return the value in *content*, that of the JSON file *path*; raise `ValueError` if there is none."""
    import json

    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError(f"{path} is nested too deep") from None
