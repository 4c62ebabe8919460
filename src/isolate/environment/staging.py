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
from isolate.environment.journal import replay
from isolate.environment.records import STATE, WORK
from isolate.errors import NotManaged

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.application import Application

MARKER_FILE = ".gitignore"
MARKER = "# made by isolate; gone when it has finished\n*\n"
"""The content of the marker. A change of it makes the staging directories of older versions unrecognizable."""


def recover(application: Application) -> bool:
    """Finish what a killed process left, and delete its other files; return whether there was anything.

    The caller holds the lock of *application*.
    """
    return _recover_staging(application) | _recover_journal(application)


def needs_recovery(application: Application) -> bool:
    """Return whether another process, killed or still running, left something to finish."""
    return os.path.lexists(application.staging) or os.path.lexists(application.venv / WORK)


def _recover_staging(application: Application) -> bool:
    staging, venv = application.staging, application.venv
    if not os.path.lexists(staging):
        return False
    _ensure_managed(staging)
    if not os.path.lexists(venv) and _old_venv(application).is_dir():
        new = staged_venv(application)
        (new if (new / STATE).exists() else _old_venv(application)).rename(venv)
    _clear(staging)
    return True


def _recover_journal(application: Application) -> bool:
    if application.venv.is_symlink() or not os.path.lexists(application.venv / WORK):
        return False
    replay(application.venv)
    return True


def begin(application: Application) -> Path:
    """Create an empty staging directory, and return the path in it for the new environment.

    If a killed process left the existing environment in it, that is put back first.
    """
    staging = application.staging
    _recover_staging(application)
    staging.mkdir()
    (staging / MARKER_FILE).write_text(MARKER, encoding="utf-8")
    return staged_venv(application)


def staged_venv(application: Application) -> Path:
    """Return the path of the new environment while it is in the staging directory."""
    return application.staging / "venv"


def _old_venv(application: Application) -> Path:
    """Return the path to which the existing environment is moved while the new one takes its place."""
    return application.staging / "old"


def abandon(application: Application) -> None:
    """Delete the staging directory, after putting back an environment that was moved into it.

    What cannot be put back or deleted now is left for the next command. An error here would hide the one that is the
    reason for abandoning.
    """
    if os.path.lexists(application.staging):
        _ensure_managed(application.staging)
        with contextlib.suppress(OSError):
            old = _old_venv(application)
            if not os.path.lexists(application.venv) and old.is_dir():
                old.rename(application.venv)
            _clear(application.staging)


def write_file(application: Application, path: Path, content: bytes) -> None:
    """Replace the file *path* in the application's directory by one with *content*, atomically."""
    begun = os.path.lexists(application.staging)
    if not begun:
        begin(application)
    fs.write(path, content, staging=application.staging)
    if not begun:
        _clear(application.staging)


def _clear(staging: Path) -> None:
    """Delete a staging directory, the marker last: if the process is killed, the next one can finish."""
    for path in staging.iterdir():
        if path.name != MARKER_FILE:
            fs.delete_tree(path)
    fs.delete_tree(staging)


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
    text = marker.read_text(encoding="utf-8", errors="replace") if marker.is_file() else ""
    # A process that was killed while it wrote the marker has created nothing else.
    begun = not names or names == [MARKER_FILE]
    return text == MARKER or (begun and MARKER.startswith(text))


def put_in_place(application: Application) -> None:
    """Make the staged environment the application's, and delete the previous one.

    Where the system cannot exchange two directories in one call, this takes two renames. Between them there is no
    environment: `abandon` undoes the first, and `recover` completes the second if the process was killed.
    """
    new, venv, old = staged_venv(application), application.venv, _old_venv(application)
    if not os.path.lexists(venv):
        new.rename(venv)
    elif not _exchange(new, venv):
        venv.rename(old)
        new.rename(venv)
    with contextlib.suppress(OSError):  # the change is done, and the next command deletes what is left
        _clear(application.staging)


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
