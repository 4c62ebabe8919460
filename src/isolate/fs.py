"""Changes on disk that happen entirely or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.locks import flock

if TYPE_CHECKING:
    from collections.abc import Iterator


def write(path: Path, content: bytes, *, by: Path, mode: int = 0o644) -> None:
    """Replace *path* by a file with *content*: whoever looks sees the old file or the new one, never a part.

    The content is written below *by* first, a directory on the same file system in which somebody clears away what is
    left when this process is killed.
    """
    with scratch_directory(by) as scratch:
        new = scratch / path.name
        new.write_bytes(content)
        new.chmod(mode)
        new.replace(path)


@contextlib.contextmanager
def scratch_directory(parent: Path) -> Iterator[Path]:
    """Yield a new private directory below *parent*, and delete whatever is left of it in the end.

    It is locked for as long as its maker lives, so that `sweep` can tell what nobody works on any more.
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


def sweep(parent: Path) -> None:
    """Delete the scratch directories below *parent* whose makers are gone, however they ended."""
    if not _folders_in(parent):
        return
    with flock(parent):
        for scratch in _folders_in(parent):
            with contextlib.suppress(OSError):
                if _is_abandoned(scratch):
                    delete_tree(scratch)


def _folders_in(parent: Path) -> list[Path]:
    try:
        with os.scandir(parent) as found:
            return [parent / one.name for one in found if one.is_dir(follow_symlinks=False)]
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


def delete_tree(path: Path) -> None:
    """Delete *path* with all that is below it, read-only directories too; links are not followed.

    What is already gone is no error; what cannot be deleted raises `OSError`.
    """
    if path.is_symlink():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        path.unlink(missing_ok=True)
    except PermissionError:
        for folder, _, _ in os.walk(path):
            os.chmod(folder, stat.S_IRWXU)
        shutil.rmtree(path)
