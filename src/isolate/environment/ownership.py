"""Whether isolate may replace what is at the path of an environment. Nothing is deleted here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.bounded_read import read_bounded
from isolate.environment.records import DIRECTORY, JOURNAL, OLD_JOURNAL, ROLLBACK_JOURNAL, STATE, WORK
from isolate.errors import IsolateError, NotManaged
from isolate.open_directory import reject_link
from isolate.owners import foreign_owner

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.application import Application

JOURNALS = (JOURNAL, OLD_JOURNAL, ROLLBACK_JOURNAL)

BOOTSTRAP_PACKAGES = frozenset({"pip", "setuptools", "wheel"})
"""The distributions that tools put into a new virtual environment."""

MAX_LISTED = 8
"""How many distributions an error lists."""

MOVE_AWAY = "move it away, then run the command again"


class ForeignEnvironment(IsolateError):
    """The environment, or a record in it, belongs to another user of the machine."""

    code = "foreign-environment"
    remedy = "If you trust that user, list the directory in `ISOLATE_SAFE_DIRECTORY`."


def foreign_part(application: Application) -> tuple[Path, int] | None:
    """Return what of the environment belongs to another user, with the id of that user; None if nothing does."""
    venv = application.venv
    for path in (venv, *(venv / name for name in (DIRECTORY, WORK, STATE, *JOURNALS))):
        if (owner := foreign_owner(path, application.root)) is not None:
            return path, owner
    return None


def ensure_own(application: Application) -> None:
    """Raise `ForeignEnvironment` if a part of the environment belongs to another user, who may not be trusted."""
    if (foreign := foreign_part(application)) is not None:
        path, owner = foreign
        raise ForeignEnvironment(
            f"{path} belongs to another user (user id {owner})",
            hint=f"if you trust that user, set ISOLATE_SAFE_DIRECTORY={application.root}, then run the command again",
        )


def ensure_replaceable(venv: Path, *, adopt: bool) -> None:
    """Raise `NotManaged` unless *venv*, which isolate did not create, can be replaced without losing anything.

    An environment with bootstrap packages alone can be replaced, any other only with *adopt*.
    """
    if not os.path.lexists(venv):
        return
    reject_link(venv)
    if not venv.is_dir():
        raise NotManaged(f"{venv} is a file{_redirect(venv)}", hint=MOVE_AWAY)
    if not (venv / "pyvenv.cfg").is_file():
        if any(venv.iterdir()):
            conda = (venv / "conda-meta").is_dir()
            kind = "a conda environment" if conda else "a directory, but not a virtual environment"
            raise NotManaged(f"{venv} is {kind}", hint=MOVE_AWAY)
        return
    undeclared = sorted(_distributions(venv) - BOOTSTRAP_PACKAGES)
    if undeclared and not adopt:
        more = " …" if len(undeclared) > MAX_LISTED else ""
        raise NotManaged(
            f"{venv} was not created by isolate{_creator(venv)}",
            facts=(f"installed: {', '.join(undeclared[:MAX_LISTED])}{more}",),
            hint="use `isolate sync --adopt` to take it over (undeclared packages are removed), or move it away",
        )


def _redirect(venv: Path) -> str:
    """Return which environment the file *venv* points to (PEP 832), if it does, as the end of a message."""
    try:
        if not venv.is_file():  # reading a pipe would block
            return ", not a directory"
        target = read_bounded(venv).decode().strip()
    except (OSError, UnicodeDecodeError):
        return ", not a directory"
    is_redirect = target and "\n" not in target and os.path.isdir(venv.parent / target)
    return f" that points to the environment {target}" if is_redirect else ", not a directory"


def _creator(venv: Path) -> str:
    """Return which tool created the environment, according to `pyvenv.cfg`, as the end of a message."""
    lines = read_bounded(venv / "pyvenv.cfg").decode(errors="replace").splitlines()
    keys = {line.partition("=")[0].strip() for line in lines}
    return next((f" (but by {tool})" for tool in ("uv", "virtualenv") if tool in keys), "")


def _distributions(venv: Path) -> set[str]:
    paths = (*venv.glob("lib/*/site-packages/*.dist-info"), *venv.glob("lib/*/site-packages/*.egg-info"))
    return {path.name.partition("-")[0].lower() for path in paths}
