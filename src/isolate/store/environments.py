"""The environments that may hold links to entries; `isolate store gc` keeps what they use."""

from __future__ import annotations

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
    """Return the environments that may hold links to entries of *store*, whether or not they still exist."""
    return [Path(path.read_text(encoding="utf-8").rstrip("\n")) for path in store.paths.environments.glob("*")]


def unregister_environment(store: Store, venv: Path) -> None:
    """Remove the record of the environment *venv*."""
    store.paths.environment(venv).unlink(missing_ok=True)
