"""A write-ahead journal: every step of a change is on disk before the first one is done.

`commit` writes the journal and carries it out. If the process is killed, the next command rolls the change forward by
carrying it out again. If the system refuses a step, the journal is renamed, and from then on the change is rolled back.
`records` shows where the journal, the new files and the trash are.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from isolate.environment.records import (
    DIRECTORY,
    JOURNAL,
    OLD_JOURNAL,
    ROLLBACK_JOURNAL,
    STAMP,
    TRASH,
    UNFINISHED_JOURNAL,
    WORK,
)
from isolate.environment.steps import ADD, REMOVE, Step, carry_out, undo
from isolate.errors import IsolateError, UnfinishedUpdate
from isolate.open_directory import OpenDirectory

if TYPE_CHECKING:
    from pathlib import Path

OLD_ACTIONS = {"out": REMOVE, "in": ADD}
"""What older versions call the actions in their journals. One that was killed may have left such a journal."""


class RefusedUpdate(IsolateError):
    """The system refused a part of an update, and the environment is as it was before."""

    code = "refused-update"
    remedy = "Fix what the message names, then run the command again."


def commit(venv: Path, steps: list[Step]) -> None:
    """Write *steps* to the journal and carry them out.

    If the process is killed before the journal is written, nothing has changed; after that, `replay` does the rest.
    Raises `RefusedUpdate` if the system refuses a step and the environment is as it was before, `UnfinishedUpdate` if
    the system refuses that too.
    """
    with open_venv(venv) as directory:
        try:
            directory.make_directories(TRASH)
            _write_steps(directory, steps)
        except OSError:
            _delete_work(directory)
            raise
        error = _complete(directory, JOURNAL, steps)
    if error is not None:
        raise RefusedUpdate(
            f"{venv} could not be updated, and is as it was before",
            facts=(f"{error.strerror}: {error.filename}",),
            hint="fix this, then run the command again",
        )


def open_venv(venv: Path) -> OpenDirectory:
    """Return the environment *venv*, open. `lib64`, which `venv` creates as a link to `lib`, counts as `lib`."""
    return OpenDirectory(venv, aliases=(("lib64", "lib"),))


def replay(venv: Path) -> bool:
    """Complete the change that the journal describes, and delete the work directory; return whether there was one.

    An unreadable journal was not written by isolate, because journals are written atomically. It is not replayed. The
    stamp is deleted with it, so that the next sync inspects the environment. No link is followed: the journal may come
    from elsewhere, with links that lead out of the environment. Raises `NotManaged` for a step that meets one,
    `UnfinishedUpdate` if the system refuses the change as well as its undoing.
    """
    with open_venv(venv) as directory:
        journals = (ROLLBACK_JOURNAL, JOURNAL, OLD_JOURNAL)
        journal = next((path for path in journals if directory.exists(path)), None)
        steps = None if journal is None else _read_steps(directory, journal)
        if journal is None or steps is None:
            if journal is not None:
                directory.remove_file(STAMP)
            _delete_work(directory)
            return False
        _complete(directory, journal, steps)
        return True


def delete_work(venv: Path) -> None:
    """Delete the work directory of *venv* before anything was changed."""
    with open_venv(venv) as directory:
        _delete_work(directory)


def _delete_work(directory: OpenDirectory) -> None:
    directory.delete_tree(WORK)
    with contextlib.suppress(OSError):  # it holds the records, unless there was no environment yet
        directory.remove_directory(DIRECTORY)


def _write_steps(directory: OpenDirectory, steps: list[Step]) -> None:
    directory.write(UNFINISHED_JOURNAL, json.dumps(steps).encode())
    directory.rename(UNFINISHED_JOURNAL, JOURNAL)
    directory.flush(WORK)


def _read_steps(directory: OpenDirectory, journal: str) -> list[Step] | None:
    try:
        steps = [_step(*row) for row in json.loads(directory.read(journal))]
    except (ValueError, TypeError, RecursionError, OSError):
        return None
    return steps if all(step.is_valid for step in steps) else None


def _step(action: str, source: str, target: str) -> Step:
    return Step(OLD_ACTIONS.get(action, action), source, target)


def _complete(directory: OpenDirectory, journal: str, steps: list[Step]) -> OSError | None:
    """Carry out *steps* or, where the system refuses that, undo them; return the error of the system."""
    refused = None
    try:
        if journal != ROLLBACK_JOURNAL:
            refused = _try_to_carry_out(directory, journal, steps)
        if refused is not None or journal == ROLLBACK_JOURNAL:
            undo(directory, steps)
            journal = ROLLBACK_JOURNAL
        directory.remove_file(journal)
    except OSError as error:
        raise UnfinishedUpdate(
            f"{directory.path} could not be fully updated",
            facts=(f"{error.strerror}: {error.filename}",),
            hint="fix this, then run the command again: it finishes the update first",
        ) from None
    with contextlib.suppress(OSError):  # the change is complete, and the next command deletes what is left
        _delete_work(directory)
    return refused


def _try_to_carry_out(directory: OpenDirectory, journal: str, steps: list[Step]) -> OSError | None:
    """Carry out *steps*; return the error if the system refuses one, with the journal marked for undoing."""
    try:
        carry_out(directory, steps)
    except OSError as error:
        directory.rename(journal, ROLLBACK_JOURNAL)
        directory.flush(WORK)
        return error
    return None
