"""The staging directory, in which a new environment is completed before one rename puts it in place.

<root>/.isolate-staging/    .isolate-staging-2 if another program has a directory with that name
  .gitignore      keeps it out of git, and marks it as created by isolate
  venv/           the new environment
  old/            the environment that it replaced
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, NamedTuple

from isolate import fs
from isolate.environment.exchange import exchange
from isolate.environment.journal import replay
from isolate.environment.ownership import foreign_part
from isolate.environment.records import DIRECTORY, STATE, WORK
from isolate.environment.replace_contents import replace_contents
from isolate.errors import ConcurrentChange, NotManaged
from isolate.open_directory import OpenDirectory, reject_link
from isolate.owners import foreign_owner
from isolate.signed_record import Unverified, authenticated, signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from isolate.application import Application

VENV, STAGING = ".venv", ".isolate-staging"
MAX_NAMES = 9
"""How many names are tried for the staging directory if other programs' files have the first ones."""

MARKER_FILE = ".gitignore"
MARKER = "# made by isolate; gone when it has finished\n*\n"
KIND = "mark"


class Staging(NamedTuple):
    """A staging directory, and the paths in it; all are relative to the application."""

    name: str

    @property
    def new(self) -> str:
        """Return the path of the new environment."""
        return f"{self.name}/venv"

    @property
    def old(self) -> str:
        """Return the path of the environment that is replaced while the new one takes its place."""
        return f"{self.name}/old"


def recover(application: Application) -> bool:
    """Finish what a killed process left, and delete its other files; return whether there was anything.

    The caller holds the lock of *application*. What belongs to another user stays as it is. Raises `NotManaged` for a
    link where isolate would write.
    """
    reject_links(application)
    if foreign_part(application) is not None:
        return False
    return _recover_staging(application) | _recover_journal(application)


def needs_recovery(application: Application) -> bool:
    """Return whether another process, killed or still running, left something to finish.

    Raises `NotManaged` for a link where isolate would write.
    """
    reject_links(application)
    if foreign_part(application) is not None:
        return False
    if os.path.lexists(application.venv / WORK):
        return True
    with _open_root(application) as root:
        return _find(root) is not None


def reject_links(application: Application) -> None:
    """Raise `NotManaged` if a directory in which isolate writes is a symbolic link, which could lead anywhere."""
    venv = application.venv
    for path in (venv, venv / DIRECTORY, venv / WORK):
        reject_link(path)


def _recover_staging(application: Application) -> bool:
    with _open_root(application) as root:
        if (staging := _find(root)) is None:
            return False
        if not root.exists(VENV) and root.is_directory(staging.old):
            is_complete = root.is_directory(staging.new) and root.exists(f"{staging.new}/{STATE}")
            root.rename(staging.new if is_complete else staging.old, VENV)
        _clear(root, staging)
    return True


def _recover_journal(application: Application) -> bool:
    if not os.path.lexists(application.venv / WORK):
        return False
    replay(application.venv)
    return True


def begin(application: Application, say: Callable[[str], None]) -> Path:
    """Create an empty staging directory, and return the path in it for the new environment.

    If a killed process left the existing environment in it, that is put back first. A directory with the same name that
    isolate did not create stays, another name is used, and *say* is called with a line that says so.
    """
    _recover_staging(application)
    with _open_root(application) as root:
        taken = [name for name in _names() if root.exists(name)]
        name = next((name for name in _names() if name not in taken), None)
        if name is None:
            path = application.root / STAGING
            raise NotManaged(
                f"{path} is in the way, and isolate did not create it", hint="move it away, then run the command again"
            )
        if taken:
            say(f"{application.root / taken[0]} has no valid mark of isolate; it stays, and {name} is used")
        root.make_directory(name)
        _write_mark(root, Staging(name))
    return application.root / Staging(name).new


def _open_root(application: Application) -> OpenDirectory:
    """Return the directory of *application*, open. The user named it, so it may be a link."""
    return OpenDirectory(application.root, follow=True)


def _names() -> list[str]:
    return [STAGING, *(f"{STAGING}-{number}" for number in range(2, MAX_NAMES + 1))]


def _find(root: OpenDirectory) -> Staging | None:
    """Return the staging directory in *root* that isolate created; None if there is none."""
    names = (name for name in _names() if root.exists(name) and foreign_owner(root.path / name, root.path) is None)
    return next((Staging(name) for name in names if _is_marked(root, Staging(name))), None)


def _write_mark(root: OpenDirectory, staging: Staging) -> None:
    path = f"{staging.name}/{MARKER_FILE}"
    root.write(path, signed(KIND, f"{root.path}/{path}", MARKER.encode()))


def _is_marked(root: OpenDirectory, staging: Staging) -> bool:
    """Return whether this user's isolate created the directory *staging*, even if it was killed before the mark."""
    path = f"{staging.name}/{MARKER_FILE}"
    if not root.is_directory(staging.name):
        return False
    try:
        mark = root.read(path)
        authenticated(KIND, f"{root.path}/{path}", mark)
    except Unverified:
        is_marked = False
    except (OSError, NotManaged):
        mark, is_marked = b"", False
    else:
        is_marked = True
    # A process that was killed before it wrote the marker has created nothing else.
    return is_marked or (not mark and {*root.names(staging.name)} <= {MARKER_FILE})


def staged_venv(application: Application) -> Path:
    """Return the path of the new environment in the staging directory, which exists."""
    with _open_root(application) as root:
        return application.root / _found(root).new


def _found(root: OpenDirectory) -> Staging:
    if (staging := _find(root)) is None:
        raise ConcurrentChange(
            f"the staging directory in {root.path} was deleted while isolate worked", hint="run the command again"
        )
    return staging


def abandon(application: Application) -> None:
    """Delete the staging directory, after putting back an environment that was moved into it.

    What cannot be put back or deleted now is left for the next command. An error here would hide the one that is the
    reason for abandoning.
    """
    with contextlib.suppress(OSError, NotManaged), _open_root(application) as root:
        if (staging := _find(root)) is not None:
            if not root.exists(VENV) and root.is_directory(staging.old):
                root.rename(staging.old, VENV)
            _clear(root, staging)


def write_file(
    application: Application, path: Path, content: bytes, say: Callable[[str], None], *, mode: int = 0o644
) -> None:
    """Replace the file *path* in the application's directory by one with *content*, atomically; *say* as in `begin`."""
    with _open_root(application) as root:
        begun = _find(root)
        if begun is None:
            begin(application, say)
        staging = _found(root)
        fs.write(path, content, staging=application.root / staging.name, mode=mode, durable=True)
        if begun is None:
            _clear(root, staging)


def _clear(root: OpenDirectory, staging: Staging) -> None:
    """Delete *staging*, the marker last: if the process is killed, the next one can finish."""
    for name in root.names(staging.name):
        if name != MARKER_FILE:
            root.delete_tree(f"{staging.name}/{name}")
    root.delete_tree(staging.name)


def put_in_place(application: Application) -> None:
    """Make the staged environment the application's, and delete the previous one.

    Where the system cannot exchange two directories in one call, this takes two renames. Between them there is no
    environment: `abandon` undoes the first, and `recover` completes the second if the process was killed. Where the
    system cannot rename the environment (it is a mount, or from a lower layer of overlayfs), its contents are replaced.
    """
    with _open_root(application) as root:
        staging = _found(root)
        if not root.exists(VENV):
            root.rename(staging.new, VENV)
        elif not exchange(application.root / staging.new, application.venv):
            _replace(root, staging, application.venv)
        with contextlib.suppress(OSError):  # the change is done, and the next command deletes what is left
            _clear(root, staging)


def _replace(root: OpenDirectory, staging: Staging, venv: Path) -> None:
    try:
        root.rename(VENV, staging.old)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EBUSY):
            raise
        replace_contents(root, staging.new, venv)
    else:
        root.rename(staging.new, VENV)
