"""What an earlier sync was told about one environment, and later commands follow until something else is named.

The record of the environment remembers it, and counts only if this user's isolate wrote it. The lock, the list and the
conflicts of applications never follow it: they are about what everyone sees.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.declarations.read import read_declarations
from isolate.environment.records import read_state
from isolate.errors import DeclarationError
from isolate.interpreters.version_file import read_version_file
from isolate.named import Named

if TYPE_CHECKING:
    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.request import Request


def read_followed(application: Application, request: Request) -> tuple[Request, Declarations]:
    """Return *request* with what is remembered and not named now, and the declarations that follow from it.

    A script is an environment of its own for each Python, so nothing is remembered for it.

    With `--locked` or `--frozen`, or to forget, nothing is remembered. A Python that the application has come to ask
    for since wins over the remembered one. Raises `DeclarationError` as `read_declarations` does, and for a file that
    is remembered and no longer exists.
    """
    if application.script is not None:
        from isolate.declarations.script_file import read_script

        script = read_script(application.script)
        if script is not None:
            return request, script.declarations(application.root)
    asked, remembered = request.asked, _remembered(application, request)
    named = Named(
        requirements=asked.requirements or remembered.requirements,
        constraints=asked.constraints or remembered.constraints,
        project=asked.project and remembered.project,
    )
    _ensure_present(asked, named)
    declarations = read_declarations(application.root, named=named)
    if asked.python is not None:
        declared = declared_python(application, declarations)
        named = named._replace(python=_absolute(asked.python), declared_python=declared)
    elif remembered.python is not None:
        declared = declared_python(application, declarations)
        if declared in (None, remembered.declared_python):
            named = named._replace(python=remembered.python, declared_python=remembered.declared_python)
    return request._replace(named=named), declarations._replace(named=named)


def declared_python(application: Application, declarations: Declarations) -> str | None:
    """Return the Python that *application* asks for itself, as written; None if it does not."""
    if declarations.settings.python is not None:
        return declarations.settings.python
    version_file = read_version_file(application.root)
    return None if version_file is None else version_file.text


def _remembered(application: Application, request: Request) -> Named:
    policy = request.lock_policy
    if request.forget or not policy.may_change or not policy.validate:
        return Named()
    state = read_state(application.venv)
    return Named() if state is None else state.named._replace(project=state.selection.project)


def _absolute(python: str) -> str:
    """Return the requested *python* so that it means the same from every directory."""
    text = python.strip()
    return os.path.abspath(os.path.expanduser(text)) if os.sep in text else text


def _ensure_present(asked: Named, named: Named) -> None:
    for option, files in (("-r", named.requirements), ("-c", named.constraints)):
        for path in files:
            if path not in (*asked.requirements, *asked.constraints) and not os.path.lexists(path):
                raise DeclarationError(
                    f"was named with {option} for this .venv and does not exist",
                    hint=f"name another file with `isolate sync {option} FILE`, or run `isolate sync --forget`",
                    file=Path(path),
                )
