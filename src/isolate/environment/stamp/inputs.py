"""The files that "nothing to do" depends on, and whether they are still what a sync read.

A file may be edited while a sync is running. The stamp must not record such an edit as read, because the next sync
would then not notice it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.application import DECLARATION_FILES
from isolate.bounded_read import UnexpectedFile, read_bounded
from isolate.declarations.requirements_text import VARIABLE, decode, logical_lines
from isolate.environment.records import STATE, TEMPLATE
from isolate.environment.stamp.read import file_line, setting_line
from isolate.environment.stamp.variables import variable_line
from isolate.environment.verify import damaged_template_files
from isolate.interpreters.query import fingerprint_of
from isolate.lock.metadata_files import metadata_files
from isolate.pip.config_files import config_files
from isolate.pip.user_demands import SETTING_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.interpreters.interpreter import Interpreter
    from isolate.locked import LockedDistribution


PATHS = ("PIP_CONFIG_FILE", "PIP_CONSTRAINT")
"""Those of `SETTING_VARIABLES` whose values are paths that may be relative to the current directory."""


def input_files(application: Application) -> dict[str, str]:
    """Return the files in and above an application that a sync may read, each path with its stamp line.

    Files that do not exist are included. The caller calls this before it reads any of them.
    """
    root = application.root
    named = [root / name for name in DECLARATION_FILES]
    named += [directory / "pyproject.toml" for directory in root.parents]  # one may define a workspace
    return _lines([*named, *(directory / ".python-version" for directory in (root, *root.parents))])


def input_files_of_settings(application: Application, environ: Mapping[str, str]) -> dict[str, str]:
    """Return, like `input_files`, the configuration files of pip, which may name constraints."""
    return _lines(config_files(environ, application.venv))


def input_files_of_trees(trees: Iterable[str]) -> dict[str, str]:
    """Return, like `input_files`, the files that hold the metadata of source *trees*; an archive is one itself."""
    return _lines(path for tree in trees for path in _metadata_files(tree))


def _metadata_files(tree: str) -> list[str]:
    return [f"{tree}/{name}" for name in metadata_files(tree)] if os.path.isdir(tree) else [tree]


def input_files_of_lock(locked: Iterable[LockedDistribution]) -> dict[str, str]:
    """Return, like `input_files`, what is read of the directories and archives that are *locked*."""
    paths = (dist.directory or dist.table.get("archive", {}).get("path") for dist in locked)
    return input_files_of_trees(path for path in paths if path is not None)


def _lines(paths: Iterable[Path | str]) -> dict[str, str]:
    return {path: file_line(path) for path in dict.fromkeys(map(str, paths))}


def stamp_lines_if_unchanged(
    application: Application,
    declarations: Declarations,
    interpreter: Interpreter,
    lock: bytes | None,
    before: Mapping[str, str],
) -> list[str] | None:
    """Return the stamp lines of all inputs; None if any input changed since it was read or written.

    *before* holds the lines from before the inputs were read. *lock* is the content that `pylock.toml` must have, None
    if it must not exist; the sync itself may have written it. `pylock.toml` may be about other declarations.
    """
    written = {} if declarations.has_own_lock else {str(application.lock_file): lock}
    read = {str(path): content for path, content in declarations.contents.items()}
    own = (application.venv / path for path in ("pyvenv.cfg", STATE, TEMPLATE))
    others = map(str, (*own, interpreter.executable))
    now = {path: file_line(path) for path in (*before, *read, *others)}
    same = all(now[path] == line for path, line in before.items() if path not in written)
    same = same and all(_content(path) == content for path, content in (read | written).items())
    same = same and fingerprint_of(interpreter.executable) == interpreter.fingerprint
    if not same or damaged_template_files(application.venv):
        return None
    names = sorted({*_variables(declarations)})
    settings = (_setting_line(name, application) for name in SETTING_VARIABLES)
    return [*now.values(), *settings, *(variable_line(name, str(application.venv)) for name in names)]


def _setting_line(name: str, application: Application) -> str:
    """Return the line for a variable of pip's settings; one that never holds if it means other files elsewhere."""
    line = setting_line(name)
    is_relative = name in PATHS and any(not os.path.isabs(path) for path in os.environ.get(name, "").split())
    return f"{line}\t" if is_relative and os.getcwd() != str(application.root) else line


def _variables(declarations: Declarations) -> Iterator[str]:
    """Yield the names of the variables in declarations that pip substitutes: `${NAME}`."""
    for content in declarations.expandable.values():
        if b"$" in content:
            yield from (name for line in logical_lines(decode(content)) for name in VARIABLE.findall(line.text))


def _content(path: str) -> bytes | None:
    try:
        return read_bounded(path)
    except (FileNotFoundError, IsADirectoryError, UnexpectedFile):
        return None
