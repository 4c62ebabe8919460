"""`isolate list`: name applications, for a CI matrix too, each with a key that changes when its requirements do."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from isolate.bounded_read import read_bounded
from isolate.declarations.read import read_declarations
from isolate.errors import NoInterpreter
from isolate.interpreters.version_file import read_version_file, version_files
from isolate.lock.metadata_files import metadata_files
from isolate.lock.pylock_file import read_lock_content
from isolate.outcome import Outcome
from isolate.resolution.interpreter import hints_for, interpreter_for
from isolate.resolution.poetry import converted

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.session import Session


def describe(application: Application, session: Session) -> Outcome:
    """Return what is known about *application* from its declarations alone."""
    session = session.looking()
    declarations = converted(read_declarations(application.root), session)
    version_file = read_version_file(application.root)
    python = declarations.settings.python or (version_file.text if version_file else None)
    return Outcome(
        command="list",
        facts={
            "path": str(application.root),
            "python": python,
            "requires_python": None if declarations.requires_python is None else str(declarations.requires_python),
            "interpreter": _interpreter(application, declarations, session),
            "key": key_of(application, declarations, python or _hinted(application, declarations)),
        },
    )


def _interpreter(application: Application, declarations: Declarations, session: Session) -> str | None:
    """Return the version of the Python that a sync would use; None if none fits."""
    try:
        return interpreter_for(application, declarations, session).version
    except NoInterpreter:
        return None


def _hinted(application: Application, declarations: Declarations) -> str | None:
    hint = next(iter(hints_for(application, declarations)), None)
    return None if hint is None else hint.version


def key_of(application: Application, declarations: Declarations, python: str | None) -> str:
    """Return a digest (hex) of every file that decides what the environment holds, and of the *python* asked for.

    It does not depend on where the repository is: files count by their path from the application, and their content.
    """
    digest = hashlib.sha256(f"{python or ''}\0".encode())
    for file in _files_with_lock(application, declarations):
        read = read_lock_content if file == application.lock_file else _content
        content = declarations.contents.get(file) or read(file) or b""
        digest.update(f"{os.path.relpath(file, application.root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _content(file: Path) -> bytes | None:
    """Return the bytes of *file*, which a build backend may read; None if they cannot be read."""
    try:
        return read_bounded(file)
    except OSError:
        return None


def key_files(application: Application) -> tuple[Path, ...]:
    """Return every file that the key of *application* depends on, existing or not."""
    declarations = read_declarations(application.root)
    python_files = []
    for path in version_files(application.root) if declarations.settings.python is None else ():
        python_files.append(path)
        if path.is_file():
            break
    else:
        python_files += version_files(application.root, ".tool-versions")
    return (*_files_with_lock(application, declarations), *python_files)


def _files_with_lock(application: Application, declarations: Declarations) -> tuple[Path, ...]:
    built = metadata_files(str(declarations.root)) if declarations.has_dynamic_dependencies else ()
    read = (declarations.root / name for name in built)
    return tuple(dict.fromkeys((*declarations.files, *read, application.lock_file)))
