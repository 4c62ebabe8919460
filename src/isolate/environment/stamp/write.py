"""Write the stamp: the files and directories that "nothing to do" depends on."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from isolate.environment.records import DIRECTORY, STAMP, read_state, replace_record
from isolate.environment.stamp.mtimes import (
    MTIME_GRANULARITY_NS,
    UNKNOWN_MTIME,
    is_recent,
    settled_mtime_below,
    watched_directories,
)
from isolate.environment.stamp.read import DIRECTORY_PREFIX, END, FORMAT, KIND
from isolate.errors import NotManaged
from isolate.signed_record import signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from isolate.environment.records import State
    from isolate.environment.stamp.mtimes import DirectoryMtimes

LINKS = ("bin/python",)
"""The links of an environment that lead out of it."""


def write_stamp(
    venv: Path, message: str, inputs: Callable[[], list[str] | None], directory_mtimes: DirectoryMtimes
) -> None:
    """Record everything that the next run compares to print *message* without any other work.

    *inputs* returns the lines of the inputs, None if one was edited meanwhile. In that case there will be no stamp,
    and the next run inspects the environment. The same holds if a source tree is installed that is not editable, or if
    the stamp cannot be written. The next run also inspects the directories whose mtime differs from *directory_mtimes*.
    """
    state = read_state(venv)
    if state is None or _has_copied_source_tree(state):
        remove_stamp(venv)
        return
    with contextlib.suppress(OSError, ValueError):
        links = [f"link {os.readlink(f'{venv}/{path}')}\t{path}" for path in LINKS]  # before *inputs* checks them
        if (lines := _settled_lines(inputs, venv)) is None:
            remove_stamp(venv)
            return
        mtimes = {directory: directory_mtimes.get(directory) for directory in watched_directories(state.installed)}
        _settle_unknown(venv, mtimes)
        text = _text(str(venv), message, facts=[*lines, *links], mtimes=mtimes)
        # Other users must not read the digest of a variable: they could guess its value and compare.
        mode = 0o600 if any(line.startswith("env ") for line in lines) else 0o644
        content = signed(KIND, str(venv / STAMP), text.encode())
        replace_record(venv, STAMP, content, mode=mode)


def _has_copied_source_tree(state: State) -> bool:
    """Return whether a source tree is installed as a copy: only its contents tell whether the copy is current."""
    return any(
        dist.key.startswith("tree:") and not dist.source_id.endswith(":editable") for dist in state.installed.values()
    )


def remove_stamp(venv: Path) -> None:
    """Delete the stamp of *venv*, so that the next run inspects the environment."""
    with contextlib.suppress(OSError):
        (venv / STAMP).unlink()


def _settled_lines(inputs: Callable[[], list[str] | None], venv: Path) -> list[str] | None:
    """Return the lines of the inputs once any later change of one of them is sure to show.

    The records of *venv* are always recent, because this process has written them. They are not waited for: a program
    that edits one in place within that time breaks its code, not the environment.
    """
    lines = inputs()
    inside = f" {venv}/{DIRECTORY}/"
    files = [line.split(" ", 4) for line in lines or () if line.startswith("file ") and inside not in line]
    if not any(is_recent(int(changed)) for _, _, *times, _ in files for changed in times):
        return lines
    time.sleep(MTIME_GRANULARITY_NS / 1e9)
    return inputs()


def _settle_unknown(venv: Path, mtimes: Mapping[str, int]) -> None:
    """Settle the directories with an unknown mtime, so that the next run can know them after it has inspected them."""
    for directory, mtime in mtimes.items():
        if mtime == UNKNOWN_MTIME:
            with contextlib.suppress(OSError, NotManaged):
                settled_mtime_below(venv, directory)


def _text(venv: str, message: str, *, facts: Iterable[str], mtimes: Mapping[str, int]) -> str:
    """Return the content of the stamp; raise `ValueError` for a path that contains a line feed."""
    lines = [FORMAT, message, f"at {venv}", *facts]
    lines += [f"{DIRECTORY_PREFIX}{mtime} {path}" for path, mtime in mtimes.items()]
    if any("\n" in line for line in lines):
        raise ValueError("a path contains a line feed")
    return "\n".join([*lines, END, ""])
