"""Changes below a directory that is held open. No link on the way is followed, so nothing outside is reached."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from isolate.errors import NotManaged
from isolate.trees import CREATE, OPEN, copy_at, delete_at, read_regular, with_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class OpenDirectory:
    """An open directory; a context manager that closes it.

    Paths are relative to it, with `/` between their parts. A method raises `NotManaged`, which names the link, if it
    would have to follow one, and `OSError` with the full path if the system refuses. *aliases* are links that are
    accepted as the first part of a path, each with its target: they are replaced by it.
    """

    def __init__(self, path: Path, aliases: tuple[tuple[str, str], ...] = (), *, follow: bool = False) -> None:
        """Open the directory *path*; its last part must not be a link either, unless *follow*."""
        self.path = path
        self._aliases = dict(aliases)
        try:
            self._handle = os.open(path, OPEN & ~os.O_NOFOLLOW if follow else OPEN)
        except OSError:
            reject_link(path)
            raise

    def __enter__(self) -> OpenDirectory:  # noqa: PYI034 - typing.Self needs Python 3.11
        """Return self."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the directory."""
        os.close(self._handle)

    def exists(self, path: str) -> bool:
        """Return whether *path* exists, be it a link."""
        try:
            with self._parent(path) as (parent, name):
                os.lstat(name, dir_fd=parent)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def is_directory(self, path: str) -> bool:
        """Return whether *path* is a directory and not a link to one."""
        try:
            with self._parent(path) as (parent, name):
                return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def read(self, path: str) -> bytes:
        """Return the content of the file *path*; raise `OSError` if it is not a regular file."""
        with self._parent(path) as (parent, name):
            return read_regular(name, self._absolute(path), dir_fd=parent)

    def write(self, path: str, content: bytes) -> None:
        """Create the file *path* with *content*, which must not exist. It survives a power failure."""
        with self._parent(path) as (parent, name):
            handle = os.open(name, CREATE, 0o644, dir_fd=parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)

    def make_directory(self, path: str) -> None:
        """Create the directory *path*, which must not exist."""
        with self._parent(path) as (parent, name):
            os.mkdir(name, dir_fd=parent)

    def make_directories(self, path: str) -> None:
        """Create the directory *path* and those above it, unless they exist."""
        parts = path.split("/")
        for length in range(1, len(parts) + 1):
            with contextlib.suppress(FileExistsError):
                self.make_directory("/".join(parts[:length]))

    def rename(self, source: str, target: str) -> None:
        """Rename *source* to *target*, which is replaced if it is a file or a link."""
        with self._parent(source) as (old, old_name), self._parent(target) as (new, new_name):
            try:
                os.replace(old_name, new_name, src_dir_fd=old, dst_dir_fd=new)
            except OSError as error:
                raise with_path(error, self._absolute(source)) from None

    def link(self, path: str, new: str) -> None:
        """Create *new*, which must not exist, as a hard link to the file or symbolic link *path*."""
        with self._parent(path) as (old_parent, old_name), self._parent(new) as (new_parent, new_name):
            os.link(old_name, new_name, src_dir_fd=old_parent, dst_dir_fd=new_parent, follow_symlinks=False)

    def copy(self, source: str, target: str) -> None:
        """Copy *source* and everything below it to *target*, which must not exist."""
        with self._parent(source) as old, self._parent(target) as new:
            copy_at(old, new, self._absolute(source))

    def flush(self, path: str) -> None:
        """Make the entries of the directory *path* survive a power failure, where the file system can."""
        with contextlib.suppress(OSError), self.directory(path) as handle:
            os.fsync(handle)

    def remove_file(self, path: str) -> None:
        """Delete the file or link *path*; a missing one is not an error."""
        with contextlib.suppress(FileNotFoundError), self._parent(path) as (parent, name):
            os.unlink(name, dir_fd=parent)

    def remove_directory(self, path: str) -> None:
        """Delete the empty directory *path*."""
        with self._parent(path) as (parent, name):
            os.rmdir(name, dir_fd=parent)

    def names(self, path: str) -> list[str]:
        """Return the names in the directory *path*."""
        with self.directory(path) as handle:
            return os.listdir(handle)

    @contextlib.contextmanager
    def directory(self, path: str) -> Iterator[int]:
        """Yield the directory *path*, open."""
        with self._parent(f"{path}/.") as (handle, _):
            yield handle

    def delete_tree(self, path: str) -> None:
        """Delete *path* and everything below it; a missing path is not an error."""
        with contextlib.suppress(FileNotFoundError), self._parent(path) as (parent, name):
            delete_at(parent, name, self._absolute(path))

    def _absolute(self, path: str) -> str:
        return f"{self.path}/{path}"

    @contextlib.contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        """Yield the open directory above *path*, and the last part of the path."""
        *directories, name = path.split("/")
        handle = os.dup(self._handle)
        try:
            for number, directory in enumerate(directories):
                part = self._unaliased(directory) if number == 0 else directory
                opened = self._opened(handle, part, "/".join(directories[: number + 1]))
                os.close(handle)
                handle = opened
            yield handle, name
        finally:
            os.close(handle)

    def _opened(self, parent: int, name: str, path: str) -> int:
        try:
            return os.open(name, OPEN, dir_fd=parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                raise link_error(self._absolute(path), os.readlink(name, dir_fd=parent)) from None
            raise with_path(error, self._absolute(path)) from None

    def _unaliased(self, name: str) -> str:
        target = self._aliases.get(name)
        if target is not None:
            with contextlib.suppress(OSError):
                if os.readlink(name, dir_fd=self._handle) == target:
                    return target
        return name


def reject_link(path: Path) -> None:
    """Raise `NotManaged` if *path* is a symbolic link, which isolate neither follows nor replaces."""
    if path.is_symlink():
        raise link_error(str(path), os.readlink(path))


def link_error(path: str, target: str) -> NotManaged:
    """Return the error for the symbolic link *path* to *target*, where isolate would write."""
    return NotManaged(f"{path} is a symbolic link to {target}", hint="remove the link, then run the command again")
