"""What an earlier sync was told about one environment, and later commands follow until something else is named.

The record of the environment remembers it. One that this user's isolate did not write, as in an image or a cache of CI,
is believed only where the repository could say the same: about files in its own directory. The lock, the list and the
conflicts of applications never follow it: they are about what everyone sees.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.declarations.read import read_declarations
from isolate.environment.records import claimed_state, read_state
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
        requirements=_from_root(asked.requirements, application) or remembered.requirements,
        constraints=_from_root(asked.constraints, application) or remembered.constraints,
        project=asked.project and remembered.project,
    )
    _ensure_present(application, asked, remembered)
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
    if state is not None:
        return state.named._replace(project=state.selection.project)
    claim = claimed_state(application.venv)
    return Named() if claim is None else _harmless(claim.named, application)


def _harmless(claimed: Named, application: Application) -> Named:
    """Return what a record without a valid code may be believed: files that the repository could declare as well."""
    inside = f"{os.path.realpath(application.root)}{os.sep}"
    files = (*claimed.requirements, *claimed.constraints)
    if not all(os.path.realpath(application.root / path).startswith(inside) for path in files):
        return Named()
    return Named(requirements=claimed.requirements, constraints=claimed.constraints)


def _from_root(paths: tuple[str, ...], application: Application) -> tuple[str, ...]:
    """Return the absolute *paths*, those below the directory of *application* relative to it."""
    inside = f"{application.root}{os.sep}"
    return tuple(path.removeprefix(inside) for path in paths)


def _absolute(python: str) -> str:
    """Return the requested *python* so that it means the same from every directory."""
    text = python.strip()
    return os.path.abspath(os.path.expanduser(text)) if os.sep in text else text


def _ensure_present(application: Application, asked: Named, remembered: Named) -> None:
    followed = (
        ("-r", () if asked.requirements else remembered.requirements),
        ("-c", () if asked.constraints else remembered.constraints),
    )
    for option, paths in followed:
        for path in map(application.root.joinpath, paths):
            if not os.path.lexists(path):
                raise DeclarationError(
                    f"was named with {option} for this .venv and does not exist",
                    hint=f"name another file with `isolate sync {option} FILE`, or run `isolate sync --forget`",
                    file=path,
                )
