"""The steps of a journal: renames that can be carried out, repeated and undone.

What exists where shows which steps are done, so a process that finds a half-done list carries out or undoes all of it.
Where a directory cannot be renamed (it is from a lower layer of overlayfs), it is copied, and the copy is renamed.

trash/
  <n>             what step n of kind `REMOVE` moved away
  <n>.copied      a complete copy of it while the original is being deleted
  <n>.new         an incomplete copy
  replaced-<n>    the file that step n of kind `ADD`, counted from 0, replaces
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from isolate.environment.records import DIRECTORY, STAGING, TRASH
from isolate.store.manifest import is_relative_path

if TYPE_CHECKING:
    from isolate.open_directory import OpenDirectory

REMOVE, ADD = "remove", "add"


class Step(NamedTuple):
    """A rename: `REMOVE` moves a path to the trash, `ADD` moves one from staging. Paths are relative to the venv."""

    action: str
    source: str
    target: str

    @property
    def is_valid(self) -> bool:
        """Return whether this moves something in from staging, or away to the trash."""
        if not (is_relative_path(self.source) and is_relative_path(self.target)):
            return False
        if self.action == ADD:
            return self.source.startswith(f"{STAGING}/")
        return self.action == REMOVE and re.fullmatch(f"{re.escape(TRASH)}/[0-9]+", self.target) is not None


def add_step(path: str) -> Step:
    """Return the step that moves the staged *path* to where it belongs."""
    return Step(ADD, f"{STAGING}/{path}", path)


def remove_step(path: str, number: int) -> Step:
    """Return the step that moves *path* to the trash, where *number* is its name."""
    return Step(REMOVE, path, f"{TRASH}/{number}")


def carry_out(directory: OpenDirectory, steps: list[Step]) -> None:
    """Carry out all of *steps* that are not done, in *directory*; raise `OSError` where the system refuses one."""
    for number, step in enumerate(steps):
        if step.action == REMOVE:
            _remove(directory, step)
        else:
            _add(directory, step, _replaced(number))
    _remove_empty_directories(directory, steps)


def undo(directory: OpenDirectory, steps: list[Step]) -> None:
    """Undo all of *steps* that are done or half-done, the last one first; raise `OSError` if the system refuses."""
    for number, step in reversed([*enumerate(steps)]):
        if step.action == REMOVE:
            _put_back(directory, step)
        else:
            _take_out(directory, step, _replaced(number))


def _replaced(number: int) -> str:
    return f"{TRASH}/replaced-{number}"


def _remove(directory: OpenDirectory, step: Step) -> None:
    copied = f"{step.target}.copied"
    if directory.exists(step.target):
        return
    if not directory.exists(copied):
        if not directory.exists(step.source):
            return
        if _rename(directory, step):
            return
        _copy(directory, step.source, copied)
    directory.delete_tree(step.source)
    directory.rename(copied, step.target)


def _rename(directory: OpenDirectory, step: Step) -> bool:
    """Rename the source of *step* to its target; return False if only a copy can get there."""
    try:
        directory.rename(step.source, step.target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return False
    return True


def _copy(directory: OpenDirectory, path: str, copied: str) -> None:
    """Copy *path* so that *copied* appears when the copy is complete."""
    new = f"{os.path.splitext(copied)[0]}.new"
    directory.delete_tree(new)
    directory.copy(path, new)
    directory.rename(new, copied)


def _add(directory: OpenDirectory, step: Step, replaced: str) -> None:
    if not directory.exists(step.source):
        return
    is_directory = directory.is_directory(step.target)
    if not is_directory and directory.exists(step.target) and not directory.exists(replaced):
        _keep(directory, step.target, replaced)
    if not _rename(directory, step):
        if not is_directory:  # otherwise an earlier process has put the copy there
            _copy(directory, step.source, f"{replaced}.copied")
            directory.rename(f"{replaced}.copied", step.target)
        directory.delete_tree(step.source)


def _keep(directory: OpenDirectory, path: str, kept: str) -> None:
    """Keep the file *path*, which is about to be replaced. A link leaves no moment without the file."""
    try:
        directory.link(path, kept)
    except OSError:  # the file system has no hard links, or another user owns the file
        directory.rename(path, kept)


def _put_back(directory: OpenDirectory, step: Step) -> None:
    """Undo a step of kind `REMOVE`."""
    for kept in (f"{step.target}.copied", step.target):
        if directory.exists(kept):
            _restore(directory, kept, step.source)


def _restore(directory: OpenDirectory, kept: str, path: str) -> None:
    """Move *kept* to *path*; if both are directories, only what *path* lacks. A file at *path* stays."""
    if not directory.exists(path):
        directory.rename(kept, path)
    elif directory.is_directory(kept) and directory.is_directory(path):
        for name in directory.names(kept):
            _restore(directory, f"{kept}/{name}", f"{path}/{name}")


def _take_out(directory: OpenDirectory, step: Step, replaced: str) -> None:
    """Undo a step of kind `ADD`."""
    if directory.exists(step.target) and not directory.exists(step.source):
        directory.rename(step.target, step.source)
    if directory.exists(replaced):
        directory.rename(replaced, step.target)


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
