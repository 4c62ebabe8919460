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
    path, content = store.paths.environment(venv), f"{venv}\n".encode()
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(exist_ok=True)
        fs.write(path, content, staging=store.paths.tmp)


def registered_environments(store: Store) -> list[Path]:
    """Return the environments that may hold links to entries of *store*, whether or not they still exist.

    A damaged record is left out, because an environment works without the store. The next sync writes it again.
    """
    environments = []
    for record in store.paths.environments.glob("*"):
        with contextlib.suppress(OSError, ValueError):
            venv = Path(record.read_text(encoding="utf-8").removesuffix("\n"))
            if store.paths.environment(venv) == record and "\0" not in str(venv):
                environments.append(venv)
    return environments


def unregister_environment(store: Store, venv: Path) -> None:
    """Remove the record of the environment *venv*."""
    store.paths.environment(venv).unlink(missing_ok=True)
