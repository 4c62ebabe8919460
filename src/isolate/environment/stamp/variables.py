"""The variables that declarations refer to. A value may be a secret, so a stamp holds only its digest."""

from __future__ import annotations

import os


def variable_line(name: str, venv: str) -> str:
    """Return the line for the variable *name* in the stamp of the environment *venv*: see `read`.

    The digest covers the path of the environment, so that equal values in two environments do not show.
    """
    if name not in os.environ:
        return f"env - {name}"
    import hashlib

    content = b"\0".join(map(os.fsencode, (venv, name, os.environ[name])))
    return f"env {hashlib.sha256(content).hexdigest()} {name}"
