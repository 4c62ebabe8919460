"""The files that "nothing to do" depends on, and whether they are still what a sync has read.

A file that is edited while a sync is at work must not be taken for one that was read: the next sync would not look.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.declarations.requirements_text import VARIABLE, decode, logical_lines
from isolate.environment.stamp.read import file_line
from isolate.environment.stamp.variables import variable_line
from isolate.environment.verify import template_damages
from isolate.interpreters.query import fingerprint_of
from isolate.lock.local_sources import METADATA_FILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.interpreters.interpreter import Interpreter
    from isolate.locked import LockedDistribution


def inputs_of(application: Application) -> dict[str, str]:
    """Return the files in and above an application that a sync may read, there or not: each path with its line.

    To be asked for before any of them is read.
    """
    root = application.root
    named = [root / "pyproject.toml", root / "requirements.txt", application.lock_file]
    return _lines([*named, *(folder / ".python-version" for folder in (root, *root.parents))])


def inputs_of_trees(trees: Iterable[str]) -> dict[str, str]:
    """Return, as `inputs_of` does, the files that hold the metadata of source *trees*; an archive is one itself."""
    return _lines(path for tree in trees for path in _metadata_files(tree))


def _metadata_files(tree: str) -> list[str]:
    return [f"{tree}/{name}" for name in METADATA_FILES] if os.path.isdir(tree) else [tree]


def inputs_of_lock(locked: Iterable[LockedDistribution]) -> dict[str, str]:
    """Return, as `inputs_of` does, what is read of the directories and archives that are *locked*."""
    places = (one.directory or one.table.get("archive", {}).get("path") for one in locked)
    return inputs_of_trees(place for place in places if place is not None)


def _lines(paths: Iterable[Path | str]) -> dict[str, str]:
    return {path: file_line(path) for path in dict.fromkeys(map(str, paths))}


def stamp_lines_if_unchanged(
    application: Application,
    declarations: Declarations,
    interpreter: Interpreter,
    lock: bytes | None,
    before: Mapping[str, str],
) -> list[str] | None:
    """Return the lines for a stamp of all inputs as they stand now; None if one of them is not as it was read, or made.

    *before* has the inputs as they stood before that. *lock* is what `pylock.toml` is to hold, None if there is to be
    none: a sync may write it.
    """
    written = {str(application.lock_file): lock}
    read = {str(path): content for path, content in declarations.contents.items()}
    own = map(str, (application.venv / "pyvenv.cfg", interpreter.executable))
    now = {path: file_line(path) for path in (*before, *read, *own)}
    same = all(now[path] == line for path, line in before.items() if path not in written)
    same = same and all(_content(path) == content for path, content in (read | written).items())
    same = same and fingerprint_of(interpreter.executable) == interpreter.fingerprint
    if not same or template_damages(application.venv):
        return None
    return [
        *now.values(),
        *(variable_line(name, str(application.venv)) for name in sorted({*_variables(declarations)})),
    ]


def _variables(declarations: Declarations) -> Iterator[str]:
    """Yield the variables that declarations name, in the form that pip fills in: `${NAME}`."""
    for content in declarations.contents.values():
        if b"$" in content:
            yield from (name for line in logical_lines(decode(content)) for name in VARIABLE.findall(line.text))


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
