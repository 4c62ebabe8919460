"""Whether other users could change a store, or put another one in its place.

Nobody else can exchange a directory if nobody else may write to it, to the directories above it, and to the links on
the way. So that is what is looked at: once, when the store is opened. The directory itself is looked at through an open
descriptor, and is not reached through a link in its last part.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.errors import UnusableStore
from isolate.permissions import others_may_write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
OTHERS_MAY_ENTER = stat.S_IXGRP | stat.S_IXOTH
MAX_LINKS = 40
"""How many links the kernel follows in one path (`man 7 path_resolution`)."""

OWN_PLACE = "set ISOLATE_CACHE_DIR to a directory that is yours alone"


def ensure_own(root: Path) -> None:
    """Raise `UnusableStore` if the existing store at *root* belongs to another user, who could change it at any time.

    Raises `OSError` if *root* is not a directory.
    """
    handle = os.open(os.path.realpath(root), OPEN)
    try:
        is_own = _is_trusted(os.fstat(handle)) and _is_trusted(os.lstat(root))
    finally:
        os.close(handle)
    if not is_own:
        raise UnusableStore(f"{root} is owned by another user", hint="set ISOLATE_CACHE_DIR to another directory")


def ensure_private(root: Path, on_exposed: Callable[[str], None] | None) -> None:
    """Raise `UnusableStore` if others may write to the store at *root*, or put another one in its place.

    If the user named the place, *on_exposed* is called with a sentence about that instead.
    """
    if (place := exposed_place(root)) is None:
        return
    problem = f"other users may write to {place}, and so change the store in {root}"
    if on_exposed is None:
        raise UnusableStore(problem, hint=f"take the permission away (`chmod go-w {place}`), or {OWN_PLACE}")
    on_exposed(problem)


def exposed_place(root: Path) -> Path | None:
    """Return the first directory or link on the way to *root*, or in it, that others may change; None without one."""
    for path, status in (*_way_to(root, MAX_LINKS), *_directories_in(root)):
        if not _is_trusted(status) or (not stat.S_ISLNK(status.st_mode) and others_may_write(status)):
            return path
    return None


def _way_to(path: Path, links: int) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield what leads to the absolute *path*, itself included, from the root directory down; links and their targets.

    What does not exist is left out.
    """
    for place in (*reversed(path.parents), path):
        try:
            status = os.lstat(place)
        except OSError:
            return
        yield place, status
        if stat.S_ISLNK(status.st_mode) and links:
            yield from _way_to(Path(os.path.abspath(place.parent / os.readlink(place))), links - 1)


def _directories_in(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the directories directly in *root*, if others may enter it."""
    try:
        if not os.stat(root).st_mode & OTHERS_MAY_ENTER:
            return
        with os.scandir(root) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield Path(entry.path), entry.stat(follow_symlinks=False)
    except OSError:
        return


def _is_trusted(status: os.stat_result) -> bool:
    return status.st_uid in (0, os.geteuid()) or _is_unmapped(status.st_uid)


def _is_unmapped(uid: int) -> bool:
    """Return whether *uid* stands for all users that do not exist in this container, so nobody here acts as them."""
    try:
        with open("/proc/sys/kernel/overflowuid", encoding="ascii") as file:
            if int(file.read()) != uid:
                return False
        with open("/proc/self/uid_map", encoding="ascii") as file:
            ranges = [tuple(map(int, line.split())) for line in file]
    except (OSError, ValueError):
        return False
    return not any(first <= uid < first + number for first, _, number in ranges)
