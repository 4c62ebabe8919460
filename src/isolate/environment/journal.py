"""A write-ahead journal: every rename of a change is on disk before the first one is done.

`commit` writes the journal and replays it. If the process is killed, the next command rolls the change forward by
replaying the journal again. Replaying is idempotent: what exists where shows which steps are done. `records` shows
where the journal, the new files and the trash are.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from isolate.environment.records import (
    DIRECTORY,
    JOURNAL,
    OLD_JOURNAL,
    STAGING,
    STAMP,
    TRASH,
    UNFINISHED_JOURNAL,
    WORK,
)
from isolate.errors import UnfinishedUpdate
from isolate.open_directory import OpenDirectory
from isolate.store.manifest import is_relative_path

if TYPE_CHECKING:
    from pathlib import Path

REMOVE, ADD = "remove", "add"
OLD_ACTIONS = {"out": REMOVE, "in": ADD}
"""What older versions call the actions in their journals. One that was killed may have left such a journal."""


class Step(NamedTuple):
    """A rename: `REMOVE` moves a path to the trash, `ADD` moves one from staging. Paths are relative to the venv."""

    action: str
    source: str
    target: str


def add_step(path: str) -> Step:
    """Return the step that moves the staged *path* to where it belongs."""
    return Step(ADD, f"{STAGING}/{path}", path)


def remove_step(path: str, number: int) -> Step:
    """Return the step that moves *path* to the trash, where *number* is its name."""
    return Step(REMOVE, path, f"{TRASH}/{number}")


def commit(venv: Path, steps: list[Step]) -> None:
    """Write *steps* to the journal and replay it.

    If the process is killed before the journal is written, nothing has changed; after that, `replay` does the rest.
    Raises `UnfinishedUpdate` if the system refuses a step.
    """
    with open_venv(venv) as directory:
        directory.make_directories(TRASH)
        directory.write(UNFINISHED_JOURNAL, json.dumps(steps).encode())
        directory.rename(UNFINISHED_JOURNAL, JOURNAL)
    try:
        replay(venv)
    except OSError as error:
        raise UnfinishedUpdate(
            f"{venv} could not be fully updated",
            facts=(f"{error.strerror}: {error.filename}",),
            hint="fix this, then run the command again: it finishes the update first",
        ) from None


def open_venv(venv: Path) -> OpenDirectory:
    """Return the environment *venv*, open. `lib64`, which `venv` creates as a link to `lib`, counts as `lib`."""
    return OpenDirectory(venv, aliases=(("lib64", "lib"),))


def check_permissions(venv: str, steps: list[Step]) -> None:
    """Raise `PermissionError` for a path that a step may not move. Nothing has been moved by then."""
    parents = {os.path.dirname(path) for step in steps for path in (step.source, step.target)}
    for path in (f"{venv}/{parent}" for parent in sorted(parents)):
        if os.path.isdir(path) and not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    for path in (f"{venv}/{step.source}" for step in steps):  # moving a directory rewrites its `..`
        if os.path.isdir(path) and not os.path.islink(path) and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


def replay(venv: Path) -> bool:
    """Finish the change that the journal describes, and delete the work directory; return whether there was a journal.

    An unreadable journal was not written by isolate, because journals are written atomically. It is not replayed. The
    stamp is deleted with it, so that the next sync inspects the environment. No link is followed: the journal may come
    from elsewhere, with links that lead out of the environment. Raises `NotManaged` for a step that meets one.
    """
    with open_venv(venv) as directory:
        journal = next((path for path in (JOURNAL, OLD_JOURNAL) if directory.exists(path)), None)
        steps = None if journal is None else _read_steps(directory, journal)
        if journal is not None and steps is None:
            directory.remove_file(STAMP)
        if journal is None or steps is None:
            directory.delete_tree(WORK)
            return False
        for step in steps:
            _rename(directory, step)
        _remove_empty_directories(directory, steps)
        directory.remove_file(journal)
        directory.delete_tree(WORK)
        return True


def delete_work(venv: Path) -> None:
    """Delete the work directory of *venv* before anything was changed."""
    with open_venv(venv) as directory:
        directory.delete_tree(WORK)


def _read_steps(directory: OpenDirectory, journal: str) -> list[Step] | None:
    try:
        steps = [_step(*row) for row in json.loads(directory.read(journal))]
    except (ValueError, TypeError, RecursionError, OSError):
        return None
    return steps if all(map(_is_valid, steps)) else None


def _step(action: str, source: str, target: str) -> Step:
    return Step(OLD_ACTIONS.get(action, action), source, target)


def _is_valid(step: Step) -> bool:
    """Return whether *step* moves something in from staging, or away to the trash."""
    if not (is_relative_path(step.source) and is_relative_path(step.target)):
        return False
    if step.action == ADD:
        return step.source.startswith(f"{STAGING}/")
    return step.action == REMOVE and re.fullmatch(f"{re.escape(TRASH)}/[0-9]+", step.target) is not None


def _rename(directory: OpenDirectory, step: Step) -> None:
    if step.action == REMOVE and directory.exists(step.target):
        return
    with contextlib.suppress(FileNotFoundError):
        directory.rename(step.source, step.target)


def _remove_empty_directories(directory: OpenDirectory, steps: list[Step]) -> None:
    """Remove the directories that *steps* left empty."""
    for parent in sorted({os.path.dirname(step.source) for step in steps if step.action == REMOVE}, reverse=True):
        path = parent
        while not _is_permanent(path):
            with contextlib.suppress(OSError):
                directory.remove_directory(f"{path}/__pycache__")
            try:
                directory.remove_directory(path)
            except OSError:
                break
            path = os.path.dirname(path)


SITE_DEPTH = len(("python3.x", "site-packages"))
"""How many directories lead from `lib` to the packages."""


def _is_permanent(directory: str) -> bool:
    """Return whether every environment has *directory*, even if it is empty."""
    top, *rest = directory.split("/")
    if top == "lib":
        return len(rest) <= SITE_DEPTH
    return directory in ("", "bin", "include", "lib64") or top == DIRECTORY
