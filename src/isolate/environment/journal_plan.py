"""Plan the steps of a journal: as few renames as possible."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.environment.pycache import compiled_files, source_of
from isolate.environment.records import STAGING
from isolate.environment.steps import Step, add_step, remove_step
from isolate.errors import NotManaged
from isolate.store.manifest import path_tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path


class FileInTheWay(NotManaged):
    """A file that isolate did not install is where a file of a package belongs.

    `path` is relative to the environment.
    """

    code = "file-in-the-way"
    remedy = "Move the file away, or delete it."

    def __init__(self, problem: str, *, hint: str | None = None, path: str = "") -> None:
        super().__init__(problem, hint=hint)
        self.path = path


def plan_steps(venv: Path, removed: Collection[str], added: Collection[str], site: str) -> list[Step]:
    """Return the renames that replace the files *removed* by the staged files *added*.

    Both are paths relative to the environment, as is *site*, its site-packages. A directory below it moves as a whole
    if it holds only removed files. Otherwise its files move one by one, and files that isolate did not install stay.
    Raises `FileInTheWay` if such a file is where a new one belongs.
    """
    planner = _JournalPlanner(str(venv), frozenset(removed), frozenset(added), site)
    return list(planner.plan("", path_tree([*removed, *added])))


class _JournalPlanner:
    def __init__(self, venv: str, removed: frozenset[str], added: frozenset[str], site: str) -> None:
        self._venv = venv
        self._removed = removed
        self._added = added
        self._site = f"{site}/"
        self._trashed = 0

    def plan(self, directory: str, touched: dict[str, dict]) -> Iterator[Step]:  # type: ignore[type-arg]
        """Yield the steps for what is *touched* in *directory*, names of files and of directories with theirs."""
        for name in sorted(touched):
            path = f"{directory}/{name}" if directory else name
            current, staged = self._absolute(path), self._absolute(f"{STAGING}/{path}")
            if not os.path.lexists(current):
                if os.path.lexists(staged):
                    yield add_step(path)
            elif os.path.isdir(current) and not os.path.islink(current):
                yield from self._plan_directory(path, staged, touched[name])
            else:
                yield from self._plan_file(path, staged)

    def _plan_directory(self, path: str, staged: str, touched: dict[str, dict]) -> Iterator[Step]:  # type: ignore[type-arg]
        becomes_file = os.path.lexists(staged) and not os.path.isdir(staged)
        if (becomes_file or path.startswith(self._site)) and self._is_removed_whole(path):
            yield from self._replace(path, staged)
        elif becomes_file:
            raise self._in_the_way(path)
        else:
            yield from self.plan(path, touched)

    def _plan_file(self, path: str, staged: str) -> Iterator[Step]:
        is_added = os.path.lexists(staged)
        if is_added and not self._is_removed(path):
            raise self._in_the_way(path)
        if is_added and os.path.isfile(staged):  # the rename replaces the file
            yield add_step(path)
        else:
            yield from self._replace(path, staged)
        if path.endswith(".py"):
            for compiled in compiled_files(self._venv, path):
                if compiled not in self._added:  # otherwise the new one is there by then
                    yield self._to_trash(compiled)

    def _in_the_way(self, path: str) -> FileInTheWay:
        return FileInTheWay(
            f"{self._absolute(path)} is in the way, and isolate did not create it",
            hint="move it away, then run the command again",
            path=path,
        )

    def _replace(self, path: str, staged: str) -> Iterator[Step]:
        yield self._to_trash(path)
        if os.path.lexists(staged):
            yield add_step(path)

    def _to_trash(self, path: str) -> Step:
        self._trashed += 1
        return remove_step(path, self._trashed)

    def _is_removed_whole(self, directory: str) -> bool:
        with os.scandir(self._absolute(directory)) as entries:
            for entry in entries:
                path = f"{directory}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if not self._is_removed_whole(path):
                        return False
                elif not self._is_removed(path):
                    return False
        return True

    def _is_removed(self, path: str) -> bool:
        source = source_of(path)
        return path in self._removed or source in self._removed or source in self._added

    def _absolute(self, path: str) -> str:
        return f"{self._venv}/{path}"
