"""The staging directory, in which a new environment is completed before one rename puts it in place.

<root>/.isolate-staging/
  .gitignore      keeps it out of git, and marks it as created by isolate
  venv/           the new environment
  old/            the environment that it replaced
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from isolate import fs
from isolate.bounded_read import read_bounded
from isolate.environment.journal import replay
from isolate.environment.records import DIRECTORY, STATE, WORK
from isolate.errors import NotManaged
from isolate.open_directory import OpenDirectory, reject_link

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.application import Application

VENV, STAGING = ".venv", ".isolate-staging"
NEW, OLD = f"{STAGING}/venv", f"{STAGING}/old"
"""The new environment, and the one that it replaces while it takes its place, relative to the application."""

MARKER_FILE = ".gitignore"
MARKER = "# made by isolate; gone when it has finished\n*\n"
"""The content of the marker. A change of it makes the staging directories of older versions unrecognizable."""


def recover(application: Application) -> bool:
    """Finish what a killed process left, and delete its other files; return whether there was anything.

    The caller holds the lock of *application*. Raises `NotManaged` for a link where isolate would write.
    """
    reject_links(application)
    return _recover_staging(application) | _recover_journal(application)


def needs_recovery(application: Application) -> bool:
    """Return whether another process, killed or still running, left something to finish.

    Raises `NotManaged` for a link where isolate would write.
    """
    reject_links(application)
    return os.path.lexists(application.staging) or os.path.lexists(application.venv / WORK)


def reject_links(application: Application) -> None:
    """Raise `NotManaged` if a directory in which isolate writes is a symbolic link, which could lead anywhere."""
    venv = application.venv
    for path in (venv, venv / DIRECTORY, venv / WORK):
        reject_link(path)


def _recover_staging(application: Application) -> bool:
    if not os.path.lexists(application.staging):
        return False
    _ensure_managed(application.staging)
    with _open_root(application) as root:
        if not root.exists(VENV) and root.is_directory(OLD):
            root.rename(NEW if root.is_directory(NEW) and root.exists(f"{NEW}/{STATE}") else OLD, VENV)
        _clear(root)
    return True


def _recover_journal(application: Application) -> bool:
    if not os.path.lexists(application.venv / WORK):
        return False
    replay(application.venv)
    return True


def begin(application: Application) -> Path:
    """Create an empty staging directory, and return the path in it for the new environment.

    If a killed process left the existing environment in it, that is put back first.
    """
    _recover_staging(application)
    with _open_root(application) as root:
        root.make_directory(STAGING)
        root.write(f"{STAGING}/{MARKER_FILE}", MARKER.encode())
    return staged_venv(application)


def _open_root(application: Application) -> OpenDirectory:
    """Return the directory of *application*, open. The user named it, so it may be a link."""
    return OpenDirectory(application.root, follow=True)


def staged_venv(application: Application) -> Path:
    """Return the path of the new environment while it is in the staging directory."""
    return application.root / NEW


def abandon(application: Application) -> None:
    """Delete the staging directory, after putting back an environment that was moved into it.

    What cannot be put back or deleted now is left for the next command. An error here would hide the one that is the
    reason for abandoning.
    """
    if os.path.lexists(application.staging):
        _ensure_managed(application.staging)
        with contextlib.suppress(OSError), _open_root(application) as root:
            if not root.exists(VENV) and root.is_directory(OLD):
                root.rename(OLD, VENV)
            _clear(root)


def write_file(application: Application, path: Path, content: bytes) -> None:
    """Replace the file *path* in the application's directory by one with *content*, atomically."""
    begun = os.path.lexists(application.staging)
    if not begun:
        begin(application)
    fs.write(path, content, staging=application.staging)
    if not begun:
        with _open_root(application) as root:
            _clear(root)


def _clear(root: OpenDirectory) -> None:
    """Delete the staging directory in *root*, the marker last: if the process is killed, the next one can finish."""
    for name in root.names(STAGING):
        if name != MARKER_FILE:
            root.delete_tree(f"{STAGING}/{name}")
    root.delete_tree(STAGING)


def _ensure_managed(staging: Path) -> None:
    """Raise `NotManaged` unless isolate created the directory *staging*."""
    if not _is_managed(staging):
        raise NotManaged(
            f"{staging} is in the way, and isolate did not create it", hint="move it away, then run the command again"
        )


def _is_managed(staging: Path) -> bool:
    if staging.is_symlink() or not staging.is_dir():
        return False
    marker, names = staging / MARKER_FILE, os.listdir(staging)
    text = read_bounded(marker).decode(errors="replace") if marker.is_file() else ""
    # A process that was killed while it wrote the marker has created nothing else.
    begun = not names or names == [MARKER_FILE]
    return text == MARKER or (begun and MARKER.startswith(text))


def put_in_place(application: Application) -> None:
    """Make the staged environment the application's, and delete the previous one.

    Where the system cannot exchange two directories in one call, this takes two renames. Between them there is no
    environment: `abandon` undoes the first, and `recover` completes the second if the process was killed.
    """
    with _open_root(application) as root:
        if not root.exists(VENV):
            root.rename(NEW, VENV)
        elif not _exchange(staged_venv(application), application.venv):
            root.rename(VENV, OLD)
            root.rename(NEW, VENV)
        with contextlib.suppress(OSError):  # the change is done, and the next command deletes what is left
            _clear(root)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two directories in one step, and return whether the system could.

    `renameat2(2)` with RENAME_EXCHANGE on Linux, `renamex_np(2)` with RENAME_SWAP on macOS.
    """
    a, b = os.fsencode(first), os.fsencode(second)
    try:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            return bool(libc.renamex_np(a, b, 2) == 0)
        return bool(libc.renameat2(-100, a, -100, b, 2) == 0)
    except (AttributeError, ImportError):
        return False
