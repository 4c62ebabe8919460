"""`isolate run`: bring the environment into step, then become the command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.commands.request import Request
from isolate.commands.sync import sync
from isolate.environment.records import read_state
from isolate.environment.stamp import answer_if_current
from isolate.errors import IsolateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.application import Application
    from isolate.commands.session import Session
    from isolate.report import Outcome


def prepare(application: Application, session: Session) -> Outcome | None:
    """Sync *application* with what its environment was synced with last, unless there is nothing to do."""
    if answer_if_current(str(application.venv)) is not None:
        return None
    return sync(application, last_request(application), session)


def last_request(application: Application) -> Request:
    """Return the request that asks for the extras and groups that the environment of *application* holds."""
    state = read_state(application.venv)
    if state is None:
        return Request()
    chosen = state.selection
    plain_groups = tuple(group for group in chosen.groups if group != "dev")
    return Request(
        extras=chosen.extras,
        groups=plain_groups,
        no_dev="dev" not in chosen.groups and bool(chosen.groups or chosen.extras),
        project=chosen.project,
        inexact=state.inexact,
    )


def environment_of(application: Application, environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* as `activate` would make it: the environment first on `PATH`, `PYTHONHOME` gone.

    Raises `IsolateError` if there is no environment.
    """
    if not os.path.lexists(application.venv / "bin/python"):
        raise IsolateError(f"{application.name} has no environment", hint="run `isolate sync`, or leave out --no-sync")
    path = environ.get("PATH", os.defpath)
    changed = {**environ, "VIRTUAL_ENV": str(application.venv), "PATH": f"{application.venv}/bin{os.pathsep}{path}"}
    changed.pop("PYTHONHOME", None)
    return changed
