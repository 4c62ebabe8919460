"""A new environment is made ready beside the place where it will stand, and gets there by one rename.

<root>/.isolate-staging/
  .gitignore      keeps it out of git, and says that it is ours
  venv/           the new environment
  old/            the one that it took the place of
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from isolate import fs
from isolate.environment.journal import finish_switch
from isolate.environment.records import STATE
from isolate.errors import NotManaged

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.application import Application

MARK_FILE = ".gitignore"
RECORD_SEPARATOR = "# made by isolate; gone when it has finished\n*\n"


def recover(application: Application) -> bool:
    """Finish what a killed command left, and clear away the rest; say whether there was anything.

    Whoever calls holds the application.
    """
    return _recover_staging(application) | _recover_switch(application)


def needs_recovery(application: Application) -> bool:
    """Say whether a killed command (or one that is still running) left something to finish."""
    from isolate.environment.records import WORK

    return os.path.lexists(application.staging) or os.path.lexists(application.venv / WORK)


def _recover_staging(application: Application) -> bool:
    staging, venv = application.staging, application.venv
    if not os.path.lexists(staging):
        return False
    _check_ours(staging)
    if not os.path.lexists(venv) and (staging / "old").is_dir():
        ready = (staging / "venv" / STATE).exists()
        (staging / ("venv" if ready else "old")).rename(venv)
    _clear(staging)
    return True


def _recover_switch(application: Application) -> bool:
    from isolate.environment.records import WORK

    if application.venv.is_symlink() or not os.path.lexists(application.venv / WORK):
        return False
    finish_switch(application.venv)
    return True


def begin(application: Application) -> Path:
    """Create an empty staging directory and return the path in it for the new environment.

    A previous environment that a killed command left in it is put back first.
    """
    staging = application.staging
    _recover_staging(application)
    staging.mkdir()
    (staging / MARK_FILE).write_text(RECORD_SEPARATOR, encoding="utf-8")
    return staged_venv(application)


def staged_venv(application: Application) -> Path:
    """Return the path of the new environment while it is in the staging directory."""
    return application.staging / "venv"


def abandon(application: Application) -> None:
    """Delete the staging directory, after putting back an environment that was renamed into it.

    What cannot be put back or deleted now is left for the next command: an error here would hide the one that
    led here.
    """
    if os.path.lexists(application.staging):
        _check_ours(application.staging)
        with contextlib.suppress(OSError):
            if not os.path.lexists(application.venv) and (application.staging / "old").is_dir():
                (application.staging / "old").rename(application.venv)
            _clear(application.staging)


def write_file(application: Application, path: Path, content: bytes) -> None:
    """Replace the file *path* in the application's directory by one with *content*, entirely or not at all."""
    begun = os.path.lexists(application.staging)
    if not begun:
        begin(application)
    fs.write(path, content, staging=application.staging)
    if not begun:
        _clear(application.staging)


def _clear(staging: Path) -> None:
    """Delete a staging directory; the mark that says whose it is goes last, so that it can be finished if killed."""
    for path in staging.iterdir():
        if path.name != MARK_FILE:
            fs.delete_tree(path)
    fs.delete_tree(staging)


def _check_ours(staging: Path) -> None:
    if staging.is_symlink() or not staging.is_dir():
        ours = False
    else:
        mark, names = staging / MARK_FILE, os.listdir(staging)
        text = mark.read_text(encoding="utf-8", errors="replace") if mark.is_file() else ""
        begun = not names or names == [MARK_FILE]  # killed before the whole mark was there, nothing else is
        ours = text == RECORD_SEPARATOR or (begun and RECORD_SEPARATOR.startswith(text))
    if not ours:
        raise NotManaged(
            f"{staging} is in the way, and isolate did not make it", hint="move it away, then run the command again"
        )


def put_in_place(application: Application) -> None:
    """Make the staged environment the application's, and delete the previous one.

    Where the system cannot exchange two directories in one call, this takes two renames. Between them there is no
    environment: `abandon` undoes the first, and `recover` completes the second if the process was killed.
    """
    new, venv, old = application.staging / "venv", application.venv, application.staging / "old"
    if not os.path.lexists(venv):
        new.rename(venv)
    elif not _exchange(new, venv):
        venv.rename(old)
        new.rename(venv)
    with contextlib.suppress(OSError):  # the change is made; what is left is cleared away by the next command
        _clear(application.staging)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two directories in one step, and say whether the system could.

    `renameat2(2)` with RENAME_EXCHANGE on Linux, `renamex_np(2)` with RENAME_SWAP on macOS.
    """
    a, b = os.fsencode(one), os.fsencode(other)
    try:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            return bool(libc.renamex_np(a, b, 2) == 0)
        return bool(libc.renameat2(-100, a, -100, b, 2) == 0)
    except (AttributeError, ImportError):
        return False
