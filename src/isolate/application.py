"""Where an application keeps things.

<root>/
  pyproject.toml, requirements.txt   what it asks for (read only)
  pylock.toml                        what was decided, where the declarations leave anything open
  .venv/                             its environment
  .isolate-staging/                  only while isolate works, or after it was killed: see `environment.staging`
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from isolate.errors import IsolateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

DECLARATION_FILES = ("pyproject.toml", "requirements.txt", "pylock.toml")
"""The files that an application's directory may have declarations in."""


class Application(NamedTuple):
    """A directory with declarations.

    `root` is absolute and without `..`, so that an application is the same from wherever it is named; links in it are
    not resolved, so that users see the path that they typed.
    """

    root: Path

    @classmethod
    def at(cls, folder: Path) -> Application:
        """Return the application in *folder*; raise `IsolateError` where there is no such directory."""
        if not folder.is_dir():
            raise IsolateError(f"{folder} is not a directory", hint="name the directory of an application")
        root = without_parents(folder.absolute())
        if ":" in str(root):
            raise IsolateError(
                f"{root} has a colon in its path, which separates the entries of PATH: no environment works there",
                hint="give the directory another name",
            )
        try:
            str(root).encode()
        except UnicodeEncodeError:
            raise IsolateError(
                f"{str(root)!r} is no UTF-8, and a record of it cannot be kept", hint="give the directory another name"
            ) from None
        return cls(root=root)

    @property
    def name(self) -> str:
        """Return the name of the directory, as messages show it."""
        return self.root.name or str(self.root)

    @property
    def lock_file(self) -> Path:
        """Return where `pylock.toml` stands, or would."""
        return self.root / "pylock.toml"

    @property
    def venv(self) -> Path:
        """Return where the environment stands, or would."""
        return self.root / ".venv"

    @property
    def staging(self) -> Path:
        """Return the directory in which a new environment is made ready, on the file system of `.venv`."""
        return self.root / ".isolate-staging"

    def exclusive(self, on_wait: Callable[[], None] | None = None) -> AbstractContextManager[None]:
        """Hold the right to change this application. The directory itself is the lock: no file is left in the tree."""
        from isolate import locks

        return locks.flock(self.root, on_wait=on_wait)


def without_parents(folder: Path) -> Path:
    """Return the absolute *folder* without `..`; where one follows a link, what the link points to decides."""
    if os.pardir not in folder.parts:
        return folder
    plain = Path(os.path.normpath(folder))
    return plain if plain.is_dir() and plain.samefile(folder) else folder.resolve()
