"""The environments that may hold links to entries; `isolate store gc` keeps what they use."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from isolate import fs

if TYPE_CHECKING:
    from isolate.store.store import Store


def register_environment(store: Store, venv: Path) -> None:
    """Record that the environment *venv* may hold links to entries of *store*."""
    path = store.paths.environment(venv)
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        fs.write(path, f"{venv}\n".encode(), staging=store.paths.tmp)


def registered_environments(store: Store) -> list[Path]:
    """Return the environments that may hold links to entries of *store*, whether or not they still exist.

    A record that cannot be read is left out: an environment works without the store.
    """
    environments = []
    for path in store.paths.environments.glob("*"):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            venv = path.read_text(encoding="utf-8").removesuffix("\n")
            if venv.startswith("/") and "\0" not in venv:
                environments.append(Path(venv))
    return environments


def unregister_environment(store: Store, venv: Path) -> None:
    """Remove the record of the environment *venv*."""
    store.paths.environment(venv).unlink(missing_ok=True)
