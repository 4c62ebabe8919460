"""Whose files count: those of this user, not those of another user of the machine.

`ISOLATE_SAFE_DIRECTORY` lists directories in which the files of other users count too, separated as in `PATH`. As in
git's `safe.directory`, `*` stands for all directories, and `DIRECTORY/*` for all below one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "ISOLATE_SAFE_DIRECTORY"
ROOT = 0


def foreign_owner(path: Path, directory: Path) -> int | None:
    """Return the user id of the owner of *path*, which may be a link, if its files do not count.

    None if it is this user's, if there is no such path, or if *directory*, where it belongs, is a safe one.
    """
    try:
        owner = os.lstat(path).st_uid
    except OSError:
        return None
    return None if owner in own_ids() or is_safe(directory) else owner


def has_foreign(directory: Path, *names: str) -> bool:
    """Return whether *directory*, or one of the *names* in it, belongs to a user whose files do not count.

    Such a user can change what is there, and restore its times.
    """
    paths = (directory, *(directory / name for name in names))
    return any(foreign_owner(path, directory.parent) is not None for path in paths)


def own_ids() -> frozenset[int]:
    """Return the ids of this user: for root under `sudo`, that of the user who called it as well."""
    user = os.geteuid()
    caller = os.environ.get("SUDO_UID", "")
    is_sudo = user == 0 and caller.isascii() and caller.isdecimal()
    return frozenset({user, int(caller)}) if is_sudo else frozenset({user})


def is_safe(directory: Path) -> bool:
    """Return whether `ISOLATE_SAFE_DIRECTORY` lists *directory*, or a pattern for it."""
    real = os.path.realpath(directory)
    return any(_matches(entry, real) for entry in os.environ.get(VARIABLE, "").split(os.pathsep) if entry)


def _matches(entry: str, real: str) -> bool:
    if entry == "*":
        return True
    if entry.endswith("/*"):
        return real.startswith(os.path.realpath(entry[:-2]).rstrip("/") + "/")
    return real == os.path.realpath(entry)
