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
from typing import TYPE_CHECKING, NamedTuple

from isolate import fs
from isolate.environment.records import DIRECTORY, JOURNAL, OLD_JOURNAL, STAGING, STAMP, TRASH, WORK
from isolate.errors import UnfinishedUpdate

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
    (venv / TRASH).mkdir(parents=True, exist_ok=True)
    fs.write(venv / JOURNAL, json.dumps(steps).encode(), staging=venv / WORK)
    try:
        replay(venv)
    except OSError as error:
        raise UnfinishedUpdate(
            f"{venv} could not be fully updated",
            facts=(f"{error.strerror}: {error.filename}",),
            hint="fix this, then run the command again: it finishes the update first",
        ) from None


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
    stamp is deleted with it, so that the next sync inspects the environment.
    """
    steps = None
    journal = _find_journal(venv)
    if journal is not None:
        steps = _read_steps(journal)
        if steps is None:
            (venv / STAMP).unlink(missing_ok=True)
    if journal is None or steps is None:
        fs.delete_tree(venv / WORK)
        return False
    for step in steps:
        _rename(str(venv), step)
    _remove_empty_directories(str(venv), steps)
    journal.unlink()
    fs.delete_tree(venv / WORK)
    return True


def _find_journal(venv: Path) -> Path | None:
    return next((venv / path for path in (JOURNAL, OLD_JOURNAL) if os.path.lexists(venv / path)), None)


def _read_steps(journal: Path) -> list[Step] | None:
    try:
        steps = [_step(*row) for row in json.loads(journal.read_bytes())]
    except (ValueError, TypeError, RecursionError, FileNotFoundError, IsADirectoryError):
        return None
    return steps if all(map(_is_valid, steps)) else None


def _step(action: str, source: str, target: str) -> Step:
    return Step(OLD_ACTIONS.get(action, action), source, target)


def _is_valid(step: Step) -> bool:
    """Return whether *step* renames one path inside the environment to another."""
    return step.action in (REMOVE, ADD) and _is_inside(step.source) and _is_inside(step.target)


def _is_inside(path: object) -> bool:
    return isinstance(path, str) and not path.startswith("/") and "\0" not in path and ".." not in path.split("/")


def _rename(venv: str, step: Step) -> None:
    source, target = f"{venv}/{step.source}", f"{venv}/{step.target}"
    if step.action == REMOVE and os.path.lexists(target):
        return
    with contextlib.suppress(FileNotFoundError):
        os.replace(source, target)


def _remove_empty_directories(venv: str, steps: list[Step]) -> None:
    """Remove the directories that *steps* left empty."""
    for parent in sorted({os.path.dirname(step.source) for step in steps if step.action == REMOVE}, reverse=True):
        directory = parent
        while not _is_permanent(directory):
            with contextlib.suppress(OSError):
                os.rmdir(f"{venv}/{directory}/__pycache__")
            try:
                os.rmdir(f"{venv}/{directory}")
            except OSError:
                break
            directory = os.path.dirname(directory)


SITE_DEPTH = len(("python3.x", "site-packages"))
"""How many directories lead from `lib` to the packages."""


def _is_permanent(directory: str) -> bool:
    """Return whether every environment has *directory*, even if it is empty."""
    top, *rest = directory.split("/")
    if top == "lib":
        return len(rest) <= SITE_DEPTH
    return directory in ("", "bin", "include", "lib64") or top == DIRECTORY
