"""Replace what an environment holds where the environment itself cannot be renamed: by a journal of its entries."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from isolate.environment.journal import commit, delete_work
from isolate.environment.movable import check_permissions
from isolate.environment.records import DIRECTORY, STAGING, WORK
from isolate.environment.steps import Step, add_step, remove_step
from isolate.errors import NotManaged

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.open_directory import OpenDirectory


def replace_contents(root: OpenDirectory, new: str, venv: Path) -> None:
    """Replace the contents of *venv*, a directory in *root*, by those of the directory *new*, relative to *root*.

    They are moved into the work directory of *venv* first, or copied if that is on another file system. Raises as
    `commit` does.
    """
    try:
        steps = _stage(root, new, venv)
    except BaseException:
        delete_work(venv)
        raise
    commit(venv, steps)


def _stage(root: OpenDirectory, new: str, venv: Path) -> list[Step]:
    """Move the contents of *new* into the work directory of *venv*, and return the steps that put them in place."""
    stage = f"{venv.name}/{STAGING}"
    root.make_directories(f"{stage}/{DIRECTORY}")
    old = _entries(root, venv.name)
    added = _entries(root, new)
    for path in added:
        _move(root, f"{new}/{path}", f"{stage}/{path}")
    steps = [*(remove_step(path, number) for number, path in enumerate(old)), *map(add_step, added)]
    for step in steps:
        if not step.is_valid:
            raise NotManaged(f"{venv} holds a file with the name {step.source!r}", hint="delete it, or rename it")
    check_permissions(venv, steps)
    return steps


def _entries(root: OpenDirectory, directory: str) -> list[str]:
    """Return what is in an environment, with the entries of `.isolate` in its place; the state comes last."""
    names = [name for name in root.names(directory) if name != DIRECTORY]
    records = root.names(f"{directory}/{DIRECTORY}") if root.is_directory(f"{directory}/{DIRECTORY}") else []
    paths = (f"{DIRECTORY}/{name}" for name in records)
    return [*sorted(names), *sorted(path for path in paths if path != WORK)]


def _move(root: OpenDirectory, source: str, target: str) -> None:
    try:
        root.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        root.copy(source, target)
