"""The directory of an application, and the paths in it that isolate uses.

<root>/
  pyproject.toml, requirements.txt   the declarations; `sync --save` alone writes to one
  pylock.toml                        the lock; written if the declarations leave versions open
  .venv/                             the environment
  .isolate-staging/                  exists while isolate works, or after it was killed: see `environment.staging`
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from isolate.errors import UnusableDirectory

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

DECLARATION_FILES = ("pyproject.toml", "requirements.txt", "Pipfile", "setup.py", "setup.cfg", "pylock.toml")
"""The files that can make a directory an application."""

RENAME = "rename the directory"


class Application(NamedTuple):
    """A directory with declarations, or a script with its own.

    `root` is absolute and has no `..`, so that an application is the same under any relative path. Symbolic links in it
    are not resolved, so that messages show the path that the user typed. `script` is the script with metadata that the
    application consists of; its directory is in the store then, and not the one of the script.
    """

    root: Path
    script: Path | None = None

    @classmethod
    def at(cls, directory: Path) -> Application:
        """Return the application in *directory*; raise `UnusableDirectory` if no environment can work there."""
        if not directory.is_dir():
            problem = "is not a directory" if os.path.lexists(directory) else "does not exist"
            raise UnusableDirectory(f"{directory} {problem}", hint="name the directory of an application")
        root = without_parents(directory.absolute())
        if ":" in str(root):
            raise UnusableDirectory(
                f"{root} has a colon in its path, and PATH separates directories by colons: no environment works there",
                hint=RENAME,
            )
        _ensure_recordable(root)
        return cls(root=root)

    @property
    def name(self) -> str:
        """Return the name of the directory, as messages show it."""
        return self.root.name or str(self.root) if self.script is None else self.script.name

    @property
    def place(self) -> Path:
        """Return the directory that the declarations are in."""
        return self.root if self.script is None else self.script.parent

    def checked(self) -> Application:
        """Return this application again, or raise `UnusableDirectory` as `at` does."""
        return Application.at(self.root) if self.script is None else self

    @property
    def lock_file(self) -> Path:
        """Return the path of `pylock.toml`, whether it exists or not."""
        return self.root / "pylock.toml"

    @property
    def venv(self) -> Path:
        """Return the path of the environment, whether it exists or not."""
        return self.root / ".venv"

    def exclusive(self, on_wait: Callable[[], None] | None = None) -> AbstractContextManager[None]:
        """Hold the exclusive right to change this application.

        The directory itself is locked, so no lock file is left in the repository. *on_wait* is called if another
        process has the right.
        """
        from isolate import locks

        return locks.flock(self.root, on_wait=on_wait)


def _ensure_recordable(root: Path) -> None:
    """Raise `UnusableDirectory` unless *root* has the same bytes on disk and, as UTF-8, in records and scripts."""
    path = os.fsencode(root)
    try:
        text = path.decode()
    except UnicodeDecodeError:
        raise UnusableDirectory(
            f"{str(root)!r} is not valid UTF-8, so isolate cannot record the path", hint=RENAME
        ) from None
    if text != str(root):
        encoding = sys.getfilesystemencoding()
        raise UnusableDirectory(
            f"{text} has characters that Python reads as {encoding} here, and isolate records paths as UTF-8",
            hint="set PYTHONUTF8=1, or LC_ALL to a locale with UTF-8",
        )


def without_parents(directory: Path) -> Path:
    """Return the absolute *directory* without `..`; if one follows a symbolic link, the link is resolved."""
    if os.pardir not in directory.parts:
        return directory
    plain = Path(os.path.normpath(directory))
    return plain if plain.is_dir() and plain.samefile(directory) else directory.resolve()
