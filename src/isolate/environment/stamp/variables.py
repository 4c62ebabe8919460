"""The variables that declarations name: is each as it was? What one holds may be a secret, and is not written down."""

from __future__ import annotations

import os


def variable_line(name: str, venv: str) -> str:
    """Return the line for the variable *name* in the stamp of the environment *venv*: see `stamp`.

    The digest is of that environment alone, so that nobody sees where else the same is held.
    """
    if name not in os.environ:
        return f"env - {name}"
    import hashlib

    held = b"\0".join(map(os.fsencode, (venv, name, os.environ[name])))
    return f"env {hashlib.sha256(held).hexdigest()} {name}"
