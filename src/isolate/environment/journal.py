"""From the old contents to the new by a list of renames, and the list is on disk before the first of them.

<venv>/.isolate/work/
  staging/        what arrives, laid out as in the environment
  trash/<n>       what has left
  switch.json     the list; while it is there, the switch has to be finished

A list can be carried out any number of times: what is done already is seen from what lies where.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import os
from typing import TYPE_CHECKING, NamedTuple

from isolate import fs
from isolate.environment.records import STAMP, WORK
from isolate.errors import IsolateError, NotManaged
from isolate.store.manifest import path_tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

STAGING = f"{WORK}/staging"
TRASH = f"{WORK}/trash"
JOURNAL = f"{WORK}/switch.json"


class FileInTheWay(NotManaged):
    """Something stands where a file is to arrive, and is none of what leaves; `path` is below the environment."""

    def __init__(self, problem: str, *, hint: str | None = None, path: str = "") -> None:
        super().__init__(problem, hint=hint)
        self.path = path


class Step(NamedTuple):
    """A rename. Paths are below the environment. `direction` is `out` (to the trash) or `in` (from staging)."""

    direction: str
    source: str
    target: str


def plan_switch(venv: Path, leaving: Collection[str], arriving: Collection[str], site: str) -> list[Step]:
    """Return the renames that put what lies in staging in the place of *leaving*, as few as can be.

    *leaving* and *arriving* are files, by path below the environment; *site* is its directory of modules. A directory
    moves whole if nothing but what leaves is in it; otherwise its files move one by one, and what is not ours stays.
    Raises `FileInTheWay` if something stands where a file is to arrive.
    """
    return list(_Switch(venv, leaving, arriving, site).visit("", path_tree([*leaving, *arriving])))


class _Switch:
    def __init__(self, venv: Path, leaving: Collection[str], arriving: Collection[str], site: str) -> None:
        self._venv = str(venv)
        self._leaving = frozenset(leaving)
        self._arriving = frozenset(arriving)
        self._site = f"{site}/"
        self._trashed = 0

    def visit(self, folder: str, touched: dict[str, dict]) -> Iterator[Step]:  # type: ignore[type-arg]
        for name in sorted(touched):
            path = f"{folder}/{name}" if folder else name
            here, staged = self._at(path), self._at(f"{STAGING}/{path}")
            if not os.path.lexists(here):
                if os.path.lexists(staged):
                    yield Step("in", f"{STAGING}/{path}", path)
            elif os.path.isdir(here) and not os.path.islink(here):
                becomes_file = os.path.lexists(staged) and not os.path.isdir(staged)
                if (becomes_file or path.startswith(self._site)) and self._is_removed_whole(path):
                    yield from self._exchange(path, staged)
                elif becomes_file:
                    raise self._in_the_way(path)
                else:
                    yield from self.visit(path, touched[name])
            else:
                yield from self._file(path, staged)

    def _file(self, path: str, staged: str) -> Iterator[Step]:
        arrives = os.path.lexists(staged)
        if arrives and not self._is_leaving(path):
            raise self._in_the_way(path)
        if arrives and os.path.isfile(staged):
            yield Step("in", f"{STAGING}/{path}", path)
        else:
            yield from self._exchange(path, staged)
        if path.endswith(".py"):
            for compiled in self._compiled(path):
                yield self._out(compiled)

    def _in_the_way(self, path: str) -> FileInTheWay:
        return FileInTheWay(
            f"{self._at(path)} is in the way, and isolate did not put it there",
            hint="move it away, then run the command again",
            path=path,
        )

    def _exchange(self, path: str, staged: str) -> Iterator[Step]:
        yield self._out(path)
        if os.path.lexists(staged):
            yield Step("in", f"{STAGING}/{path}", path)

    def _out(self, path: str) -> Step:
        self._trashed += 1
        return Step("out", path, f"{TRASH}/{self._trashed}")

    def _is_removed_whole(self, folder: str) -> bool:
        with os.scandir(self._at(folder)) as found:
            for one in found:
                path = f"{folder}/{one.name}"
                if one.is_dir(follow_symlinks=False):
                    if not self._is_removed_whole(path):
                        return False
                elif not self._is_leaving(path):
                    return False
        return True

    def _is_leaving(self, path: str) -> bool:
        source = source_of(path)
        return path in self._leaving or source in self._leaving or source in self._arriving

    def _compiled(self, path: str) -> list[str]:
        folder, _, name = path.rpartition("/")
        pattern = f"{glob.escape(folder)}/__pycache__/{glob.escape(name[:-3])}.*.pyc"
        return [found for found in glob.glob(pattern, root_dir=self._venv) if source_of(found) == path]

    def _at(self, path: str) -> str:
        return f"{self._venv}/{path}"


def source_of(path: str) -> str | None:
    """Return the module that a file below `__pycache__` was compiled from (PEP 3147), None if it is no such file."""
    folder, _, name = path.rpartition("/")
    if not name.endswith(".pyc") or not folder.endswith("__pycache__"):
        return None
    return f"{folder.removesuffix('__pycache__')}{name.split('.', 1)[0]}.py"


def switch(venv: Path, steps: list[Step]) -> None:
    """Write the list of *steps* down and carry it out.

    Killed before it is written, nothing has happened; after that, `finish_switch` does the rest. Raises `IsolateError`
    if the system forbids a step.
    """
    (venv / TRASH).mkdir(parents=True, exist_ok=True)
    fs.write(venv / JOURNAL, json.dumps(steps).encode(), staging=venv / WORK)
    try:
        finish_switch(venv)
    except OSError as error:
        raise IsolateError(
            f"the change of {venv} is begun, and cannot be finished",
            facts=(f"{error.strerror}: {error.filename}",),
            hint="mend that, then run the command again: it begins by finishing the change",
        ) from None


def check_possible(venv: str, steps: list[Step]) -> None:
    """Raise `PermissionError` for what a step may not move, while nothing has been moved."""
    for folder in sorted({os.path.dirname(path) for step in steps for path in (step.source, step.target)}):
        if os.path.isdir(f"{venv}/{folder}") and not os.access(f"{venv}/{folder}", os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), f"{venv}/{folder}")
    for step in steps:  # a directory that moves gets another `..`
        path = f"{venv}/{step.source}"
        if os.path.isdir(path) and not os.path.islink(path) and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


def finish_switch(venv: Path) -> bool:
    """Carry out the list of a switch if there is one, and clear away what it leaves; say whether there was one.

    One that cannot be read is none of ours, which are written entirely or not at all. As nobody knows what has become
    of the environment, the stamp goes with it, and the next sync looks at every file.
    """
    try:
        steps = _steps_in(venv / JOURNAL)
    except FileNotFoundError:
        fs.delete_tree(venv / WORK)
        return False
    if steps is None:
        (venv / STAMP).unlink(missing_ok=True)
        fs.delete_tree(venv / WORK)
        return False
    for step in steps:
        _carry_out(str(venv), step)
    _remove_empty(str(venv), steps)
    (venv / JOURNAL).unlink()
    fs.delete_tree(venv / WORK)
    return True


def _steps_in(journal: Path) -> list[Step] | None:
    try:
        steps = [Step(*step) for step in json.loads(journal.read_bytes())]
    except (ValueError, TypeError, RecursionError, IsADirectoryError):
        return None
    return steps if all(_is_step(step) for step in steps) else None


def _is_step(step: Step) -> bool:
    """Say whether *step* is what it is called: a rename of one path below the environment to another."""
    return step.direction in ("in", "out") and _is_below(step.source) and _is_below(step.target)


def _is_below(path: object) -> bool:
    return isinstance(path, str) and not path.startswith("/") and "\0" not in path and ".." not in path.split("/")


def _carry_out(venv: str, step: Step) -> None:
    source, target = f"{venv}/{step.source}", f"{venv}/{step.target}"
    if step.direction == "out" and os.path.lexists(target):
        return
    with contextlib.suppress(FileNotFoundError):
        os.replace(source, target)


def _remove_empty(venv: str, steps: list[Step]) -> None:
    """Remove the directories that nothing is left in, now that files have moved out of them."""
    for left in sorted({os.path.dirname(step.source) for step in steps if step.direction == "out"}, reverse=True):
        folder = left
        while not _stays(folder):
            with contextlib.suppress(OSError):
                os.rmdir(f"{venv}/{folder}/__pycache__")
            try:
                os.rmdir(f"{venv}/{folder}")
            except OSError:
                break
            folder = os.path.dirname(folder)


def _stays(folder: str) -> bool:
    """Say whether a directory belongs to every environment, and so stays when it is empty."""
    top, *rest = folder.split("/")
    return folder in ("", "bin", "include", "lib64") or top == ".isolate" or (top == "lib" and len(rest) < len(SITE))


SITE = ("python3.x", "site-packages", "package")
"""The parts of a path that lead from `lib` to a package."""
