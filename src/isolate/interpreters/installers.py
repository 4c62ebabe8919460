"""How the user can install a Python that is missing: by a tool that they have. isolate never runs it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.interpreters.search_path import search_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.interpreters.request import PythonRequest

INSTALLERS = (
    ("pyenv", "pyenv install {}"),
    ("uv", "uv python install {}"),
    ("mise", "mise install python@{}"),
    ("asdf", "asdf install python latest:{}"),
)
"""Programs that install Pythons where isolate finds them, and the command for a version."""


def how_to_install(request: PythonRequest, environ: Mapping[str, str]) -> str:
    """Return what the user can do to install the Python of *request*: a command, where one of the programs is there."""
    version = request.installable
    directories = search_path(environ)
    for program, command in INSTALLERS:
        if version and any(os.access(os.path.join(directory, program), os.X_OK) for directory in directories):
            return f"install it with `{command.format(version)}`"
    return "install it"
