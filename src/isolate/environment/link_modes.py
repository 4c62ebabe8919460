"""The ways in which one file gets from the store into an environment: hard link, clone or copy."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FICLONE = 0x40049409
"""`ioctl` request of Linux that shares the blocks of a file, copy on write: `man ioctl_ficlone`."""

UNSUPPORTED = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.ENOSYS}
)
"""Errors that say that the file system does not support a link mode."""


def link_function(mode: str) -> Callable[[str, str], None]:
    """Return the function of a link mode of `[tool.isolate]`; it takes the path in the store and the new path."""
    functions: dict[str, Callable[[str, str], None]] = {"hardlink": os.link, "clone": clone, "copy": copy}
    return functions.get(mode) or AutoLink()


class AutoLink:
    """Clones if the file system supports it, else hard-links, else copies; what is unsupported is not tried again."""

    def __init__(self) -> None:
        """Start with the preferred mode."""
        self._functions: list[Callable[[str, str], None]] = [clone, os.link, copy]

    def __call__(self, source: str, target: str) -> None:
        """Create *target* from *source* in the best mode that is supported; raise `OSError` for other errors."""
        while True:
            function, *others = self._functions
            try:
                function(source, target)
            except OSError as error:
                if not others or error.errno not in UNSUPPORTED:
                    raise
                if error.errno == errno.EMLINK:  # this one file has as many links as it may have
                    copy(source, target)
                    return
                self._functions = others
            else:
                return


def clone(source: str, target: str) -> None:
    """Create *target* so that it shares blocks with *source* until one is written to; raise `OSError` otherwise."""
    with open(source, "rb") as original:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.ioctl(handle, FICLONE, original.fileno())
        except OSError:
            os.unlink(target)
            raise
        finally:
            os.close(handle)
    from shutil import copystat  # most file systems cannot clone

    copystat(source, target)


def copy(source: str, target: str) -> None:
    """Copy *source* to *target* with times and permissions; raise `FileExistsError` if *target* exists."""
    from shutil import copyfileobj, copystat

    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(source, "rb") as original, os.fdopen(handle, "wb") as new:
        copyfileobj(original, new)
    copystat(source, target)
