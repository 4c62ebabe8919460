"""`isolate run`: sync if needed, then run a command in the environment."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from isolate import process
from isolate.batch_fetch import BatchFetcher
from isolate.child_output import Listener
from isolate.commands.sync import sync as sync_application
from isolate.environment.ownership import foreign_part
from isolate.environment.records import claimed_state, is_managed, read_state
from isolate.environment.stamp.read import up_to_date_message
from isolate.environment.stamp.variables import variable_line
from isolate.errors import (
    IsolateError,
    NoEnvironment,
    NoInterpreter,
    NotInStore,
    PipFailed,
    SystemFailure,
    UnusableStore,
)
from isolate.home import NoHomeDirectory
from isolate.named import TITLE
from isolate.operations.recover import recover
from isolate.outcome import Outcome
from isolate.owners import ROOT
from isolate.request import Request, request_like
from isolate.resolution.remembered import read_followed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from isolate.application import Application
    from isolate.session import Session


def prepare(application: Application, session: Session, *, sync: bool = True) -> Outcome | None:
    """Sync *application* with the options of its last sync, and return the outcome; None if it is up to date.

    Without *sync*, only finish what a killed command left. An environment that root made for all users is not synced by
    another user, who can only use it. If this user's isolate did not write the records of the environment, as in an
    image, and cannot verify it now, it stays as it is, and a warning says so.
    """
    if not sync:
        recover(application, session)
        return None
    if (message := up_to_date_message(str(application.venv), variable_line)) is not None:
        if TITLE in message:
            session.progress.say(TITLE + message.partition(TITLE)[2].removesuffix(")"))
        return None
    if (foreign := foreign_part(application)) is not None and foreign[1] == ROOT:  # as in an image
        session.progress.say(f"warning: {foreign[0]} belongs to root: it is used as it is, without a sync")
        return None
    unbatched = replace(session, batch=BatchFetcher())  # other applications may have other extras and groups
    if not _is_unverified(application):
        return sync_application(application, last_request(application), unbatched)
    try:
        _ensure_writable(application)
        return sync_application(application, last_request(application), unbatched)
    except (*CANNOT_SYNC, OSError) as error:
        reason = error.problem if isinstance(error, IsolateError) else f"{error.strerror}: {error.filename}"
        session.progress.say(f"warning: {application.venv} cannot be verified ({reason}); it is used as it is")
        return None


def prepare_script(
    application: Application, request: Request, session: Session, *, sync: bool = True
) -> Outcome | None:
    """Sync the environment of a script as *request* asks, and return the outcome; None if it is up to date."""
    if not sync or up_to_date_message(str(application.venv), variable_line) is not None:
        return None
    return sync_application(application, request, replace(session, batch=BatchFetcher()))


CANNOT_SYNC = (NoHomeDirectory, NoInterpreter, NotInStore, PipFailed, SystemFailure, UnusableStore)
"""Errors that say nothing about the environment, only that it cannot be verified here and now."""


def _is_unverified(application: Application) -> bool:
    """Return whether an isolate created the environment, but this user's isolate did not write its records."""
    venv = application.venv
    return read_state(venv) is None and is_managed(venv) and os.path.lexists(venv / "bin/python")


def _ensure_writable(application: Application) -> None:
    """Raise `OSError` if the environment is read-only."""
    for path in (application.root, application.venv):
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def run(application: Application, command: Sequence[str], session: Session, *, sync: bool = True) -> Outcome:
    """Prepare the environment, run *command* in the directory of *application*, and return its output and exit code.

    If a signal ends it, the exit code is 128 plus the number of the signal.
    """
    prepare(application, session, sync=sync)
    environment = environment_of(application, session.environ)
    output: list[str] = []
    command = by_python(command, environment["PATH"], application.root)
    program = command[0] if os.sep in command[0] else shutil.which(command[0], path=environment["PATH"])
    if program is None:
        raise process.command_not_found(command[0])
    argv = (program, *command[1:])
    session.progress.working(f"running {command[0]}")
    finished = process.run(argv, env=environment, cwd=application.root, listener=Listener(on_line=output.append))
    code = finished.status if finished.status >= 0 else 128 - finished.status
    lines = (*output, *([f"exit status {code}"] if code or not output else []))
    return Outcome(command="run", exit_code=code, lines=lines, facts={"output": output})


def by_python(command: Sequence[str], search_path: str, directory: Path) -> Sequence[str]:
    """Return *command*; if it is a Python file in *directory* and not a program, with the Python that runs it."""
    name = command[0]
    program = shutil.which(os.path.join(directory, name) if os.sep in name else name, path=search_path)
    if not name.endswith(".py") or program is not None or not (directory / name).is_file():
        return command
    return ("python", *command)


def last_request(application: Application) -> Request:
    """Return the request for the extras and groups that the environment of *application* has, if still declared."""
    state = read_state(application.venv)
    known = claimed_state(application.venv) if state is None else state
    if known is None:
        return Request()
    request = request_like(known.selection, read_followed(application, Request())[1])
    return request._replace(inexact=state is not None and state.inexact)


def environment_of(application: Application, environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* as `activate` changes it: the environment first on `PATH`, `PYTHONHOME` removed.

    Raises `NoEnvironment` if there is none.
    """
    if not os.path.lexists(application.venv / "bin/python"):
        raise NoEnvironment(f"{application.name} has no environment", hint="run `isolate sync`, or leave out --no-sync")
    path = environ.get("PATH", os.defpath)
    activated = {**environ, "VIRTUAL_ENV": str(application.venv), "PATH": f"{application.venv}/bin{os.pathsep}{path}"}
    activated.pop("PYTHONHOME", None)
    return activated
