"""A write-ahead journal: every step of a change is on disk before the first one is done.

`commit` writes the journal and carries it out. If the process is killed, the next command rolls the change forward by
carrying it out again. If the system refuses a step, the journal is renamed, and from then on the change is rolled back.
`records` shows where the journal, the new files and the trash are.
"""

from __future__ import annotations

import contextlib
import itertools
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
    UNVERIFIED_WORK,
    WORK,
    read_state,
)
from isolate.environment.steps import Step, carry_out, undo
from isolate.errors import IsolateError, UnfinishedUpdate
from isolate.open_directory import OpenDirectory
from isolate.signed_record import authenticated, signed

if TYPE_CHECKING:
    from pathlib import Path

KIND = "journal"


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

    A journal that this user's isolate did not write is not carried out, and the work directory is moved aside with it:
    its files may be another program's. The same happens without a journal if the environment is not verified. The stamp
    is deleted then, so that the next sync inspects the environment. No link is followed, not even for a
    journal with a valid code. Raises `NotManaged` for a step that meets one, `UnfinishedUpdate` if the system refuses
    the change as well as its undoing.
    """
    with open_venv(venv) as directory:
        journal = ROLLBACK_JOURNAL if directory.exists(ROLLBACK_JOURNAL) else JOURNAL
        steps = _read_steps(directory, journal)
        if steps is None:
            _put_aside(venv, directory)
            return False
        _complete(directory, journal, steps)
        return True


def _put_aside(venv: Path, directory: OpenDirectory) -> None:
    """Delete the work directory if this user's isolate made it and had changed nothing yet; else move it aside."""
    if not directory.exists(WORK):
        return
    has_journal = any(map(directory.exists, (JOURNAL, OLD_JOURNAL, ROLLBACK_JOURNAL)))
    if not has_journal and read_state(venv) is not None:
        _delete_work(directory)
        return
    directory.remove_file(STAMP)
    number = next(number for number in itertools.count(1) if not directory.exists(f"{UNVERIFIED_WORK}-{number}"))
    directory.rename(WORK, f"{UNVERIFIED_WORK}-{number}")


def delete_work(venv: Path) -> None:
    """Delete the work directory of *venv* before anything was changed."""
    with open_venv(venv) as directory:
        _delete_work(directory)


def _delete_work(directory: OpenDirectory) -> None:
    directory.delete_tree(WORK)
    with contextlib.suppress(OSError):  # it holds the records, unless there was no environment yet
        directory.remove_directory(DIRECTORY)


def _write_steps(directory: OpenDirectory, steps: list[Step]) -> None:
    content = json.dumps(steps).encode()
    directory.write(UNFINISHED_JOURNAL, signed(KIND, f"{directory.path}/{JOURNAL}", content))
    directory.rename(UNFINISHED_JOURNAL, JOURNAL)
    directory.flush(WORK)


def _read_steps(directory: OpenDirectory, journal: str) -> list[Step] | None:
    """Return the steps of the *journal*; None if there is none that this user's isolate wrote."""
    try:
        content = authenticated(KIND, f"{directory.path}/{JOURNAL}", directory.read(journal))
        steps = [Step(*row) for row in json.loads(content)]
    except (ValueError, TypeError, RecursionError, OSError):
        return None
    return steps if all(step.is_valid for step in steps) else None


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
