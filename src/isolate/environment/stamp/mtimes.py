"""Modification times of the watched directories, recorded so that concurrent changes are never taken for isolate's own.

Another process may change the environment while a sync works on it. So the mtime that a stamp holds for a directory
is not the one that the directory has in the end. It is the one that the directory had before isolate inspected it, or
the one that it got while no other process could see it. Where journal steps move something into a directory or out of
it, its mtime is known only if these moves explain every change of its entries.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from isolate.environment.journal import open_venv
from isolate.errors import NotManaged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from isolate.environment.installed import Installed
    from isolate.environment.steps import Step

MTIME_GRANULARITY_NS = 11_000_000
"""Nanoseconds after which a change is sure to get another mtime than one before it, on any kernel's file clock."""

UNKNOWN_MTIME = -1
"""The mtime of a directory whose contents are not known. No directory has it."""


class DirectoryMtimes:
    """The mtimes of one environment's watched directories, from the inspection to the stamp.

    They are read before the environment is inspected. `create` and `update` record what they change. The stamp is
    written from them.
    """

    def __init__(self, mtimes: Mapping[str, int] | None = None) -> None:
        self._mtimes = dict(mtimes or {})

    def get(self, directory: str) -> int:
        """Return the mtime of *directory* in nanoseconds, or `UNKNOWN_MTIME`."""
        return self._mtimes.get(directory, UNKNOWN_MTIME)

    def record(self, mtimes: Mapping[str, int]) -> None:
        """Replace the mtimes of the directories in *mtimes*."""
        self._mtimes.update(mtimes)

    def is_outdated(self, directory: str, path: str) -> bool:
        """Return whether *directory*, now at *path*, has changed since its mtime was read; False if it never was."""
        return directory in self._mtimes and os.stat(path).st_mtime_ns != self._mtimes[directory]


def watched_directories(installed: Mapping[str, Installed]) -> list[str]:
    """Return the directories, relative to the environment, in which a change must be noticed."""
    return sorted({directory for dist in installed.values() for directory in dist.directories})


def directory_mtimes(venv: Path, directories: Iterable[str]) -> dict[str, int]:
    """Return the mtime (ns) of each of *directories*; the caller inspects their contents afterwards.

    It is `UNKNOWN_MTIME` for a missing directory, and for one that changed so recently that another change might not
    show.
    """
    root = os.open(venv, os.O_RDONLY)  # the kernel resolves a path faster from here than from the root
    mtimes, settled = {}, time.time_ns() - MTIME_GRANULARITY_NS
    try:
        for directory in directories:
            try:
                mtime = os.stat(directory, dir_fd=root).st_mtime_ns
            except OSError:
                mtime = UNKNOWN_MTIME
            mtimes[directory] = mtime if mtime <= settled else UNKNOWN_MTIME
    finally:
        os.close(root)
    return mtimes


def settled_mtime_below(venv: Path, directory: str) -> int:
    """Return what `settled_mtime` does for *directory* of the environment *venv*; raise `NotManaged` for a link."""
    with open_venv(venv) as root, root.directory(directory) as handle:
        return settled_mtime(handle)


def settled_mtime(path: str | int) -> int:
    """Return the mtime (ns) of the directory *path*, set back if it is more recent than the clock's granularity.

    *path* may be an open directory. Otherwise no part of it may be a link that isolate did not create.

    A later change is then guaranteed to produce a different mtime. A change before this function returns may not show,
    so the caller has to inspect the directory afterwards, unless no other process can see it yet.
    """
    mtime = os.stat(path).st_mtime_ns
    if not is_recent(mtime):
        return mtime
    earlier = min(mtime, time.time_ns()) - MTIME_GRANULARITY_NS
    try:
        os.utime(path, ns=(earlier, earlier))
    except PermissionError:  # another user owns it, and lets us write there
        time.sleep(MTIME_GRANULARITY_NS / 1e9)
    return os.stat(path).st_mtime_ns


def is_recent(nanoseconds: int) -> bool:
    """Return whether another change right now might get the same mtime."""
    return nanoseconds > time.time_ns() - MTIME_GRANULARITY_NS


class MoveTracker:
    """Tracks *directories* of an environment while journal *steps* move entries into them and out of them.

    *known* holds the mtimes from before the inspection. Directories that were not inspected may be missing from it.
    """

    def __init__(self, venv: Path, directories: Iterable[str], known: DirectoryMtimes, steps: Iterable[Step]) -> None:
        """Start tracking; the caller replays the steps next."""
        self._venv = venv
        self._moving = _moving_names(steps)
        self._before: dict[str, set[str] | None] = {}
        for directory in directories:
            path = f"{venv}/{directory}"
            if directory in self._moving and os.path.isdir(path):
                self._before[directory] = None if known.is_outdated(directory, path) else {*os.listdir(path)}

    def moves_into(self, directory: str) -> bool:
        """Return whether entries move into *directory* or out of it; otherwise it stays, or moves as a whole."""
        return directory in self._before

    def mtimes(self) -> dict[str, int]:
        """Return, right after the steps, the mtimes (ns) of the directories in which they moved entries."""
        return {directory: self._mtime(directory) for directory in self._before}

    def _mtime(self, directory: str) -> int:
        path, before = f"{self._venv}/{directory}", self._before[directory]
        if before is None:
            return UNKNOWN_MTIME
        try:
            mtime = settled_mtime_below(self._venv, directory)
            unexplained = before.symmetric_difference(os.listdir(path)) - self._moving[directory] - {"__pycache__"}
        except (OSError, NotManaged):  # the steps emptied and removed it; a link leads to it
            return UNKNOWN_MTIME
        return UNKNOWN_MTIME if unexplained else mtime


def _moving_names(steps: Iterable[Step]) -> dict[str, set[str]]:
    """Return by directory the names of the entries that *steps* may add, remove or pass through."""
    names: dict[str, set[str]] = {}
    for step in steps:
        for path in (step.source, step.target):
            directory = path
            while directory:
                directory, _, name = directory.rpartition("/")
                names.setdefault(directory, set()).add(name)
    return names
