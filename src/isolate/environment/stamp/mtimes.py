"""When the directories in which a change must be noticed were changed last, as far as it is known what is in them.

What somebody else does in an environment while a sync works on it must not be taken for what the sync has seen, or has
done itself. So the time that is remembered of a directory is not the one that it has in the end, but the one that it
had before it was looked at, or was given where nobody else could see it. Where a switch moves something out of a
directory or into it, the names in it must become others by that alone.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from isolate.environment.journal import Step
    from isolate.environment.records import Installed

MTIME_GRANULARITY_NS = 11_000_000
"""Nanoseconds after which a change surely gets another time than one before it, on any kernel's clock for files."""

UNKNOWN = -1
"""In place of a time: it is not known what the directory holds. No directory has this time."""


def watched(installed: Mapping[str, Installed]) -> list[str]:
    """Return the directories, below the environment, in which a change must be noticed."""
    return sorted({folder for one in installed.values() for folder in one.folders})


def times_of(venv: Path, folders: Iterable[str]) -> dict[str, int]:
    """Return when each of *folders* was changed last, to be asked for before anything in them is looked at.

    It is `UNKNOWN` for what is not there, and for what was changed so recently that another change might not show.
    """
    at = os.open(venv, os.O_RDONLY)  # a path is found sooner from here than from the root
    found, settled = {}, time.time_ns() - MTIME_GRANULARITY_NS
    try:
        for folder in folders:
            try:
                changed = os.stat(folder, dir_fd=at).st_mtime_ns
            except OSError:
                changed = UNKNOWN
            found[folder] = changed if changed <= settled else UNKNOWN
    finally:
        os.close(at)
    return found


def settled_mtime(folder: str) -> int:
    """Return when *folder* was changed; if that was a moment ago, make it so much earlier that a change will show.

    Whatever happens in it before this returns may not show, so that it has to be looked at afterwards, unless nobody
    else sees it yet.
    """
    changed = os.stat(folder).st_mtime_ns
    if not is_recent(changed):
        return changed
    earlier = min(changed, time.time_ns()) - MTIME_GRANULARITY_NS
    try:
        os.utime(folder, ns=(earlier, earlier))
    except PermissionError:  # somebody else's, who lets us write there
        time.sleep(MTIME_GRANULARITY_NS / 1e9)
    return os.stat(folder).st_mtime_ns


def is_recent(nanoseconds: int) -> bool:
    """Say whether another change at this moment might get the same time."""
    return nanoseconds > time.time_ns() - MTIME_GRANULARITY_NS


class DirectoryMtimes:
    """Looks after *folders*, directories of an environment, while *steps* are carried out in it.

    *times* are theirs from when they were looked at; in those that it has not, nothing needed to be.
    """

    def __init__(self, venv: Path, folders: Iterable[str], times: Mapping[str, int], steps: Iterable[Step]) -> None:
        """Begin, right before the steps."""
        self._venv = venv
        self._moving = _names(steps)
        self._before: dict[str, set[str] | None] = {}
        for folder in folders:
            path = f"{venv}/{folder}"
            if folder in self._moving and os.path.isdir(path):
                same = folder not in times or os.stat(path).st_mtime_ns == times[folder]
                self._before[folder] = {*os.listdir(path)} if same else None

    def moves_into(self, folder: str) -> bool:
        """Say whether single things move into *folder* or out of it: else it stays as it is, or moves itself."""
        return folder in self._before

    def times(self) -> dict[str, int]:
        """Return, right after the steps, the times of the directories in which they moved something."""
        return {folder: self._time(folder) for folder in self._before}

    def _time(self, folder: str) -> int:
        path, before = f"{self._venv}/{folder}", self._before[folder]
        if before is None:
            return UNKNOWN
        try:
            changed = settled_mtime(path)
            others = before.symmetric_difference(os.listdir(path)) - self._moving[folder] - {"__pycache__"}
        except OSError:  # nothing was left in it
            return UNKNOWN
        return UNKNOWN if others else changed


def _names(steps: Iterable[Step]) -> dict[str, set[str]]:
    """Return the names that *steps* may bring, take or pass through, by directory."""
    found: dict[str, set[str]] = {}
    for step in steps:
        for path in (step.source, step.target):
            here = path
            while here:
                here, _, name = here.rpartition("/")
                found.setdefault(here, set()).add(name)
    return found
