"""The user's home directory, and paths that begin with it."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

from isolate.errors import IsolateError

if TYPE_CHECKING:
    from collections.abc import Mapping

XDG_DIRECTORIES = frozenset({"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"})
"""Variables whose specification says to ignore a relative path: https://specifications.freedesktop.org/basedir/."""


class NoHomeDirectory(IsolateError):
    """A directory below the home directory is needed, and the home directory is not known."""

    code = "no-home-directory"
    remedy = "Set the variable that the message names to an absolute path."


def home_directory(environ: Mapping[str, str]) -> str | None:
    """Return the home directory: `HOME` if that is an absolute path, else that of the user database.

    It is None for a user without either. A relative `HOME` counts as none: it would mean another directory to each
    program that is started elsewhere.
    """
    home = environ.get("HOME", "")
    return home if os.path.isabs(home) else _home_of(os.getuid())


def expand_home(variable: str, path: str, environ: Mapping[str, str]) -> str:
    """Return *path*, the value of *variable*, with a home directory in place of a leading `~` or `~user`.

    Raises `NoHomeDirectory` if it is not known.
    """
    user, separator, rest = path.partition("/")
    if not user.startswith("~"):
        return path
    home = home_directory(environ) if user == "~" else _home_of(user[1:])
    if home is None:
        hint = "set HOME to an absolute path" if user == "~" else f"set {variable} to an absolute path"
        raise NoHomeDirectory(f"{variable} is {path}, and the home directory {user} is not known", hint=hint)
    return f"{home.rstrip('/')}{separator}{rest}" or "/"


def with_absolute_directories(environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* for a program that is run in another directory, where a relative path means something else.

    `HOME` is absolute or missing in it, and relative directories of the XDG specification are missing.
    """
    directories = {name: value for name, value in environ.items() if name in XDG_DIRECTORIES and os.path.isabs(value)}
    if home := home_directory(environ):
        directories["HOME"] = home
    others = {name: value for name, value in environ.items() if name not in XDG_DIRECTORIES and name != "HOME"}
    return {**others, **directories}


def _home_of(user: int | str) -> str | None:
    """Return the home directory of *user* (a uid or a name) by the user database; None unless it is absolute."""
    try:
        home = (pwd.getpwuid(user) if isinstance(user, int) else pwd.getpwnam(user)).pw_dir
    except KeyError:
        return None
    return home if os.path.isabs(home) else None
