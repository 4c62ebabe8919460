"""`isolate list`: applications as a CI matrix wants them, each with a key that changes when its requirements do."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from isolate.declarations.read import read_declarations
from isolate.errors import NoInterpreter
from isolate.interpreters.version_file import read_version_file, version_files
from isolate.outcome import Outcome
from isolate.resolution.interpreter import interpreter_for

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.session import Session


def describe(application: Application, session: Session) -> Outcome:
    """Return what there is to know about *application* before anything is made."""
    declarations = read_declarations(application.root)
    version_file = read_version_file(application.root)
    request = declarations.settings.python or (version_file.text if version_file else None)
    return Outcome(
        command="list",
        facts={
            "path": str(application.root),
            "python": request,
            "requires_python": None if declarations.requires_python is None else str(declarations.requires_python),
            "interpreter": _interpreter(application, declarations, session),
            "key": key_of(application, declarations, request),
        },
    )


def _interpreter(application: Application, declarations: Declarations, session: Session) -> str | None:
    """Return the version of the Python that a sync would use; None if none fits."""
    try:
        return interpreter_for(application, declarations, session).version
    except NoInterpreter:
        return None


def key_of(application: Application, declarations: Declarations, request: str | None) -> str:
    """Return a digest (hex) of every file that decides what the environment holds, and of the Python that is wished.

    It is the same wherever the repository lies: files count by their path from the application, and their bytes.
    """
    digest = hashlib.sha256(f"{request or ''}\0".encode())
    for file in _with_lock(application, declarations):
        content = file.read_bytes() if file.exists() else b""
        digest.update(f"{os.path.relpath(file, application.root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def installed_files(application: Application) -> tuple[Path, ...]:
    """Return every file that decides the key of *application*, there or not."""
    declarations = read_declarations(application.root)
    wishes = []
    for path in version_files(application.root) if declarations.settings.python is None else ():
        wishes.append(path)
        if path.is_file():
            break
    return (*_with_lock(application, declarations), *wishes)


def _with_lock(application: Application, declarations: Declarations) -> tuple[Path, ...]:
    return tuple(dict.fromkeys((*declarations.files, application.lock_file)))
