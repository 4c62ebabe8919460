"""The key of this user: the proof that a record was written by this user's isolate.

<state directory>/key    32 random bytes, which only the user can read

The state directory is that of `platformdirs.user_state_dir`. Importing `platformdirs` takes a third of the time of a
sync with nothing to do, so this module, which such a sync imports, computes the same path.
"""

from __future__ import annotations

import os
import stat
import sys

KEY_SIZE = 32
"""The length of the key in bytes."""

_PROCESS_KEY: list[bytes] = []
"""The key of this process alone, where no key can be stored."""


def state_directory() -> str | None:
    """Return the directory of the user's state of isolate; None if neither `XDG_STATE_HOME` nor a home is known.

    The XDG specification says to ignore a relative path; a relative or empty `HOME` is ignored for the same reason.
    """
    if os.path.isabs(xdg := os.environ.get("XDG_STATE_HOME", "")):
        return os.path.join(xdg, "isolate")
    if not os.path.isabs(home := os.environ.get("HOME", "")):
        from isolate.home import home_directory

        home = home_directory(os.environ) or ""
    below = "Library/Application Support" if sys.platform == "darwin" else ".local/state"
    return os.path.join(home, below, "isolate") if home else None


def read_key() -> bytes | None:
    """Return the user's key; None if there is none, or if another user may know it or may have put it there."""
    if _PROCESS_KEY:
        return _PROCESS_KEY[0]
    if (directory := state_directory()) is None:
        return None
    try:
        handle = os.open(f"{directory}/key", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        key = os.read(handle, KEY_SIZE + 1) if _is_private(os.fstat(handle)) else b""
    except OSError:
        key = b""
    finally:
        os.close(handle)
    return key if len(key) == KEY_SIZE else None


def _is_private(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def ensure_key() -> bytes:
    """Return the user's key, created if there is none that can be used.

    Where it cannot be stored, the key is that of this process alone: what the process writes, no later one believes.
    """
    if (key := read_key()) is not None:
        return key
    try:
        key = _create_key()
    except OSError:
        key = None
    if key is None:
        _PROCESS_KEY[:] = [os.urandom(KEY_SIZE)]
    return key or _PROCESS_KEY[0]


def _create_key() -> bytes | None:
    """Create the key, and return it; None if it may not be stored. One of several processes at once creates it."""
    from pathlib import Path

    from isolate.locks import flock

    if (directory := state_directory()) is None or not _may_create(directory):
        return None
    os.makedirs(directory, mode=0o700, exist_ok=True)
    with flock(Path(directory)):
        if (key := read_key()) is None:
            new = f"{directory}/key.{os.getpid()}.{os.urandom(8).hex()}"
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(os.urandom(KEY_SIZE))
                    file.flush()
                    os.fsync(handle)
                os.rename(new, f"{directory}/key")
            except OSError:
                os.unlink(new)
                raise
            key = read_key()
    return key


def _may_create(directory: str) -> bool:
    """Return whether to create *directory* unless it exists: root creates nothing in the home of another user.

    That user could not use it, and with `sudo` the home may be that of another user.
    """
    existing = directory
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    return os.geteuid() != 0 or os.stat(existing).st_uid == 0
